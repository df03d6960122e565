"""Adamax: Adam that divides by the largest recent gradient."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient, fading largest gradient."""

    step: Int[Array, ""]
    mean: PyTree
    largest: PyTree


class Adamax(Optimizer):
    """Adam with the size of a gradient measured by the largest recent one instead of the root of a mean square. No single
    step is longer than the learning rate.

    Use it in place of Adam when gradients come in rare bursts.
    Not when gradients fade quickly: the largest one is forgotten only by the factor `b2` an update, and steps stay short
    meanwhile.

    >>> adamax = Adamax(learning_rate=0.1)
    >>> change, _ = adamax.update(jnp.array([3.0]), adamax.init(jnp.array([0.0])))
    >>> change.round(6)
    Array([-0.1], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adamax",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad u_t = \max(\beta_2 u_{t-1}, |g_t| + \epsilon),\quad
                     \Delta_t = -\frac{\alpha}{1-\beta_1^t} \, \frac{m_t}{u_t}""",
        source=Paper("Kingma and Ba", 2015, "Adam: A Method for Stochastic Optimization", "https://arxiv.org/abs/1412.6980"),
        differs={
            "PyTorch": "`Adamax` has the same rule.",
            "optax": "`adamax` has the same rule.",
            "Paper": "has no epsilon, so a gradient that is 0 from the start divides 0 by 0.",
            "Keras": "adds epsilon to the divisor instead: choose epsilon_after. Defaults it to 1e-7.",
        },
    )

    learning_rate: Number = hyper(default=2e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the largest.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    epsilon_after: bool = choice(default=False, options=(False, True), doc="Add epsilon to the divisor, not to each gradient.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        each, after = (0.0, self.epsilon) if self.epsilon_after else (self.epsilon, 0.0)
        largest = tree.map(lambda u, g: jnp.maximum(self.b2 * u, jnp.abs(g) + each), state.largest, gradient)
        largest = tree.typed_as(mean, largest)
        rate = self.learning_rate / filled(self.b1, step)
        return tree.typed_as(mean, tree.map(lambda m, u: -rate * m / (u + after), mean, largest)), State(step, mean, largest)
