"""Links: the same prediction from NumPy and from JAX, finite at every score."""

import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core import links
from downslope.core.errors import UnknownName

SCORES = np.array([[-1e4, 0.0, 3.0], [2.0, 2.0, -40.0], [0.25, -0.5, 1e4]])


@pytest.mark.parametrize("name", links.NAMES)
def test_numpy_and_jax_agree(name):
    scores = np.clip(SCORES, -80, 80).astype(np.float32)
    np.testing.assert_allclose(links.apply(name, scores), links.apply(name, scores, jnp), rtol=1e-5, atol=1e-30)


def test_probabilities_are_right_at_the_extremes():
    assert links.apply("sigmoid", np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    rows = links.apply("softmax", SCORES)
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(rows.sum(axis=1), 1)
    assert links.apply("sigmoid", np.array([-700.0]))[0] == pytest.approx(np.exp(-700.0), rel=1e-12)


def test_labels_and_values():
    assert links.apply("sign", np.array([-1.0, 0.0, 0.1])).tolist() == [0, 0, 1]
    assert links.apply("argmax", SCORES).tolist() == [2, 0, 2]
    assert links.apply("first", SCORES).tolist() == [-1e4, 2.0, 0.25]
    assert links.apply("expm1", np.array([0.0])).tolist() == [0.0]


def test_an_unknown_link_is_named():
    with pytest.raises(UnknownName, match="sigmiod.*did you mean 'sigmoid'"):
        links.apply("sigmiod", SCORES)
