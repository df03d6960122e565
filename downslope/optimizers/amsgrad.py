"""AMSGrad: Adam whose divisor never shrinks."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient and of its square, the largest of the latter so far."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree
    largest: PyTree


class Amsgrad(Optimizer):
    """Adam that divides by the largest running mean square so far, so a step size can only fall. It repairs examples on which
    Adam does not converge.

    Use it when Adam does not converge because its steps grow again.
    Not as a first choice: on most problems it is a little slower than Adam.

    >>> amsgrad = Amsgrad(learning_rate=0.1)
    >>> change, _ = amsgrad.update(jnp.array([3.0]), amsgrad.init(jnp.array([0.0])))
    >>> change.round(6)
    Array([-0.1], dtype=float32)
    """

    about = AboutOptimizer(
        title="AMSGrad",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad \hat v_t =
                     \max(\hat v_{t-1}, v_t),\quad \Delta_t = -\alpha \, \frac{m_t / (1-\beta_1^t)}{\sqrt{\hat v_t /
                     (1-\beta_2^t)} + \epsilon}""",
        source=Paper(
            "Reddi, Kale and Kumar", 2018, "On the Convergence of Adam and Beyond", "https://openreview.net/forum?id=ryQu7f-RZ"
        ),
        differs={
            "PyTorch": "`Adam(amsgrad=True)` has the same rule.",
            "Paper": "corrects neither running mean for its start at zero: choose correction='none'.",
            "optax": "takes the largest of the corrected squares: choose correction='before'.",
            "Keras": "adds epsilon before the bias correction, and defaults it to 1e-7.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    correction: str = choice(
        default="after",
        options=("after", "before", "none"),
        doc="Correct for the start at zero after taking the largest, before, or never.",
    )

    def init(self, params: Params) -> State:
        zeros = tree.zeros_like(params)
        return State(jnp.zeros((), jnp.int32), zeros, zeros, zeros)

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.b2)
        mean_scale, square_scale = 1 / filled(self.b1, step), 1 / filled(self.b2, step)
        if self.correction == "none":
            mean_scale, square_scale = 1.0, 1.0
        before, after = (square_scale, 1.0) if self.correction == "before" else (1.0, square_scale)
        largest = tree.map(lambda old, v: jnp.maximum(old, jnp.asarray(v * before, old.dtype)), state.largest, square)

        def change(m: Array, v: Array) -> Number:
            return -self.learning_rate * (m * mean_scale) / (jnp.sqrt(v * after) + self.epsilon)

        return tree.typed_as(mean, tree.map(change, mean, largest)), State(step, mean, square, largest)
