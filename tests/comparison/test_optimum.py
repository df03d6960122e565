"""The true optimum against other people's solvers, and how near a contender has come to it against the definition."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge

import downslope
from downslope.comparison import metrics
from downslope.comparison.alike import alike
from downslope.comparison.contender import contenders
from downslope.comparison.ledger import Ledger
from downslope.comparison.optimum import Convex
from downslope.comparison.protocol import Protocol
from downslope.comparison.run import Runner
from downslope.models import Linear
from downslope.penalties import L2
from tests.comparison import small


@pytest.fixture
def convex(tmp_path):
    """Makes the objective of the first confirmation fit of a table for one loss."""
    made = []

    def make(table, target, loss, penalty=None):
        problem = small.problem(table, target)
        task = problem.dataset.task
        (field,) = contenders(loss, "sgd", task=task, batch=32)
        ledger = Ledger(tmp_path)
        rules = Protocol(Linear(), alike(None, None, None), penalty, batch=32, epochs=1, draws=1, seed=0)
        runner = Runner(problem, [field], ledger, rules, metrics.default_metric(task), margin=0.01)
        made.append((ledger, runner))
        return Convex(problem, runner, field, problem.confirmation[0])

    yield make
    for ledger, runner in made:
        runner.close()
        ledger.close()


def test_squared_error_is_least_squares(convex):
    found = convex(small.only(*small.PLAIN), "price", "squared_error")
    solver, best = found.solved()
    wide = np.concatenate([found.x, np.ones((len(found.x), 1))], axis=1)
    residual = found.y - wide @ (np.linalg.pinv(wide) @ found.y)
    assert (solver, best) == ("least squares", pytest.approx(np.mean(residual**2), rel=1e-9))
    assert found(found.start)[0] == pytest.approx(np.var(found.y), rel=1e-9), "the best constant is the mean"


def test_with_a_penalty_it_is_ridge_regression(convex):
    found = convex(small.only(*small.PLAIN), "price", "squared_error", penalty=L2(strength=0.3))
    solver, best = found.solved()
    ridge = Ridge(alpha=0.3 / 2 * len(found.y), tol=1e-12).fit(found.x, found.y)
    truth = np.mean((found.y - ridge.predict(found.x)) ** 2) + 0.15 * np.sum(ridge.coef_**2)
    assert (solver, best) == ("L-BFGS-B", pytest.approx(truth, rel=1e-6))


@pytest.mark.parametrize(("loss", "classes"), [("binary_cross_entropy", 2), ("cross_entropy", 3)])
def test_cross_entropy_is_logistic_regression(convex, loss, classes):
    draw = np.random.default_rng(5)
    x = draw.normal(size=(300, 3))
    label = np.argmax(x @ draw.normal(size=(3, classes)) + 2 * draw.gumbel(size=(300, classes)), axis=1)
    table = {f"x{k}": x[:, k].tolist() for k in range(3)} | {"kind": [f"kind {each}" for each in label]}
    found = convex(table, "kind", loss)
    best = found.solved()[1]
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=2000).fit(found.x, found.y)
    truth = -np.mean(np.log(model.predict_proba(found.x)[np.arange(len(found.y)), found.y.astype(int)]))
    assert best == pytest.approx(truth, rel=1e-6)


def test_at_a_kink_the_slope_says_nothing_and_linear_programming_finds_the_median(convex):
    found = convex(small.only(*small.PLAIN), "price", "absolute_error")
    solver, best = found.solved()
    truth = QuantileRegressor(quantile=0.5, alpha=0.0, solver="highs").fit(found.x, found.y)
    assert (solver, best) == ("linear programming", pytest.approx(np.mean(np.abs(found.y - truth.predict(found.x))), rel=2e-3))


def test_the_hinge_of_a_separable_table_is_nothing(convex):
    table = {"x": [float(k) for k in range(-60, 60)], "y": ["no"] * 60 + ["yes"] * 60}
    assert convex(table, "y", "hinge").solved()[1] == pytest.approx(0.0, abs=2e-3)


def test_with_a_penalty_nobody_vouches_for_a_kink(convex):
    assert convex(small.only(*small.PLAIN), "price", "absolute_error", penalty=L2(strength=0.1)).solved() == ("L-BFGS-B", None)


def test_the_gradient_is_that_of_the_objective(convex):
    found = convex(small.only(*small.PLAIN), "price", "huber", penalty=L2(strength=0.1))
    place = np.random.default_rng(1).normal(size=found.start.size)
    slope = found(place)[1]
    for number in range(place.size):
        step = np.zeros_like(place)
        step[number] = 1e-5
        assert slope[number] == pytest.approx((found(place + step)[0] - found(place - step)[0]) / 2e-5, abs=1e-8)


def gaussian(rows=240):
    """A target that is a weighted sum of three numbers and Gaussian noise."""
    draw = np.random.default_rng(8)
    x = draw.normal(size=(rows, 3))
    y = x @ [3.0, -2.0, 1.0] + draw.normal(size=rows)
    return {f"x{k}": x[:, k].tolist() for k in range(3)} | {"y": y.tolist()}


@pytest.fixture(scope="module")
def clean():
    """A comparison on a table for which least squares was made."""
    options = {"losses": "mse, huber", "optimizers": "sgd", "model": "linear", "epochs": 30, "draws": 3, "seeds": 5}
    return downslope.compare(gaussian(), "y", **options)


def test_on_a_clean_gaussian_table_the_answer_points_to_the_closed_form(clean):
    squared = next(one for one in clean.data["contenders"] if one["loss"] == "squared_error")
    assert squared["tied_with_best"] and squared["closed_form"] == "ordinary least squares"
    assert "rdinary least squares gives" in clean.recommendation["text"]
    page = (clean.folder / "report.html").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "rdinary least squares gives" in page and clean.data["optimum"]["text"] in page


def test_the_distance_is_a_share_of_the_way_from_the_best_constant(clean):
    share = clean.data["optimum"]["share"]
    assert 0 <= share["low"] <= share["mean"] <= share["high"] < 0.05, "thirty epochs of SGD come near"
    assert clean.data["optimum"]["id"] == clean.recommendation["id"] and clean.data["optimum"]["fits"] == 5
    assert clean.data["optimum"]["text"] in clean.recommendation["reasons"]


def test_a_model_that_bends_has_no_such_answer(prices):
    assert prices.data["optimum"] is None
    assert all(one["closed_form"] is None for one in prices.data["contenders"])
