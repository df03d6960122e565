"""Adafactor: keeps the squares of a matrix's gradients as one number for each row and each column."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, required

TINY = 1e-30  # the paper's first epsilon, added to every square so that no division is by zero


class State(NamedTuple):
    """Updates so far; running mean squares of rows and of columns, or of each number where there is no matrix."""

    step: Int[Array, ""]
    rows: PyTree
    columns: PyTree
    square: PyTree


def root_mean_square(x: Array) -> Array:
    """The typical size of the numbers in an array; 0 for an empty one."""
    return jnp.sqrt(jnp.sum(x**2) / max(x.size, 1))


class Adafactor(Optimizer):
    """Adam's division with almost none of its memory: for a matrix only row and column means are kept, and no running mean of
    the gradient. Steps are relative to the size of the parameters and clipped. `learning_rate` is the largest relative step;
    it falls like 1 / sqrt(t) once that is smaller.

    Use it for very large models whose optimizer has to be small.
    Not on small models, where its memory saves nothing and others learn faster.

    >>> adafactor = Adafactor(learning_rate=0.1)
    >>> params = jnp.ones((2, 2))
    >>> change, _ = adafactor.update(jnp.array([[4.0, 2.0], [2.0, 1.0]]), adafactor.init(params), params)
    >>> change.round(5)
    Array([[-0.09999999, -0.09999999],
           [-0.09999999, -0.09999999]], dtype=float32)
    """

    about = AboutOptimizer(
        title="Adafactor",
        family="adaptive",
        equation=r"""\hat\beta_t = 1 - t^{-c},\quad R_t = \hat\beta_t R_{t-1} +
                     (1-\hat\beta_t)\,\overline{G_t^2}^{\,\text{rows}},\quad C_t = \hat\beta_t C_{t-1} +
                     (1-\hat\beta_t)\,\overline{G_t^2}^{\,\text{columns}},\quad U_t = G_t \Big/ \sqrt{R_t C_t /
                     \overline{R_t}},\quad \Delta_t = -\max(\epsilon, \operatorname{rms}\theta)\,\min\!\big(\alpha,
                     \tfrac{1}{\sqrt t}\big)\, \frac{U_t}{\max(1, \operatorname{rms}(U_t)/d)}""",
        source=Paper(
            "Shazeer and Stern",
            2018,
            "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
            "https://arxiv.org/abs/1804.04235",
        ),
        differs={
            "Keras": "`Adafactor` has the rule of the paper, also with the falling relative step.",
            "optax": "takes the learning rate as given, without 1 / sqrt(t); keeps full squares when a side is below 128.",
            "PyTorch": "bounds the mean square from below instead of adding 1e-30 to each square.",
        },
    )

    learning_rate: Number = hyper(default=0.01, above=0.0, search=Range(1e-3, 1.0, "log"), doc="Largest relative step.")
    forgetting: Number = hyper(
        default=0.8, above=0.0, at_most=1.0, search=Range(0.5, 1.0), doc="Power with which old squares are forgotten."
    )
    clip: Number = hyper(
        default=1.0, above=0.0, search=Range(0.5, 4.0, "log"), doc="Largest typical size of a step, before scaling."
    )
    least_size: Number = hyper(default=1e-3, above=0.0, doc="Parameters count as at least this large.")

    def init(self, params: Params) -> State:
        zeros, nothing = tree.zeros_like(params), lambda p: jnp.zeros(0, p.dtype)
        return State(
            jnp.zeros((), jnp.int32),
            tree.map(lambda p: jnp.zeros(p.shape[:-1], p.dtype) if p.ndim >= 2 else nothing(p), zeros),
            tree.map(lambda p: jnp.zeros(p.shape[:-2] + p.shape[-1:], p.dtype) if p.ndim >= 2 else nothing(p), zeros),
            tree.map(lambda p: nothing(p) if p.ndim >= 2 else p, zeros),
        )

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del here
        params = required(params, "params", self.name)
        gradient = tree.widen(gradient)
        step = state.step + 1
        time = jnp.asarray(step, tree.number_type(gradient))
        keep = 1 - time**-self.forgetting
        rate = jnp.minimum(self.learning_rate, 1 / jnp.sqrt(time))

        def over(axis: int, old: Array, g: Array) -> Array:
            """The running mean square over one axis of a matrix; nothing is kept for other shapes."""
            return keep * old + (1 - keep) * (jnp.sum(g**2 + TINY, axis) / max(g.shape[axis], 1)) if g.ndim >= 2 else old

        rows = tree.typed_as(state.rows, tree.map(lambda old, g: over(-1, old, g), state.rows, gradient))
        columns = tree.typed_as(state.columns, tree.map(lambda old, g: over(-2, old, g), state.columns, gradient))
        square = tree.map(lambda old, g: old if g.ndim >= 2 else keep * old + (1 - keep) * (g**2 + TINY), state.square, gradient)
        square = tree.typed_as(state.square, square)

        def change(g: Array, r: Array, c: Array, v: Array, p: Array) -> Number:
            if g.ndim >= 2 and g.size:
                share = r / jnp.mean(r, -1, keepdims=True)
                move = g / jnp.sqrt(share)[..., :, None] / jnp.sqrt(c)[..., None, :]  # roots first: the product may underflow
            else:
                move = g / jnp.sqrt(v) if g.ndim < 2 else g
            move = move / jnp.maximum(1, root_mean_square(move) / self.clip)
            return -rate * jnp.maximum(self.least_size, root_mean_square(p)) * move

        moves = tree.map(change, gradient, rows, columns, square, tree.widen(params))
        return tree.typed_as(gradient, moves), State(step, rows, columns, square)
