"""The contract of a penalty."""

import abc
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core import tree
from downslope.core.about import AboutPart, Range
from downslope.core.record import Record, choice, hyper
from downslope.core.types import Mask, Number, Params


class Penalty(Record):
    """What the parameters themselves cost, added to the mean loss: `strength` times the sum of `cost` over all weights.

    Unlike decoupled weight decay it goes through the gradient, so an optimizer that rescales gradients rescales it too.
    Only matrices of weights pay; biases and other vectors are free, unless `charged` says everything.
    """

    about: ClassVar[AboutPart]

    strength: Number = hyper(
        default=1e-4, at_least=0.0, search=Range(1e-6, 1e-1, "log"), doc="By how much the cost counts against the mean loss."
    )
    charged: Mask = choice(
        default="weights",
        options=("weights", "everything"),
        or_function=True,
        doc="What pays: matrices of weights alone, or biases too; or a function from parameters to a tree of booleans.",
    )

    def __call__(self, params: Params) -> Float[Array, ""]:
        """The cost of these parameters."""
        paying = jax.tree.leaves(tree.meant(self.charged, tree.widen(params)))
        return jnp.asarray(self.strength * sum((jnp.sum(self.cost(leaf)) for leaf in paying), start=0.0))

    @abc.abstractmethod
    def cost(self, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        """The cost of each number, before it is multiplied by `strength`."""


CONTRACT = Penalty
