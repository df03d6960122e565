"""Accumulation: several small batches are joined to one large one before another optimizer steps."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper
from downslope.core.record import choice
from downslope.core.types import Params
from downslope.optimizers.base import Here, Wrapper


class State(NamedTuple):
    """Batches gathered so far, the sum of their weights, their mean loss and gradient, what the inner optimizer remembers."""

    gathered: Int[Array, ""]
    weight: Float[Array, ""]
    loss: Float[Array, ""]
    mean: PyTree
    inner: PyTree


class Accumulate(Wrapper):
    """Joins the gradients of `steps` batches into that of all their rows at once and steps with it then; in between nothing
    moves. The means are joined by the batches' weights, which `here.weight` says (1 where there is no `here`), so that the
    result is exactly that of the large batch, also where one of the small ones weighs more than another, or nothing.

    Use it for batches that do not fit into the memory.
    Not where they fit: a larger batch costs the same and is simpler.

    >>> from downslope.optimizers import Sgd
    >>> joined = Accumulate(Sgd(learning_rate=1.0), steps=2)
    >>> params = jnp.zeros(1)
    >>> first, state = joined.update(jnp.array([1.0]), joined.init(params), params)
    >>> second, _ = joined.update(jnp.array([3.0]), state, params)
    >>> first, second
    (Array([0.], dtype=float32), Array([-2.], dtype=float32))
    """

    about = AboutOptimizer(
        title="Gradient accumulation",
        equation=r"""\bar g = \frac{\sum_{j=1}^{k} w_j g_j}{\sum_{j=1}^{k} w_j},\quad
                     \Delta = \operatorname{inner}(\bar g) \text{ after every } k \text{ batches, else } 0""",
        source=Paper(
            "Ott, Edunov, Grangier and Auli", 2018, "Scaling Neural Machine Translation", "https://arxiv.org/abs/1806.00187"
        ),
        alone=False,
        differs={
            "Keras": "every optimizer has gradient_accumulation_steps and takes the plain mean: batches must weigh alike.",
            "PyTorch": "sums what backward() is called on: divide each mean loss by the number of batches, all of one weight.",
            "optax": "MultiSteps takes the plain mean: batches must weigh alike.",
        },
    )

    most_inside = 1

    steps: int = choice(default=4, options=tuple(range(1, 1025)), doc="How many batches are joined.")

    def init(self, params: Params) -> State:
        zero = jnp.zeros((), tree.number_type(params))
        return State(jnp.zeros((), jnp.int32), zero, zero, tree.zeros_like(params), self.optimizer.init(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        gradient = tree.widen(gradient)
        added = jnp.asarray(1.0 if here is None else here.weight, state.weight.dtype)
        weight = state.weight + added
        # As long as no batch weighs anything, the last one stands for all: its gradient is that of the penalty alone.
        share = jnp.where(weight > 0, added / jnp.where(weight > 0, weight, 1), 1)

        def joined(old: Array, new: Array) -> Array:
            return jnp.asarray(jnp.where(share > 0, old + share * (new - old), old), old.dtype)

        mean = tree.map(joined, state.mean, gradient)
        loss = state.loss if here is None else joined(state.loss, here.loss)
        gathered = state.gathered + 1

        def step(inner: PyTree) -> tuple[Params, State]:
            all_rows = None if here is None else here._replace(loss=loss, weight=weight)
            change, inner = self.optimizer.update(mean, inner, params, all_rows)
            none = jnp.zeros_like(weight)
            return change, State(jnp.zeros_like(gathered), none, none, tree.zeros_like(mean), inner)

        def wait(inner: PyTree) -> tuple[Params, State]:
            return tree.zeros_like(gradient), State(gathered, weight, loss, mean, inner)

        return jax.lax.cond(gathered >= self.steps, step, wait, state.inner)
