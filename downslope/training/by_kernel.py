"""The engine's program where one kernel carries out all that a lane does."""

from typing import Any

import jax
import jax.numpy as jnp

from downslope.core import tree
from downslope.core.primitive import registered
from downslope.core.rounds import KERNEL, Pieces, Plan, Run, planned
from downslope.core.types import Params, State
from downslope.optimizers.base import gradients_per_step
from downslope.training.many_rows import Batch
from downslope.training.step import Recipe, factors, scored_at_once, update


def first(recipe: Recipe, total: jax.Array, params: Params) -> State:
    """A lane's first state."""
    return recipe.optimizer.init(params)


def step(
    recipe: Recipe, total: jax.Array, params: Params, state: State, number: jax.Array, batch: Batch
) -> tuple[Params, State, jax.Array]:
    """One update."""
    return update(recipe, params, state, batch, factors(recipe, number, total), None)


def shown(recipe: Recipe, total: jax.Array, params: Params, state: State) -> Params:
    """The parameters that a lane is judged by."""
    return recipe.optimizer.evaluate_at(state, params)


def scores(recipe: Recipe, total: jax.Array, params: Params, rows: Batch) -> tuple[jax.Array, jax.Array]:
    """Raw scores of rows and their loss, on their labels as they are."""
    return scored_at_once(recipe._replace(label_smoothing=None), params, rows)


def plan(recipe: Recipe, run: Run, batch: Batch, stop: Batch) -> Plan | None:
    """What the kernel is told, from the shapes of one lane; `None` where a lane does what it does not know."""
    searches = gradients_per_step(recipe.optimizer) is None
    if jax.default_backend() != "cpu" or recipe.model.random or searches or not registered(KERNEL):
        return None
    single: Any = jax.ShapeDtypeStruct((), jnp.float32)
    return planned(Pieces(first, step, shown, scores), tree.map(lambda _: single, recipe), single, run, batch, stop)
