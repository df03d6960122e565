"""What a loss cannot take is named by row and value before anything is compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core.about import Task
from downslope.core.errors import BadData, BadShape
from downslope.losses import BinaryCrossEntropy, CrammerSingerHinge, CrossEntropy, Hinge, SquaredError, catalogue


def scores(loss, n=4):
    """Honest scores for some examples."""
    outputs = loss.outputs(3)
    raw = np.random.default_rng(0).normal(size=(n,) if outputs == 1 else (n, outputs)) * 2
    return raw.astype(np.float32)


def wrong_targets():
    """For every loss: targets of which the third is wrong, and words of the error."""
    for name in catalogue.names:
        about = catalogue[name].about
        if about.task is Task.MULTICLASS:
            yield name, np.array([0, 2, 3, 1]), "label in row 2 is 3, expected a class index from 0 to 2, for there are 3 scores"
            yield name, np.array([0, 2, -1, 1]), "label in row 2 is -1"
            yield name, np.array([0.0, 2.0, 0.5, 1.0]), "label in row 2 is 0.5"
            yield name, np.array([0.0, 2.0, np.nan, 1.0]), "target in row 2 is nan"
            continue
        yield name, np.array([1.0, 1.0, np.nan, 1.0]), "target in row 2 is nan"
        yield name, np.array([1.0, 1.0, np.inf, 1.0]), "target in row 2 is inf"
        if about.task is Task.BINARY:
            yield name, np.array([1, 1, -1, 1]), r"row 2 is -1, expected 0 or 1.*-1 and 1 become 0 and 1 by \(target \+ 1\) / 2"
            yield name, np.array([0, 1, 2, 1]), "row 2 is 2, expected 0 or 1"
            if not about.soft_labels:
                yield name, np.array([0, 1, 0.5, 1]), "row 2 is 0.5, expected 0 or 1"
        elif np.isfinite(about.lowest):
            yield name, np.array([1.0, 1.0, -2.5, 1.0]), f"row 2 is -2.5, expected {about.target}"
            if about.open_ends:
                yield name, np.array([1.0, 1.0, 0.0, 1.0]), f"row 2 is 0, expected {about.target}"


@pytest.mark.parametrize(("name", "target", "words"), list(wrong_targets()))
def test_the_first_wrong_target_is_named(name, target, words):
    loss = catalogue[name]()
    with pytest.raises(BadData, match=f"^{name}: .*{words}") as caught:
        loss(scores(loss), target)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadData, match=words):
        loss.check(scores(loss).tolist(), target.tolist())


@pytest.mark.parametrize("name", catalogue.names)
def test_the_ends_of_the_domain_are_allowed_and_jit_looks_at_nothing(name):
    loss = catalogue[name]()
    about = loss.about
    ends = [end for end in (about.lowest, about.highest) if np.isfinite(end) and not about.open_ends]
    target = np.array((ends + [1.0] * 4)[:4], np.int32 if about.task is Task.MULTICLASS else np.float32)
    assert np.isfinite(loss(scores(loss), target)).all()
    wrong = np.full(4, -9, target.dtype)
    assert jax.eval_shape(loss, jnp.asarray(scores(loss)), jnp.asarray(wrong)).shape == (4,)


@pytest.mark.parametrize("name", [name for name in catalogue.names if catalogue[name].about.task is Task.MULTICLASS])
def test_probabilities_are_not_scores(name):
    loss = catalogue[name]()
    chances = np.random.default_rng(1).dirichlet(np.ones(3), 5).astype(np.float32)
    chances[0] = [0.5, 0.25, 0.25]
    with pytest.raises(BadData, match=f"{name}: expected raw scores, row 0 holds the probabilities 0.5, 0.25, 0.25; give what"):
        loss(chances, np.zeros(5, np.int32))
    moved = loss(chances + 1, np.zeros(5, np.int32))
    assert np.isfinite(moved).all(), "scores that happen to look so can be moved by a constant"
    one_row_is_not = np.concatenate([chances, [[0.2, 0.2, 0.2]]]).astype(np.float32)
    assert np.isfinite(loss(one_row_is_not, np.zeros(6, np.int32))).all()
    assert np.isfinite(loss(np.eye(3, dtype=np.float32), np.arange(3))).all(), "whole numbers are scores"


def test_honest_binary_scores_are_never_refused():
    assert np.isfinite(BinaryCrossEntropy()(np.linspace(0, 1, 50, dtype=np.float32), np.ones(50))).all()


def test_soft_labels_are_shares():
    raw = scores(CrossEntropy())
    soft = np.full((4, 3), 1 / 3, np.float32)
    assert np.isfinite(CrossEntropy()(raw, soft)).all()
    for wrong, words in (([2.0, -0.5, -0.5], r"share in row \(1, 1\) is -0.5"), ([1.0, 1.0, 0.0], "sum of shares in row 1 is 2")):
        soft[1] = wrong
        with pytest.raises(BadData, match=words):
            CrossEntropy()(raw, soft)


def test_a_score_that_is_no_number_is_named_and_an_infinite_one_is_not():
    with pytest.raises(BadData, match="squared_error: score in row 1 is nan, expected raw scores"):
        SquaredError()(jnp.array([0.0, jnp.nan]), jnp.zeros(2))
    assert float(CrossEntropy()(jnp.array([[0.0, -jnp.inf, 0.0]]), jnp.array([0]))[0]) == pytest.approx(np.log(2))


def test_half_precision_and_truth_values_can_be_looked_at():
    raw = jnp.asarray(scores(CrammerSingerHinge()), jnp.bfloat16)
    with pytest.raises(BadData, match="label in row 3 is 5"):
        CrammerSingerHinge()(raw, jnp.array([0, 1, 2, 5]))
    assert Hinge()(jnp.array([2.0, -2.0]), jnp.array([True, False])).tolist() == [0.0, 0.0]
    with pytest.raises(BadData, match="row 1 is 1.5"):
        BinaryCrossEntropy()(jnp.zeros(2), jnp.array([0, 1.5], jnp.bfloat16))


def test_a_target_is_looked_at_while_the_gradient_is_taken():
    with pytest.raises(BadData, match="hinge: target in row 0 is 3"):
        jax.grad(lambda raw: Hinge()(raw, jnp.array([3.0])).sum())(jnp.zeros(1))


def test_shapes_come_first():
    with pytest.raises(BadShape, match="nothing is broadcast"):
        Hinge().check(np.zeros((4, 1)), np.zeros(4))
