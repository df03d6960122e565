"""From one value for each example to one number: weights, masks, class weights, smoothed labels, a denominator with a name.

Losses share this; none knows of it. What is left out is replaced before the loss sees it, so that neither its scores nor its
labels can reach the result or the gradient, whatever they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from downslope.core.about import AboutLoss, Task
from downslope.core.domain import refuse
from downslope.core.errors import BadShape, IncompatiblePair, OutOfRange, UnknownName
from downslope.core.record import is_concrete
from downslope.core.types import Number

Reduction: TypeAlias = Literal["mean_over_weights", "mean_over_count", "sum", "none"]
ClassWeight: TypeAlias = str | Mapping[int, float | int] | Sequence[float | int] | Array | np.ndarray


def one_each(name: str, what: str, values: Any, shape: tuple[int, ...]) -> Array:
    """One value for each example, as an array; `BadShape` for any other number of them."""
    values = jnp.asarray(values)
    if values.shape != shape:
        raise BadShape(f"{name}: {what} must have the shape of the examples, {shape}, got {values.shape}; nothing is broadcast")
    return values


def counted(name: str, weight: Any, mask: Any, shape: tuple[int, ...], precision: Any) -> tuple[Array, Array]:
    """The weight of each example, 0 where the mask leaves it out, and the number of examples that the mask leaves in."""
    left = jnp.ones(shape, bool) if mask is None else one_each(name, "mask", mask, shape).astype(bool)
    heavy = jnp.ones(shape, precision) if weight is None else one_each(name, "weight", weight, shape).astype(precision)
    heavy = jnp.where(left, heavy, 0)
    if weight is not None and is_concrete(heavy):
        seen = np.asarray(heavy)
        refuse(name, "weight", seen, np.isfinite(seen) & (seen >= 0), "a finite weight of at least 0")
    return heavy, jnp.sum(left.astype(precision))


def without(values: Array, keep: Array, harmless: float = 0.0) -> Array:
    """The values with a harmless one wherever an example is left out."""
    wide = keep.reshape(keep.shape + (1,) * (values.ndim - keep.ndim))
    return jnp.where(wide, values, jnp.asarray(harmless, values.dtype))


@jax.custom_jvp
def shielded(values: Array, keep: Array) -> Array:
    """The values as they are; what is left out has no part in the gradient, even where 0 would meet infinity.

    Cheaper in a compiled program than a harmless value, which stands in the way of fusing the loss with what gave the scores.
    """
    del keep
    return values


@shielded.defjvp
def shielded_slope(primals: Any, tangents: Any) -> tuple[Array, Array]:
    """The derivative of `shielded`."""
    return primals[0], without(tangents[0], primals[1])


def smoothed(name: str, about: AboutLoss, target: Any, amount: Number | None, classes: int, soft: bool = False) -> Any:
    """Labels that keep 1 − amount of themselves and share the amount evenly among all classes.

    `soft` says that each example has one share for each class already. `IncompatiblePair` for a loss whose labels have
    nothing between them.
    """
    if amount is None or (is_concrete(amount) and np.ndim(amount) == 0 and amount == 0):
        return target
    check_smoothing(name, about, amount)
    if about.task is Task.BINARY:
        return (1 - amount) * target + amount / 2
    return (1 - amount) * (target if soft else one_hot(target, classes)) + amount / classes


def one_hot(label: Array, classes: int) -> Array:
    """1 at each example's class, 0 elsewhere."""
    return (label[..., None] == jnp.arange(classes).reshape((1,) * label.ndim + (-1,))).astype(jnp.float32)


def check_smoothing(name: str, about: AboutLoss, amount: Number) -> None:
    """`IncompatiblePair` where smoothed labels mean nothing, `OutOfRange` for an impossible amount."""
    if is_concrete(amount) and not (np.ndim(amount) == 0 and 0 <= float(amount) < 1):
        raise OutOfRange(f"label_smoothing must be one number of at least 0 and below 1, got {amount}")
    if not about.soft_labels:
        raise IncompatiblePair(f"{name} takes no smoothed labels, for its targets are {about.target}")


def of_classes(name: str, about: AboutLoss, target: Array, weight: Array, class_weight: ClassWeight, classes: int) -> Array:
    """The weight that its class gives each example; for soft labels the mean of its classes' weights."""
    if about.task is Task.REGRESSION:
        raise IncompatiblePair(f"{name} is a loss for regression targets, which have no classes to weigh")
    if about.task is Task.BINARY:
        part = jnp.stack([1 - target, target], axis=-1)
    else:
        part = target if target.ndim > weight.ndim else one_hot(target, classes)
    part = part.astype(weight.dtype)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise UnknownName(f"class_weight must be 'balanced' or a weight for each class, got {class_weight!r}")
        mass = jnp.sum(part * weight[..., None], axis=tuple(range(weight.ndim)))
        table = balanced(mass, jnp)
    else:
        table = jnp.asarray(weights_of(class_weight, classes), weight.dtype)
    return jnp.sum(part * table.reshape((1,) * weight.ndim + (-1,)), axis=-1)


def balanced(mass: Any, numpy: Any) -> Any:
    """The weights under which all classes that occur weigh the same together, and all examples as much as before.

    >>> balanced(np.array([1.0, 3.0, 0.0]), np).round(3).tolist()
    [2.0, 0.667, 0.0]
    """
    there = mass > 0
    fair = numpy.sum(mass) / numpy.maximum(numpy.sum(there), 1)
    return numpy.where(there, fair / numpy.where(there, mass, 1), 0)


def weights_of(class_weight: Any, classes: int) -> Any:
    """One weight for each class: from a mapping, in which classes that are not named weigh 1, or one after another.

    >>> weights_of({1: 5.0}, 3).tolist()
    [1.0, 5.0, 1.0]
    """
    if isinstance(class_weight, Mapping):
        unknown = [key for key in class_weight if key not in range(classes)]
        if unknown:
            raise UnknownName(f"class_weight names the class {unknown[0]!r}; there are only the indices 0 to {classes - 1}")
        table = np.ones(classes)
        table[list(class_weight)] = list(class_weight.values())
    elif is_concrete(class_weight) or isinstance(class_weight, Sequence):
        table = np.asarray(class_weight, float)
    else:
        return class_weight
    if table.shape != (classes,):
        raise BadShape(f"class_weight must hold one weight for each of {classes} classes, got the shape {table.shape}")
    refuse("class_weight", "weight", table, np.isfinite(table) & (table >= 0), "a finite weight of at least 0")
    return table


def reduced(value: Array, weight: Array, reduction: str, count: Any = 0) -> Array:
    """The values times their weights, taken together; 0 where there is nothing to divide by."""
    check_reduction(reduction)
    heavy = weighted(value, weight)
    return heavy if reduction == "none" else jnp.sum(heavy) / denominator(weight, reduction, count)


def weighted(value: Array, weight: Array) -> Array:
    """The values times their weights; what weighs nothing counts for nothing, whatever its value."""
    return jnp.where(weight > 0, value * weight, 0)


def denominator(weight: Array, reduction: str, count: Any) -> Any:
    """By what the sum of weighted values is divided; 1 where there is nothing."""
    if reduction == "sum":
        return 1
    below = jnp.sum(weight) if reduction == "mean_over_weights" else count
    return jnp.where(below > 0, below, 1)


def check_reduction(reduction: str) -> None:
    """`UnknownName` unless there is such a reduction."""
    if reduction not in get_args(Reduction):
        raise UnknownName.among("reduction", reduction, get_args(Reduction))
