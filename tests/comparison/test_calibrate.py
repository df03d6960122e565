"""Calibration finds the best temperature and Platt's two numbers, for all epochs at once, and survives perfect models."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar
from sklearn.calibration import _SigmoidCalibration

from downslope.comparison.calibrate import (
    IMAGINED,
    Platt,
    Temperature,
    fit_calibration,
    fit_platt,
    fit_steepness,
    from_json,
    probabilities,
)
from downslope.comparison.metrics import METRICS
from downslope.core.about import Task
from downslope.core.errors import IncompatiblePair


def three_classes(rng, n=900, stretch=3.0):
    y = rng.integers(0, 3, n)
    return y, stretch * (rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[y])


def smoothed(raw, y, weight, steep):
    """The cost that the temperature minimises: log loss with a part of a row that may be of any class."""
    n = len(raw)
    scaled = raw * steep
    log_chance = (
        scaled - np.log(np.exp(scaled - scaled.max(1, keepdims=True)).sum(1, keepdims=True)) - scaled.max(1, keepdims=True)
    )
    rate = IMAGINED / (n + IMAGINED)
    rows = (1 - rate) * log_chance[np.arange(n), y] + rate * log_chance.mean(axis=1)
    return -np.average(rows, weights=weight)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("stretch", [0.01, 1.0, 300.0])
def test_the_temperature_is_the_best_one(weighted, stretch):
    rng = np.random.default_rng(0)
    y, raw = three_classes(rng, stretch=stretch)
    weight = rng.random(len(y)) if weighted else None
    found = fit_steepness(raw[None], y, weight)[0]
    best = minimize_scalar(lambda log: smoothed(raw, y, weight, np.exp(log)), bracket=(np.log(found) - 1, np.log(found) + 1))
    assert np.log(found) == pytest.approx(best.x, abs=1e-3)


def test_all_epochs_at_once_are_each_epoch_alone():
    rng = np.random.default_rng(1)
    y, raw = three_classes(rng)
    epochs = np.stack([raw, 5 * raw, raw + rng.normal(size=raw.shape), -raw, 0 * raw])
    together = fit_steepness(epochs, y)
    np.testing.assert_allclose(together, [fit_steepness(one[None], y)[0] for one in epochs], rtol=1e-3)
    margins = epochs[:, :, 1] - epochs[:, :, 0]
    both = y < 2
    slope, offset = fit_platt(margins[:, both], y[both])
    for i, one in enumerate(margins[:, both]):
        alone = fit_platt(one[None], y[both])
        assert (slope[i], offset[i]) == pytest.approx((alone[0][0], alone[1][0]), rel=1e-3, abs=1e-6)


def test_a_perfect_model_keeps_a_temperature_above_zero():
    y = np.arange(3).repeat(20)
    found = fit_calibration(10 * np.eye(3)[y], y, None, "argmax", Task.MULTICLASS)
    assert isinstance(found, Temperature)
    assert 0.1 < found.temperature < 10
    chance = probabilities(10 * np.eye(3)[y], "argmax", Task.MULTICLASS, found)
    assert 0.98 < chance.max() < 0.9999


def test_a_temperature_mends_overconfidence_and_keeps_the_order():
    y, raw = three_classes(np.random.default_rng(2), stretch=20.0)
    found = fit_calibration(raw, y, None, "softmax", Task.MULTICLASS)
    plain, mended = (probabilities(raw, "softmax", Task.MULTICLASS, c) for c in (None, found))
    loss = METRICS["log_loss"].function
    assert loss(y, mended, None) < 0.5 * loss(y, plain, None)
    np.testing.assert_array_equal(mended.argmax(1), raw.argmax(1))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [60, 3000])
def test_platt_minimises_its_own_cost(weighted, n):
    rng = np.random.default_rng(3)
    y = (rng.random(n) < 0.3).astype(int)
    raw = 40 * (rng.normal(size=n) + 2 * y) + 100
    weight = rng.random(n) if weighted else None
    found = fit_calibration(raw, y, weight, "sign", Task.BINARY)
    assert isinstance(found, Platt)
    share = np.full(n, 1 / n) if weight is None else weight / weight.sum()
    ones = n * share[y == 1].sum()
    target = np.where(y == 1, (ones + 1) / (ones + 2), 1 / (n - ones + 2))

    def cost(ab):
        z = ab[0] * raw + ab[1]
        return share @ (np.logaddexp(0, z) - target * z)

    best = minimize(cost, [found.slope, found.offset], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13})
    assert cost([found.slope, found.offset]) <= best.fun + 1e-9


def test_platt_equals_scikit_learn():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 500)
    raw = rng.normal(size=500) + 2 * y - 1
    theirs = _SigmoidCalibration().fit(raw, y)
    found = fit_calibration(raw, y, None, "sign", Task.BINARY)
    np.testing.assert_allclose(probabilities(raw, "sign", Task.BINARY, found), theirs.predict(raw), atol=2e-4)


@pytest.mark.parametrize("raw", [np.zeros(50), np.r_[-np.ones(25), np.ones(25)]], ids=["constant", "perfect"])
def test_platt_survives_margins_without_noise(raw):
    y = np.r_[np.zeros(25, int), np.ones(25, int)]
    found = fit_calibration(raw, y, None, "sign", Task.BINARY)
    chance = probabilities(raw, "sign", Task.BINARY, found)
    assert np.isfinite(chance).all()
    assert chance.min() > 0.01
    assert chance.max() < 0.99


def test_one_class_in_the_slice():
    found = fit_calibration(np.linspace(-1, 1, 20), np.ones(20, int), None, "sign", Task.BINARY)
    chance = probabilities(np.linspace(-1, 1, 20), "sign", Task.BINARY, found)
    assert (chance > 0.9).all()


def test_what_gives_probabilities_already_is_left_alone():
    assert fit_calibration(np.zeros(4), np.array([0, 1, 0, 1]), None, "sigmoid", Task.BINARY) is None
    assert fit_calibration(np.zeros(4), np.zeros(4), None, "identity", Task.REGRESSION) is None


@pytest.mark.parametrize("calibration", [Temperature(2.5), Platt(1.25, -0.5), None])
def test_round_trip_through_json(calibration):
    stored = json.loads(json.dumps(calibration.to_json() if calibration else None))
    assert from_json(stored) == calibration


def test_margins_have_no_probabilities_before_calibration():
    with pytest.raises(IncompatiblePair, match="no probabilities before calibration"):
        probabilities(np.zeros(3), "sign", Task.BINARY)
