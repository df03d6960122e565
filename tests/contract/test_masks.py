"""Who decays and who pays: weights by default, everything on request, or what a mask of one's own says."""

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from downslope import optimizers, penalties
from downslope.comparison.alike import alike
from downslope.comparison.contender import contenders, short
from downslope.core.about import Task
from downslope.core.errors import BadShape, OutOfRange

MASKED = [
    pytest.param(catalogue[name], setting, id=name)
    for catalogue in (optimizers.catalogue, penalties.catalogue)
    for name in catalogue
    for setting, declared in catalogue[name].settings().items()
    if declared.or_function
]
every_mask = pytest.mark.parametrize(("entry", "setting"), MASKED)
PARAMS = {
    "layers": [{"weight": jnp.array([[2.0, -1.0], [0.5, 3.0]]), "bias": jnp.array([1.0, -2.0])}],
    "scale": jnp.array([1.5, 0.1]),
}


def biases_alone(params):
    return {"layers": [{"weight": False, "bias": True} for _ in params["layers"]], "scale": False}


def effect(entry, setting, which):
    """Which parameters decay or pay, seen in the gradient or in what is left after two updates."""

    def result(strength):
        if "strength" in entry.settings():
            return jax.grad(entry(**{setting: which, "strength": strength}))(PARAMS)
        optimizer = entry(**{setting: which, "weight_decay": strength})
        state, params = optimizer.init(PARAMS), PARAMS
        for _ in range(2):
            change, state = optimizer.update(jax.tree.map(lambda p: 0.1 * p + 1.0, params), state, params)
            params = jax.tree.map(jnp.add, params, change)
        return params

    without, with_much = result(0.0), result(0.5)
    return jax.tree.map(lambda a, b: bool(np.any(np.asarray(a) != np.asarray(b))), without, with_much)


WEIGHTS = {"layers": [{"weight": True, "bias": False}], "scale": False}
ALL = {"layers": [{"weight": True, "bias": True}], "scale": True}


@every_mask
def test_biases_are_left_alone_unless_somebody_says_otherwise(entry, setting):
    assert getattr(entry(), setting) == "weights"
    assert effect(entry, setting, "weights") == WEIGHTS
    assert effect(entry, setting, "everything") == ALL


@every_mask
def test_a_mask_of_ones_own(entry, setting):
    assert effect(entry, setting, biases_alone) == biases_alone(PARAMS)
    assert effect(entry, setting, lambda params: jax.tree.map(lambda p: p.ndim >= 2, params)) == WEIGHTS


@every_mask
def test_a_mask_must_fit_the_parameters(entry, setting):
    for bad in (lambda params: True, lambda params: jax.tree.map(lambda p: p > 0, params), lambda params: {"layers": []}):
        with pytest.raises(BadShape, match="a mask must give True or False for each parameter") as problem:
            effect(entry, setting, bad)
        assert "\n" not in str(problem.value)
    for bad in ("biases", {"layers": True}):
        with pytest.raises((OutOfRange, jaxtyping.TypeCheckError), match=setting):
            entry(**{setting: bad})


def test_a_mask_is_structure_and_compiles_once():
    traced = []

    @jax.jit
    def step(adamw):
        traced.append(1)
        return adamw.update(PARAMS, adamw.init(PARAMS), PARAMS)[0]

    for decay in (0.1, 0.2):
        step(optimizers.catalogue["adamw"](weight_decay=decay, decayed=biases_alone))
    assert len(traced) == 1


def test_a_mask_is_named_where_an_optimizer_is_spelled():
    adamw = optimizers.catalogue["adamw"](decayed=biases_alone)
    assert short(adamw) == "adamw(decayed=biases_alone)"
    field = contenders("mse", adamw, task=Task.REGRESSION, batch=32)
    assert field[0].settings(0.1)["decayed"] == "biases_alone"
    assert alike().words(field) == ["decay shrinks what its own mask says: adamw (weight_decay 0.01)"]
