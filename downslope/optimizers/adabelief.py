"""AdaBelief: long steps where the gradient comes as expected."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient, running mean of its squared surprise."""

    step: Int[Array, ""]
    mean: PyTree
    surprise: PyTree


class Adabelief(Optimizer):
    """Adam that divides by how far gradients stray from their running mean instead of by their size. Steady gradients get
    long steps, noisy ones short steps.

    Use it in place of Adam when gradients are mostly steady.
    Not when `epsilon` cannot be tuned: it depends on it more than Adam does, because a perfectly steady gradient strays by
    nothing.

    >>> adabelief = Adabelief(learning_rate=0.1, b1=0.5)
    >>> change, _ = adabelief.update(jnp.array([3.0]), adabelief.init(jnp.array([0.0])))
    >>> change.round(5)
    Array([-0.19999999], dtype=float32)
    """

    about = AboutOptimizer(
        title="AdaBelief",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad s_t = \beta_2 s_{t-1} + (1-\beta_2) (g_t - m_t)^2 +
                     \epsilon,\quad \Delta_t = -\alpha \, \frac{m_t / (1-\beta_1^t)}{\sqrt{s_t / (1-\beta_2^t)} + \epsilon}""",
        source=Paper(
            "Zhuang et al.",
            2020,
            "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients",
            "https://arxiv.org/abs/2010.07468",
        ),
        differs={
            "optax": "has two epsilons, one for the running mean and one for the division; set both to this one.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the surprise.")
    epsilon: Number = hyper(default=1e-16, above=0.0, search=Range(1e-16, 1e-8, "log"), doc="Least surprise, at each update.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        strays = tree.map(lambda g, m: (g - m) ** 2, gradient, mean)
        surprise = tree.blend(state.surprise, strays, keep=self.b2)
        surprise = tree.typed_as(mean, tree.map(lambda s: s + self.epsilon, surprise))
        rate, scale = self.learning_rate / filled(self.b1, step), 1 / filled(self.b2, step)

        def change(m: Array, s: Array) -> Number:
            return -rate * m / (jnp.sqrt(s * scale) + self.epsilon)

        return tree.typed_as(mean, tree.map(change, mean, surprise)), State(step, mean, surprise)
