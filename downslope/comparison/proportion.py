"""Whether an optimizer's steps are in proportion to the gradient, or each number has a step size of its own."""

import jax
import jax.numpy as jnp
import numpy as np

from downslope.core.types import State
from downslope.optimizers.base import Here, Optimizer, with_learning_rate

STEPS = 12
APART = 100.0  # between the two slopes that an optimizer is tried on
EVEN, PROPORTIONAL = 20.0, 50.0


def unevenness(optimizer: Optimizer, rate: float) -> float:
    """How far one number goes while another one, of a slope a hundred times smaller, goes 1: 100 where steps are in proportion
    to the gradient, 1 where each number has its own step size. 0 where nothing can be said.

    >>> from downslope.optimizers import Adam, Sgd
    >>> round(unevenness(Sgd(), 0.1)), round(unevenness(Adam(), 0.1))
    (100, 1)
    """
    way = np.abs(np.asarray(walked(with_learning_rate(optimizer, rate)), np.float64))
    return float(way[1] / way[0]) if way[0] > 0 and np.isfinite(way).all() else 0.0


@jax.jit
def walked(optimizer: Optimizer) -> jax.Array:
    """Where the two numbers are after some steps: one program instead of one for each operation."""
    slope, start = jnp.asarray([1 / APART, 1.0], jnp.float32), jnp.zeros(2)
    look = jax.value_and_grad(lambda place: jnp.sum(slope * place))

    def step(number: int, now: tuple[jax.Array, State]) -> tuple[jax.Array, State]:
        place, state = now
        loss, gradient = look(place)
        change, state = optimizer.update(gradient, state, place, Here(loss, jax.random.key(0), look))
        return place + change, state

    return jax.lax.fori_loop(0, STEPS, step, (start, optimizer.init(start)))[0]
