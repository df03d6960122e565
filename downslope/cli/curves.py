"""The curves that `explain` draws, computed by the entries themselves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

POINTS = 61
STEPS = 60
STEEP = 25.0  # curvature of the valley across, against 1 along it


def loss_curves(loss: Any) -> tuple[str, np.ndarray, dict[str, np.ndarray]]:
    """What the horizontal axis is, its values, and the loss and its gradient over them."""
    task = loss.about.task
    outputs = loss.outputs(3 if task == "multiclass" else None)
    if task == "multiclass":
        target, words = jnp.zeros((), int), "raw score of the true class, the others at 0"
    elif task == "binary":
        target, words = jnp.ones(()), "raw score, the true class being 1"
    else:
        centre = 0.0 if loss.about.lowest < 0 else 1.0
        target, words = jnp.asarray(centre), f"raw score, the target being {centre:g}"
    places = jnp.linspace(-4.0, 4.0, POINTS)

    def value(place: jax.Array) -> jax.Array:
        raw = place[None] if outputs == 1 else jnp.zeros((1, outputs)).at[0, 0].set(place)
        return loss(raw, target[None])[0]

    value_and_slope = jax.vmap(jax.value_and_grad(value))
    values, slopes = value_and_slope(places)
    return words, np.asarray(places), {"loss": np.asarray(values), "gradient": np.asarray(slopes)}


def valley(params: dict[str, jax.Array]) -> jax.Array:
    """A long valley, much steeper across than along: where plain steps zigzag or crawl."""
    across, along = params["across"][0], params["along"][0]
    return 0.5 * (STEEP * across**2 + along**2)


def descent(optimizer: Any) -> tuple[str, np.ndarray, dict[str, np.ndarray]]:
    """The height in the valley after each step, at the best of several learning rates."""
    rate = optimizer.settings().get("learning_rate")
    if rate is None or rate.search is None:
        heights = walk(optimizer())
        return "steps", np.arange(STEPS + 1), {"height": np.asarray(heights)}
    rates = np.geomspace(rate.search.low, rate.search.high, 19)
    heights = np.asarray(jax.vmap(lambda r: walk(optimizer(learning_rate=r)))(jnp.asarray(rates)))
    late = np.log(heights[:, -STEPS // 3 :] + 1e-12).mean(
        axis=1
    )  # the last height alone may be low by luck, when a swing passes the bottom
    best = int(np.argmin(np.where(np.isfinite(late), late, np.inf)))
    return (
        f"steps, at the learning rate {rates[best]:.3g}, the best of its range here",
        np.arange(STEPS + 1),
        {"height": np.asarray(heights[best])},
    )


def walk(optimizer: Any) -> jax.Array:
    """The height at a point on the slope and after each step from there."""
    from downslope.optimizers.base import Here

    start = {"across": jnp.array([1.0]), "along": jnp.array([1.0])}
    look = jax.value_and_grad(valley)

    def step(carry: Any, key: jax.Array) -> tuple[Any, jax.Array]:
        params, state = carry
        height, gradient = look(params)
        change, state = optimizer.update(gradient, state, params, Here(height, key, look))
        params = jax.tree.map(jnp.add, params, change)
        return (params, state), valley(optimizer.evaluate_at(state, params))

    carry = (start, optimizer.init(start))
    _, heights = jax.lax.scan(step, carry, jax.random.split(jax.random.key(0), STEPS))
    return jnp.concatenate([valley(start)[None], heights])


def fall(schedule: Any) -> tuple[str, np.ndarray, dict[str, np.ndarray]]:
    """The factor of a schedule over a run."""
    places = np.arange(POINTS)
    values = jax.vmap(lambda step: schedule(step, float(POINTS)))(jnp.arange(POINTS, dtype=jnp.float32))
    return "share of the run, in per cent", places * 100 / (POINTS - 1), {"factor": np.asarray(values)}
