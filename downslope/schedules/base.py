"""The contract of a schedule."""

import abc
from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart
from downslope.core.record import Record, hyper
from downslope.core.types import Number


class Schedule(Record):
    """By what factor a setting is multiplied at each update: a pure function of the step, so a resumed run continues exactly.

    `steps` is the length of the whole run and `step` counts from 0. During the first `warmup` share of the run the factor
    rises linearly from nearly 0 to where `shape` begins; then `shape` takes over, with `progress` running from 0 towards 1
    over what remains. The last update still counts: `progress` stops one update short of 1.
    """

    about: ClassVar[AboutPart]

    warmup: Number = hyper(default=0.0, at_least=0.0, below=1.0, doc="Share of the run over which the factor rises from 0.")

    def __call__(self, step: Number, steps: Number) -> Float[Array, ""]:
        """The factor at `step`."""
        rising = self.warmup * steps
        risen = jnp.minimum((step + 1) / (rising + 1), 1.0)
        progress = jnp.clip((step - rising) / jnp.maximum(steps - rising, 1), 0.0, 1.0)
        return jnp.asarray(risen * self.shape(progress))

    @abc.abstractmethod
    def shape(self, progress: Number) -> Number:
        """The factor after the warm-up, `progress` running from 0 to 1."""


CONTRACT = Schedule
