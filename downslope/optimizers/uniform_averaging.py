"""Uniform averaging: predicts with the plain mean of the parameters that another optimizer passes through."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Wrapper, required


class State(NamedTuple):
    """Updates so far, the average, what the inner optimizer remembers."""

    step: Int[Array, ""]
    average: PyTree
    inner: PyTree


class UniformAveraging(Wrapper):
    """Leaves the steps of another optimizer alone and keeps, beside its parameters, the mean of all that came after update
    number `start`: `evaluate_at` gives it. With SGD at a constant rate it reaches the best possible statistical rate on
    convex problems. Known as Polyak-Ruppert averaging, and as stochastic weight averaging for nets.

    Use it with SGD at a constant rate, and over the second half of a long run.
    Not from the first update of a short run: a bad beginning is forgotten only slowly.

    >>> from downslope.optimizers import Sgd
    >>> averaged = UniformAveraging(Sgd(learning_rate=1.0), start=1)
    >>> params, state = jnp.array([0.0]), averaged.init(jnp.array([0.0]))
    >>> for gradient in (-3.0, -3.0, -3.0):
    ...     change, state = averaged.update(jnp.array([gradient]), state, params)
    ...     params = params + change
    >>> params, averaged.evaluate_at(state, params)
    (Array([9.], dtype=float32), Array([7.5], dtype=float32))
    """

    about = AboutOptimizer(
        title="Uniform averaging of the parameters",
        equation=r"""\bar\theta_t = \frac{1}{t - t_0} \sum_{i=t_0+1}^{t} \theta_i,\quad
                     \theta_t = \theta_{t-1} + \operatorname{inner}(g_t)""",
        source=Paper(
            "Polyak and Juditsky",
            1992,
            "Acceleration of Stochastic Approximation by Averaging",
            "https://doi.org/10.1137/0330046",
        ),
        aliases=("polyak_ruppert", "swa", "uniform_average"),
        alone=False,
        differs={
            "PyTorch": "`AveragedModel` takes the mean of the models it is shown.",
            "scikit-learn": "average=True in SGDClassifier and SGDRegressor; a number says after how many examples.",
        },
    )

    most_inside = None

    start: Number = hyper(default=0.0, at_least=0.0, doc="Updates before the first that counts.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.widen(params), self.optimizer.init(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        params = required(params, "params", self.name)
        change, inner = self.optimizer.update(gradient, state.inner, params, here)
        seen = self.optimizer.evaluate_at(inner, tree.add(tree.widen(params), change))
        step = state.step + 1
        share = 1 / jnp.maximum(step - self.start, 1.0)
        average = tree.map(lambda old, new: jnp.asarray(old + share * (new - old), old.dtype), state.average, seen)
        return change, State(step, average, inner)

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The average; before it begins, the last parameters."""
        return tree.typed_as(params, state.average)
