"""Every metric equals scikit-learn's, weighted or not, and refuses what it cannot mean."""

import numpy as np
import pytest
from sklearn import metrics as reference

from downslope.comparison.influence import INFLUENCE, contributions
from downslope.comparison.metrics import METRICS, default_metric, find_metric, shown_metrics
from downslope.core.about import Task
from downslope.core.errors import IncompatiblePair, UnknownName

THEIRS = {
    "rmse": reference.root_mean_squared_error,
    "mae": reference.mean_absolute_error,
    "r2": reference.r2_score,
    "mape": reference.mean_absolute_percentage_error,
    "roc_auc": reference.roc_auc_score,
    "average_precision": reference.average_precision_score,
    "log_loss": reference.log_loss,
    "brier": reference.brier_score_loss,
    "accuracy": reference.accuracy_score,
    "f1": reference.f1_score,
    "f1_macro": lambda y, p, sample_weight: reference.f1_score(y, p, average="macro", sample_weight=sample_weight),
    "balanced_accuracy": reference.balanced_accuracy_score,
}
CASES = [(metric, task) for metric in METRICS.values() for task in metric.tasks]
IDS = [f"{metric.name}-{task.value}" for metric, task in CASES]


def example(metric, task, rng, n=200, ties=False):
    """Targets, the kind of prediction that the metric reads, and weights of which some are 0."""
    weight = rng.integers(0, 4, n).astype(float)
    if task is Task.REGRESSION:
        y = rng.normal(20, 2, n)
        return y, y + rng.normal(0, 1, n), weight
    k = 2 if task is Task.BINARY else 4
    y = rng.integers(0, k, n)
    scores = rng.normal(size=(n, k)) + 1.2 * np.eye(k)[y]
    if ties:
        scores = scores.round()
    if metric.needs == "label":
        return y, scores.argmax(axis=1), weight
    chance = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    if task is Task.MULTICLASS:
        return y, chance, weight
    return y, (scores[:, 1] - scores[:, 0]) if metric.needs == "score" else chance[:, 1], weight


@pytest.mark.parametrize(("metric", "task"), CASES, ids=IDS)
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn(metric, task, ties, weighted):
    y, prediction, weight = example(metric, task, np.random.default_rng(3), ties=ties)
    weight = weight if weighted else None
    theirs = THEIRS[metric.name](y, prediction, sample_weight=weight)
    assert metric.function(y, prediction, weight) == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(("metric", "task"), CASES, ids=IDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_contributions_average_to_the_metric(metric, task, weighted):
    y, prediction, weight = example(metric, task, np.random.default_rng(4), ties=True)
    weight = weight if weighted else None
    parts = contributions(metric, y, prediction, weight)
    assert parts.shape == y.shape
    assert parts.mean() == pytest.approx(metric.function(y, prediction, weight), rel=1e-12)


@pytest.mark.parametrize(("metric", "task"), CASES, ids=IDS)
def test_contributions_are_the_derivative_by_the_weight_of_a_row(metric, task):
    y, prediction, weight = example(metric, task, np.random.default_rng(5), n=60, ties=True)
    parts = contributions(metric, y, prediction, weight)
    value = metric.function(y, prediction, weight)
    step = 1e-6
    for row in range(0, 60, 7):
        if weight[row] == 0:
            assert parts[row] == pytest.approx(value)
            continue
        heavier, lighter = weight.copy(), weight.copy()
        heavier[row] *= 1 + step
        lighter[row] *= 1 - step
        slope = (metric.function(y, prediction, heavier) - metric.function(y, prediction, lighter)) / (2 * step)
        assert parts[row] - value == pytest.approx(len(y) * slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("metric", "task"), CASES, ids=IDS)
def test_contributions_foretell_the_spread_over_fresh_rows(metric, task):
    rng = np.random.default_rng(6)
    values, foretold = [], []
    for _ in range(150):
        y, prediction, weight = example(metric, task, rng, n=400)
        values.append(metric.function(y, prediction, weight))
        foretold.append(contributions(metric, y, prediction, weight).std() / np.sqrt(400))
    assert np.mean(foretold) == pytest.approx(np.std(values), rel=0.2)


def test_every_metric_has_contributions():
    assert set(INFLUENCE) == set(METRICS)


def test_no_value_where_there_is_no_meaning():
    one_class = np.ones(5, int)
    assert np.isnan(METRICS["roc_auc"].function(one_class, np.arange(5.0), None))
    assert np.isnan(METRICS["average_precision"].function(np.zeros(5, int), np.arange(5.0), None))
    assert np.isnan(METRICS["r2"].function(np.ones(5), np.arange(5.0), None))
    assert np.isnan(METRICS["rmse"].function(np.ones(5), np.arange(5.0), np.zeros(5)))
    assert np.isnan(METRICS["f1"].function(np.zeros(5, int), np.zeros(5, int), None))
    assert np.isnan(contributions(METRICS["roc_auc"], one_class, np.arange(5.0))).all()


def test_constant_predictions():
    y = np.array([0, 1, 1, 0, 1])
    assert METRICS["roc_auc"].function(y, np.full(5, 0.3), None) == 0.5
    assert METRICS["average_precision"].function(y, np.full(5, 0.3), None) == pytest.approx(0.6)
    np.testing.assert_allclose(contributions(METRICS["roc_auc"], y, np.full(5, 0.3)), 0.5)
    np.testing.assert_allclose(contributions(METRICS["rmse"], y * 1.0, y * 1.0), 0)


def test_a_certain_mistake_costs_much_but_not_everything():
    assert 30 < METRICS["log_loss"].function(np.array([1]), np.array([0.0]), None) < 40


@pytest.mark.parametrize(("task", "name"), [(Task.REGRESSION, "rmse"), (Task.BINARY, "roc_auc"), (Task.MULTICLASS, "log_loss")])
def test_defaults(task, name):
    assert default_metric(task).name == name
    assert shown_metrics(task)[0].name == name
    assert all(task in metric.tasks for metric in shown_metrics(task))


@pytest.mark.parametrize(("metric", "task"), CASES, ids=IDS)
def test_values_stay_within_the_limits(metric, task):
    rng = np.random.default_rng(8)
    y, prediction, _ = example(metric, task, rng, n=50)
    for given in (prediction, prediction[rng.permutation(50)]):
        assert metric.limits[0] <= metric.function(y, given, None) <= metric.limits[1]


def test_the_ranking_metric_is_shown_first_even_when_it_usually_is_not():
    assert [m.name for m in shown_metrics(Task.REGRESSION, METRICS["mape"])] == ["mape", "rmse", "mae", "r2"]


def test_finding_a_metric():
    assert find_metric("F1", Task.MULTICLASS).name == "f1_macro"
    assert find_metric("F1", Task.BINARY).name == "f1"
    with pytest.raises(UnknownName, match="did you mean 'rmse'"):
        find_metric("rsme", Task.REGRESSION)
    with pytest.raises(IncompatiblePair, match="roc_auc does not fit a regression target; use one of: rmse"):
        find_metric("auc", Task.REGRESSION)
