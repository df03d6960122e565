"""The contract of a loss, and the one entrance at which every loss checks what it is given."""

import abc
import functools
from collections.abc import Callable
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core import domain, examples, links
from downslope.core.about import AboutLoss, Task
from downslope.core.errors import BadShape
from downslope.core.record import Record, is_concrete
from downslope.core.summed import pays, summed
from downslope.core.types import Number


class Loss(Record):
    """How wrong raw scores are: one value per example, never averaged, never weighted.

    `raw` are the model's raw scores, never probabilities: `(batch,)` where `outputs` is 1, else `(batch, outputs)`.
    `target` is `(batch,)`: numbers for regression, 0/1 for binary, class indices for multiclass; a multiclass loss may also
    take `(batch, classes)` soft labels where its file says so. Anything that would have to be broadcast is refused.
    Pure, differentiable almost everywhere, finite for targets in the declared domain. At a kink the gradient is the mean
    of the two sides, so that a model whose scores all start there can still move.
    Half precision is computed in float32 and rounded once.
    Weights, masks and averaging exist once, in `reduce`. Outside `jit`, scores and targets are looked at first: `check`.
    """

    about: ClassVar[AboutLoss]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__call__" in vars(cls):
            cls.__call__ = entrance(cls.__call__)

    @abc.abstractmethod
    def __call__(self, raw: Float[Array, " batch *outputs"], target: Num[Array, " batch *classes"]) -> Float[Array, " batch"]:
        """The loss of each example."""

    @abc.abstractmethod
    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        """The raw scores `(outputs,)` that minimise the weighted mean loss when every example gets the same.

        Computed on the host in float64. `classes` is needed by multiclass losses when some class may be absent from `target`.
        Where only infinite scores would be best, as for a single class, the finite ones of half an example more.
        """

    def outputs(self, classes: int | None = None) -> int:
        """How many raw scores each example needs."""
        if self.about.task is not Task.MULTICLASS:
            return 1
        if classes is None:
            raise BadShape(f"{self.name}: how many scores it needs depends on the number of classes; none was given")
        return classes

    def predict(self, raw: Float[Array, " batch *outputs"]) -> Num[Array, " batch *outputs"]:
        """The prediction that belongs to raw scores, through the loss's link."""
        return links.apply(self.about.link, raw, jnp)

    def reduce(
        self,
        raw: Any,
        target: Any,
        *,
        weight: Any = None,
        mask: Any = None,
        class_weight: examples.ClassWeight | None = None,
        label_smoothing: Number | None = None,
        reduction: examples.Reduction = "mean_over_weights",
    ) -> Array:
        """One number for all examples: their weighted mean, unless `reduction` says otherwise.

        `weight` and `mask` have one value for each example. What a mask leaves out, or a weight of 0, counts for nothing,
        whatever its scores and labels hold; where nothing is left the result is 0 and so is its gradient. `class_weight` is
        `"balanced"` (all classes weigh the same together), a mapping from class index to weight, or one weight for each class;
        an example's weight is multiplied by that of its class. `label_smoothing` shares that part of every label evenly among all
        classes. `reduction` names the denominator: `"mean_over_weights"` their sum, `"mean_over_count"` the number of examples
        that the mask leaves; `"sum"` has none, and `"none"` gives the weighted value of each example.

        Raises `BadShape`, `BadData` for a weight below 0, `IncompatiblePair` for classes or smoothing where there are none.

        >>> from downslope.losses import SquaredError
        >>> raw, target = jnp.array([1.0, 2.0, jnp.nan]), jnp.array([0.0, 0.0, 0.0])
        >>> print(SquaredError().reduce(raw, target, weight=jnp.array([3.0, 1.0, 1.0]), mask=jnp.array([True, True, False])))
        1.75
        """
        raw, target = jnp.asarray(raw), jnp.asarray(target)
        refuse_broadcast(self, raw.shape, target.shape)
        soft = self.about.task is Task.MULTICLASS and target.ndim == raw.ndim
        shape = target.shape[:-1] if soft else target.shape
        classes = raw.shape[-1] if self.about.task is Task.MULTICLASS else 2
        precision = jnp.promote_types(raw.dtype, jnp.float32)
        heavy, count = examples.counted(self.name, weight, mask, shape, precision)
        alike = weight is None and mask is None and class_weight is None
        if class_weight is not None or readable(target):
            target = examples.without(target, heavy > 0, 1 / classes if soft else domain.inside(self.about))
        if class_weight is not None:
            heavy = heavy * examples.of_classes(self.name, self.about, target, heavy, class_weight, classes)
        keep = heavy > 0
        if not alike:
            raw = examples.without(raw, keep) if readable(raw) else examples.shielded(raw, keep)
        smooth = examples.smoothed(self.name, self.about, target, label_smoothing, classes, soft)
        examples.check_reduction(reduction)
        given = (self, raw, smooth, jnp.float32(1 if reduction == "sum" else 1 / max(1, heavy.size)))
        if reduction == "none" or not pays(share_of, given, by=1):
            result = examples.reduced(self(raw.astype(precision), smooth), heavy, reduction, count)
        elif alike:
            result = summed(share_of, *given)
        else:
            share = 1 / examples.denominator(heavy, reduction, count)
            result = summed(weighted_share_of, *given[:3], share, heavy)
        return result.astype(raw.dtype) if jnp.issubdtype(raw.dtype, jnp.floating) else result

    def check(self, raw: Any, target: Any) -> None:
        """`BadShape` or `BadData`, naming row and value, where this loss cannot take the scores or targets.

        A call with concrete arrays does the same by itself; inside `jit` nothing can be looked at, so call this before. Looks for
        targets outside the domain, labels without a score, what is not a number, and probabilities where scores belong: that
        only for several classes, as honest scores for two may all lie between 0 and 1.

        >>> from downslope.losses import Hinge
        >>> Hinge().check(jnp.array([0.3, -2.0]), jnp.array([1, -1]))
        Traceback (most recent call last):
            ...
        downslope.core.errors.BadData: hinge: target in row 1 is -1, expected 0 or 1; -1 and 1 become 0 and 1 by (target + 1) / 2
        """
        raw, target = jnp.asarray(raw), jnp.asarray(target)
        refuse_broadcast(self, raw.shape, target.shape)
        if readable(target):
            classes = raw.shape[-1] if self.about.task is Task.MULTICLASS else None
            domain.check_target(self.name, self.about, np.asarray(target), classes, target.ndim == raw.ndim)
        if readable(raw):
            domain.check_scores(self.name, self.about, np.asarray(raw))


def entrance(formula: Callable[..., Array]) -> Callable[..., Array]:
    """The formula behind one door: shapes are checked and precisions settled while tracing, at no cost when running."""

    @functools.wraps(formula)
    def call(self: Loss, raw: Any, target: Any) -> Array:
        raw, target = jnp.asarray(raw), jnp.asarray(target)
        self.check(raw, target)
        precision = jnp.promote_types(raw.dtype, jnp.float32)
        is_label = self.about.task is Task.MULTICLASS and target.ndim < raw.ndim
        exact = jax.tree.map(lambda number: settled(number, precision), self)
        loss = formula(exact, raw.astype(precision), target.astype(jnp.int32 if is_label else precision))
        return loss.astype(raw.dtype) if jnp.issubdtype(raw.dtype, jnp.floating) else loss

    return call


def share_of(loss: Loss, raw: Array, target: Array, share: Array) -> Array:
    """What each example adds to the whole."""
    return loss(raw, target) * share


def weighted_share_of(loss: Loss, raw: Array, target: Array, share: Array, weight: Array) -> Array:
    """The same where examples have weights; `share` is that of a weight of 1."""
    return examples.weighted(share_of(loss, raw, target, share), weight)


def readable(values: Any) -> bool:
    """Whether the numbers are known now and lie in this process."""
    return is_concrete(values) and getattr(values, "is_fully_addressable", True)


def settled(number: Any, precision: Any) -> Any:
    """A setting in the precision of the formula; plain numbers adapt by themselves."""
    return number if type(number) in (int, float) else jnp.asarray(number, precision)


def refuse_broadcast(loss: Loss, raw: tuple[int, ...], target: tuple[int, ...]) -> None:
    """`BadShape` unless the shapes of scores, targets and settings are exactly those of the contract."""
    soft = loss.about.soft_labels and len(target) == len(raw)
    if loss.about.task is Task.MULTICLASS:
        outputs = raw[-1] if raw else 0
        fits = outputs >= 2 and target == (raw if soft else raw[:-1])
        wanted = "scores (batch, classes) and labels (batch,)" + (" or (batch, classes)" if loss.about.soft_labels else "")
    else:
        outputs = loss.outputs()
        fits = raw == (target if outputs == 1 else (*target, outputs))
        wanted = "scores and targets of one shape" if outputs == 1 else f"scores (batch, {outputs}) and targets (batch,)"
    if not fits:
        raise BadShape(f"{loss.name} needs {wanted}, got scores {raw} and targets {target}; reshape one, nothing is broadcast")
    for name, value in loss.values().items():
        if np.ndim(value) and loss.settings()[name].kind == "hyper":
            raise BadShape(f"{loss.name}: {name} holds {np.shape(value)} values, a call takes one; sweep them with jax.vmap")


def rising_to_zero(slope: Callable[[float], float], low: float, high: float) -> np.ndarray:
    """Where a slope that rises between two ends crosses 0, by halving: the best constant of a loss without a formula for it."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) < 0 else (low, middle)
        if high - low <= np.spacing(max(abs(low), abs(high))):
            break
    return np.array([(low + high) / 2])


def middle_quantile(target: np.ndarray, level: float, weight: np.ndarray | None) -> np.ndarray:
    """The weighted quantile; where a whole interval qualifies, its middle."""
    lower = np.quantile(target, level, weights=weight, method="inverted_cdf")
    upper = -np.quantile(-np.asarray(target), 1 - level, weights=weight, method="inverted_cdf")
    return np.array([(lower + upper) / 2])


def class_shares(target: np.ndarray, weight: np.ndarray | None, classes: int | None) -> np.ndarray:
    """The weighted share of each class, from class indices or from soft labels; they sum to 1."""
    if np.ndim(target) == 2:
        share = np.average(target, axis=0, weights=weight)
    else:
        share = np.bincount(np.asarray(target, dtype=np.int64), weights=weight, minlength=classes or 0).astype(float)
    return share / share.sum()


CONTRACT = Loss
