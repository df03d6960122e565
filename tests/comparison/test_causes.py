"""What single causes are made of: noise of gradients, rare columns, step sizes, prices, columns that are held."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from benchmarks import validate_reasons as known
from downslope.comparison import compare as comparing
from downslope.comparison import proportion
from downslope.comparison.ledger import Ledger
from downslope.comparison.reasons import gradient_noise, sparse_gradients
from downslope.comparison.report import pictures, series
from downslope.comparison.result import Result
from downslope.losses import SquaredError
from downslope.models import Linear
from downslope.optimizers import Sgd, catalogue
from downslope.penalties import L2
from downslope.schedules import Constant
from downslope.training.step import Recipe

OWN_STEP_SIZES = {"adam", "adamw", "adagrad", "adadelta", "rmsprop", "nadam", "radam", "lion", "yogi", "adafactor"}
ONE_STEP_SIZE = {"sgd", "momentum", "nesterov", "lars", "schedule_free_sgd", "clip_by_global_norm"}


@pytest.fixture(scope="module", autouse=True)
def shared():
    """All comparisons of this file share their programs."""
    with known.quick():
        yield


@pytest.mark.parametrize("penalty", [None, L2(strength=0.3)])
def test_noise_and_signal_are_those_of_the_formula(penalty):
    draw = np.random.default_rng(0)
    x, w = draw.normal(size=(40, 3)), draw.uniform(0.5, 2, 40)
    y = x @ [1.0, -2.0, 0.5] + draw.normal(size=40)
    model, strength = Linear(), 0.0 if penalty is None else 0.3
    recipe = Recipe(SquaredError(), Sgd(), Constant(), penalty, model, None)
    first = model.init(jax.random.key(0), 3, 1)
    kept = jax.tree.map(lambda leaf: leaf + 1, first)
    found = gradient_noise.noise_and_signal(recipe, first, kept, *(jnp.asarray(part, jnp.float32) for part in (x, y, w)))
    start = np.append(np.ravel(first["layers"][0]["weight"]), first["layers"][0]["bias"])
    wide, heavy = np.column_stack([x, np.ones(40)]), w / w.mean()
    noise = signal = 0.0
    for where in gradient_noise.ALONG:
        at = start + where
        rows = (heavy * 2 * (wide @ at - y))[:, None] * wide
        mean = rows.mean(axis=0)
        noise += np.square(rows).sum(axis=1).mean() - mean @ mean
        pull = np.append(2 * strength * at[:3], 0) * 0.5
        signal += np.square(mean + pull).sum()
    assert [float(part) for part in found] == pytest.approx([noise, signal], rel=1e-4)


def test_columns_are_rare_by_the_batches_that_miss_them():
    x = np.zeros((1000, 4))
    x[:20, 0], x[:60, 1], x[:, 2] = 1, 1, np.arange(1000)
    assert sparse_gradients.rare(x, 32)[1].tolist() == [True, False, False, False]
    assert sparse_gradients.rare(x, 8)[1].tolist() == [True, True, False, False]
    assert not sparse_gradients.rare(x, 128)[1].any()


@pytest.mark.parametrize("name", sorted(OWN_STEP_SIZES | ONE_STEP_SIZE))
def test_a_step_size_for_each_number_is_told_by_the_way_it_goes(name):
    found = proportion.unevenness(catalogue[name](), 0.01)
    assert (found <= proportion.EVEN) == (name in OWN_STEP_SIZES)
    assert (found >= proportion.PROPORTIONAL) == (name in ONE_STEP_SIZE)


def test_larger_batches_make_as_many_updates_and_pay_for_their_rows(tmp_path):
    record = known.record(known.result("gradient_noise", "decisive", 0, out=tmp_path / "run"), "gradient_noise")
    with Ledger(tmp_path / "run") as ledger:
        runs = {(run.contender, run.phase, run.fit): run for run in ledger.runs()}
    sides = [
        [runs[each["contender"], each["phase"], each["fit"]] for each in side["runs"]]
        for side in (record["plain"], record["arms"][0])
    ]
    for without, larger in zip(*sides, strict=True):
        assert (without.seed, without.learning_rate) == (larger.seed, larger.learning_rate)
        assert larger.updates == pytest.approx(without.updates, rel=0.01)
        assert not np.array_equal(without.arrays["order"], larger.arrays["order"])
    assert record["batch"] == 2 and record["arms"][0]["name"] == "in batches of 6"


def test_what_costs_more_than_is_left_is_not_tested(monkeypatch):
    monkeypatch.setattr("downslope.comparison.counterfactual.MOST_RUNS", 20)
    record = known.record(known.result("gradient_noise", "harmless", 0), "gradient_noise")
    assert record["verdict"] == "not tested" and not record["arms"]
    assert "as much as 18 runs" in record["why_not"]


def test_rare_columns_are_held_where_the_run_learns_and_where_it_is_judged(tmp_path):
    data = known.result("sparse_gradients", "decisive", 0, out=tmp_path / "run")
    record = known.record(data, "sparse_gradients")
    table = known.table("sparse_gradients", "decisive", 0)
    problem = comparing.rows_of(table, "y", None, None, (), (), None, None, None, 0, 6)
    with Ledger(tmp_path / "run") as ledger:
        runs = {(run.contender, run.fit): run for run in ledger.runs() if run.phase == "counterfactual"}
    arm = record["arms"][0]
    assert {len(arm["runs"]), len(arm["rival_runs"]), arm["pairs"]} == {6}
    for place in arm["runs"]:
        run = runs[place["contender"], place["fit"]]
        x = problem.encode(run.fit, problem.fits[run.fit].judge).astype(np.float64)
        dense = [name for name in problem.encoders[problem.places[run.fit]].names if not name.startswith("x0")]
        assert len(dense) == 3
        x[:, : x.shape[1] - 3] = 0
        raw = x @ run.arrays["params 1"].astype(np.float64) + run.arrays["params 0"]
        assert np.allclose(raw[:, 0], run.arrays["judged"], atol=1e-5)
    assert arm["effect"]["mean"] == pytest.approx(record["gap"]["mean"] - arm["score"], rel=1e-9)


@pytest.mark.parametrize("cause", ["overfitting", "imbalance"])
def test_none_l2_and_dropout_stand_in_one_picture(cause):
    wide = known.options("overfitting", "decisive") | {"losses": known.options(cause, "decisive")["losses"]}
    data = known.result(cause, "decisive", 0, **wide)
    record = known.record(data, "overfitting")
    sides = series.regularised(data)
    assert [side["name"] for side in sides] == ["none", "an L2 penalty of 0.01", "dropout of 0.2"] and record["left_out"] == []
    for side, part in zip(sides, [record["plain"], *record["arms"]], strict=True):
        assert len(side["training"]) == len(side["judged"]) == 6
        assert np.mean(side["judged"]) == pytest.approx(part["score"])
        assert side["reach"]["low"] < part["score"] < side["reach"]["high"]
    if cause == "overfitting":  # a wide network knows few clean rows by heart, and judged rows say so
        assert np.mean(sides[0]["training"]) < 0.5 * np.mean(sides[0]["judged"])
    (drawn,) = pictures.overfitting(data)
    assert drawn["svg"].count("dropout of 0.2") >= 1 and len(drawn["data"]["rows"]) == 6
    assert drawn["data"]["rows"][0][:2] == ["none", "training"] and "There is" not in drawn["caption"]
    ax = Figure().add_subplot()
    assert Result(data, {}, Path()).plot_overfitting(ax) is ax and len(ax.lines) >= 12


def test_where_there_is_nothing_to_drop_two_are_shown_and_it_is_said():
    data = known.result("overfitting", "absent", 0)
    (drawn,) = pictures.overfitting(data)
    assert len(drawn["data"]["rows"]) == 4
    assert "There is no dropout, for the model has no units to drop." in drawn["caption"]
    assert pictures.overfitting(data | {"reasons": []}) == []


def test_training_scores_are_those_of_the_rows_that_were_learned_from(tmp_path):
    data = known.result("overfitting", "harmless", 0, out=tmp_path / "run")
    side = series.regularised(data)[0]
    problem = comparing.rows_of(known.table("overfitting", "harmless", 0), "y", None, None, (), (), None, None, None, 0, 6)
    with Ledger(tmp_path / "run") as ledger:
        runs = ledger.runs(phase="confirmation")[:6]
    for run, found in zip(runs, side["training"], strict=True):
        fit = problem.fits[run.fit]
        x = problem.encode(run.fit, fit.train).astype(np.float64)
        raw = (x @ run.arrays["params 1"].astype(np.float64) + run.arrays["params 0"])[:, 0]
        y = problem.dataset.y[fit.train]
        assert found == pytest.approx(np.sqrt(np.mean((problem.outward(run.fit, SquaredError(), raw) - y) ** 2)), rel=1e-5)
