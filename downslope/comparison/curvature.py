"""How sharply a training objective bends, and how hard its columns are to learn side by side."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from downslope.core.types import Params
from downslope.training.orders import shares
from downslope.training.step import Batch, Recipe, mean_loss, raw_scores
from downslope.training.stream import Fold

MOST_NUMBERS = 2_000_000  # of a matrix that is looked at; of a larger one some rows, evenly spread
MOST_STEPS = 200
CLOSE = 1e-4  # relative change of the curvature between two steps at which it stands


def condition(x: np.ndarray) -> float:
    """The largest singular value of `x` `(rows, columns)` and a column of ones over the smallest that is not 0.

    What is 0 is decided with columns of one length, where units play no part: copies of columns and columns of zeros, in which
    nothing is learned, count for nothing.

    >>> draw = np.random.default_rng(0).normal(size=(1000, 2))
    >>> round(condition(draw), 1), round(condition(draw * [1, 1e4]) / 1e4, 1), round(condition(np.hstack([draw, draw])), 1)
    (1.1, 1.0, 1.4)
    """
    x = thinned(x).astype(np.float64)
    wide = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    length = np.linalg.norm(wide, axis=0)
    wide, length = wide[:, length > 0], length[length > 0]
    even = np.linalg.svd(wide / length, compute_uv=False)
    rank = int(np.sum(even > even[0] * max(wide.shape) * np.finfo(np.float32).eps))
    values = np.linalg.svd(wide, compute_uv=False)
    return float(values[0] / values[rank - 1])


def thinned(x: np.ndarray) -> np.ndarray:
    """All rows, or so many of them, evenly spread, that their numbers are few enough."""
    return x[:: max(1, -(-x.size // MOST_NUMBERS))]


def top_curvature(recipe: Recipe, params: Params, fold: Fold) -> float | None:
    """The largest second derivative of a fold's training objective in any direction, by power iteration: products of the
    Hessian with a direction are derivatives of the gradient. To four digits.

    `None` where the objective has no curvature, as between kinks, or where it bends downwards most.
    """
    every = max(1, -(-fold.x.size // MOST_NUMBERS))
    some = (fold.x[::every], fold.y[::every], shares(fold.weight[::every]))
    found = float(sharpest(recipe, params, Batch._make(some)))
    return float(f"{found:.4g}") if np.isfinite(found) and found > 0 else None


class Standing(NamedTuple):
    """How far the power iteration has come."""

    direction: jax.Array
    value: jax.Array
    moving: jax.Array
    number: jax.Array


@jax.jit
def sharpest(recipe: Recipe, params: Params, batch: Batch) -> jax.Array:
    """The Rayleigh quotient of the direction to which the Hessian turns everything."""
    flat, whole = ravel_pytree(params)

    def objective(trial: jax.Array) -> jax.Array:
        loss = mean_loss(recipe, raw_scores(recipe, whole(trial), batch.x), batch.y, batch.share)
        return loss if recipe.penalty is None else loss + recipe.penalty(whole(trial))

    bent = partial(jax.jvp, jax.grad(objective), (flat,))

    def step(state: Standing) -> Standing:
        direction, value, _, number = state
        turned = bent((direction,))[1]
        now = jnp.vdot(direction, turned)
        length = jnp.linalg.norm(turned)
        return Standing(turned / jnp.where(length > 0, length, 1), now, jnp.abs(now - value) > CLOSE * jnp.abs(now), number + 1)

    first = jax.random.normal(jax.random.key(0), flat.shape)
    start = Standing(first / jnp.linalg.norm(first), jnp.float32(0), jnp.bool_(True), jnp.int32(0))
    return jax.lax.while_loop(lambda state: state.moving & (state.number < MOST_STEPS), step, start).value
