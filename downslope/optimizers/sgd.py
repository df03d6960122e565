"""Stochastic gradient descent: a step against the gradient of a few examples."""

from typing import NamedTuple

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Nothing is remembered."""


class Sgd(Optimizer):
    """Steps against the gradient of a mini-batch, down to a single example. Needs no memory and little tuning beyond its step
    size, and its noise can help to generalise.

    Use it when memory is short, and as the plain reference.
    Not as the first choice when the gradients of different parameters differ in size by orders of magnitude: one step size
    has to suit them all.

    >>> import jax.numpy as jnp
    >>> sgd = Sgd(learning_rate=0.5)
    >>> sgd.update(jnp.array([2.0, -1.0]), sgd.init(jnp.zeros(2)))[0]
    Array([-1. ,  0.5], dtype=float32)
    """

    about = AboutOptimizer(
        title="Stochastic gradient descent",
        family="plain",
        equation=r"\Delta_t = -\alpha \, g_t",
        source=Paper("Robbins and Monro", 1951, "A Stochastic Approximation Method", "https://doi.org/10.1214/aoms/1177729586"),
        aliases=("stochastic_gradient_descent",),
        default=True,
        differs={
            "optax": "`sgd` has the same rule.",
            "PyTorch": "weight_decay is an L2 penalty added to the gradient, and one class also holds momentum and Nesterov.",
            "Keras": "weight_decay shrinks the parameters before the step (decoupled).",
            "scikit-learn": "SGDClassifier and SGDRegressor take one example at a time and lower the rate by their own rules.",
        },
    )

    learning_rate: Number = hyper(default=0.03, above=0.0, search=Range(1e-3, 1.0, "log"), doc="Step size.")

    def init(self, params: Params) -> State:
        del params
        return State()

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        return tree.typed_as(gradient, tree.scale(-self.learning_rate, gradient)), state
