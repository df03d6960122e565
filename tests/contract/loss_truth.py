"""What each loss should be, to 50 digits and more: one formula for each, written from the literature and not from our code.

A formula returns the terms whose sum is the loss. Errors are counted in units of the result's last place, and only for
losses that are genuine differences (`difference`) in those of their largest term.
Gradients are central differences in 140 digits, so at a kink they are the mean of the two sides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mpmath import cosh, exp, expm1, fabs, log, log1p, mp, mpf

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


@formula
def smooth_l1(s, t, beta):
    e = fabs(s - t)
    return [e**2 / (2 * beta) if e < beta else e - beta / 2]


@formula
def log_cosh(s, t):
    return [log(cosh(s - t))]


@formula
def quantile(s, t, level):
    return [level * (t - s) if t >= s else (1 - level) * (s - t)]


@formula
def epsilon_insensitive(s, t, epsilon):
    return [positive_part(fabs(s - t) - epsilon)]


@formula
def squared_epsilon_insensitive(s, t, epsilon):
    return [positive_part(fabs(s - t) - epsilon) ** 2]


@formula
def squared_logarithmic_error(s, t):
    lowest = mpf(2) ** -20 - 1
    return [(log(1 + max(s, lowest)) - positive_part(lowest - s) - log(1 + t)) ** 2]


@formula
def absolute_percentage_error(s, t):
    return [fabs((s - t) / t)]


@difference
def poisson(s, t):
    return [exp(s), -t * s]


@difference
def gamma(s, t):
    return [s, t / exp(s)]


@difference
def tweedie(s, t, power):
    mean = exp(s)
    return [t * mean ** (1 - power) / (power - 1), mean ** (2 - power) / (2 - power)]


@difference
def gaussian_negative_log_likelihood(s, t):
    mean, log_variance = s
    return [log_variance / 2, (t - mean) ** 2 / (2 * exp(log_variance))]


# Binary


@formula
def binary_cross_entropy(s, t, positive_weight):
    right, wrong = t * positive_weight * softplus(-s), (1 - t) * softplus(s)
    return [right, wrong] if 0 < t < 1 else [right + wrong]


@formula
def hinge(s, t):
    return [positive_part(1 - (2 * t - 1) * s)]


@formula
def squared_hinge(s, t):
    return [positive_part(1 - (2 * t - 1) * s) ** 2]


@formula
def modified_huber(s, t):
    margin = (2 * t - 1) * s
    return [positive_part(1 - margin) ** 2 if margin >= -1 else -4 * margin]


@formula
def perceptron(s, t):
    return [positive_part(-(2 * t - 1) * s)]


@formula
def exponential(s, t):
    return [exp(-(2 * t - 1) * s)]


@formula
def binary_focal(s, t, gamma, positive_weight):
    margin = (2 * t - 1) * s
    weight = positive_weight if t == 1 else 1
    return [weight * (1 / (1 + exp(margin))) ** gamma * softplus(-margin)]


@formula
def binary_generalised_cross_entropy(s, t, q):
    return [-expm1(-q * softplus(-(2 * t - 1) * s)) / q]


# Several classes


@formula
def cross_entropy(s, t):
    if isinstance(t, int):
        return [log_sum_exp(s) - s[t]]
    return [sum(t) * log_sum_exp(s), *(-share * score for share, score in zip(t, s, strict=True))]


@formula
def crammer_singer_hinge(s, t):
    return [positive_part(1 + max(score for j, score in enumerate(s) if j != t) - s[t])]


def surprise(s, t):
    """Cross-entropy of a label as the logarithm of one plus the odds against it."""
    return log1p(sum(exp(score - s[t]) for j, score in enumerate(s) if j != t))


@formula
def weston_watkins_hinge(s, t):
    return [sum(positive_part(1 + score - s[t]) for j, score in enumerate(s) if j != t)]


@formula
def focal(s, t, gamma):
    against = sum(exp(score - s[t]) for j, score in enumerate(s) if j != t)
    return [(against / (1 + against)) ** gamma * surprise(s, t)]


@formula
def generalised_cross_entropy(s, t, q):
    return [-expm1(-q * surprise(s, t)) / q]


@difference
def kullback_leibler_divergence(s, t):
    if isinstance(t, int):
        return [surprise(s, t)]
    top = log_sum_exp(s)
    pairs = [(share, score) for share, score in zip(t, s, strict=True) if share > 0]
    return [sum(share * log(share) for share, _ in pairs), sum(t) * top, *(-share * score for share, score in pairs)]
