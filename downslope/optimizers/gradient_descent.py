"""Gradient descent: a step against the gradient of all rows."""

from typing import NamedTuple

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class State(NamedTuple):
    """Nothing is remembered."""


class GradientDescent(Optimizer):
    """Steps against the exact gradient of the full data. The method whose behaviour is fully understood: on a convex problem
    with curvature at most L it converges for every rate below 2 / L.

    Use it on little data, when every step should be exact.
    Not for large tables: at the same cost a mini-batch method takes many steps where this one takes a single better one.

    >>> import jax.numpy as jnp
    >>> descent = GradientDescent(learning_rate=0.5)
    >>> descent.update(jnp.array([2.0, -1.0]), descent.init(jnp.zeros(2)))[0]
    Array([-1. ,  0.5], dtype=float32)
    """

    about = AboutOptimizer(
        title="Gradient descent",
        family="plain",
        equation=r"\Delta_t = -\alpha \, \nabla f(\theta_{t-1})",
        source=Paper(
            "Cauchy",
            1847,
            "Méthode générale pour la résolution des systèmes d'équations simultanées",
            "https://gallica.bnf.fr/ark:/12148/bpt6k2982c/f540.item",
        ),
        batch="full",
        aliases=("gd", "batch_gradient_descent"),
        default=True,
        differs={
            "scikit-learn": "MLPRegressor(solver='sgd', momentum=0) with batch_size equal to the number of rows.",
            "PyTorch": "torch.optim.SGD, given the gradient of all rows.",
            "Keras": "keras.optimizers.SGD with batch_size equal to the number of rows.",
            "optax": "optax.sgd, given the gradient of all rows.",
        },
    )

    learning_rate: Number = hyper(default=0.3, above=0.0, search=Range(1e-2, 10.0, "log"), doc="Step size.")

    def init(self, params: Params) -> State:
        del params
        return State()

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        return tree.typed_as(gradient, tree.scale(-self.learning_rate, gradient)), state
