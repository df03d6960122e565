"""LARS: momentum with a rate of its own for each layer."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Mask, Number, Params
from downslope.optimizers.base import Here, Optimizer, required


class State(NamedTuple):
    """Fading sum of the rescaled gradients, without the learning rate."""

    velocity: PyTree


class Lars(Optimizer):
    """Scales each matrix's gradient so that its step is a fixed share of the weights' own length, then adds momentum. Biases
    take plain momentum steps, neither decayed nor rescaled, unless `adapted` says everything.

    Use it for convolutional nets and very large batches.
    Not where gradients differ in size within one layer: all its weights share one rate.

    >>> lars = Lars(learning_rate=1.0, trust=0.01, weight_decay=0.0)
    >>> lars.update(jnp.array([[0.0, 20.0]]), lars.init(jnp.zeros((1, 2))), jnp.array([[3.0, 4.0]]))[0]
    Array([[-0.  , -0.05]], dtype=float32)
    """

    about = AboutOptimizer(
        title="LARS",
        family="layerwise",
        equation=r"""r_t = \eta \, \frac{\lVert \theta_{t-1} \rVert}{\lVert g_t \rVert + \lambda \lVert \theta_{t-1}
                     \rVert},\quad b_t = \mu \, b_{t-1} + r_t \, (g_t + \lambda \theta_{t-1}),\quad \Delta_t = -\alpha \, b_t""",
        source=Paper(
            "You, Gitman and Ginsburg", 2017, "Large Batch Training of Convolutional Networks", "https://arxiv.org/abs/1708.03888"
        ),
        differs={
            "Paper": "stores the velocity multiplied by the learning rate, which differs as soon as the rate changes.",
            "optax": "divides by the length of the sum, not the sum of lengths; stores the velocity multiplied by the rate.",
        },
    )

    learning_rate: Number = hyper(default=1.0, above=0.0, search=Range(1e-2, 10.0, "log"), doc="Step size.")
    momentum: Number = hyper(
        default=0.9, at_least=0.0, below=1.0, search=Range(0.5, 0.99), doc="Share of the velocity that survives an update."
    )
    trust: Number = hyper(
        default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Share of the weights' length that a step has."
    )
    weight_decay: Number = hyper(
        default=1e-4, at_least=0.0, search=Range(1e-5, 1e-1, "log"), doc="Weight of the parameters in the direction of the step."
    )
    adapted: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What is decayed and rescaled: matrices of weights alone, or biases too.",
    )

    def init(self, params: Params) -> State:
        return State(tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)

        def gather(b: Array, g: Array, p: Array | None) -> Number:
            if p is not None:
                length = tree.norm(p)
                reach = tree.norm(g) + self.weight_decay * length
                known = (length > 0) & (reach > 0)
                g = jnp.where(known, self.trust * length / jnp.where(known, reach, 1), 1) * (g + self.weight_decay * p)
            return self.momentum * b + g

        velocity = tree.typed_as(
            gradient, tree.map(gather, state.velocity, gradient, tree.meant(self.adapted, tree.widen(params)))
        )
        return tree.typed_as(velocity, tree.scale(-self.learning_rate, velocity)), State(velocity)
