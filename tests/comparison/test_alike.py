"""Schedules, clipping and averaging, the same for all contenders: understood, refused, said, and found again in the result."""

import json

import jax
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.comparison.alike import alike
from downslope.comparison.command import command
from downslope.comparison.contender import contenders
from downslope.comparison.report.method import protocol as settings_of_report
from downslope.core.about import Task
from downslope.core.errors import DownslopeError, IncompatiblePair, OutOfRange, UnknownName
from downslope.optimizers import Adam, Momentum, UniformAveraging
from downslope.optimizers import catalogue as optimizers
from downslope.schedules import Constant, Cosine
from tests.comparison import small


def field(names):
    return contenders("mse", names, task=Task.REGRESSION, batch=32)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "linear"),
        ("cosine(end=0.1)", "cosine(end=0.1)"),
        (Cosine(end=0.1), "cosine(end=0.1)"),
        ("learning_rate=cosine", "cosine"),
        ({"learning_rate": "cosine"}, "cosine"),
        ("momentum = linear(end=0.5, warmup=0.1)", "learning_rate=linear, momentum=linear(warmup=0.1, end=0.5)"),
        ("b1=cosine, learning_rate=constant", "learning_rate=constant, b1=cosine"),
        ({"b1": Cosine, "learning_rate": Constant()}, "learning_rate=constant, b1=cosine"),
    ],
)
def test_schedules_are_understood_and_what_is_said_can_be_typed(given, words):
    found = alike(given)
    assert found.facts() == {"schedule": words}
    assert alike(words).schedules == found.schedules


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("uniform", "uniform_averaging"),
        ("Exponential(decay=0.9)", "exponential_averaging(decay=0.9)"),
        ("ema", "exponential_averaging"),
        ("swa(start=20)", "uniform_averaging(start=20)"),
        (UniformAveraging(start=0.5), "uniform_averaging(start=0.5)"),
    ],
)
def test_averages_are_understood(given, words):
    assert alike(average=given).facts()["average"] == words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": "cosin"}, "unknown schedule 'cosin'; did you mean 'cosine'"),
        ({"schedule": "b1=cosine, linear"}, "neither a schedule nor of the form setting=schedule"),
        ({"schedule": {"b1": "huber"}}, "unknown schedule 'huber'"),
        ({"schedule": lambda step: 0.1}, "a schedule of your own is a class: .* downslope.schedules.base.Schedule, with shape"),
        ({"clip_norm": 0.0}, "clip_norm must be above 0, got 0.0"),
        ({"clip_norm": float("nan")}, "clip_norm must be above 0, got nan"),
        ({"average": "median"}, "unknown average 'median'"),
        ({"average": "sam"}, "unknown average 'sam'"),
        ({"average": "uniform(start=-1)"}, "uniform_averaging: start must be at least 0"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(options, words):
    with pytest.raises(DownslopeError, match=words) as problem:
        alike(**options)
    assert "\n" not in str(problem.value)


def test_what_stands_around_whom():
    made = alike(clip_norm=2, average="uniform(start=0.5)").optimizer(optimizers.parse("sam(adam(learning_rate=0.5))"), 41)
    assert [each.name for each in made.chain()] == ["uniform_averaging", "sam", "clip_by_global_norm", "adam"]
    assert (made.start, made.optimizer.optimizer.limit) == (20, 2)
    assert alike().optimizer(Adam(), 41) == Adam(), "by default nothing stands around anyone"
    assert alike(average=UniformAveraging(start=7)).optimizer(Adam(), 41).start == 7


def test_a_schedule_goes_to_those_who_have_the_setting():
    both = alike("momentum=cosine")
    assert set(both.schedule(Momentum())) == {"learning_rate", "momentum"} and set(both.schedule(Adam())) == {"learning_rate"}
    words = both.words(field("momentum, nesterov, adam"))
    assert words == ["schedules: learning_rate linear (adam, momentum, nesterov); momentum cosine (momentum, nesterov)"]
    with pytest.raises(UnknownName, match="unknown setting to schedule 'momentun'; did you mean 'momentum'"):
        alike("momentun=cosine").fitted(field("momentum, adam"), 100)


def reasons(found, names):
    return {one.optimizer.name: one.reason for one in found.fitted(field(names), 100)}


def test_a_factor_that_leaves_the_range_is_refused_before_anything_runs():
    found = reasons(alike("longer=linear"), "rprop, adam")
    assert found["adam"] == "" and "rprop: longer must be above 1, got 0.0" in found["rprop"]
    with pytest.raises(IncompatiblePair, match="longer must be above 1"):
        alike("longer=linear").fitted(field("rprop"), 100)
    assert reasons(alike("longer=linear(end=0.9)"), "rprop") == {"rprop": ""}
    found = reasons(alike("b1=linear"), "adam, schedule_free_sgd")
    assert found["adam"] == "" and "b1 must stay the same during a run" in found["schedule_free_sgd"]
    with pytest.raises(IncompatiblePair, match="epsilon_hat must stay the same"):
        alike("epsilon_hat=linear").fitted(field("adam"), 100)


def test_who_cannot_be_clipped_stays_with_the_reason():
    found = reasons(alike(clip_norm=1), "lbfgs, sam, adam")
    assert found["sam"] == found["adam"] == ""
    assert "clip_by_global_norm cannot stand around lbfgs" in found["lbfgs"]
    assert reasons(alike(average="uniform"), "lbfgs") == {"lbfgs": ""}


def test_accumulation_is_a_matter_of_the_batch_here():
    with pytest.raises(IncompatiblePair, match="name the optimizer@64"):
        field("accumulate(adam)")


def test_all_leaves_out_what_only_stands_around_others():
    names = {one.optimizer.name for one in field("all")}
    assert "sam" in names and "adam" in names
    assert not {name for name in names if name.startswith("clip") or name.endswith("averaging") or name == "accumulate"}
    assert names == {name for name in optimizers if optimizers[name].about.alone}


def test_decay_is_said_aloud():
    from downslope.penalties import L2

    decayed = 'adamw, adam, lion(decayed="everything"), sam(adamw(weight_decay=0.5))'
    words = alike().words(field(decayed), L2(strength=0.1))
    assert words[0] == "penalty l2(strength=0.1) charges matrices of weights alone, not biases"
    shrinking = "decay shrinks matrices of weights alone, not biases: adamw (weight_decay 0.01), adamw (weight_decay 0.5)"
    assert words[1:] == [shrinking, "decay shrinks all parameters, biases too: lion (weight_decay 0.01)"]
    assert alike().words(field("sgd, adam")) == []


def test_a_new_value_is_the_same_program():
    def structure(schedule, limit, start):
        rules = alike(schedule, limit, f"uniform(start={start})")
        return jax.tree.structure((rules.optimizer(Momentum(), 100), rules.schedule(Momentum())))

    first = structure("momentum=linear(end=0.1)", 1.0, 0.5)
    assert first == structure("momentum=linear(end=0.9)", 2.0, 0.25) != structure("momentum=cosine", 1.0, 0.5)


def test_the_command_to_repeat():
    options = {"schedule": {"b1": "cosine"}, "clip_norm": 1.0, "average": UniformAveraging(start=0.5)}
    line = "downslope compare a.csv --schedule b1=cosine --clip-norm 1.0 --average 'uniform_averaging(start=0.5)'"
    assert command("a.csv", options) == line


def test_from_the_command_line_to_the_result_and_back(tmp_path):
    """One run with everything: the plan, result, report and code say so, and another limit is another comparison."""
    table = small.write(tmp_path / "prices.csv", small.only(*small.PLAIN))
    line = ["compare", str(table), "--target", "price", "--losses", "mse", "--optimizers", "momentum(learning_rate=0.01)"]
    line += ["--model", "linear", "--epochs", "3", "--seeds", "5", "--out", str(tmp_path / "out")]
    line += ["--average", "uniform(start=0.5)"]
    line += ["--schedule", "learning_rate=cosine, momentum=linear(end=0.5)"]
    done = CliRunner().invoke(cli, [*line, "--clip-norm", "0.5"])
    assert done.exit_code == 0, done.stderr
    plan = " ".join(done.stderr.split())
    assert "momentum linear(end=0.5) (momentum)" in plan and "every gradient longer than 0.5 is shortened" in plan
    assert "predictions come from averaged parameters: uniform_averaging(start=0.5)" in plan
    data = json.loads((tmp_path / "out" / "result.json").read_text())
    assert data["schedule"] == "learning_rate=cosine, momentum=linear(end=0.5)"
    assert (data["clip_norm"], data["average"]) == (0.5, "uniform_averaging(start=0.5)")
    assert "--clip-norm 0.5 --average 'uniform(start=0.5)'" in data["command"]
    code = data["recommendation"]["code"]
    assert "clip_norm=0.5,\n    average='uniform_averaging(start=0.5)'," in code["downslope"]
    assert code["pytorch"] is code["scikit-learn"] is None, "neither says it: two settings fall"
    shown = dict(settings_of_report(data)["facts"])
    assert shown["Clipping"] == "gradients to a global norm of 0.5" and shown["Predicts with"] == data["average"]
    other = CliRunner().invoke(cli, [*line, "--clip-norm", "0.25"])
    assert other.exit_code == 2 and "clip_norm: 0.5, now 0.25" in other.stderr
    for option, words in (("--average", "median"), ("--schedule", "b1=cosin"), ("--clip-norm", "0")):
        refused = CliRunner().invoke(cli, [*line, option, words])
        assert refused.exit_code == 2 and len(refused.stderr.strip().splitlines()) <= 3


def test_too_tight_a_limit_is_an_out_of_range_error():
    with pytest.raises(OutOfRange):
        alike(clip_norm=-1)
