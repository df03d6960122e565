"""Which way a loss rises, over drawn numbers; and cross-entropy among very many classes, to the last digits."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loss_points import every_setting, off, value_and_gradient
from mpmath import exp, log1p, mp, mpf

from downslope.core.about import Task
from downslope.losses import CrossEntropy, catalogue

ROWS = 8
SLACK = 16 * np.finfo(np.float32).eps  # of the larger of two values: twice what the most demanding loss may be off
REGRESSION, BINARY, MULTICLASS = ([name for name in catalogue.names if catalogue[name].about.task is task] for task in Task)


def drawn(low, high, *shape):
    """Arrays of numbers between two bounds."""
    number = st.floats(low, high, width=32)
    size = int(np.prod(shape))
    return st.lists(number, min_size=size, max_size=size).map(lambda found: np.array(found, np.float32).reshape(shape))


def values(name, raw, target):
    """The losses at some scores under every setting."""
    for setting in every_setting(catalogue[name], np.float32):
        record = catalogue[name](**{key: jnp.float32(value) for key, value in setting.items()})
        yield np.asarray(value_and_gradient(record, jnp.asarray(raw, jnp.float32), jnp.asarray(target))[0], np.float64)


def never_rises(name, worse, better, target):
    """The loss of the better scores is nowhere above that of the worse."""
    for above, below in zip(values(name, worse, target), values(name, better, target), strict=True):
        assert (below <= above + SLACK * np.maximum(np.abs(above), np.abs(below)) + 1e-30).all()


@pytest.mark.parametrize("name", BINARY)
@given(drawn(-50, 50, ROWS), drawn(0, 20, ROWS))
def test_a_binary_loss_falls_with_the_margin(name, margin, more):
    target = (np.arange(ROWS) % 2).astype(np.float32)
    side = 2 * target - 1
    never_rises(name, margin * side, (margin + more) * side, target)


@pytest.mark.parametrize("name", REGRESSION)
@given(drawn(0.125, 8, ROWS), drawn(0, 8, ROWS), drawn(0, 8, ROWS))
def test_a_regression_loss_rises_with_the_error_on_each_side(name, target, near, further):
    best = np.log(target) if catalogue[name].about.link == "exp" else target
    for side in (-1, 1):
        close, far = best + side * near, best + side * (near + further)
        if catalogue[name]().outputs() == 2:  # the spread stays the same
            close, far = (np.stack([score, np.zeros(ROWS)], axis=1) for score in (close, far))
        never_rises(name, far, close, target)


@pytest.mark.parametrize("name", MULTICLASS)
@given(drawn(-20, 20, ROWS, 4), drawn(0, 20, ROWS))
def test_a_multiclass_loss_falls_with_the_score_of_the_right_class(name, raw, more):
    label = (np.arange(ROWS) % 4).astype(np.int32)
    never_rises(name, raw, raw + more[:, None] * np.eye(4)[label], label)


@pytest.mark.parametrize("name", [name for name in MULTICLASS if catalogue[name].about.soft_labels])
@given(drawn(-20, 20, ROWS, 4), drawn(0, 20, ROWS))
def test_among_wrong_classes_a_higher_score_is_never_better(name, raw, more):
    label = (np.arange(ROWS) % 4).astype(np.int32)
    never_rises(name, raw + more[:, None] * np.eye(4)[(label + 1) % 4], raw, label)


def truth_of_many(raw, label):
    """Value and slopes of one example's cross-entropy by the closed formula, to sixty digits."""
    with mp.workdps(60):
        scores = [mpf(float(score)) for score in raw]
        odds = [exp(score - scores[label]) for score in scores]
        against = sum(odds) - 1
        slopes = [odd / (1 + against) for odd in odds]
        slopes[label] = -against / (1 + against)
        return log1p(against), slopes


def test_many_classes_keep_their_digits():
    classes = 32_000
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(4, classes)).astype(np.float32) * 3
    label = rng.integers(0, classes, 4).astype(np.int32)
    raw[1, label[1]] += 60  # all but certain
    raw[2, label[2]] -= 40  # confidently wrong
    raw[3] = np.float32(0.3)  # all alike
    value, slope = value_and_gradient(CrossEntropy(), raw, label)
    for row in range(4):
        exact, slopes = truth_of_many(raw[row], int(label[row]))
        for ours, true in ((np.asarray(value)[row : row + 1], [exact]), (np.asarray(slope)[row], slopes)):
            first = np.array([float(number) for number in true])
            rest = np.array([float(number - mpf(near)) for number, near in zip(true, first.tolist(), strict=True)])
            assert off(ours, first, rest, np.abs(first), np.float32).max() <= CrossEntropy.about.ulp
