"""Exponential averaging: predicts with a fading mean of the parameters that another optimizer passes through."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Wrapper, filled, required


class State(NamedTuple):
    """Updates so far, the average, what the inner optimizer remembers."""

    step: Int[Array, ""]
    average: PyTree
    inner: PyTree


class ExponentialAveraging(Wrapper):
    """Leaves the steps of another optimizer alone and keeps, beside its parameters, a mean that forgets: `evaluate_at` gives
    it. It remembers about 1 / (1 - `decay`) updates. The mean is corrected for its start, so it is one of real parameters
    from the first update on.

    Use it at a constant rate, to take the noise of the last steps away.
    Not beside a falling learning rate in hope of much: that does the same work.

    >>> from downslope.optimizers import Sgd
    >>> averaged = ExponentialAveraging(Sgd(learning_rate=1.0), decay=0.5)
    >>> params, state = jnp.array([0.0]), averaged.init(jnp.array([0.0]))
    >>> for gradient in (-3.0, -3.0):
    ...     change, state = averaged.update(jnp.array([gradient]), state, params)
    ...     params = params + change
    >>> params, averaged.evaluate_at(state, params)
    (Array([6.], dtype=float32), Array([5.], dtype=float32))
    """

    about = AboutOptimizer(
        title="Exponential averaging of the parameters",
        equation=r"""\bar\theta_t = \frac{1-\beta}{1-\beta^t} \sum_{i=1}^{t} \beta^{\,t-i}\, \theta_i,\quad
                     \theta_t = \theta_{t-1} + \operatorname{inner}(g_t)""",
        source=Paper(
            "Kingma and Ba", 2015, "Adam: A Method for Stochastic Optimization, section 7.2", "https://arxiv.org/abs/1412.6980"
        ),
        aliases=("ema", "exponential_average"),
        alone=False,
        differs={
            "optax": "not there for parameters; `ema` averages gradients or steps.",
            "PyTorch": "AveragedModel with get_ema_multi_avg_fn begins at the first parameters and is not corrected for it.",
            "Keras": "use_ema begins at the parameters before the first update; ema_overwrite_frequency replaces them.",
        },
    )

    most_inside = None

    decay: Number = hyper(default=0.99, at_least=0.0, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the average.")

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.widen(params), self.optimizer.init(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        params = required(params, "params", self.name)
        change, inner = self.optimizer.update(gradient, state.inner, params, here)
        seen = self.optimizer.evaluate_at(inner, tree.add(tree.widen(params), change))
        step = state.step + 1
        share = (1 - self.decay) / filled(self.decay, step)
        average = tree.map(lambda old, new: jnp.asarray(old + share * (new - old), old.dtype), state.average, seen)
        return change, State(step, average, inner)

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The average."""
        return tree.typed_as(params, state.average)
