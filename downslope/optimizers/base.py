"""The contract of an optimizer."""

import abc
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import jax

from downslope.core.about import AboutOptimizer
from downslope.core.record import Record
from downslope.core.types import Params, State


class Here(NamedTuple):
    """What an optimizer may ask about the present batch beyond its gradient."""

    loss: jax.Array
    key: jax.Array
    loss_and_gradient: Callable[[Params], tuple[jax.Array, Params]]


class Optimizer(Record):
    """How to change parameters, given a gradient. Pure: `self` is an immutable argument.

    `update` returns the change to **add** to the parameters and the new state; the order of arguments is optax's, so both
    sides can use each other's. The state's structure, shapes and types never change, and its moments are at least float32.
    A schedule multiplies a setting before `update`; momentum is stored without the learning rate, which is applied outside it.
    """

    about: ClassVar[AboutOptimizer]

    @abc.abstractmethod
    def init(self, params: Params) -> State:
        """The state before the first update."""

    @abc.abstractmethod
    def update(self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None) -> tuple[Any, State]:
        """The change to add to the parameters, and the new state."""

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The parameters to predict with: the same, unless the method averages them."""
        del state
        return params


CONTRACT = Optimizer
