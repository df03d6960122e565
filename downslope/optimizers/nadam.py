"""NAdam: Adam with Nesterov's look ahead."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, product of the momenta so far, running mean of the gradient, running mean of its square."""

    step: Int[Array, ""]
    product: Float[Array, ""]
    mean: PyTree
    square: PyTree


class Nadam(Optimizer):
    """Adam whose mean looks one step ahead, as Nesterov's momentum does, with a momentum that warms up from half of `b1`.

    Use it where Adam fits, to be a little faster early in a run.
    Not where noise is the trouble: it gives the latest gradient more weight than Adam does.

    >>> nadam = Nadam(learning_rate=0.1, momentum_decay=1000.0)
    >>> change, _ = nadam.update(jnp.array([3.0]), nadam.init(jnp.array([0.0])))
    >>> change.round(4)
    Array([-0.14739999], dtype=float32)
    """

    about = AboutOptimizer(
        title="NAdam",
        family="adaptive",
        equation=r"""\mu_t = \beta_1 (1 - \tfrac12 \, 0.96^{\psi t}),\quad m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t
                     = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad \Delta_t = -\alpha \, \frac{\mu_{t+1} m_t / (1-\prod_{i \le
                     t+1} \mu_i) + (1-\mu_t) g_t / (1-\prod_{i \le t} \mu_i)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon}""",
        source=Paper(
            "Dozat", 2016, "Incorporating Nesterov Momentum into Adam", "https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ"
        ),
        differs={
            "PyTorch": "`NAdam` has the same rule.",
            "Keras": "warms the momentum up 250 times as fast, in effect not at all: choose momentum_decay=1.",
            "optax": "has no warm-up of the momentum at all, which is another method.",
        },
    )

    learning_rate: Number = hyper(default=2e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    momentum_decay: Number = hyper(
        default=0.004, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="How fast the momentum rises from half of b1 to b1."
    )

    def init(self, params: Params) -> State:
        return State(
            jnp.zeros((), jnp.int32), jnp.ones((), tree.number_type(params)), tree.zeros_like(params), tree.zeros_like(params)
        )

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.b2)
        momentum = self.b1 * (1 - 0.5 * 0.96 ** (self.momentum_decay * step))
        following = self.b1 * (1 - 0.5 * 0.96 ** (self.momentum_decay * (step + 1)))
        product = jnp.asarray(state.product * momentum, state.product.dtype)
        ahead, now = following / (1 - product * following), (1 - momentum) / (1 - product)
        square_scale = 1 / filled(self.b2, step)

        def change(m: Array, v: Array, g: Array) -> Number:
            return -self.learning_rate * (ahead * m + now * g) / (jnp.sqrt(v * square_scale) + self.epsilon)

        return tree.typed_as(mean, tree.map(change, mean, square, gradient)), State(step, product, mean, square)
