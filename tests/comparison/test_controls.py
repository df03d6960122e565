"""The controls predict what they should, for every task, with weights, with absent classes and with one row of sense."""

import numpy as np
import pytest

from downslope.comparison.controls import KINDS, control
from downslope.comparison.metrics import METRICS, default_metric, shown_metrics
from downslope.comparison.score import judge_predictions
from downslope.core.about import Task

CLASSES = {Task.REGRESSION: 0, Task.BINARY: 2, Task.MULTICLASS: 3}


def table(task, rows=600):
    """Features of which the first tells the target, in a bent way."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    bent = x[:, 0] + np.abs(x[:, 1]) + 0.2 * rng.normal(size=rows)
    y = bent if task is Task.REGRESSION else np.digitize(bent, np.quantile(bent, np.arange(1, CLASSES[task]) / CLASSES[task]))
    return x[:400], y[:400], x[400:], y[400:]


@pytest.mark.parametrize("task", Task)
def test_each_control_beats_the_one_before(task):
    x, y, x_judge, y_judge = table(task)
    metric = default_metric(task)
    values = []
    for kind in KINDS:
        predicted = control(kind, task, x, y, None, x_judge, classes=CLASSES[task])
        found = judge_predictions(shown_metrics(task), predicted, y_judge)
        assert all(np.isfinite(v) for v in found.values())
        values.append(metric.sign * found[metric.name])
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_twice(task, kind):
    x, y, x_judge, _ = table(task)
    one, other = (control(kind, task, x, y, None, x_judge, classes=CLASSES[task], seed=3) for _ in range(2))
    for need in one:
        np.testing.assert_array_equal(one[need], other[need])


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_weight_zero_are_not_there(task, kind):
    x, y, x_judge, _ = table(task)
    weight = np.where(np.arange(400) < 300, 1.0, 0.0)
    spoiled = np.where(weight > 0, y, y.max())
    one = control(kind, task, x, spoiled, weight, x_judge, classes=CLASSES[task])
    other = control(kind, task, x[:300], y[:300], np.ones(300), x_judge, classes=CLASSES[task])
    for need in one:
        np.testing.assert_array_equal(one[need], other[need])


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_is_absent_from_training(kind):
    x, y, x_judge, _ = table(Task.MULTICLASS)
    some = y != 1
    predicted = control(kind, Task.MULTICLASS, x[some], y[some], None, x_judge, classes=3)
    assert predicted["probability"].shape == (200, 3)
    assert (predicted["probability"][:, 1] == 0).all()
    np.testing.assert_allclose(predicted["probability"].sum(axis=1), 1)
    assert set(predicted["label"]) <= {0, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_one_class_or_one_value_alone(kind):
    x, _, x_judge, _ = table(Task.BINARY)
    assert (control(kind, Task.BINARY, x, np.ones(400, int), None, x_judge)["probability"] == 1).all()
    assert (control(kind, Task.REGRESSION, x, np.full(400, 7.0), None, x_judge)["value"] == 7).all()


def test_the_constant_is_the_best_one_for_its_metric():
    y = np.array([0.0, 0, 1, 10, 100])
    x = np.zeros((5, 1))
    assert control("constant", Task.REGRESSION, x, y, None, x)["value"][0] == 22.2
    assert control("constant", Task.REGRESSION, x, y, None, x, metric=METRICS["mae"])["value"][0] == 1
    heavy = np.array([1.0, 1, 1, 1, 9])
    assert control("constant", Task.REGRESSION, x, y, heavy, x, metric=METRICS["mae"])["value"][0] == 100
    even = control("constant", Task.REGRESSION, x[:4], y[:4], None, x, metric=METRICS["mae"])
    assert even["value"][0] == 0.5
    shares = control("constant", Task.MULTICLASS, x, np.array([0, 2, 2, 2, 2]), None, x, classes=3)["probability"]
    np.testing.assert_allclose(shares, np.tile([0.2, 0, 0.8], (5, 1)))


def test_few_rows():
    x, y, x_judge, _ = table(Task.REGRESSION)
    for kind in KINDS:
        assert np.isfinite(control(kind, Task.REGRESSION, x[:3], y[:3], None, x_judge)["value"]).all()
