"""Ill-conditioned features: what is measured against linear algebra that is not ours, and what the extra runs may choose."""

import dataclasses
import json
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from benchmarks import validate_reasons as known
from downslope.comparison import compare as comparing
from downslope.comparison.audit import audit
from downslope.comparison.counterfactual import MOST_RUNS, PAIRS
from downslope.comparison.curvature import condition, top_curvature
from downslope.comparison.ledger import Ledger
from downslope.comparison.reasons.conditioning import BELOW, change, scaling, whitening
from downslope.comparison.watch import Watcher
from downslope.losses import AbsoluteError, BinaryCrossEntropy, SquaredError
from downslope.models import Linear, Mlp
from downslope.optimizers import GradientDescent
from downslope.penalties import L2
from downslope.schedules import Constant
from downslope.training.orders import shares
from downslope.training.step import Batch, Recipe, mean_loss, raw_scores, update
from downslope.training.stream import Fold
from tests.comparison import small


@pytest.fixture(scope="module", autouse=True)
def shared():
    """All comparisons of this file share their programs."""
    with known.quick():
        yield


def fold(rows=60, columns=3, seed=0):
    draw = np.random.default_rng(seed)
    x = (draw.normal(size=(rows, columns)) * [5.0, 1.0, 0.2][:columns]).astype(np.float32)
    y = (draw.random(rows) < 0.5).astype(np.float32)
    weight = draw.uniform(0.5, 2, rows).astype(np.float32)
    return Fold(x, y, weight, x[:5], y[:5], weight[:5])


def recipe(loss, model, penalty=None):
    return Recipe(loss, GradientDescent(), Constant(), penalty, model, None)


def test_the_condition_number_is_that_of_linear_algebra():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 4)) + [0, 3, 0, 0]
    exact = np.linalg.cond(np.column_stack([x, np.ones(300)]))
    assert condition(x) == pytest.approx(exact, rel=1e-6)
    padded = np.column_stack([x, np.zeros(300), x[:, 0]])
    assert np.isfinite(condition(padded)) and condition(padded) == pytest.approx(exact, rel=0.5), "a copy teaches nothing new"
    wide = np.linalg.cond(np.column_stack([x * [1, 1e4, 1, 1], np.ones(300)]))
    assert condition(x * [1, 1e4, 1, 1]) == pytest.approx(wide, rel=1e-6)
    levels = np.eye(3)[draw.integers(0, 3, 300)]
    assert condition(levels) < 5, "levels of a category and a column of ones are no more than that"


@pytest.mark.parametrize("penalty", [None, L2(strength=0.3)])
@pytest.mark.parametrize("loss", [SquaredError(), BinaryCrossEntropy()])
def test_the_top_curvature_is_an_eigenvalue(loss, penalty):
    known_fold = fold()
    params = {"layers": [{"weight": jnp.full((3, 1), 0.1), "bias": jnp.zeros(1)}]}
    wide = np.column_stack([known_fold.x, np.ones(60)]).astype(np.float64)
    chance = 1 / (1 + np.exp(-0.1 * known_fold.x.sum(axis=1).astype(np.float64)))
    bend = chance * (1 - chance) if isinstance(loss, BinaryCrossEntropy) else np.full(60, 2.0)
    hessian = wide.T @ (wide * (bend * known_fold.weight / known_fold.weight.sum())[:, None])
    if penalty is not None:  # strength times the sum of squares: known from central differences of the penalty itself
        cost = [float(penalty({"layers": [{"weight": jnp.full((1, 1), at), "bias": jnp.zeros(1)}]})) for at in (-1.0, 0.0, 1.0)]
        hessian += np.diag([cost[0] - 2 * cost[1] + cost[2]] * 3 + [0])
    found = top_curvature(recipe(loss, Linear(), penalty), params, known_fold)
    assert found == pytest.approx(np.linalg.eigvalsh(hessian)[-1], rel=2e-3)


def test_the_top_curvature_of_a_network_is_that_of_its_whole_hessian():
    known_fold, model = fold(), Mlp(widths=(4,))
    plan = recipe(SquaredError(), model)
    params = model.init(jax.random.key(1), 3, 1)
    flat, whole = ravel_pytree(params)
    batch = Batch(*(jnp.asarray(part) for part in (known_fold.x, known_fold.y, shares(known_fold.weight))))
    hessian = jax.hessian(lambda at: mean_loss(plan, raw_scores(plan, whole(at), batch.x), batch.y, batch.share))(flat)
    assert top_curvature(plan, params, known_fold) == pytest.approx(float(np.linalg.eigvalsh(hessian)[-1]), rel=1e-2)


def test_between_kinks_there_is_no_curvature():
    assert top_curvature(recipe(AbsoluteError(), Linear()), Linear().init(jax.random.key(0), 3, 1), fold()) is None


@pytest.mark.parametrize(("share", "grows"), [(0.98, False), (1.02, True)])
def test_gradient_descent_diverges_just_beyond_the_edge(share, grows):
    known_fold, plan = fold(), recipe(SquaredError(), Linear())
    params: Any = Linear().init(jax.random.key(0), 3, 1)
    edge = 2 / (top_curvature(plan, params, known_fold) or 0)
    plan = plan._replace(optimizer=GradientDescent(learning_rate=share * edge))
    batch = Batch(*(jnp.asarray(part) for part in (known_fold.x, known_fold.y, shares(known_fold.weight))))
    step = jax.jit(lambda params, state: update(plan, params, state, batch, {}, None))
    state, losses = plan.optimizer.init(params), []
    for _ in range(400):
        params, state, loss = step(params, state)
        losses.append(float(loss))
    assert (losses[-1] > 100 * losses[0]) == grows


def test_columns_are_scaled_and_turned_by_the_training_rows_alone():
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 3)) @ [[1.0, 0.9, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 20.0]] + [0, 5, 20]
    x = np.column_stack([x, np.full(200, 0.1)])
    for fitted in (scaling, whitening):
        centre, turn = fitted(x)
        seen = (x - centre) @ turn
        np.testing.assert_allclose(seen.var(axis=0), [1, 1, 1, 0], atol=1e-6)
        np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-6)
    assert abs(np.corrcoef(((x - whitening(x)[0]) @ whitening(x)[1])[:, :3].T)[0, 1]) < 1e-9
    assert condition((x - scaling(x)[0]) @ scaling(x)[1]) > 5 > condition((x - whitening(x)[0]) @ whitening(x)[1])

    problem = small.problem(small.only("size", "age", "price"), "price")
    for standardize, name in ((True, "with whitened columns"), (False, "with standardised columns")):
        problem.standardize = standardize
        remedy = change(problem)
        assert remedy.name == name and remedy.columns is not None
        train = problem.matrices[0][0]
        np.testing.assert_allclose(remedy.columns(0, train).mean(axis=0), 0, atol=1e-6)
        np.testing.assert_array_equal(remedy.columns(0, train[:3]), remedy.columns(0, train)[:3])


def correlated(seed=0):
    """Two columns that nearly say the same, and a target that depends on what they say differently."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(240, 4))
    x[:, 1] = x[:, 0] + 0.02 * x[:, 1]
    y = 50 * (x[:, 1] - x[:, 0]) + x[:, 2] + 0.3 * draw.normal(size=240)
    return {f"x{number}": column.tolist() for number, column in enumerate(x.T)} | {"y": y.tolist()}


def test_correlated_columns_are_whitened_at_a_rate_chosen_anew(tmp_path):
    asked = known.options("conditioning", "decisive") | {"standardize": True, "draws": 3}
    asked |= {"optimizers": "gradient_descent, adam", "out": tmp_path / "run"}
    data = comparing.compare(correlated(), "y", **asked).data
    record = known.record(data, "conditioning")
    assert record["verdict"] == "confirmed", record
    (arm,) = record["arms"]
    assert arm["name"] == "with whitened columns" and record["alike"] is False
    assert {run["phase"] for run in record["plain"]["runs"]} == {"confirmation"}
    with Ledger(tmp_path / "run") as ledger:
        tried = ledger.runs(arm["runs"][0]["contender"], "counterfactual tuning")
        extra = [run for run in ledger.runs() if run.phase.startswith("counterfactual")]
    kept = record["plain"]["runs"][0]["learning_rate"]
    assert len({run.learning_rate for run in tried}) == len(BELOW) + 1 and kept in {run.learning_rate for run in tried}
    assert not any("judged" in run.arrays for run in tried), "rows that judge choose no rate"
    assert len(tried) == 2 * (len(BELOW) + 1) and len(extra) <= MOST_RUNS
    assert arm["runs"][0]["learning_rate"] in {run.learning_rate for run in tried} and arm["pairs"] == PAIRS
    assert record["rates"]["edge"] == pytest.approx(2 / record["rates"]["curvature"])
    assert record["rates"]["diverged_from"] == 10.0 and "the lowest that did diverged was 10" in record["sentence"]
    assert audit(tmp_path / "run").problems == []


def test_an_optimizer_with_its_own_step_sizes_chooses_among_rates_of_its_grid():
    asked = known.options("conditioning", "decisive") | {"optimizers": "adam", "draws": 2, "epochs": 30}
    record = known.record(comparing.compare(known.table("conditioning", "decisive", 0), "y", **asked).data, "conditioning")
    assert record["verdict"] == "confirmed" and record["rates"]["edge"] is None, "Adam minds the sizes of columns too"
    assert record["arms"][0]["runs"][0]["learning_rate"] == 0.1 > record["plain"]["runs"][0]["learning_rate"]


def test_names_decide_nothing(monkeypatch):
    made = comparing.contenders

    def swapped(*args, **keywords):
        first, second = made(*args, **keywords)
        return [dataclasses.replace(first, id=second.id), dataclasses.replace(second, id=first.id)]

    before = known.record(known.result("conditioning", "decisive", 1), "conditioning")
    monkeypatch.setattr(comparing, "contenders", swapped)
    after = known.record(known.result("conditioning", "decisive", 1), "conditioning")
    assert after["contenders"] == before["contenders"][::-1]
    for name in ("statistic", "gap", "needed", "verdict", "rates", "names", "sentence"):
        assert after[name] == before[name]
    assert after["arms"][0]["effect"] == before["arms"][0]["effect"]


class Stopping(Watcher):
    """Presses Ctrl-C when the changed columns are about to be judged: the rates of both sides were tried by then."""

    said = 0

    def say(self, text: str) -> None:
        self.said += "columns" in text
        if self.said == 2:
            raise KeyboardInterrupt


def test_stopped_between_choosing_and_judging_it_goes_on_to_the_same_bytes(tmp_path):
    known.result("conditioning", "decisive", 0, out=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        known.result("conditioning", "decisive", 0, out=tmp_path / "stopped", watcher=Stopping())
    known.result("conditioning", "decisive", 0, out=tmp_path / "stopped")
    assert small.timeless(tmp_path / "stopped") == small.timeless(tmp_path / "whole")
    with Ledger(tmp_path / "stopped") as ledger:
        (run, *_) = [run for run in ledger.runs() if run.phase == "counterfactual tuning"]
        ledger.ask("DELETE FROM runs WHERE contender = ? AND phase = ? AND fit = ?", (run.contender, run.phase, run.fit))
    assert "extra runs are missing" in "; ".join(audit(tmp_path / "stopped").problems)


def test_a_column_ten_thousand_times_as_large_is_named_as_the_reason(tmp_path):
    """What a user sees: the contenders with one step size diverge everywhere, and the answer says why."""
    asked = {"losses": "squared_error, huber", "optimizers": "gradient_descent, sgd, adam", "model": "linear", "epochs": 30}
    table = known.table("conditioning", "decisive", 3)
    data = comparing.compare(table, "y", standardize=False, draws=2, seeds=6, out=tmp_path / "run", **asked).data
    record = known.record(data, "conditioning")
    assert record["verdict"] == "confirmed" and record["statistic"]["value"] > 1e3
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "is held back by ill-conditioned features" in page and json.dumps(data, allow_nan=False)
    plain = known.record(comparing.compare(table, "y", draws=2, seeds=6, **asked).data, "conditioning")
    assert plain["verdict"] == "not tested" and plain["statistic"]["value"] < 3, "what is standardised has one size"
