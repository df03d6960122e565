"""Contenders: names and objects, batches, grids, and what cannot run."""

import jax.numpy as jnp
import numpy as np
import pytest

from downslope import losses, optimizers
from downslope.comparison.contender import contenders, grid, short, twin
from downslope.comparison.paste import settings_of, typed
from downslope.core.about import Task
from downslope.core.errors import DownslopeError, OutOfRange
from downslope.losses import Huber, SquaredError
from downslope.optimizers import Adam, GradientDescent, Sgd

DEFAULTS = {
    "regression": {"squared_error", "huber", "absolute_error"},
    "binary": {"binary_cross_entropy", "hinge"},
    "multiclass": {"cross_entropy", "crammer_singer_hinge"},
}
RANGES = {
    "adam": (1e-4, 1e-1),
    "adamw": (1e-4, 1e-1),
    "rmsprop": (1e-4, 1e-1),
    "momentum": (3e-4, 3e-1),
    "sgd": (1e-3, 1.0),
    "gradient_descent": (1e-2, 10.0),
}


def field(losses=None, optimizers=None, task=Task.REGRESSION, batch=32, draws=7):
    return contenders(losses, optimizers, task=task, batch=batch, draws=draws)


@pytest.mark.parametrize("task", list(Task))
def test_the_defaults_are_those_that_were_decided(task):
    found = field(task=task)
    assert {one.loss.name for one in found} == DEFAULTS[str(task)]
    assert {one.optimizer.name for one in found} == set(RANGES)
    assert len(found) == len(DEFAULTS[str(task)]) * len(RANGES) and not any(one.reason for one in found)


@pytest.mark.parametrize("name", RANGES)
def test_everyone_has_seven_rates_half_a_decade_apart_in_the_range_that_was_decided(name):
    (one,) = field("mse", name)
    assert len(one.rates) == 7 and (one.rates[0], one.rates[-1]) == pytest.approx(RANGES[name])
    np.testing.assert_allclose(np.diff(np.log10(one.rates)), 0.5, atol=1e-3)
    assert one.ratio == pytest.approx(np.sqrt(10))
    assert (one.batch is None) == (name == "gradient_descent")


@pytest.mark.parametrize(
    ("wanted", "rates", "name"),
    [
        ("adam(learning_rate=0.02)", (0.02,), "adam(learning_rate=0.02)"),
        ("adam(learning_rate=0.001)", (0.001,), "adam(learning_rate=0.001)"),
        ("adam(0.001)", (0.001,), "adam(learning_rate=0.001)"),
        ("adam(learning_rate=[0.1, 0.01])", (0.01, 0.1), "adam"),
        (Adam(learning_rate=0.02), (0.02,), "adam(learning_rate=0.02)"),
        (Adam(learning_rate=np.array([0.001])), (0.001,), "adam(learning_rate=0.001)"),
        (Adam(learning_rate=jnp.array([0.1, 0.03])), (0.03, 0.1), "adam"),
        (Adam(learning_rate=np.logspace(-3, -1, 3), b1=0.5), (0.001, 0.01, 0.1), "adam(b1=0.5)"),
    ],
)
def test_rates_of_ones_own_are_taken_as_they_are(wanted, rates, name):
    (one,) = field("mse", [wanted])
    assert one.rates == pytest.approx(rates) and one.ratio == 1
    assert one.id == f"squared_error × {name}"
    assert np.ndim(one.optimizer.learning_rate) == 0


def test_a_grid_of_one_draw_is_the_middle_of_the_range():
    assert grid(Sgd(), 1) == ((pytest.approx(np.sqrt(1e-3)),), 1.0)


def test_typed_and_tuned_are_two_contenders():
    assert len({one.id for one in field("mse", "adam, adam(learning_rate=0.001)")}) == 2


def test_lists_may_mix_names_classes_and_objects():
    found = field(["mse", Huber, Huber(delta=0.5)], [Sgd, "adam", GradientDescent()])
    assert {one.id.split(" × ")[0] for one in found} == {"squared_error", "huber", "huber(delta=0.5)"}
    assert {(one.optimizer.name, one.batch) for one in found} == {("sgd", 32), ("adam", 32), ("gradient_descent", None)}


@pytest.mark.parametrize(
    ("wanted", "batch", "name"), [("sgd@1", 1, "sgd@1"), ("sgd@32", 32, "sgd"), ("gd", None, "gradient_descent")]
)
def test_batches(wanted, batch, name):
    (one,) = field("mse", wanted)
    assert (one.batch, one.id) == (batch, f"squared_error × {name}")


def test_all_means_every_loss_of_the_task():
    for task in Task:
        found = field("all", "sgd", task=task)
        assert {one.loss.about.task for one in found} == {task} and len(found) > len(DEFAULTS[str(task)]) - 1


def test_a_loss_for_another_task_stays_with_its_reason():
    found = field("mse, hinge", "sgd")
    assert [bool(one.reason) for one in found] == [False, True]
    assert "hinge is a loss for binary targets" in found[1].reason


@pytest.mark.parametrize("wanted", ["sgd@", "sgd@-1", "sgd@1.5", "sgd@x", "sgd@0"])
def test_a_batch_that_is_no_number_of_rows(wanted):
    with pytest.raises(OutOfRange, match="whole number of rows"):
        field("mse", wanted)


@pytest.mark.parametrize("wanted", ["adam(learning_rate=[0.1, -1])", "adam(learning_rate=0)"])
def test_rates_are_checked_also_in_a_list(wanted):
    with pytest.raises(OutOfRange, match="learning_rate must be above 0"):
        field("mse", wanted)


@pytest.mark.parametrize("losses", ["mse, squared_error", [SquaredError, "mse"]])
def test_the_same_twice(losses):
    with pytest.raises(DownslopeError, match="squared_error × sgd is named twice; leave one out"):
        field(losses, "sgd")


def test_a_twin_is_the_same_under_another_name():
    (one,) = field("huber", "adam")
    other = twin(one)
    assert (other.loss, other.optimizer, other.batch, other.rates) == (one.loss, one.optimizer, one.batch, one.rates)
    assert (other.id, other.twin_of) == ("huber × adam (twin)", one.id)


def test_settings_are_plain_numbers():
    (one,) = field("huber(delta=2)", "adam")
    settings = one.settings(0.5)
    assert settings["learning_rate"] == 0.5 and settings["delta"] == 2.0
    assert all(isinstance(value, float | bool) for value in settings.values())
    assert "learning_rate" not in one.settings(None)


def test_short_says_what_differs_from_the_defaults():
    assert short(Huber()) == "huber" and short(Huber(delta=0.5)) == "huber(delta=0.5)"
    assert short(Adam(learning_rate=0.5), hide=("learning_rate",)) == "adam"


def test_a_setting_that_loss_and_optimizer_share_keeps_both_values():
    """An insensitive loss and Adam both have an `epsilon`; neither may stand for the other, nor in the code to paste."""
    (found,) = contenders("epsilon_insensitive(epsilon=0.3)", "adam(epsilon=1e-5)", task=Task.REGRESSION, batch=32)
    settings = found.settings(0.01)
    assert settings["epsilon"] == 1e-5 and settings["epsilon_insensitive.epsilon"] == 0.3
    assert typed(losses.catalogue, "epsilon_insensitive", settings) == "epsilon_insensitive(epsilon=0.3)"
    assert typed(optimizers.catalogue, "adam", settings) == "adam(learning_rate=0.01, epsilon=1e-05)"
    assert settings_of(losses.catalogue, "epsilon_insensitive", settings) == {"epsilon": 0.3}
