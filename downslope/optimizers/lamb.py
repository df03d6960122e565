"""LAMB: AdamW whose step is scaled to the size of each layer's weights."""

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


class Lamb(Optimizer):
    """Gives each matrix of weights a step whose length is the learning rate times the length of the weights themselves.
    Biases take plain Adam steps, neither decayed nor rescaled, unless `adapted` says everything.

    Use it for very large batches, when every layer should move in proportion.
    Not with ordinary batches, where AdamW does with fewer choices; nor with `adapted` set to everything and biases that start
    at zero, which have no length to scale by.

    >>> lamb = Lamb(learning_rate=0.1, weight_decay=0.0)
    >>> change, _ = lamb.update(jnp.array([[9.0, 9.0]]), lamb.init(jnp.zeros((1, 2))), jnp.array([[3.0, 4.0]]))
    >>> change.round(4)
    Array([[-0.3536, -0.3536]], dtype=float32)
    """

    about = AboutOptimizer(
        title="LAMB",
        family="layerwise",
        equation=r"""u_t = \frac{m_t / (1-\beta_1^t)}{\sqrt{v_t / (1-\beta_2^t)} + \epsilon} + \lambda \theta_{t-1},\quad
                     \Delta_t = -\alpha \, \frac{\lVert \theta_{t-1} \rVert}{\lVert u_t \rVert} \, u_t""",
        source=Paper(
            "You et al.",
            2020,
            "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes",
            "https://arxiv.org/abs/1904.00962",
        ),
        differs={
            "optax": "rescales biases too: choose adapted='everything'.",
            "Keras": "decays outside the ratio of lengths, which is another rule; rescales biases too.",
        },
    )

    learning_rate: Number = hyper(default=1e-2, above=0.0, search=Range(1e-3, 1.0, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-6, above=0.0, doc="Keeps the division finite.")
    weight_decay: Number = hyper(
        default=1e-2, at_least=0.0, search=Range(1e-4, 1.0, "log"), doc="Weight of the parameters in the direction of the step."
    )
    adapted: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What is decayed and rescaled: matrices of weights alone, or biases too.",
    )

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
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.b2)
        mean_scale, square_scale = 1 / filled(self.b1, step), 1 / filled(self.b2, step)

        def change(m: Array, v: Array, p: Array | None) -> Number:
            move = m * mean_scale / (jnp.sqrt(v * square_scale) + self.epsilon)
            if p is None:
                return -self.learning_rate * move
            move = move + self.weight_decay * p
            length, reach = tree.norm(p), tree.norm(move)
            known = (length > 0) & (reach > 0)
            return -self.learning_rate * jnp.where(known, length / jnp.where(known, reach, 1), 1) * move

        moves = tree.map(change, mean, square, tree.meant(self.adapted, tree.widen(params)))
        return tree.typed_as(mean, moves), State(step, mean, square)
