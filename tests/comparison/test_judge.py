"""From runs to metrics: each on the rows its fit left out, in the target's units, calibrated on the stopping slice."""

import json

import numpy as np
import pytest

from downslope.comparison.contender import contenders
from downslope.comparison.judge import Court, finite, outcome
from downslope.comparison.ledger import Ledger, Run
from downslope.comparison.metrics import default_metric, shown_metrics
from downslope.comparison.rank import Interval
from downslope.core.about import Task
from tests.comparison import small


def court(table, target="price", **options):
    problem = small.problem(table, target, **options)
    metric = default_metric(problem.dataset.task)
    return Court(problem, metric, shown_metrics(problem.dataset.task, metric), 0)


def run(fit, judged=(), stop=(), status="ok", after=None, phase="confirmation"):
    arrays = {"judged": np.asarray(judged, float), "stop_raw": np.asarray(stop, np.float32)}
    return Run("c", phase, 0.1, fit, 7, status, after, 1, 0.5, 40, arrays, 0.1)


def test_a_constant_error_is_that_error_in_the_units_of_the_target():
    judge = court(small.only(*small.PLAIN))
    (one,) = contenders("huber", "sgd", task=Task.REGRESSION, batch=32)
    runs = []
    for fit in judge.problem.confirmation:
        truth = judge.problem.dataset.y[judge.problem.fits[fit].judge] + 3.0
        runs.append(run(fit, judge.problem.scale(fit, one.loss).inward(truth)))
    judged = judge.contender(one.loss, one.id, runs)
    np.testing.assert_allclose(judged.scores(judge.metric), 3.0, rtol=1e-9)
    assert judge.mean(judged, judge.metric) == pytest.approx(3.0)
    assert judge.entry(judged)["mae"]["mean"] == pytest.approx(3.0)
    pooled = judge.pooled(judged)
    np.testing.assert_allclose(pooled["prediction"] - pooled["target"], 3.0)
    for fit, part in zip(judge.problem.confirmation, judged.predictions, strict=True):
        assert len(part["value"]) == len(judge.problem.fits[fit].judge)


def test_weights_count():
    table = small.only(*small.PLAIN, "importance")
    judge = court(table, weight="importance")
    (one,) = contenders("mse", "sgd", task=Task.REGRESSION, batch=32)
    fit = judge.problem.confirmation[0]
    rows = judge.problem.fits[fit].judge
    error = np.arange(len(rows)) / 10
    raw = judge.problem.scale(fit, one.loss).inward(judge.problem.dataset.y[rows] + error)
    judged = judge.contender(one.loss, one.id, [run(fit, raw)])
    weight = judge.problem.dataset.weight[rows]
    assert judged.scores(judge.metric)[0] == pytest.approx(np.sqrt(np.average(error**2, weights=weight)), rel=1e-9)


def test_margins_are_calibrated_on_the_stopping_slice_and_not_on_the_judged_rows():
    judge = court(small.only(*small.LABELLED), "dear")
    (one,) = contenders("hinge", "sgd", task=Task.BINARY, batch=32)
    draw = np.random.default_rng(0)
    fit = judge.problem.confirmation[0]
    y = judge.problem.dataset.y
    rows = judge.problem.fits[fit]
    stop = 20 * (2 * y[rows.stop] - 1) + draw.normal(size=len(rows.stop)) * 20
    judged_raw = 20 * (2 * y[rows.judge] - 1) + draw.normal(size=len(rows.judge)) * 20
    first = judge.contender(one.loss, one.id, [run(fit, judged_raw, stop)])
    second = judge.contender(one.loss, one.id, [run(fit, -judged_raw, stop)])
    third = judge.contender(one.loss, one.id, [run(fit, judged_raw, -stop)])
    probability = first.predictions[0]["probability"]
    assert ((probability > 0) & (probability < 1)).all() and first.metrics[0]["log_loss"] < np.log(2)
    # Other judged scores leave the calibration as it is; another stopping slice does not.
    np.testing.assert_array_equal(np.argsort(second.predictions[0]["probability"]), np.argsort(probability)[::-1])
    assert not np.allclose(third.predictions[0]["probability"], probability)
    assert first.metrics[0]["roc_auc"] == pytest.approx(1 - second.metrics[0]["roc_auc"])


@pytest.mark.parametrize(
    ("runs", "fact", "status", "words"),
    [
        ([run(2), run(3)], False, "ok", ""),
        ([run(2)], False, "out_of_budget", "stopped after 1 of 2 confirmation runs"),
        ([], False, "out_of_budget", "stopped after 0 of 2"),
        ([], True, "diverged", "every learning rate that was tried left the finite numbers"),
        ([run(2), run(3, status="diverged", after=1200)], False, "diverged", "1 of 2 confirmation runs left the finite numbers"),
        (
            [run(2, status="diverged", after=9), run(3, status="diverged", after=5)],
            False,
            "diverged",
            "the first after 5 updates",
        ),
        ([run(2, status="diverged"), run(3)], False, "diverged", "left the finite numbers"),
    ],
)
def test_how_a_contender_ended(tmp_path, runs, fact, status, words):
    (one,) = contenders("mse", "sgd", task=Task.REGRESSION, batch=32)
    with Ledger(tmp_path) as ledger:
        if fact:
            ledger.store(f"diverged {one.id}", True)
        found, reason = outcome(one, ledger, runs, 2)
    assert found == status and words in reason and bool(reason) == (status != "ok")


def test_what_is_no_number_is_null():
    assert finite(float("nan")) is None and finite(float("inf")) is None and finite(None) is None
    assert finite(np.float32(0.5)) == 0.5 and type(finite(np.float32(0.5))) is float
    json.dumps(Interval(1.0, 0.5, 1.5).to_json(), allow_nan=False)
