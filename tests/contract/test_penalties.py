"""What every penalty promises."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.core.errors import OutOfRange
from downslope.penalties import catalogue
from downslope.penalties.elastic_net import ElasticNet
from downslope.penalties.l1 import L1
from downslope.penalties.l2 import L2

every_entry = pytest.mark.parametrize("entry", [pytest.param(catalogue[name], id=name) for name in catalogue])
PARAMS = {"layers": [{"weight": jnp.array([[1.0, -2.0], [0.0, 0.5]]), "bias": jnp.array([3.0, -4.0])}], "empty": {}}


@every_entry
def test_charges_weights_and_frees_biases(entry):
    gradient = jax.grad(entry(strength=0.5))(PARAMS)["layers"][0]
    assert not np.any(gradient["bias"])
    assert np.array_equal(np.sign(gradient["weight"]), np.sign(PARAMS["layers"][0]["weight"]))  # pulls towards zero, not at zero
    everything = jax.grad(entry(strength=0.5, charged="everything"))(PARAMS)["layers"][0]
    assert np.array_equal(everything["weight"], gradient["weight"]) and np.all(everything["bias"])


@every_entry
def test_grows_with_strength_and_is_nothing_without(entry):
    assert float(entry(strength=0.0)(PARAMS)) == 0.0
    once, twice = float(entry(strength=0.1)(PARAMS)), float(entry(strength=0.2)(PARAMS))
    assert once > 0 and np.isclose(twice, 2 * once)
    assert float(entry()({"bias": jnp.ones(3)})) == 0.0 and float(entry()({})) == 0.0


@every_entry
def test_half_precision_is_added_up_in_single(entry):
    """4096 small costs: in bfloat16 the sum would stop growing long before the end."""
    params = {"weight": jnp.full((64, 64), 0.01, jnp.bfloat16)}
    found, exact = entry(strength=1.0)(params), entry(strength=1.0)({"weight": params["weight"].astype(jnp.float32)})
    assert found.dtype == jnp.float32 and float(found) == float(exact)


@every_entry
def test_keeps_the_type_of_the_parameters(entry):
    with jax.enable_x64(True):
        for dtype in (jnp.float32, jnp.float64):
            assert entry()({"weight": jnp.ones((2, 2), dtype)}).dtype == dtype


@every_entry
def test_a_sweep_is_one_object(entry):
    lanes = jax.vmap(lambda penalty: penalty(PARAMS))(jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), as_arrays(entry())))
    assert lanes.shape == (2,) and np.allclose(lanes, entry()(PARAMS))


@every_entry
def test_says_what_it_is_and_refuses_bad_settings(entry):
    assert entry.about.title and entry.about.equation and entry.about.source.url.startswith("https://")
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(OutOfRange, match="strength"):
            entry(strength=bad)
    with pytest.raises(OutOfRange, match="charged"):
        entry(charged="nothing")


def test_values_by_hand():
    assert float(L1(strength=2.0)(PARAMS)) == 2.0 * 3.5
    assert float(L2(strength=2.0)(PARAMS)) == 2.0 * 0.5 * 5.25
    assert np.isclose(float(ElasticNet(strength=2.0, mix=0.25)(PARAMS)), 2.0 * (0.25 * 3.5 + 0.75 * 0.5 * 5.25))


def test_elastic_net_ends_in_its_two_parts():
    for strength in (0.1, 3.0):
        assert float(ElasticNet(strength=strength, mix=1.0)(PARAMS)) == float(L1(strength=strength)(PARAMS))
        assert float(ElasticNet(strength=strength, mix=0.0)(PARAMS)) == float(L2(strength=strength)(PARAMS))


def as_arrays(penalty):
    return jax.tree.map(jnp.float32, penalty)
