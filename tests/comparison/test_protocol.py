"""What is decided before anything runs, and the steps by which a grid is extended."""

import numpy as np
import pytest

import downslope
from downslope.comparison.contender import contenders
from downslope.comparison.plan import Work, duration, foreseen, plan, within, work
from downslope.comparison.protocol import protocol
from downslope.core.about import Task
from downslope.core.errors import DownslopeError, OutOfRange
from downslope.models import Mlp
from tests.comparison import small


def rules(rows=200, **options):
    problem = small.problem(small.only(*small.PLAIN, rows=rows), confirmation=10)
    given = dict.fromkeys(("model", "schedule", "penalty", "epochs", "draws")) | {"seed": 0} | options
    return protocol(problem.dataset, problem.splits, **given), problem


def test_the_defaults_of_a_small_table():
    found, _ = rules()
    assert (found.model.name, found.alike.facts(), found.penalty, found.draws) == ("linear", {"schedule": "linear"}, None, 7)
    assert (found.batch, found.epochs) == (32, 200), "3 000 updates would be 750 epochs, 200 is the most"


def test_from_a_thousand_rows_on_it_is_an_mlp_and_three_thousand_updates():
    found, problem = rules(1200)
    rows = max(len(fit.train) for fit in problem.fits)
    assert found.model == Mlp(widths=(64, 64)) and found.batch == 32
    assert found.epochs == -(-3000 // -(-rows // 32))


def test_what_the_user_decides_is_taken():
    found, problem = rules(model="mlp(widths=[4])", schedule="constant", penalty="l2(strength=0.5)", epochs=3, draws=2, seed=5)
    assert (found.model.widths, found.alike.facts()["schedule"], found.penalty.strength) == ((4,), "constant", 0.5)
    said = found.data(102, problem.splits)
    assert (said["epochs"], said["learning_rates"], said["confirmation"], said["tuning_seeds"]) == (3, 2, 10, 2)
    assert said["updates"] == 3 * 4 and said["examples"] == 306
    assert "14 runs: 2 learning rates × 2 tuning seeds, then 10 runs that judge" in said["words"]


@pytest.mark.parametrize("options", [{"epochs": 0}, {"draws": 0}, {"epochs": -3}])
def test_budgets_below_one(options):
    with pytest.raises(OutOfRange, match="at least 1"):
        rules(**options)


@pytest.mark.parametrize(
    "options", [{"model": 3}, {"model": "mpl"}, {"schedule": "cosin"}, {"penalty": "l3"}, {"penalty": Mlp()}]
)
def test_things_that_are_not_what_they_should_be(options):
    with pytest.raises(DownslopeError):
        rules(**options)


def test_the_plan_names_contenders_runs_time_memory_and_who_does_not_run():
    found, problem = rules(draws=3, epochs=5)
    field = contenders("mse, hinge", "sgd, adam(learning_rate=0.1)", task=Task.REGRESSION, batch=32, draws=3)
    words = plan(found, field, problem)
    assert words[0].startswith("2 contenders: 1 loss (squared_error) × 2 optimizers (adam, sgd)")
    text = " ".join(words)
    assert "26 runs in all" in text, "3 rates × 2 tuning seeds for one of them, 10 that judge for both"
    assert "GB of memory" in text and "about" in text
    assert [line for line in words if line.startswith("not run: hinge × sgd (hinge is a loss for binary")]


def test_more_work_is_foreseen_to_take_longer():
    size = {"rows": 10_000, "batch": 128, "parameters": 5000, "features": 20, "arrays": 10_000, "stop": 2000}
    none, few, some = (foreseen(Work(runs=24 * n, programs=n, **size), 10) for n in (0, 1, 10))
    assert np.isfinite(few).all() and few[1] == some[1]
    assert some[0] - none[0] == pytest.approx(10 * (few[0] - none[0])), "in proportion to the runs, beside what is always done"
    assert foreseen(Work(runs=24, programs=1, **(size | {"arrays": 10_000_000})), 10)[1] > few[1]


@pytest.mark.parametrize(("text", "seconds"), [(45, 45.0), ("45", 45.0), ("90 s", 90.0), ("2.5MIN", 150.0), ("1 h", 3600.0)])
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-3", 0, "10 days", "1e", "nan", "3 min 2 s"])
def test_what_is_no_duration_is_told_in_a_line(text):
    with pytest.raises(OutOfRange, match=r"such as '90 s'.*got"):
        duration(text)


def test_a_time_budget_plans_fewer_epochs_for_everyone_and_never_more():
    found, problem = rules(1200)
    field = contenders("mse, huber", "sgd, adam", task=Task.REGRESSION, batch=32, draws=7)
    todo = work(found, field, problem)
    whole, _ = foreseen(todo, found.epochs)
    assert within(None, found, field, problem) is found
    assert within(2 * whole, found, field, problem) is found
    half = within(0.5 * (whole + foreseen(todo, 0)[0]), found, field, problem)
    assert half.epochs == pytest.approx(found.epochs / 2, abs=1) and half.cut_from == found.epochs
    assert foreseen(todo, half.epochs)[0] <= half.time_budget < foreseen(todo, half.epochs + 1)[0]
    assert within("1 s", found, field, problem).epochs == 1
    words = plan(half, field, problem)
    assert any(f"leaves {half.epochs} of {found.epochs} epochs to everyone" in line for line in words)
    said = half.data(todo.rows, problem.splits)
    assert (said["epochs"], said["epochs_without"]) == (half.epochs, found.epochs)


def test_a_time_budget_is_in_the_answer_and_in_the_command(tmp_path):
    table = small.write(tmp_path / "prices.csv", small.only(*small.PLAIN))
    data = downslope.compare(
        table, "price", losses="mse", optimizers="sgd", model="linear", time_budget="13.005 s", draws=2, seeds=5, reasons=False
    ).data
    assert data["budget"]["epochs"] < data["budget"]["epochs_without"] == 200
    assert any("so who learns slowly is behind" in words for words in data["warnings"])
    assert "--time '13.005 s'" in data["command"]
