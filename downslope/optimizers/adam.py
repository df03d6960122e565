"""Adam: each parameter gets its own step size from the recent size of its gradient."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient, running mean of its square."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree


class Adam(Optimizer):
    """Divides a running mean of the gradient by the root of its running mean square. Both running means start at zero and are
    corrected for it.

    Use it first, when gradients of different parameters differ in size by far.
    Not when memory is short, as it keeps two numbers for each parameter, and not when weights should decay: that is `adamw`.

    >>> adam = Adam(learning_rate=0.1)
    >>> change, _ = adam.update(jnp.array([3.0]), adam.init(jnp.array([0.0])))
    >>> change.round(6)
    Array([-0.1], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adam",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad \Delta_t =
                     -\alpha \, \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}""",
        source=Paper("Kingma and Ba", 2015, "Adam: A Method for Stochastic Optimization", "https://arxiv.org/abs/1412.6980"),
        default=True,
        differs={
            "optax": "`adam` has the same rule.",
            "Keras": "adds epsilon before the bias correction (choose epsilon_hat), which damps the first steps; default 1e-7.",
            "scikit-learn": "adds epsilon before the bias correction: choose epsilon_hat.",
            "PyTorch": "weight_decay is an L2 penalty added to the gradient, not decoupled decay.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    epsilon_hat: bool = choice(default=False, options=(False, True), doc="Add epsilon before the bias correction, not after it.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.map(lambda v, g: tree.typed(self.b2 * v + (1 - self.b2) * jnp.square(g), v.dtype), state.square, gradient)
        # Both corrections enter as two numbers and not for each parameter, as the paper's section 2 advises.
        root = jnp.sqrt(filled(self.b2, step))
        rate = self.learning_rate * root / filled(self.b1, step)
        epsilon = self.epsilon if self.epsilon_hat else self.epsilon * root
        change = tree.map(lambda m, v: tree.typed(-rate * m / (jnp.sqrt(v) + epsilon), m.dtype), mean, square)
        return change, State(step, mean, square)
