"""Constant: never falls."""

import jax.numpy as jnp

from downslope.core.about import AboutPart
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class Constant(Schedule):
    """Stays at 1 after the warm-up. For full-batch methods, which converge without it, and for runs whose length is not
    known beforehand. With mini-batches the last steps stay noisy: a falling schedule ends lower.

    >>> [float(Constant(warmup=0.75)(step, 4)) for step in range(4)]
    [0.25, 0.5, 0.75, 1.0]
    """

    about = AboutPart(title="Constant", equation=r"f(p) = 1")

    def shape(self, progress: Number) -> Number:
        return jnp.ones_like(progress)
