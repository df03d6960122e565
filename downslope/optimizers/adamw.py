"""AdamW: Adam, and beside it a steady pull of the weights towards zero."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, filled, required


class State(NamedTuple):
    """Updates so far, running mean of the gradient, running mean of its square."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree


class Adamw(Optimizer):
    """Adam whose weights also shrink by a fixed share at each update, untouched by the division that Adam applies to the
    gradient. Only matrices of weights shrink; biases and other vectors do not, unless `decayed` says everything. The share is
    `learning_rate` times `weight_decay`.

    Use it where Adam overfits and weights should stay small.
    Not when the learning rate is searched over a wide range and the decay should stay what it is: the share is the product of
    both.

    >>> adamw = Adamw(learning_rate=0.1, weight_decay=0.5)
    >>> params = {"weight": jnp.ones((1, 1)), "bias": jnp.ones(1)}
    >>> change, _ = adamw.update(tree.zeros_like(params), adamw.init(params), params)
    >>> float(change["weight"][0, 0]), float(change["bias"][0])
    (-0.05..., -0.0)
    """

    about = AboutOptimizer(
        title="AdamW",
        family="adaptive",
        equation=r"""m_t = \beta_1 m_{t-1} + (1-\beta_1) g_t,\quad v_t = \beta_2 v_{t-1} + (1-\beta_2) g_t^2,\quad \Delta_t =
                     -\alpha \left( \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon} + \lambda \,
                     \theta_{t-1} \right)""",
        source=Paper("Loshchilov and Hutter", 2019, "Decoupled Weight Decay Regularization", "https://arxiv.org/abs/1711.05101"),
        default=True,
        differs={
            "Paper": "multiplies the decay by the schedule alone, not by the learning rate; all frameworks multiply by both.",
            "PyTorch": "decays every parameter, biases too: choose decayed='everything'.",
            "optax": "decays every parameter unless a mask is given, and weight_decay defaults to 1e-4.",
            "Keras": "adds epsilon before the bias correction (choose epsilon_hat); defaults: 1e-7, weight_decay 0.004.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    weight_decay: Number = hyper(
        default=1e-2, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Share by which weights shrink, times the learning rate."
    )
    decayed: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What shrinks: matrices of weights alone, or biases too.",
    )
    epsilon_hat: bool = choice(default=False, options=(False, True), doc="Add epsilon before the bias correction, not after it.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.map(lambda v, g: tree.typed(self.b2 * v + (1 - self.b2) * jnp.square(g), v.dtype), state.square, gradient)
        root = jnp.sqrt(filled(self.b2, step))
        rate = self.learning_rate * root / filled(self.b1, step)
        epsilon = self.epsilon if self.epsilon_hat else self.epsilon * root
        decay = self.learning_rate * self.weight_decay

        def change(m: Array, v: Array, p: Array | None) -> Array:
            move = -rate * m / (jnp.sqrt(v) + epsilon)
            return tree.typed(move if p is None else move - decay * p, m.dtype)

        return tree.map(change, mean, square, tree.meant(self.decayed, params)), State(step, mean, square)
