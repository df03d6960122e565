"""What a loss should be where nobody has written its formula to fifty digits yet: itself, in twice the digits.

This finds what rounding does to a formula and not whether the formula is right, so such a loss counts as unverified.
Errors are counted in units of the result or of what one unit in scores and target makes of it, whichever is larger.
"""

import jax
import jax.numpy as jnp
import numpy as np
from loss_points import Points, Truth

STEP = 1e-4


def by_itself(loss, where: Points) -> Truth:
    """Value and gradient of a loss in float64."""
    with jax.enable_x64(True):
        record = loss(**{name: jnp.float64(value) for name, value in where.settings.items()})
        raw, target = jnp.asarray(where.raw, jnp.float64), where.target
        value, gradient, moves = sizes(record, raw, target if target.dtype.kind == "i" else jnp.asarray(target, jnp.float64))
    value, gradient = np.asarray(value), np.asarray(gradient)
    largest = [np.max(np.abs([own, *(move[place] for move in moves)]), axis=0) for place, own in enumerate((value, gradient))]
    return Truth(value, np.zeros_like(value), largest[0], gradient, np.zeros_like(gradient), largest[1])


@jax.jit
def sizes(record, raw, target):
    """Value and gradient, and how far both move when all scores, or all targets, change by their own size."""

    def both(raw, target):
        value, back = jax.vjp(lambda scores: record(scores, target), raw)
        return value, back(jnp.ones_like(value))[0]

    moves = [jax.jvp(lambda scores: both(scores, target), (raw,), (raw,))[1]]
    if jnp.issubdtype(target.dtype, jnp.floating):
        moves.append(jax.jvp(lambda targets: both(raw, targets), (target,), (target,))[1])
    return *both(raw, target), moves


def differences(loss, settings, raw, target, direction) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivative of each example along a direction, by central differences."""
    with jax.enable_x64(True):
        record = loss(**{name: jnp.float64(value) for name, value in settings.items()})
        before, here, after = (np.asarray(record(jnp.asarray(raw + by * direction), target)) for by in (-STEP, 0.0, STEP))
    return (after - before) / (2 * STEP), (after - 2 * here + before) / STEP**2
