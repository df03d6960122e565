"""What each loss should be, to 50 digits and more: one formula for each, written from the literature and not from our code.

A formula returns the terms whose sum is the loss. Errors are counted in units of the result's last place, and only for
losses that are genuine differences (`difference`) in those of their largest term.
Gradients are central differences in 140 digits, so at a kink they are the mean of the two sides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mpmath import exp, fabs, log1p, mp, mpf

DIGITS = 140
STEP = mpf(10) ** -40

Terms = list[mpf]
FORMULAS: dict[str, Callable[..., Terms]] = {}
DIFFERENCES: set[str] = set()


def formula(written: Callable[..., Terms]) -> Callable[..., Terms]:
    """Files a formula under its name."""
    FORMULAS[written.__name__] = written
    return written


def difference(written: Callable[..., Terms]) -> Callable[..., Terms]:
    """Files a formula whose terms cancel, so that no arithmetic could keep the digits of the result."""
    DIFFERENCES.add(written.__name__)
    return formula(written)


@dataclass(frozen=True)
class Point:
    """The truth at one point; a size is what one unit of the last place is counted in."""

    value: mpf
    value_size: mpf
    gradient: list[mpf]
    gradient_size: list[mpf]


def truth(name: str, settings: dict[str, float], raw: Sequence[float], target: float | Sequence[float]) -> Point:
    """Value and gradient of the loss called `name` at one example; a single score comes as a list of one."""
    with mp.workdps(DIGITS):
        scores = [mpf(float(score)) for score in raw]
        target = exactly(target)
        numbers = {key: mpf(float(value)) for key, value in settings.items()}
        terms = FORMULAS[name](scores if len(scores) > 1 else scores[0], target, **numbers)
        value = sum(terms)
        gradient, sizes = [], []
        for index in range(len(scores)):
            after, before = (moved(name, scores, index, by, target, numbers) for by in (STEP, -STEP))
            slopes = [(a - b) / (2 * STEP) for a, b in zip(after, before, strict=True)]
            gradient.append(sum(slopes))
            sizes.append(max(map(fabs, slopes)) if len(slopes) > 1 else fabs(gradient[-1]))
        size = max(map(fabs, terms)) if name in DIFFERENCES else fabs(value)
        return Point(value, size, gradient, sizes)


def along(name: str, settings: dict[str, float], raw: Sequence[float], target, direction: Sequence[float]) -> tuple[mpf, mpf]:
    """First and second derivative on the straight line through `raw` in a direction."""
    with mp.workdps(DIGITS):
        numbers = {key: mpf(float(value)) for key, value in settings.items()}
        target = exactly(target)

        def at(step: mpf) -> mpf:
            scores = [mpf(float(s)) + step * mpf(float(d)) for s, d in zip(raw, direction, strict=True)]
            return sum(FORMULAS[name](scores if len(scores) > 1 else scores[0], target, **numbers))

        before, here, after = at(-STEP), at(mpf(0)), at(STEP)
        return (after - before) / (2 * STEP), (after - 2 * here + before) / STEP**2


def exactly(target):
    """The target as it is given: a class index stays whole, a number or soft label becomes an exact one."""
    if isinstance(target, int):
        return target
    return [mpf(float(t)) for t in target] if hasattr(target, "__len__") else mpf(float(target))


def moved(name: str, scores: list[mpf], index: int, by: mpf, target, numbers: dict[str, mpf]) -> Terms:
    """The terms after one score has moved."""
    there = [score + by if i == index else score for i, score in enumerate(scores)]
    return FORMULAS[name](there if len(there) > 1 else there[0], target, **numbers)


def positive_part(x: mpf) -> mpf:
    return x if x > 0 else mpf(0)


def log_sum_exp(scores: list[mpf]) -> mpf:
    *others, top = sorted(scores)
    return top + log1p(sum(exp(score - top) for score in others))


def softplus(s: mpf) -> mpf:
    return positive_part(s) + log1p(exp(-fabs(s)))


# Regression


@formula
def squared_error(s, t):
    return [(s - t) ** 2]


@formula
def absolute_error(s, t):
    return [fabs(s - t)]


@formula
def huber(s, t, delta):
    e = fabs(s - t)
    return [e**2 / 2 if e <= delta else delta * (e - delta / 2)]


# Binary


@formula
def binary_cross_entropy(s, t, positive_weight):
    right, wrong = t * positive_weight * softplus(-s), (1 - t) * softplus(s)
    return [right, wrong] if 0 < t < 1 else [right + wrong]


@formula
def hinge(s, t):
    return [positive_part(1 - (2 * t - 1) * s)]


# Several classes


@formula
def cross_entropy(s, t):
    if isinstance(t, int):
        return [log_sum_exp(s) - s[t]]
    return [sum(t) * log_sum_exp(s), *(-share * score for share, score in zip(t, s, strict=True))]


@formula
def crammer_singer_hinge(s, t):
    return [positive_part(1 + max(score for j, score in enumerate(s) if j != t) - s[t])]
