"""Cosine with restarts: several cosine falls, one after another."""

import jax.numpy as jnp
import numpy as np

from downslope.core.about import AboutPart, Paper
from downslope.core.record import choice, hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class CosineRestarts(Schedule):
    """Falls from 1 to `end` along half a cosine wave, jumps back to 1 and falls again, `cycles` times, each fall `growth`
    times as long as the one before.

    Use it when one run should give several usable models, one at each fall's end.
    Not for one model of known budget, for which a single fall is better.

    >>> [round(float(CosineRestarts(cycles=2, growth=1)(step, 8)), 3) for step in range(8)]
    [1.0, 0.854, 0.5, 0.146, 1.0, 0.854, 0.5, 0.146]
    """

    about = AboutPart(
        title="Cosine decay with restarts",
        equation=r"f(p) = e + (1 - e)\,\tfrac12\,(1 + \cos \pi q), \quad q = \text{share of the present cycle}",
        source=Paper(
            "Loshchilov and Hutter",
            2017,
            "SGDR: Stochastic Gradient Descent with Warm Restarts",
            "https://arxiv.org/abs/1608.03983",
        ),
        differs={
            "PyTorch": "`CosineAnnealingWarmRestarts` takes the first length in steps and a whole number for the growth.",
            "Keras": "`CosineDecayRestarts` takes the first length in steps; growth 2 unless told.",
            "optax": "`sgdr_schedule` joins cosine falls, each described by itself, warm-up included.",
        },
    )

    end: Number = hyper(default=0.0, at_least=0.0, at_most=1.0, doc="The factor at the very end.")
    cycles: int = choice(default=3, options=tuple(range(1, 11)), doc="How many times it falls.")
    growth: int = choice(default=2, options=(1, 2, 3), doc="How many times as long as the last each fall is.")

    def shape(self, progress: Number) -> Number:
        lengths = self.growth ** np.arange(self.cycles)
        starts = np.concatenate([[0.0], np.cumsum(lengths)]) / lengths.sum()
        passed = jnp.asarray(progress) + 1e-6 >= jnp.asarray(starts[:-1])  # a boundary, rounded, must count as reached
        cycle = jnp.sum(passed) - 1
        begin, length = jnp.asarray(starts)[cycle], jnp.asarray(np.diff(starts))[cycle]
        share = jnp.maximum((progress - begin) / length, 0.0)
        return self.end + (1 - self.end) * 0.5 * (1 + jnp.cos(jnp.pi * share))
