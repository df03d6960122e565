"""The controls predict what they should, for every task, with weights, with absent classes and with one row of sense."""

import subprocess
import sys

import numpy as np
import pytest

from downslope.comparison.controls import KINDS, Rows, at_once, control, side_by_side
from downslope.comparison.metrics import METRICS, default_metric, shown_metrics
from downslope.comparison.score import judge_predictions
from downslope.core.about import Task
from downslope.training import devices

CLASSES = {Task.REGRESSION: 0, Task.BINARY: 2, Task.MULTICLASS: 3}


def table(task, rows=600):
    """Rows to train on, rows to stop on, and rows to judge, whose first feature tells the target in a bent way."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 4)).astype(np.float32)
    bent = x[:, 0] + np.abs(x[:, 1]) + 0.2 * rng.normal(size=rows)
    y = bent if task is Task.REGRESSION else np.digitize(bent, np.quantile(bent, np.arange(1, CLASSES[task]) / CLASSES[task]))
    return Rows(x[:400], y[:400]), Rows(x[400:500], y[400:500]), x[500:], y[500:]


@pytest.mark.parametrize("task", Task)
def test_each_control_beats_the_one_before(task):
    train, stop, x_judge, y_judge = table(task)
    metric = default_metric(task)
    values = []
    for kind in KINDS:
        predicted = control(kind, task, train, stop, x_judge, classes=CLASSES[task])
        found = judge_predictions(shown_metrics(task), predicted, y_judge)
        assert all(np.isfinite(v) for v in found.values())
        values.append(metric.sign * found[metric.name])
    assert values[0] > values[1] > values[2]


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_twice(task, kind):
    train, stop, x_judge, _ = table(task)
    one, other = (control(kind, task, train, stop, x_judge, classes=CLASSES[task], seed=3) for _ in range(2))
    for need in one:
        np.testing.assert_array_equal(one[need], other[need])


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_weight_zero_are_not_there(task, kind):
    train, stop, x_judge, _ = table(task)
    counted = [(rows, len(rows.y) * 3 // 4) for rows in (train, stop)]
    spoiled = [
        Rows(rows.x, np.where(np.arange(len(rows.y)) < n, rows.y, rows.y.max()), (np.arange(len(rows.y)) < n).astype(float))
        for rows, n in counted
    ]
    some = [Rows(rows.x[:n], rows.y[:n], np.ones(n)) for rows, n in counted]
    one = control(kind, task, *spoiled, x_judge, classes=CLASSES[task])
    other = control(kind, task, *some, x_judge, classes=CLASSES[task])
    for need in one:
        np.testing.assert_array_equal(one[need], other[need])


@pytest.mark.parametrize("kind", KINDS)
def test_a_class_that_is_absent_from_training(kind):
    train, stop, x_judge, _ = table(Task.MULTICLASS)
    stop = stop if kind == "boosted_trees" else stop.only(stop.y != 1)  # trees only watch these rows
    predicted = control(kind, Task.MULTICLASS, train.only(train.y != 1), stop, x_judge, classes=3)
    assert predicted["probability"].shape == (100, 3)
    assert (predicted["probability"][:, 1] == 0).all()
    np.testing.assert_allclose(predicted["probability"].sum(axis=1), 1)
    assert set(predicted["label"]) <= {0, 2}


@pytest.mark.parametrize("kind", KINDS)
def test_one_class_or_one_value_alone(kind):
    train, stop, x_judge, _ = table(Task.BINARY)
    ones = [Rows(rows.x, np.ones(len(rows.y), int)) for rows in (train, stop)]
    assert (control(kind, Task.BINARY, *ones, x_judge)["probability"] == 1).all()
    sevens = [Rows(rows.x, np.full(len(rows.y), 7.0)) for rows in (train, stop)]
    assert (control(kind, Task.REGRESSION, *sevens, x_judge)["value"] == 7).all()


def test_the_constant_is_the_best_one_for_its_metric():
    x, none = np.zeros((5, 1)), Rows(np.zeros((0, 1)), np.zeros(0, int))

    def constant(y, weight=None, task=Task.REGRESSION, **more):
        rows = Rows(x[: len(y)], np.array(y), weight)
        return control("constant", task, rows, none if weight is None else none._replace(weight=np.zeros(0)), x, **more)

    assert constant([0.0, 0, 1, 10, 100])["value"][0] == 22.2
    assert constant([0.0, 0, 1, 10, 100], metric=METRICS["mae"])["value"][0] == 1
    assert constant([0.0, 0, 1, 10, 100], np.array([1.0, 1, 1, 1, 9]), metric=METRICS["mae"])["value"][0] == 100
    assert constant([0.0, 0, 1, 10], metric=METRICS["mae"])["value"][0] == 0.5
    shares = constant([0, 2, 2, 2, 2], task=Task.MULTICLASS, classes=3)["probability"]
    np.testing.assert_allclose(shares, np.tile([0.2, 0, 0.8], (5, 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_few_rows(kind):
    train, stop, x_judge, _ = table(Task.REGRESSION)
    for watched in (1, 0):
        few = [rows.only(np.arange(n)) for rows, n in ((train, 3), (stop, watched))]
        assert np.isfinite(control(kind, Task.REGRESSION, *few, x_judge)["value"]).all()


def test_trees_stop_growing_by_the_stopping_slice():
    """More trees learn noise by heart; the slice says when to stop, and its weights count."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 3))
    noise = rng.normal(size=600)
    train, stop = Rows(x[:300], noise[:300]), Rows(x[300:], noise[300:])
    watched = control("boosted_trees", Task.REGRESSION, train, stop, x[300:])["value"]
    unwatched = control("boosted_trees", Task.REGRESSION, train, train, x[300:])["value"]
    assert watched.std() < 0.3 * unwatched.std()


def test_jobs_side_by_side_come_in_their_order_and_on_one_thread():
    from threadpoolctl import threadpool_info

    def work(number):
        return number, [library["num_threads"] for library in threadpool_info()]

    found = list(side_by_side(work, [(number,) for number in range(7)], workers=3))
    assert [number for number, _ in found] == list(range(7))
    assert all(threads == 1 for _, all_threads in found for threads in all_threads)


def test_references_on_few_rows_take_no_core_from_each_other():
    """On few rows growing trees is Python's own work, at which threads take turns."""
    assert at_once(500 * 12) == 1
    assert at_once(20_000 * 100) == devices.cores()


def test_what_the_jobs_import_is_imported_before_they_begin():
    """Two threads that import modules which import each other meet halves of them."""
    code = (
        "import sys; from downslope.comparison.controls import MODELS, side_by_side; "
        "assert not any(name in sys.modules for name in MODELS), 'imported too early to tell'; "
        "print(*side_by_side(lambda name: name in sys.modules, [(name,) for name in MODELS], 2))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", "True"]
