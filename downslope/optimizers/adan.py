"""Adan: Adam with a third running mean, of how the gradient changes."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, filled, required


class State(NamedTuple):
    """Updates so far, last gradient, running means of gradient, of its change, and of the square of both together."""

    step: Int[Array, ""]
    last: PyTree
    mean: PyTree
    trend: PyTree
    square: PyTree


class Adan(Optimizer):
    """Adds Nesterov's look ahead to Adam without a second gradient, by following how the gradient changes from one update to
    the next. Only matrices of weights decay, unless `decayed` says everything.

    Use it when large learning rates are wanted and memory is plentiful.
    Not with small batches, whose noise enters its trend, nor when four numbers for each parameter are too many.

    >>> adan = Adan(learning_rate=0.1)
    >>> change, _ = adan.update(jnp.array([3.0]), adan.init(jnp.array([0.0])), jnp.array([0.0]))
    >>> change.round(6)
    Array([-0.1], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adan",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad d_t = \beta_2 d_{t-1} + (1-\beta_2)(g_t - g_{t-1}),\quad
                     n_t = \beta_3 n_{t-1} + (1-\beta_3)(g_t + \beta_2 (g_t - g_{t-1}))^2,\quad \theta_t = \frac{1}{1 +
                     \alpha\lambda} \left( \theta_{t-1} - \alpha \, \frac{\hat m_t + \beta_2 \hat d_t}{\sqrt{\hat n_t} +
                     \epsilon} \right)""",
        source=Paper(
            "Xie, Zhou, Li, Lin and Yan",
            2022,
            "Adan: Adaptive Nesterov Momentum Algorithm for Faster Optimizing Deep Models",
            "https://arxiv.org/abs/2208.06677",
        ),
        differs={
            "optax": "has 1 - b2 where the authors' code has b2, up to version 0.2.8, which is another method.",
            "Paper": "writes 1 - b for each memory b here; the numbers are those of the authors' code.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.98, at_least=0.0, below=1.0, search=Range(0.9, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.92, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory and weight of the trend.")
    b3: Number = hyper(default=0.99, at_least=0.0, below=1.0, search=Range(0.9, 0.999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    weight_decay: Number = hyper(
        default=0.0, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which weights shrink, times the learning rate."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )

    def init(self, params: Params) -> State:
        zeros = tree.zeros_like(params)
        return State(jnp.zeros((), jnp.int32), zeros, zeros, zeros, zeros)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)
        step = state.step + 1
        turn = tree.map(lambda g, old: jnp.where(step == 1, 0, g - old), gradient, state.last)
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        trend = tree.blend(state.trend, turn, keep=self.b2)
        square = tree.blend(state.square, tree.map(lambda g, d: (g + self.b2 * d) ** 2, gradient, turn), keep=self.b3)
        mean_scale, trend_scale = 1 / filled(self.b1, step), self.b2 / filled(self.b2, step)
        square_scale = 1 / filled(self.b3, step)

        def change(m: Array, d: Array, n: Array, p: Array | None) -> Number:
            move = self.learning_rate * (m * mean_scale + d * trend_scale) / (jnp.sqrt(n * square_scale) + self.epsilon)
            if p is None:
                return -move
            shrink = self.learning_rate * self.weight_decay
            return -(move + shrink * p) / (1 + shrink)  # the same as dividing the moved parameter by 1 + shrink

        moves = tree.map(change, mean, trend, square, tree.meant(self.decayed, params))
        return tree.typed_as(mean, moves), State(step, gradient, mean, trend, square)
