"""Models: the fast product is the product in every derivative, and the MLP is the formula that everyone writes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.models import Mlp
from downslope.models.base import product


@pytest.fixture
def factors():
    rng = np.random.default_rng(0)
    with jax.enable_x64():
        yield jnp.asarray(rng.normal(size=(7, 3))), jnp.asarray(rng.normal(size=(3, 5))), jnp.asarray(rng.normal(size=(7, 5)))


def test_the_product_and_its_first_derivatives(factors):
    x, weight, back = factors
    out, pull = jax.vjp(product, x, weight)
    np.testing.assert_array_equal(out, x @ weight)
    np.testing.assert_allclose(pull(back)[0], np.asarray(back) @ np.asarray(weight).T, rtol=1e-14)
    np.testing.assert_allclose(pull(back)[1], np.asarray(x).T @ np.asarray(back), rtol=1e-14)
    _, change = jax.jvp(product, (x, weight), (2 * x, weight))
    np.testing.assert_allclose(change, 3 * np.asarray(out), rtol=1e-14)


@pytest.mark.parametrize("second", [jax.jacfwd, jax.jacrev])
def test_the_product_twice_derived(factors, second):
    x, weight, _ = factors

    def cost(multiply, w):
        return jnp.sum(jnp.tanh(multiply(x, w)))

    for each in (product, jnp.matmul):
        assert each(x, weight).shape == (7, 5)
    mine, plain = (second(jax.grad(lambda w, m=m: cost(m, w)))(weight) for m in (product, jnp.matmul))
    np.testing.assert_allclose(mine, plain, rtol=1e-12)


def test_the_product_of_many_at_once(factors):
    x, weight, back = factors

    def slope(w):
        return jax.grad(lambda w: jnp.sum(back * product(x, w)))(w)

    stacked = jnp.stack([weight, 2 * weight])
    np.testing.assert_allclose(jax.vmap(slope)(stacked), jnp.stack([slope(weight)] * 2), rtol=1e-14)


def test_the_mlp_is_the_formula_that_everyone_writes(factors):
    x, _, _ = factors
    model = Mlp(widths=(4, 3))
    params = model.init(jax.random.key(0), 3, 2)
    one, two, last = ({name: np.asarray(leaf, np.float64) for name, leaf in layer.items()} for layer in params["layers"])
    hidden = np.maximum(np.asarray(x) @ one["weight"] + one["bias"], 0)
    hidden = np.maximum(hidden @ two["weight"] + two["bias"], 0)
    np.testing.assert_allclose(model.apply(params, x), hidden @ last["weight"] + last["bias"], rtol=1e-6)
