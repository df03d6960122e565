"""Reasons: confirmed where the cause is decisive, refuted where it is harmless, silent where it is absent, and re-computable."""

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score

import downslope
from benchmarks import validate_reasons as known
from downslope import losses
from downslope.comparison import compare as comparing
from downslope.comparison import metrics, why
from downslope.comparison.audit import audit
from downslope.comparison.counterfactual import MOST_RUNS, PAIRS
from downslope.comparison.ledger import Ledger
from downslope.comparison.reasons import catalogue
from downslope.comparison.reasons.label_noise import TRIGGER, gives_up, mistakes
from downslope.comparison.reasons.outliers import GROWING, STILL, pull
from downslope.comparison.watch import Watcher
from downslope.core.about import Task
from downslope.losses import AbsoluteError, Huber, LogCosh, Poisson, SquaredError
from downslope.training.program import COMPILED
from tests.comparison import small

RECORD = {
    "cause",
    "title",
    "contenders",
    "names",
    "statistic",
    "threshold",
    "metric",
    "gap",
    "needed",
    "arms",
    "verdict",
    "why_not",
}


@pytest.fixture(scope="module", autouse=True)
def shared():
    """All comparisons of this file share their programs."""
    with known.quick():
        yield


@pytest.fixture(scope="module")
def decided():
    """The result of each table that a test has asked for."""
    found = {}
    return lambda cause, kind, seed: found.setdefault((cause, kind, seed), known.result(cause, kind, seed))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", known.EXPECTED)
@pytest.mark.parametrize("cause", known.TABLES)
def test_the_verdict_is_the_truth_of_the_table(decided, cause, kind, seed):
    record = known.record(decided(cause, kind, seed), cause)
    assert record["verdict"] == known.EXPECTED[kind], record
    assert bool(record["sentence"]) == (kind != "absent"), "a reason without evidence is not printed"
    assert bool(record["why_not"]) == (kind == "absent"), "what was not tested is said, with the reason"


def test_every_cause_has_its_three_tables_and_a_record_of_one_form(decided):
    assert set(known.TABLES) == set(catalogue.names)
    for record in decided("outliers", "decisive", 0)["reasons"]:
        assert record.keys() >= RECORD
        for arm in record["arms"]:
            assert arm["pairs"] == len(arm["runs"]) == PAIRS
            assert arm["effect"]["low"] <= arm["effect"]["mean"] <= arm["effect"]["high"]


def test_a_sentence_is_made_from_its_record_alone(decided):
    for kind in known.EXPECTED:
        for record in decided("outliers", kind, 0)["reasons"]:
            bare = json.loads(json.dumps({name: value for name, value in record.items() if name != "sentence"}))
            assert why.sentence(bare) == record["sentence"]


@pytest.mark.parametrize("cause", ["outliers", "sparse_gradients"])
def test_other_names_change_nothing_but_the_names(decided, monkeypatch, cause):
    made = comparing.contenders

    def swapped(*args, **keywords):
        first, second = made(*args, **keywords)
        return [dataclasses.replace(first, id=second.id), dataclasses.replace(second, id=first.id)]

    before = known.record(decided(cause, "decisive", 0), cause)
    monkeypatch.setattr(comparing, "contenders", swapped)
    after = known.record(known.result(cause, "decisive", 0), cause)
    assert after["contenders"] == before["contenders"][::-1]
    for name in ("statistic", "gap", "needed", "verdict"):
        assert after[name] == before[name]
    assert after["arms"][0]["effect"] == before["arms"][0]["effect"]
    renamed = why.sentence(before | {"names": before["names"][::-1]})
    one, other = (name.lower() for name in before["names"])  # which of them begins the sentence changes with the names
    assert renamed.lower() == before["sentence"].lower().replace(one, "?").replace(other, one).replace("?", other)


def test_a_record_can_be_computed_again_from_the_ledger(tmp_path):
    programs = len(COMPILED)
    data = known.result("outliers", "decisive", 0, out=tmp_path / "run")
    assert len(COMPILED) - programs in (0, 4), "leaving rows out compiles nothing anew, nor does anything that ran before"
    record = known.record(data, "outliers")
    arm = record["arms"][0]
    table = known.table("outliers", "decisive", 0)
    problem = comparing.rows_of(table, "y", None, None, (), (), None, None, None, 0, 6)
    with Ledger(tmp_path / "run") as ledger:
        runs = {(run.contender, run.phase, run.learning_rate, run.fit): run for run in ledger.runs()}
    keys = ("contender", "phase", "learning_rate", "fit")
    without, with_change = (
        [runs[tuple(place[key] for key in keys)] for place in side["runs"]] for side in (record["plain"], arm)
    )
    assert [run.phase for run in with_change] == ["counterfactual"] * PAIRS
    assert [(run.fit, run.seed, run.updates) for run in with_change] == [(run.fit, run.seed, run.updates) for run in without]

    def mae(run):
        rows = problem.fits[run.fit].judge
        return metrics.mae(problem.dataset.y[rows], problem.outward(run.fit, SquaredError(), run.arrays["judged"]))

    means = [np.mean([mae(run) for run in side]) for side in (without, with_change)]
    assert means == pytest.approx([record["plain"]["score"], arm["score"]], rel=1e-6)
    assert means[0] - means[1] == pytest.approx(arm["effect"]["mean"], rel=1e-6)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "because of outliers" in page and "What was not tested" in page and "overfitting: " in page


class Stopping(Watcher):
    """Presses Ctrl-C when the second change is about to be tried."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)
        if len([words for words in self.said if words.startswith("looking for reasons")]) == 2:
            raise KeyboardInterrupt


def test_stopped_among_the_extra_runs_it_goes_on_to_the_same_bytes(tmp_path):
    known.result("outliers", "decisive", 0, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        known.result("outliers", "decisive", 0, out=tmp_path / "stopped", watcher=Stopping())
    data = small.strict(tmp_path / "stopped" / "result.json")
    assert (data["finished"], data["reasons"]) == (False, [])
    with Ledger(tmp_path / "stopped") as ledger:
        done = [run for run in ledger.runs() if run.phase == "counterfactual"]
    assert len(done) == PAIRS
    known.result("outliers", "decisive", 0, out=tmp_path / "stopped")
    assert small.timeless(tmp_path / "stopped") == small.timeless(tmp_path / "whole")


def test_the_focal_arm_is_judged_by_the_link_of_its_own_loss(tmp_path):
    record = known.record(known.result("imbalance", "decisive", 0, out=tmp_path / "run"), "imbalance")
    arm = next(arm for arm in record["arms"] if "focal" in arm["name"])
    problem = comparing.rows_of(known.table("imbalance", "decisive", 0), "y", None, None, (), (), None, None, None, 0, 6)
    with Ledger(tmp_path / "run") as ledger:
        runs = [run for run in ledger.runs() if run.contender == arm["runs"][0]["contender"]]
    scores = []
    for run in runs:
        fit = problem.fits[run.fit]
        # Raw scores of a focal loss are no log-odds: labels come from Platt's two numbers, by scikit-learn as another witness.
        raw, y = run.arrays["stop_raw"], problem.dataset.y[fit.stop]
        ones = y.sum()
        part = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (len(y) - ones + 2))
        both = LogisticRegression(C=np.inf, tol=1e-8)
        judge = both.fit(np.tile(raw, 2)[:, None], np.repeat([1, 0], len(y)), np.concatenate([part, 1 - part]))
        labels = judge.predict(run.arrays["judged"][:, None])
        scores.append(balanced_accuracy_score(problem.dataset.y[fit.judge], labels))
    assert len(runs) == PAIRS and np.mean(scores) == pytest.approx(arm["score"], abs=1e-6)
    assert audit(tmp_path / "run").problems == []


def test_several_classes_have_a_focal_arm_too():
    draw = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [110, 110, 20])
    x = draw.normal(size=(240, 2)) + np.eye(3)[y][:, :2]
    table = {"a": x[:, 0].tolist(), "b": x[:, 1].tolist(), "y": np.array(["x", "y", "z"])[y].tolist()}
    asked = known.options("imbalance", "decisive") | {"losses": "cross_entropy", "epochs": 5}
    data = comparing.compare(table, "y", **asked).data
    record = known.record(data, "imbalance")
    assert [arm["name"] for arm in record["arms"]] == ["with balanced class weights", "with a focal loss"]
    assert record["verdict"] in ("confirmed", "refuted") and record["class"] == "z"


@pytest.mark.parametrize("apart", [1.5, 2.0, 3.0])
def test_classes_that_merely_overlap_show_few_confident_mistakes(apart):
    draw = np.random.default_rng(0)
    y = draw.integers(0, 2, 200_000)
    chance = 1 / (1 + np.exp(-apart * (draw.normal(size=len(y)) + apart * (y - 0.5))))
    wrong, rows = mistakes(np.stack([1 - chance, chance], axis=1), y)
    assert wrong / rows < TRIGGER
    noisy = np.where(draw.random(len(y)) < 0.1, 1 - y, y)
    wrong, rows = mistakes(np.stack([1 - chance, chance], axis=1), noisy)
    assert wrong / rows > 1.5 * TRIGGER


def test_the_surest_rows_are_those_with_the_highest_probability():
    draw = np.random.default_rng(0)
    chance = draw.dirichlet(np.ones(3), 400)
    label = draw.integers(0, 3, 400)
    surest = np.argsort(-chance.max(axis=1))[:40]
    assert mistakes(chance, label) == ((chance[surest].argmax(axis=1) != label[surest]).sum(), 40)
    assert mistakes(np.full((50, 2), 0.5), np.repeat([0, 1], 25)) == (2.5, 5), "rows that tie share their place"


@pytest.mark.parametrize(
    "name", [name for name in losses.catalogue.names if losses.catalogue[name].about.task is not Task.REGRESSION]
)
def test_only_the_generalised_losses_give_up_on_labels(name):
    assert gives_up(losses.catalogue[name]()) == ("generalised" in name)


def test_label_noise_of_two_classes_is_read_where_calibration_plays_no_part(decided):
    record = known.record(decided("label_noise", "decisive", 0), "label_noise")
    assert record["metric"]["name"] == "roc_auc", "labels of a margin loss go through Platt's numbers, log-odds do not"


def test_label_noise_among_several_classes_is_tried_with_their_robust_loss():
    draw = np.random.default_rng(0)
    y = draw.integers(0, 3, 240)
    x = draw.normal(size=(240, 2)) + 6 * np.eye(3)[y][:, :2]
    noisy = np.where(draw.random(240) < 0.3, draw.integers(0, 3, 240), y)
    table = {"a": x[:, 0].tolist(), "b": x[:, 1].tolist(), "y": np.array(["x", "y", "z"])[noisy].tolist()}
    asked = known.options("label_noise", "harmless") | {"losses": "cross_entropy", "epochs": 5}
    record = known.record(comparing.compare(table, "y", **asked).data, "label_noise")
    assert record["metric"]["name"] == "balanced_accuracy"
    assert record["verdict"] == "refuted" and 0.05 < record["statistic"]["value"] < 0.4
    robust: dict[str, Any] = asked | {"losses": "generalised_cross_entropy"}
    record = known.record(comparing.compare(table, "y", **robust).data, "label_noise")
    assert record["verdict"] == "not tested" and "gives up on labels" in record["why_not"]


def test_reasons_can_be_left_out_and_asked_for_later(tmp_path):
    quiet = known.result("outliers", "decisive", 0, out=tmp_path / "run", reasons=False)
    assert quiet["reasons"] == []
    with Ledger(tmp_path / "run") as ledger:
        runs = ledger.runs()
    assert not [run for run in runs if run.phase == "counterfactual"]
    later = known.result("outliers", "decisive", 0, out=tmp_path / "run")
    assert later["contenders"] == quiet["contenders"] and later["recommendation"] == quiet["recommendation"]
    with Ledger(tmp_path / "run") as ledger:
        assert len(ledger.runs()) == len(runs) + 2 * PAIRS


def test_too_few_pairs_are_no_test():
    record = known.record(known.result("outliers", "decisive", 0, seeds=5), "outliers")
    assert record["verdict"] == "not tested" and "only 5 runs judged" in record["why_not"] and not record["arms"]


def test_the_extra_runs_are_a_tenth_of_a_default_comparison():
    losses, optimizers, runs = 3, 6, 24
    assert MOST_RUNS <= losses * optimizers * runs / 9 and PAIRS >= 6


@pytest.mark.parametrize("loss", [Huber(), Huber(delta=0.3), AbsoluteError(), LogCosh()])
def test_robust_losses_are_told_by_their_pull(loss):
    assert 0 < pull(loss) <= STILL


def test_squares_pull_in_proportion_and_other_targets_say_nothing():
    assert pull(SquaredError()) == pytest.approx(100) and pull(SquaredError()) > GROWING
    assert pull(Poisson()) == 0


def test_training_alone_looks_for_no_reasons():
    table = small.only("size", "age", "price")
    result = downslope.train(table, "price", loss="mse", optimizer="adam(0.1)", model="linear", epochs=2, seeds=6)
    assert result.data["reasons"] == []
