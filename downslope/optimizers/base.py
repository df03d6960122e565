"""The contract of an optimizer."""

import abc
import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from downslope.core import tree
from downslope.core.about import AboutOptimizer
from downslope.core.arithmetic import in_one_pass
from downslope.core.errors import DownslopeError, IncompatiblePair
from downslope.core.packed import Packed, packed
from downslope.core.record import Record, part
from downslope.core.types import Number, Params, State
from downslope.optimizers import catalogue


class Here(NamedTuple):
    """What an optimizer may ask about the present batch beyond its gradient.

    `loss` is the mean over its rows, `weight` the sum of their weights, by which means of several batches are joined.
    """

    loss: jax.Array
    key: jax.Array
    loss_and_gradient: Callable[[Params], tuple[jax.Array, Params]]
    weight: jax.Array | float = 1.0


class Ended(NamedTuple):
    """Loss and gradient at the parameters after an update, which a search has looked at: the next update need not."""

    loss: jax.Array
    gradient: Params


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

    def step(self, gradient: Params, state: State, params: Params, here: Here | None = None) -> tuple[Params, State]:
        """The parameters after an update, and the new state. It is `update` and the addition of its change; on a CPU one kernel
        does all of it, in the memory of the old parameters and the old state where these are donated to `jax.jit`. A `packed`
        state stays so.

        >>> sgd = catalogue["sgd"](learning_rate=0.5)
        >>> sgd.step(jnp.array([4.0]), sgd.init(jnp.array([1.0])), jnp.array([1.0]))[0]
        Array([-1.], dtype=float32)
        """

        def moved(held: tuple[Params, State]) -> tuple[Params, State]:
            params, state = held
            together = isinstance(state, Packed)
            change, after = self.update(gradient, state.unpacked() if together else state, params, here)
            return tree.map(lambda p, c: p + c.astype(p.dtype), params, change), packed(after) if together else after

        return in_one_pass(moved, (params, state))

    def evaluate_at(self, state: State, params: Params) -> Params:
        """The parameters to predict with: the same, unless the method averages them."""
        del state
        return params


Thing = TypeVar("Thing")


def required(value: Thing | None, what: str, who: str) -> Thing:
    """`value`, or one clear error when an optimizer needs the parameters or `here` and its caller left them out.

    >>> required(None, "params", "adamw")
    Traceback (most recent call last):
    downslope.core.errors.DownslopeError: adamw: update needs `params`, got None; call update(gradient, state, params, here)
    """
    if value is None:
        raise DownslopeError(f"{who}: update needs `{what}`, got None; call update(gradient, state, params, here)")
    return value


def filled(keep: Number, step: Int[Array, ""] | int) -> Float[Array, ""]:
    """1 − keep^step: the share of a running mean, started at zero, that real values fill by now.

    By way of the logarithm, because `1 - 0.999**step` in float32 is wrong in the fifth digit at the first steps.

    >>> f"{filled(0.999, 1):.6g}"
    '0.001'
    """
    if isinstance(keep, float | int):
        with np.errstate(divide="ignore"):  # a memory of 0 has the logarithm -inf and is filled at once
            logarithm = float(np.log(keep))
    else:
        logarithm = jnp.log(keep)
    return -jnp.expm1(step * logarithm)


CONTRACT = Optimizer


def learning_rate(optimizer: Optimizer) -> Any:
    """The learning rate of an optimizer, or of the one it is wrapped around."""
    return rated(optimizer).values()["learning_rate"]


def with_learning_rate(optimizer: Any, rate: Any) -> Any:
    """A copy with another learning rate, however deep the setting lies."""
    return around(optimizer, lambda innermost: innermost.replace(learning_rate=rate))


def rated(optimizer: Any) -> Any:
    """The optimizer that holds the learning rate: itself or the one it is wrapped around."""
    *_, innermost = optimizer.chain()
    return innermost


def around(optimizer: Any, change: Callable[[Any], Any]) -> Any:
    """The same wrappers around something else than the innermost optimizer: around what `change` makes of it."""
    for name, setting in optimizer.settings().items():
        if setting.kind == "part":
            return optimizer.replace(**{name: around(getattr(optimizer, name), change)})
    return change(optimizer)


def gradients_per_step(optimizer: Any) -> int | None:
    """Gradient evaluations of one update, those that wrappers add included; `None` when that depends on the data."""
    counts = [each.about.gradients_per_step for each in optimizer.chain()]
    return None if None in counts else 1 + sum(count - 1 for count in counts)


def takes_all_rows(optimizer: Any) -> bool:
    """Whether the optimizer, or one inside it, needs the gradient of all rows at once."""
    return any(each.about.batch == "full" for each in optimizer.chain())


def searching(optimizer: Any, state: State) -> Any:
    """The state of the innermost optimizer. Where the number of gradient evaluations of an update depends on the data, it
    counts them as `evaluations`, and updates as `step`; where it hands on what it found last, that is its `ended`."""
    *wrappers, _ = optimizer.chain()
    for _ in wrappers:
        state = state.inner
    return state


class Wrapped(NamedTuple):
    """What the optimizer inside remembers."""

    inner: Any


class Wrapper(Optimizer):
    """An optimizer around another one. Its state has the other's as `inner`; unless it says otherwise that is all it has.

    `most_inside` is how many gradients the optimizer inside may evaluate for an update: any fixed number, or `None` where one
    may stand inside that searches along the gradient, because the wrapper leaves the gradient alone.
    """

    most_inside: ClassVar[float | None] = math.inf

    optimizer: Optimizer = part(default_factory=lambda: catalogue["sgd"](), doc="The optimizer that steps.")

    def __post_init__(self) -> None:
        super().__post_init__()
        inside = self.optimizer
        if self.most_inside is None or not isinstance(inside, Optimizer):
            return  # JAX passes placeholders through a record
        count = gradients_per_step(inside)
        if count is None:
            raise IncompatiblePair(f"{self.name} cannot stand around {inside.name}, which searches along the gradient itself")
        if count > self.most_inside:
            raise IncompatiblePair(
                f"{self.name}: {inside.name} evaluates gradients of its own, on the last batch alone; put {self.name} inside it"
            )

    def init(self, params: Params) -> Any:
        return Wrapped(self.optimizer.init(params))

    def evaluate_at(self, state: Any, params: Params) -> Params:
        """Where the optimizer inside predicts, unless the wrapper averages."""
        return self.optimizer.evaluate_at(state.inner, params)


class Clipping(Wrapper):
    """A wrapper that shows the optimizer inside a shorter gradient."""

    @abc.abstractmethod
    def clipped(self, gradient: Params) -> Params:
        """The gradient that counts, in the number types of the one given, which are at least float32."""

    def update(
        self, gradient: Params, state: Wrapped, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, Wrapped]:
        change, inner = self.optimizer.update(self.clipped(tree.widen(gradient)), state.inner, params, here)
        return change, Wrapped(inner)
