"""Scores of all epochs at once equal one epoch at a time; the kept epoch is the best; judging reads the right prediction."""

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from downslope.comparison.calibrate import fit_calibration, probabilities
from downslope.comparison.influence import contributions
from downslope.comparison.metrics import METRICS, shown_metrics
from downslope.comparison.score import epoch_scores, judge, judge_predictions, predictions
from downslope.core.about import Task

EPOCHS, ROWS = 6, 300


def scores(task, rng, dtype=np.float32):
    """Targets, raw scores that get better from epoch to epoch, weights."""
    weight = rng.integers(0, 3, ROWS).astype(float)
    signal = np.linspace(0, 2, EPOCHS)
    if task is Task.REGRESSION:
        y = rng.normal(50, 9, ROWS)
        return y, (y + rng.normal(size=(EPOCHS, ROWS)) * (3 - signal)[:, None]).astype(dtype), weight
    if task is Task.BINARY:
        y = rng.integers(0, 2, ROWS)
        return y, (rng.normal(size=(EPOCHS, ROWS)) + signal[:, None] * (2 * y - 1)).astype(dtype), weight
    y = rng.integers(0, 4, ROWS)
    return y, (rng.normal(size=(EPOCHS, ROWS, 4)) + signal[:, None, None] * np.eye(4)[y]).astype(dtype), weight


LINKS = {Task.REGRESSION: ["identity"], Task.BINARY: ["sigmoid", "sign"], Task.MULTICLASS: ["softmax", "argmax"]}
CASES = [(m, task, link) for m in METRICS.values() for task in m.tasks for link in LINKS[task]]


@pytest.mark.parametrize(("metric", "task", "link"), CASES, ids=lambda v: getattr(v, "name", v))
@pytest.mark.parametrize("weighted", [False, True])
def test_all_epochs_at_once_are_each_epoch_judged_alone(metric, task, link, weighted):
    y, raw, weight = scores(task, np.random.default_rng(0))
    weight = weight if weighted else None
    found = epoch_scores(metric, task, link, raw, y, weight)
    assert found.shape == (EPOCHS,)
    assert found.dtype == np.float64
    for epoch, one in enumerate(raw):
        calibration = None
        if metric.needs == "probability":
            calibration = fit_calibration(one, y, weight, link, task)
        alone = judge([metric], task, link, one, y, weight, calibration)[metric.name]
        assert found[epoch] == pytest.approx(alone, rel=2e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("decimals", [None, 1, 0])
@pytest.mark.parametrize("weighted", [False, True])
def test_auc_of_all_epochs_with_ties(dtype, decimals, weighted):
    y, raw, weight = scores(Task.BINARY, np.random.default_rng(1), dtype)
    if decimals is not None:
        raw = raw.round(decimals)  # makes -0.0 too, which ties with 0.0
    weight = weight if weighted else None
    found = epoch_scores(METRICS["roc_auc"], Task.BINARY, "sigmoid", raw, y, weight)
    np.testing.assert_allclose(found, [roc_auc_score(y, one, sample_weight=weight) for one in raw], rtol=1e-12)


def test_an_epoch_that_left_the_finite_numbers_has_no_score():
    y, raw, _ = scores(Task.BINARY, np.random.default_rng(2))
    raw[2, 5], raw[4, 0] = np.nan, np.inf
    found = epoch_scores(METRICS["roc_auc"], Task.BINARY, "sigmoid", raw, y)
    np.testing.assert_array_equal(np.isnan(found), [False, False, True, False, True, False])


def test_no_score_without_two_classes_without_rows_or_without_weight():
    raw = np.random.default_rng(3).normal(size=(4, 10)).astype(np.float32)
    auc = METRICS["roc_auc"]
    assert np.isnan(epoch_scores(auc, Task.BINARY, "sigmoid", raw, np.ones(10, int))).all()
    assert np.isnan(epoch_scores(auc, Task.BINARY, "sigmoid", raw[:, :0], np.ones(0, int))).all()
    for name in ("rmse", "mae"):
        assert np.isnan(epoch_scores(METRICS[name], Task.REGRESSION, "identity", raw, np.ones(10), np.zeros(10))).all()


def test_multiclass_log_loss_is_after_the_best_temperature():
    y, raw, _ = scores(Task.MULTICLASS, np.random.default_rng(4))
    found = epoch_scores(METRICS["log_loss"], Task.MULTICLASS, "argmax", raw * 100, y)
    temperature = fit_calibration(raw[-1], y, None, "argmax", Task.MULTICLASS)
    expected = log_loss(y, probabilities(raw[-1], "argmax", Task.MULTICLASS, temperature))
    assert found[-1] == pytest.approx(expected, rel=1e-4)
    np.testing.assert_allclose(found, epoch_scores(METRICS["log_loss"], Task.MULTICLASS, "argmax", raw, y), rtol=1e-3)


def test_many_classes_are_scored_in_parts(monkeypatch):
    y, raw, weight = scores(Task.MULTICLASS, np.random.default_rng(5))
    whole = epoch_scores(METRICS["log_loss"], Task.MULTICLASS, "softmax", raw, y, weight)
    monkeypatch.setattr("downslope.comparison.score.ELEMENTS", raw[0].size * 4)
    np.testing.assert_allclose(epoch_scores(METRICS["log_loss"], Task.MULTICLASS, "softmax", raw, y, weight), whole, rtol=1e-6)


def test_a_spread_as_second_score_leaves_the_prediction_alone():
    y = np.arange(4.0)
    raw = np.stack([y + 1, np.full(4, 9.0)], axis=1)[None]
    assert epoch_scores(METRICS["rmse"], Task.REGRESSION, "identity", raw, y) == pytest.approx([1.0])
    np.testing.assert_array_equal(predictions(raw[0], "identity", Task.REGRESSION)["value"], y + 1)


def test_labels_belong_to_the_probabilities():
    raw = np.array([-2.0, -0.5, 0.5, 2.0])
    assert predictions(raw, "sign", Task.BINARY)["label"].tolist() == [0, 0, 1, 1]
    assert "probability" not in predictions(raw, "sign", Task.BINARY)
    shifted = predictions(raw, "sign", Task.BINARY, fit_calibration(raw, np.array([0, 1, 1, 1]), None, "sign", Task.BINARY))
    assert (shifted["label"] == (shifted["probability"] > 0.5)).all()


def test_judge_says_when_a_metric_has_no_value():
    found = judge(shown_metrics(Task.BINARY), Task.BINARY, "sign", np.array([-1.0, 1.0]), np.array([0, 1]))
    assert found["roc_auc"] == 1
    assert found["accuracy"] == 1
    assert np.isnan(found["log_loss"])
    assert np.isnan(judge_predictions([METRICS["rmse"]], {"value": np.array([np.nan])}, np.ones(1))["rmse"])


@pytest.mark.parametrize("seed", range(40))
def test_scores_of_any_size_on_few_rows_give_finite_numbers_or_none(seed):
    rng = np.random.default_rng(seed)
    rows, k, scale = rng.choice([1, 2, 3, 20, 900]), rng.choice([2, 3, 7]), 10.0 ** rng.integers(-12, 13)
    y = rng.integers(0, k, rows)
    raw = (rng.normal(size=(3, rows, k)) * scale * rng.choice([0, 1, 1])).astype(rng.choice([np.float32, np.float64]))
    weight = rng.integers(0, 2, rows).astype(float) if seed % 2 else None
    both = (y > 0).astype(int)
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        several = epoch_scores(METRICS["log_loss"], Task.MULTICLASS, "argmax", raw, y, weight)
        assert np.isfinite(several).all() or weight.sum() == 0
        calibration = fit_calibration(raw[0], y, weight, "argmax", Task.MULTICLASS)
        assert np.isfinite(probabilities(raw[0], "argmax", Task.MULTICLASS, calibration)).all()
        calibration = fit_calibration(raw[0, :, 0], both, weight, "sign", Task.BINARY)
        given = predictions(raw[0, :, 0], "sign", Task.BINARY, calibration)
        assert np.isfinite(given["probability"]).all()
        for metric in METRICS.values():
            if Task.BINARY in metric.tasks:
                epoch_scores(metric, Task.BINARY, "sign", raw[:, :, 0], both, weight)
                parts = contributions(metric, both, given[metric.needs], weight)
                assert np.isfinite(parts).all() or np.isnan(parts).all()
