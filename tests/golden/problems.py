"""The problems on which optimizers are held against each other: value and gradient, written out for NumPy and for JAX.

All have the same parameters, a 3 × 2 matrix and 2 biases, so that one compiled replay serves all of them. Nothing random:
the numbers come from sines, so they are the same on every machine.
"""

import numpy as np

STEPS = 52


def flat(params, xp):
    """The parameters as one vector of 8 numbers."""
    return xp.concatenate([params["weight"].reshape(-1), params["bias"]])


def nested(vector):
    """The parameters from one vector of 8 numbers."""
    return {"weight": vector[:6].reshape(3, 2), "bias": vector[6:]}


def quadratic(params, step, xp=np):
    """A bowl whose steepest direction is a million times as steep as its flattest."""
    del step
    curvature = 10.0 ** xp.linspace(-3.0, 3.0, 8)
    target = xp.asarray([1.0, -2.0, 0.5, 3.0, -0.7, 0.3, 2.0, -1.0])
    away = flat(params, xp) - target
    return 0.5 * xp.sum(curvature * away**2), nested(curvature * away)


def rosenbrock(params, step, xp=np):
    """A curved valley."""
    del step
    z = flat(params, xp)
    climb, left = z[1:] - z[:-1] ** 2, 1.0 - z[:-1]
    value = xp.sum(100.0 * climb**2 + left**2)
    zero = xp.zeros(1)
    return value, nested(xp.concatenate([zero, 200.0 * climb]) + xp.concatenate([-400.0 * z[:-1] * climb - 2.0 * left, zero]))


ROWS, BATCH = 96, 8
PLACE = np.arange(ROWS)[:, None] * 3 + np.arange(3)[None, :]
FEATURES = np.sin(1.0 + 12.9898 * PLACE) * np.array([1.0, 10.0, 0.1])  # columns of very different size
LABELS = (np.sin(5.0 + 78.233 * np.arange(ROWS)) + 0.4 * FEATURES[:, 0] > 0).astype(int)  # mostly noise
ONE_HOT = np.eye(2)[LABELS]


def logistic(params, step, xp=np):
    """Two-class cross-entropy of a linear model on a few rows at a time, whose labels are mostly noise."""
    rows = (step * BATCH + np.arange(BATCH)) % ROWS
    x, y = xp.asarray(FEATURES)[rows], xp.asarray(ONE_HOT)[rows]
    score = x @ params["weight"] + params["bias"][None, :]
    top = xp.max(score, axis=1, keepdims=True)
    logarithm = top + xp.log(xp.sum(xp.exp(score - top), axis=1, keepdims=True))
    surprise = (xp.exp(score - logarithm) - y) / BATCH
    return xp.sum((logarithm - score) * y) / BATCH, {"weight": x.T @ surprise, "bias": xp.sum(surprise, axis=0)}


PROBLEMS = {"quadratic": quadratic, "rosenbrock": rosenbrock, "logistic": logistic}

STARTS = {
    "quadratic": np.array([0.3, 1.0, -1.0, 0.2, 1.5, -0.5, 1.0, 0.4]),
    "rosenbrock": np.array([-1.2, 1.0, -0.5, 0.8, 1.1, -0.9, 0.4, 0.7]),
    "logistic": np.array([0.2, -0.1, 0.05, 0.3, -0.4, 0.1, 0.15, -0.25]),
}


def factors():
    """A learning rate that changes at every step, and now and then by a jump: momentum stored with the rate would show."""
    steps = np.arange(STEPS)
    return (1.0 + 0.5 * np.sin(0.9 * steps)) * np.where(steps < 20, 1.0, 0.3) * np.where(steps < 40, 1.0, 2.0)


def curve(size, form, xp=np):
    """A function along a line with its slope: a cubic and a few waves; 0 at 0."""
    waves, (first, second, third) = form["waves"], form["cubic"]
    value = first * size + second * size**2 + third * size**3
    slope = first + 2 * second * size + 3 * third * size**2
    for height, often, shift in waves:
        value = value + height * (xp.sin(often * size + shift) - xp.sin(shift))
        slope = slope + height * often * xp.cos(often * size + shift)
    return value, slope


def bowl(params, curvature):
    """A parabola in two dimensions, for steps so small that what an optimizer takes for nothing begins to count."""
    return 0.5 * (curvature * params**2).sum(), curvature * params
