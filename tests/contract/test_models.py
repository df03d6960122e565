"""Models: the MLP is the formula that everyone writes."""

import jax
import numpy as np
import pytest

from downslope.models import Mlp


@pytest.mark.parametrize("widths", [(4, 3), (32, 16), (16, 5), (5, 16)])
def test_the_mlp_is_the_formula_that_everyone_writes(widths):
    """Whichever kernels compute it."""
    x = np.random.default_rng(0).normal(size=(70, 3)).astype(np.float32)
    model = Mlp(widths=widths)
    params = model.init(jax.random.key(0), 3, 2)
    one, two, last = ({name: np.asarray(leaf, np.float64) for name, leaf in layer.items()} for layer in params["layers"])
    hidden = np.maximum(x @ one["weight"] + one["bias"], 0)
    hidden = np.maximum(hidden @ two["weight"] + two["bias"], 0)
    np.testing.assert_allclose(model.apply(params, x), hidden @ last["weight"] + last["bias"], rtol=1e-5, atol=1e-6)
