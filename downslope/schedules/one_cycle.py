"""One cycle: rises to the full rate, then falls to nearly nothing."""

import jax.numpy as jnp

from downslope.core.about import AboutPart, Paper
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.schedules.base import Schedule


class OneCycle(Schedule):
    """Rises from `start` to 1 along half a cosine wave during the share `rise`, then falls to `end` along another. The
    momentum, which the paper moves the other way, is left alone.

    Use it to make a large rate bearable by a long warm-up.
    Not when a run may be stopped early: only its end is spent at small rates.

    >>> [round(float(OneCycle(rise=0.5)(step, 8)), 3) for step in range(8)]
    [0.04, 0.181, 0.52, 0.859, 1.0, 0.854, 0.5, 0.146]
    """

    about = AboutPart(
        title="One cycle",
        equation=r"""f(p) = \begin{cases} s + (1 - s)\,\tfrac12 (1 - \cos(\pi p / r)) & p < r \\
                     e + (1 - e)\,\tfrac12 (1 + \cos(\pi (p - r) / (1 - r))) & p \ge r \end{cases}""",
        source=Paper(
            "Smith and Topin",
            2018,
            "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
            "https://arxiv.org/abs/1708.07120",
        ),
        differs={
            "PyTorch": "`OneCycleLR` also moves the momentum, unless cycle_momentum=False.",
            "optax": "`cosine_onecycle_schedule`; the momentum is left alone.",
        },
    )

    start: Number = hyper(default=0.04, above=0.0, at_most=1.0, doc="The factor at the beginning.")
    rise: Number = hyper(default=0.3, above=0.0, below=1.0, doc="Share of the run over which it rises.")
    end: Number = hyper(default=4e-6, at_least=0.0, at_most=1.0, doc="The factor at the very end.")

    def shape(self, progress: Number) -> Number:
        up = self.start + (1 - self.start) * 0.5 * (1 - jnp.cos(jnp.pi * progress / self.rise))
        down = self.end + (1 - self.end) * 0.5 * (1 + jnp.cos(jnp.pi * (progress - self.rise) / (1 - self.rise)))
        return jnp.where(progress < self.rise, up, down)
