"""Where a loss is tried: ordinary points, huge and tiny ones, ties, kinks, confident right and wrong, soft labels."""

import zlib
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from loss_truth import truth

from downslope.core.about import Task

LOWEST, HIGHEST = 1e-30, 1e30  # below, XLA flushes to zero; above, float32 soon ends
CLASSES = (2, 3, 5, 9)


@dataclass(frozen=True)
class Points:
    """Examples that one setting of a loss is tried on, all with the same number of scores."""

    settings: dict[str, float]
    raw: np.ndarray
    target: np.ndarray


def every_setting(loss, dtype) -> list[dict[str, float]]:
    """The defaults, then each number moved through its search range, exactly representable in `dtype`."""
    settings = loss.settings()
    defaults = {name: float(dtype(value)) for name, value in loss().values().items()}
    found = [defaults]
    for name, setting in settings.items():
        if setting.search is not None:
            middle = (setting.search.low + setting.search.high) / 2
            found += [defaults | {name: float(dtype(v))} for v in (setting.search.low, middle, setting.search.high)]
    return found


def points(loss, count: int, dtype=np.float32, seed: int = 0) -> list[Points]:
    """At least `count` points for a loss, spread over its settings and shapes."""
    rng = np.random.default_rng([zlib.crc32(loss.name.encode()), seed])
    settings = every_setting(loss, dtype)
    shapes = CLASSES if loss.about.task is Task.MULTICLASS else (loss().outputs(),)
    labels = (False, True) if loss.about.soft_labels else (False,)
    each = -(-count // (len(settings) * len(shapes) * len(labels)))
    found = []
    for setting in settings:
        for outputs in shapes:
            for soft in labels:
                if loss.about.task is Task.MULTICLASS:
                    raw, target = class_points(rng, each, outputs, soft)
                elif loss.about.task is Task.BINARY:
                    raw, target = binary_points(rng, each, soft)
                else:
                    raw, target = number_points(rng, each, loss, setting, outputs)
                raw, target = raw.astype(dtype), target if target.dtype.kind == "i" else target.astype(dtype)
                found.append(Points(setting, raw, target))
    return found


def any_size(rng, shape, low=-6, high=4) -> np.ndarray:
    """Numbers of both signs whose sizes spread evenly over powers of ten."""
    return rng.choice([-1.0, 1.0], shape) * 10 ** rng.uniform(low, high, shape)


def mixed(rng, count: int, *choices: np.ndarray) -> np.ndarray:
    """Row by row one of several arrays."""
    return np.stack(np.broadcast_arrays(*choices))[rng.integers(len(choices), size=count), np.arange(count)]


def number_points(rng, count, loss, setting, outputs) -> tuple[np.ndarray, np.ndarray]:
    """Scores and targets of regression: at, near and far from each other, and at distances where formulas change."""
    about = loss.about
    if np.isfinite(about.lowest):
        target = 10 ** rng.uniform(-3, 3, count)
        edge = np.full(count, about.lowest)
        target = target if about.open_ends else mixed(rng, count, target, target, target, target, edge)
    else:
        target = mixed(rng, count, any_size(rng, count), rng.normal(size=count), np.round(rng.normal(size=count) * 3))
    target = target.astype(np.float32).astype(float)
    if outputs > 1:
        return np.stack([target + any_size(rng, count), *(any_size(rng, count, -6, 1.3) for _ in range(outputs - 1))], 1), target
    if about.link == "exp":
        near = np.log(np.maximum(target, 1e-3)) * rng.choice([1, 1 + 1e-6, 1.01], count)
        return mixed(rng, count, any_size(rng, count, -6, 1.5), any_size(rng, count, -6, 4), near), target
    kinks = np.array([0.0, 1.0, *(float(v) for v in setting.values())])
    kink = rng.choice([-1.0, 1.0], count) * rng.choice(kinks, count)
    near = target * (1 + any_size(rng, count, -7, -2))
    score = mixed(
        rng, count, target + any_size(rng, count), any_size(rng, count), target + kink, near, target + rng.normal(size=count)
    )
    return score, target


def binary_points(rng, count, soft) -> tuple[np.ndarray, np.ndarray]:
    """Scores from 1e-6 to 1e4 of both signs, at the margins and around them; both classes, or probabilities."""
    margins = rng.choice([-2.0, -1.0, 0.0, 1.0, 2.0], count)
    raw = mixed(
        rng, count, any_size(rng, count), rng.normal(size=count) * 5, margins, margins * (1 + any_size(rng, count, -7, -2))
    )
    hard = rng.integers(0, 2, count).astype(float)
    return raw, mixed(rng, count, rng.uniform(size=count), 10 ** rng.uniform(-6, -1, count), hard) if soft else hard


def class_points(rng, count, classes, soft) -> tuple[np.ndarray, np.ndarray]:
    """Scores of several classes: of any size, tied in pairs, confidently right or wrong, just at a margin of 1."""
    label = rng.integers(0, classes, count)
    rows = np.arange(count)
    raw = any_size(rng, (count, 1)) * rng.normal(size=(count, classes))
    plain = rng.normal(size=(count, classes)) * 3
    confident = plain.copy()
    confident[rows, label] += rng.choice([-1, 1], count) * 10 ** rng.uniform(0.5, 2, count)
    tied = plain.copy()
    pair = np.argsort(rng.uniform(size=(count, classes)), axis=1)[:, :2]
    tied[rows, pair[:, 0]] = tied[rows, pair[:, 1]]
    margin = np.round(plain * 8) / 8 + rng.permuted(np.tile(np.arange(classes) / 64, (count, 1)), axis=1)
    others = np.where(np.arange(classes) == label[:, None], -np.inf, margin)
    margin[rows, label] = others.max(axis=1) + 1
    raw = mixed(rng, count, raw, plain, confident, tied, margin)
    if not soft:
        return raw, label.astype(np.int32)
    hot = np.eye(classes)[label]
    smooth = 0.9 * hot + 0.1 / classes
    return raw, mixed(
        rng, count, hot, smooth, rng.dirichlet(np.ones(classes), count), rng.dirichlet(np.full(classes, 0.1), count)
    )


@dataclass(frozen=True)
class Truth:
    """The truth at many points: each number as a float64 and what is missing from it."""

    value: np.ndarray
    value_rest: np.ndarray
    value_size: np.ndarray
    gradient: np.ndarray
    gradient_rest: np.ndarray
    gradient_size: np.ndarray


def truths(name: str, where: Points) -> Truth:
    """The truth at all points."""
    rows = where.raw.reshape(len(where.raw), -1).tolist()
    found = [truth(name, where.settings, row, target) for row, target in zip(rows, where.target.tolist(), strict=True)]
    value, gradient = [p.value for p in found], [p.gradient for p in found]
    shape = where.raw.shape
    return Truth(
        *in_two([[v] for v in value], (len(rows),)),
        np.array([float(p.value_size) for p in found]),
        *in_two(gradient, shape),
        np.array([[float(g) for g in p.gradient_size] for p in found]).reshape(shape),
    )


def in_two(numbers, shape) -> tuple[np.ndarray, np.ndarray]:
    """Each number as the sum of two float64."""
    first = [[float(n) for n in row] for row in numbers]
    rest = [
        [float(n - f) if np.isfinite(f) else 0.0 for n, f in zip(*pair, strict=True)] for pair in zip(numbers, first, strict=True)
    ]
    return np.array(first).reshape(shape), np.array(rest).reshape(shape)


def off(ours: np.ndarray, exact: np.ndarray, rest: np.ndarray, size: np.ndarray, dtype) -> np.ndarray:
    """Errors in units of the last place of `size`, for the points inside the range in which they are promised."""
    counted = (size == 0) | ((size >= LOWEST) & (size <= HIGHEST) & (np.abs(exact) <= HIGHEST))
    unit = np.spacing(np.clip(size, LOWEST, HIGHEST).astype(dtype)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return (np.abs((ours.astype(np.float64) - exact) - rest) / unit)[counted]


@jax.jit
def value_and_gradient(loss, raw, target):
    """The loss of each example and its gradient in the scores, in one program."""
    value, back = jax.vjp(lambda scores: loss(scores, target), raw)
    return value, back(jnp.ones_like(value))[0]
