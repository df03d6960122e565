"""Rprop: looks only at signs; each parameter finds its own step size."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Gradient of the last update (zero after a turn), step size of each parameter."""

    last: PyTree
    size: PyTree


class Rprop(Optimizer):
    """Lengthens a parameter's step while its gradient keeps its sign and shortens it when the sign turns; the size of the
    gradient plays no part. The learning rate is the first step size; a schedule on it changes nothing later. After a turn the
    parameter rests for one update (the form called iRprop-, which needs no undoing of steps).

    Use it on small problems with all rows, where it needs little tuning.
    Not with mini-batches: the signs turn by chance and the steps collapse, so it takes all rows.

    >>> rprop = Rprop(learning_rate=0.1)
    >>> change, state = rprop.update(jnp.array([3.0, -0.01]), rprop.init(jnp.zeros(2)))
    >>> rprop.update(jnp.array([2.0, 0.02]), state)[0]
    Array([-0.12, -0.  ], dtype=float32)
    """

    about = AboutOptimizer(
        title="Rprop",
        family="sign",
        equation=r"""s_t = \begin{cases} \min(\eta^+ s_{t-1}, s_{\max}) & g_t \, g_{t-1} > 0 \\ \max(\eta^- s_{t-1},
                     s_{\min}),\; g_t := 0 & g_t \, g_{t-1} < 0 \\ s_{t-1} & \text{else} \end{cases},\quad \Delta_t = -s_t \,
                     \operatorname{sign}(g_t)""",
        source=Paper(
            "Riedmiller and Braun",
            1993,
            "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
            "https://doi.org/10.1109/ICNN.1993.298623",
        ),
        batch="full",
        differs={
            "PyTorch": "`Rprop` has the same rule.",
            "Paper": "also undoes the last step after a turn; the form without is by Igel and Hüsken (2000).",
            "optax": "applies the step that belongs to the update before, up to version 0.2.8.",
        },
    )

    learning_rate: Number = hyper(
        default=0.01, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="First step size of each parameter."
    )
    longer: Number = hyper(default=1.2, above=1.0, search=Range(1.05, 1.5), doc="Factor while the sign stays.")
    shorter: Number = hyper(default=0.5, above=0.0, below=1.0, search=Range(0.2, 0.8), doc="Factor when the sign turns.")
    shortest: Number = hyper(default=1e-6, above=0.0, doc="Smallest step size.")
    longest: Number = hyper(default=50.0, above=0.0, doc="Largest step size.")

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params), tree.full_like(params, self.learning_rate))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        agree = tree.map(lambda g, old: jnp.sign(g) * jnp.sign(old), gradient, state.last)  # not the product: it may underflow

        def resize(s: Array, a: Array) -> Number:
            factor = jnp.where(a > 0, self.longer, jnp.where(a < 0, self.shorter, 1.0))
            return jnp.clip(s * factor, self.shortest, self.longest)

        size = tree.typed_as(gradient, tree.map(resize, state.size, agree))
        last = tree.map(lambda g, a: jnp.where(a < 0, 0, g), gradient, agree)
        return tree.map(lambda s, g: -s * jnp.sign(g), size, last), State(last, size)
