"""Gradient noise: are the batches so small that the noise of their gradients holds the recommended contender back?"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from downslope.comparison.contender import Contender
from downslope.comparison.counterfactual import Change
from downslope.comparison.rank import Interval
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    helps,
    measured,
    moved,
    opened,
    reach_of,
    try_changes,
    untested,
)
from downslope.comparison.wording import number
from downslope.core import tree
from downslope.core.types import Params
from downslope.training.lanes import Lane
from downslope.training.step import Recipe, mean_loss, raw_scores

LARGER = 3  # times the batch; a third of the noise's variance is left
ALONG = (0.125, 0.375, 0.625, 0.875)  # of the way from the first parameters to those that were kept
MOST_ROWS = 2048
SIDE_BY_SIDE = 64  # gradients of single rows in memory


class GradientNoise(Cause):
    """The sign is the simple noise scale (McCandlish, Kaplan, Amodei and the OpenAI Dota Team, 2018), the variance of a row's
    gradient over the square of the mean gradient: in batches of so many rows noise and direction are equally long.

    It is a sign where batches three times as large would still be half noise. The test makes as many updates at the same learning
    rates in such batches: nothing but the noise is another.
    """

    title = "gradient noise"
    rank = 8

    def examine(self, case: Case) -> Record | None:
        one, runner = case.chosen, case.evidence.runner
        batch, rows = runner.batch(one), runner.trainer(one.loss).rows
        words = "rows whose mean gradient is half noise, averaged along the way from the first to the kept parameters"
        empty = {"words": words, "value": None, "low": None, "high": None}
        if batch is None or batch >= rows:
            return untested(opened(self, case, [one], empty, float(rows)), "every update sees all rows")
        threshold = LARGER * batch
        noted = case.noted("gradient_noise", lambda: noise_scale(case, one))
        if noted is None:
            return untested(opened(self, case, [one], empty, threshold), "no row has a gradient, or there are too few runs")
        found = Interval(**noted)
        record = opened(self, case, [one], measured(words, found), threshold) | {"batch": batch}
        if found.mean < threshold:
            why = f"the noise scale is {number(found.mean)} rows, and batches hold {batch:,}"
            return untested(record, f"{why}; it is tried from {LARGER} times that on")
        larger = min(LARGER * batch, rows)
        record = try_changes(case, record, one, [Change(f"in batches of {larger:,}", batch=larger)], case.evidence.metric)
        if not record["arms"]:
            return record
        return record | {"verdict": CONFIRMED if helps(record["arms"][0], record["needed"]) else REFUTED}

    def sentence(self, record: Record) -> str:
        name, arm = record["names"][0], record["arms"][0]
        scale = f"noise scale {number(record['statistic']['value'])} rows, batches of {record['batch']:,}"
        effect = f"{arm['name'].removeprefix('in ')}, as many updates and so more examples, bring {moved(record, arm)}"
        if record["verdict"] == CONFIRMED:
            return f"The noise of small batches holds {name} back ({scale}): {effect}."
        return f"The gradients of single batches are mostly noise ({scale}), but that does not hold {name} back: {effect}."


def noise_scale(case: Case, one: Contender) -> Record | None:
    """The simple noise scale in rows, its geometric mean over the runs with an interval; `None` where nothing has a gradient.

    Where training ends the mean gradient is 0 and the scale infinite, whatever the table; where it begins, noise matters least.
    So both of its parts are averaged over four points on the straight way between.
    """
    runner, problem = case.evidence.runner, case.evidence.problem
    trainer, classes = runner.trainer(one.loss), runner.classes
    runs = case.trials.plain(one)
    count = min(MOST_ROWS, *(fold.rows for fold in trainer.folds))
    found = []
    for run in runs:
        recipe, place = runner.recipe(one, run.learning_rate), problem.places[run.fit]
        first = trainer.start(Lane(recipe, place, run.seed), one.loss.outputs(classes), classes)
        fold = trainer.folds[place]
        some = np.linspace(0, fold.rows - 1, count).astype(int)
        parts = noise_and_signal(recipe, first, runner.params(one.loss, run), fold.x[some], fold.y[some], fold.weight[some])
        noise, signal = (float(part) for part in parts)
        found.append(noise / signal if signal > 0 else np.inf)
    scales = np.log(found) if found and min(found) > 0 else np.zeros(0)
    if len(scales) < 2 or not np.isfinite(scales).all():
        return None
    middle, reach = float(scales.mean()), reach_of(scales)
    return Interval(*(float(np.exp(value)) for value in (middle, middle - reach, middle + reach))).to_json()


@partial(jax.jit, compiler_options={"xla_cpu_multi_thread_eigen": False})  # the same bits on any number of cores
def noise_and_signal(
    recipe: Recipe, first: Params, kept: Params, x: jax.Array, y: jax.Array, weight: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The variance of a row's gradient, all parameters together, and the square of the mean gradient, along the way."""
    share = weight / jnp.sum(weight)

    def objective(params: Params) -> jax.Array:
        loss = mean_loss(recipe, raw_scores(recipe, params, x), y, share)
        return loss if recipe.penalty is None else loss + recipe.penalty(params)

    def at(where: jax.Array) -> tuple[jax.Array, jax.Array]:
        params = tree.map(lambda start, end: start + where * (end - start), first, kept)

        def of_row(row: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
            def alone(trial: Params) -> jax.Array:
                return mean_loss(recipe, raw_scores(recipe, trial, row[0][None]), row[1][None], jnp.ones(1))

            return row[2] ** 2 * square(jax.grad(alone)(params))

        squares = jax.lax.map(of_row, (x, y, len(x) * share), batch_size=SIDE_BY_SIDE)
        plain = jax.grad(lambda trial: mean_loss(recipe, raw_scores(recipe, trial, x), y, share))(params)
        return jnp.mean(squares) - square(plain), square(jax.grad(objective)(params))

    noise, signal = zip(*(at(jnp.float32(where)) for where in ALONG), strict=True)
    return jnp.sum(jnp.stack(noise)), jnp.sum(jnp.stack(signal))


def square(gradient: Params) -> jax.Array:
    """The sum of the squares of all numbers."""
    return jnp.sum(jnp.stack([jnp.sum(jnp.square(leaf)) for leaf in jax.tree.leaves(gradient)]))
