"""Whether an optimizer's steps are in proportion to the gradient, or each number has a step size of its own."""

import jax
import jax.numpy as jnp
import numpy as np

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
    slope, rated = jnp.asarray([1 / APART, 1.0], jnp.float32), with_learning_rate(optimizer, rate)
    look = jax.value_and_grad(lambda place: jnp.sum(slope * place))
    place = jnp.zeros(2)
    state = rated.init(place)
    for _ in range(STEPS):
        loss, gradient = look(place)
        change, state = rated.update(gradient, state, place, Here(loss, jax.random.key(0), look))
        place = place + change
    way = np.abs(np.asarray(place, np.float64))
    return float(way[1] / way[0]) if way[0] > 0 and np.isfinite(way).all() else 0.0
