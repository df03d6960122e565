"""One update of one lane: loss, gradient, optimizer, change."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from downslope.core import examples, tree
from downslope.core.types import Number, Params, State
from downslope.losses.base import Loss
from downslope.models.base import Model
from downslope.optimizers.base import Ended, Here, Optimizer, searching
from downslope.penalties.base import Penalty
from downslope.schedules.base import Schedule
from downslope.training.many_rows import Adding, Batch, block, by_blocks, many, split


class Recipe(NamedTuple):
    """What is trained and how: a pytree of all hyper-parameters of a lane.

    A schedule multiplies the learning rate; several, by name, multiply those settings of the optimizer or of one inside it.
    `label_smoothing` is for the rows that are learned from; the stopping slice is scored on its labels as they are.
    """

    loss: Loss
    optimizer: Optimizer
    schedule: Schedule | Mapping[str, Schedule]
    penalty: Penalty | None
    model: Model
    label_smoothing: Number | None = None


def raw_scores(recipe: Recipe, params: Params, x: jax.Array, key: jax.Array | None = None) -> jax.Array:
    """The model's scores, `(rows,)` for one output."""
    raw = recipe.model.apply(params, x, key)
    return raw[:, 0] if raw.shape[1] == 1 else raw


def mean_loss(recipe: Recipe, raw: jax.Array, y: jax.Array, share: jax.Array) -> jax.Array:
    """Weighted mean loss. A row of share 0 adds nothing, whatever its loss."""
    loss = recipe.loss
    target = examples.smoothed(loss.name, loss.about, y, recipe.label_smoothing, raw.shape[-1])
    return examples.reduced(loss(raw, target), share, "sum")


def batch_loss(recipe: Recipe, params: Params, batch: Batch, key: jax.Array | None = None) -> jax.Array:
    """A batch's loss, without the penalty."""
    return mean_loss(recipe, raw_scores(recipe, params, batch.x, key), batch.y, batch.share)


def scored(recipe: Recipe, params: Params, rows: Batch) -> tuple[jax.Array, jax.Array]:
    """Raw scores of rows and their loss. Many rows go block by block, so that nothing but their scores takes memory."""

    if not many(len(rows.share)):
        return scored_at_once(recipe, params, rows)
    blocks, rest = split(rows)
    raw, losses = jax.lax.map(lambda number: scored_at_once(recipe, params, block(rows, number)), jnp.arange(blocks))
    last, loss = scored_at_once(recipe, params, rest)
    return jnp.concatenate([raw.reshape(-1, *last.shape[1:]), last]), jnp.sum(losses) + loss


def scored_at_once(recipe: Recipe, params: Params, rows: Batch) -> tuple[jax.Array, jax.Array]:
    """The same for few rows."""
    return traced_scores(without_optimizer(recipe), params, rows)


# What does not depend on an optimizer is compiled within itself, so that JAX traces it once for all of them.
@partial(jax.jit, inline=True)
def traced_scores(recipe: Recipe, params: Params, rows: Batch) -> tuple[jax.Array, jax.Array]:
    """Raw scores of rows and their loss."""
    raw = raw_scores(recipe, params, rows.x)
    return raw, mean_loss(recipe, raw, rows.y, rows.share)


@partial(jax.jit, inline=True)
def traced_slope(
    recipe: Recipe, params: Params, batch: Batch, key: jax.Array | None
) -> tuple[tuple[jax.Array, jax.Array], Params]:
    """A batch's loss with the penalty and without, and the gradient of the first."""

    def objective(trial: Params) -> tuple[jax.Array, jax.Array]:
        loss = batch_loss(recipe, trial, batch, key)
        return loss if recipe.penalty is None else loss + recipe.penalty(trial), loss

    return jax.value_and_grad(objective, has_aux=True)(params)


def without_optimizer(recipe: Recipe) -> Recipe:
    """All that scores and gradients depend on."""
    nothing: Any = None
    return recipe._replace(optimizer=nothing, schedule=nothing)


def factors(recipe: Recipe, step: jax.Array, total: jax.Array) -> dict[str, jax.Array]:
    """By what each scheduled setting is multiplied at update number `step` of `total`."""
    named = {"learning_rate": recipe.schedule} if isinstance(recipe.schedule, Schedule) else recipe.schedule
    return {name: schedule(step, total) for name, schedule in named.items()}


def update(
    recipe: Recipe,
    params: Params,
    state: State,
    batch: Batch,
    factors: Mapping[str, jax.Array],
    key: jax.Array | None,
    adding: Adding | None = None,
) -> tuple[Params, State, jax.Array]:
    """Parameters and state after one update, and the batch's loss (without the penalty) before it.

    `factors` are the schedules': they multiply settings before the optimizer sees them. `adding` says how the gradients
    of many rows are added up, where that is not block after block on this device.
    """
    here_key = jax.random.key(0) if key is None else key

    def look(trial: Params) -> tuple[tuple[jax.Array, jax.Array], Params]:
        if key is None and (adding or many(len(batch.share))):
            loss, slope = (adding or by_blocks)(jax.value_and_grad(batch_loss, argnums=1), recipe, trial, batch)
            if recipe.penalty is None:
                return (loss, loss), slope
            more, steeper = jax.value_and_grad(recipe.penalty)(trial)
            return (loss + more, loss), tree.map(jnp.add, slope, steeper)
        return traced_slope(without_optimizer(recipe), trial, batch, key)

    def loss_and_gradient(trial: Params) -> tuple[jax.Array, Params]:
        (whole, _), slope = look(trial)
        return whole, slope

    def known(ended: Ended) -> tuple[tuple[jax.Array, jax.Array], Params]:
        return (ended.loss, without_penalty(recipe, params, ended.loss)), ended.gradient

    ended = None if key is not None else handed_on(recipe.optimizer, state)
    if ended is None:
        (whole, loss), gradient = look(params)
    else:
        first = searching(recipe.optimizer, state).step == 0
        (whole, loss), gradient = jax.lax.cond(first, lambda: look(params), lambda: known(ended))
    change, state = recipe.optimizer.scaled(**factors).update(gradient, state, params, Here(whole, here_key, loss_and_gradient))
    return tree.map(lambda p, c: p + c.astype(p.dtype), params, change), state, loss


def handed_on(optimizer: Optimizer, state: State) -> Ended | None:
    """What the last search of an optimizer found where it ended; `None` where none hands it on."""
    return getattr(searching(optimizer, state), "ended", None)


def without_penalty(recipe: Recipe, params: Params, whole: jax.Array) -> jax.Array:
    """A batch's loss, from the one with the penalty."""
    return whole if recipe.penalty is None else whole - recipe.penalty(params)
