"""The main job, whole: what a comparison gives back, and what its options do."""

import csv
import math

import jax.numpy as jnp
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import downslope
from downslope.comparison.run import Runner
from downslope.comparison.watch import Watcher
from downslope.core.errors import DownslopeError
from downslope.losses import CrossEntropy, Huber, SquaredError
from downslope.optimizers import Adam, Momentum
from downslope.penalties import L2
from tests.comparison import small

LINEAR = {"model": "linear", "epochs": 3, "draws": 2, "seeds": 5}
INTERVAL = {"mean": float, "low": float, "high": float}
KEYS = {
    "task": str,
    "target": str,
    "classes": type(None),
    "metric": {"name": str, "direction": str},
    "rows": {"read": int, "used": int, "dropped": dict, "development": int, "test": int},
    "contenders": list,
    "recommendation": {"id": str, "loss": str, "optimizer": str, "settings": dict, "reasons": list, "text": str, "code": dict},
    "test": {"rmse": float, "mae": float, "r2": float},
    "controls": {
        "constant": {"score": float, "metrics": dict},
        "linear": {"score": float, "tied_with_best": bool},
        "boosted_trees": {"score": float, "better": bool},
        "twin": {"of": str, "score": float, "difference": INTERVAL, "tied": bool},
    },
    "versions": {"downslope": str, "python": str, "jax": str, "numpy": str},
    "seed": int,
    "timing": {"total_seconds": float, "run_seconds": float},
    "finished": bool,
    "devices": str,
}
CONTENDER = {
    "id": str,
    "loss": str,
    "optimizer": str,
    "settings": {"learning_rate": float},
    "batch": (int, str),
    "status": str,
    "score": INTERVAL,
    "scores": list,
    "metrics": {"rmse": INTERVAL, "mae": INTERVAL, "r2": INTERVAL},
    "examples_seen": int,
    "updates": int,
    "tied_with_best": bool,
    "rank": int,
    "difference": INTERVAL,
    "grid": list,
    "at_border": bool,
    "good_rates": int,
    "bytes_per_parameter": float,
    "gradients_per_step": int,
    "best_constant": float,
}
COLUMNS = "contender,loss,optimizer,phase,seed,repetition,fold,learning_rate,epoch,examples_seen".split(",")
CURVES = ["train loss", "stop loss", "stop rmse", "judge rmse", "judge mae", "judge r2"]


def fits(value, form, where="result"):
    """Whether a value has a form; the path to where it has not is the error."""
    if isinstance(form, dict):
        for name, inner in form.items():
            assert name in value, f"{where}.{name} is missing"
            fits(value[name], inner, f"{where}.{name}")
    else:
        assert isinstance(value, form) and (form is not int or not isinstance(value, bool)), f"{where} is {value!r}"


def quick(table, **options):
    return downslope.compare(table, **(LINEAR | options))


def test_the_result_has_every_key_with_its_type(prices):
    fits(prices.data, KEYS)
    for entry in prices.data["contenders"]:
        fits(entry, CONTENDER)
        assert len(entry["scores"]) == small.PRICES["seeds"] and all(math.isfinite(score) for score in entry["scores"])
        assert entry["score"]["low"] <= entry["score"]["mean"] <= entry["score"]["high"]
        assert entry["score"]["mean"] == pytest.approx(np.mean(entry["scores"]), rel=0.05)


def test_the_file_is_strict_json_and_says_what_the_object_says(prices):
    assert small.strict(prices.folder / "result.json") == prices.data


def test_the_contenders_are_all_pairs_and_the_ranking_is_in_order(prices):
    entries = prices.data["contenders"]
    pairs = {(loss, optimizer) for loss in ("squared_error", "huber") for optimizer in ("gradient_descent", "adam")}
    assert {(each["loss"], each["optimizer"]) for each in entries} == pairs and len(entries) == 4
    assert [each["rank"] for each in entries] == [1, 2, 3, 4]
    means = [each["score"]["mean"] for each in entries]
    assert means == sorted(means) and entries[0]["tied_with_best"]
    assert {each["batch"] for each in entries if each["optimizer"] == "gradient_descent"} == {"full"}
    assert {each["batch"] for each in entries if each["optimizer"] == "adam"} == {32}


class Stops(Watcher):
    """Hears the plan and stops there."""

    def planned(self, plan_lines):
        raise DownslopeError("\n".join(plan_lines))


def test_the_margin_is_in_the_plan_the_result_and_the_page_and_the_same_for_all(prices):
    with pytest.raises(DownslopeError, match="differences up to 2 % of the way from the best score to the constant predictor"):
        quick(small.only(*small.PLAIN), target="price", margin=0.02, watcher=Stops())
    data, means = prices.data, [one["score"]["mean"] for one in prices.data["contenders"]]
    assert data["margin_share"] == 0.01
    assert data["margin"] == pytest.approx(0.01 * (data["controls"]["constant"]["score"] - min(means)))
    page = (prices.folder / "report.html").read_text("utf-8").replace("\N{NO-BREAK SPACE}", " ")
    assert "1 % of the way from the best to the constant predictor, fixed" in page


def test_a_full_batch_takes_one_step_for_each_epoch_at_the_same_cost(prices):
    entries = {each["optimizer"]: each for each in prices.data["contenders"] if each["loss"] == "huber"}
    full, small_batches = entries["gradient_descent"], entries["adam"]
    assert full["updates"] == small.PRICES["epochs"] < small_batches["updates"]
    assert full["examples_seen"] == small_batches["examples_seen"] == 102 * small.PRICES["epochs"]


def test_the_mini_batches_win_at_this_budget_and_beat_the_constant(prices):
    assert prices.recommendation["optimizer"] == "adam"
    assert prices.data["test"]["rmse"] < 0.8 * prices.data["controls"]["constant"]["score"]
    assert prices.recommendation["text"].startswith(("Use ", "If you only want predictions"))


def test_the_table_says_the_same_in_short(prices):
    assert [row["rank"] for row in prices.table] == [1, 2, 3, 4]
    for row, entry in zip(prices.table, prices.data["contenders"], strict=True):
        assert (row["loss"], row["optimizer"], row["batch"]) == (entry["loss"], entry["optimizer"], entry["batch"])
        assert (row["rmse"], row["learning_rate"]) == (entry["score"]["mean"], entry["settings"]["learning_rate"])


def test_the_runs_are_in_the_file_and_in_the_object(prices):
    with (prices.folder / "runs.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert set(written[0]) == {*COLUMNS, *CURVES} and list(written[0])[:10] == COLUMNS
    assert list(prices.runs[0]) == [*COLUMNS, "split", "metric", "value"]
    assert sum(bool(line[curve]) for line in written for curve in CURVES) == len(prices.runs)
    learned = {("train", "loss"), ("stop", "loss"), ("stop", "rmse")}
    assert {(row["split"], row["metric"]) for row in prices.runs} == learned | {("judge", m) for m in ("rmse", "mae", "r2")}
    confirmed = {(row["contender"], row["seed"], row["fold"]) for row in prices.runs if row["phase"] == "confirmation"}
    assert len(confirmed) == 5 * (4 + 1), "five runs for each contender and for the twin"
    one = [row for row in prices.runs if row["contender"] == "huber × adam" and row["phase"] == "confirmation"]
    curve = [row["value"] for row in one if (row["fold"], row["split"]) == (0, "train")]
    assert len(curve) == small.PRICES["epochs"] and curve[-1] < curve[0]


def test_predictions_are_in_the_units_of_the_target_and_the_test_score_can_be_recomputed(prices):
    table = small.only(*small.PLAIN)
    test = small.rows_of(table, small.problem(table).splits.test)
    error = prices.model.predict({name: test[name] for name in small.PLAIN[:-1]}) - np.array(test["price"])
    assert len(error) == prices.data["rows"]["test"] == 40
    assert np.sqrt(np.mean(error**2)) == pytest.approx(prices.data["test"]["rmse"], rel=1e-9)
    assert np.mean(np.abs(error)) == pytest.approx(prices.data["test"]["mae"], rel=1e-9)


def test_the_scores_can_be_recomputed_from_the_judged_predictions(prices):
    best = prices.data["contenders"][0]
    judged = prices.judged[best["id"]]
    truth = np.array(small.columns()["price"])[judged["rows"]]
    np.testing.assert_array_equal(truth, judged["target"])
    sizes = [len(part) for part in np.array_split(np.arange(160), 5)]
    parts = np.split((judged["prediction"] - truth) ** 2, np.cumsum(sizes)[:-1])
    np.testing.assert_allclose([np.sqrt(part.mean()) for part in parts], best["scores"], rtol=1e-9)
    assert len(set(judged["rows"].tolist())) == 160, "each development row is judged once"


def test_a_saved_copy_predicts_the_same_and_does_not_overwrite(prices, tmp_path):
    table = small.only(*small.PLAIN)
    copy = prices.save(tmp_path / "copy")
    np.testing.assert_array_equal(downslope.load(copy).predict(table), prices.model.predict(table))
    assert small.timeless(copy) == small.timeless(prices.folder)
    with pytest.raises(DownslopeError, match="not an empty folder"):
        prices.save(copy)


def test_numpy_multiplies_on_one_thread_while_runs_train_and_as_before_afterwards(monkeypatch):
    def threads() -> list[int]:
        return [each["num_threads"] for each in threadpool_info() if "numpy" in each["filepath"]]

    during, train = [], Runner.train
    monkeypatch.setattr(Runner, "train", lambda *given: during.append(threads()) or train(*given))
    with threadpool_limits(2):
        before = threads()
        quick(small.only("size", "age", "price"), target="price", losses="huber", optimizers="adam", reasons=False)
        assert threads() == before
    assert during and all(count == [1] * len(before) for count in during)


def test_own_objects_own_grid_penalty_schedule_and_weights():
    table = small.only(*small.PLAIN, "importance")
    result = quick(
        table,
        target="price",
        losses=[Huber(delta=0.5)],
        optimizers=[Adam(learning_rate=jnp.array([0.1, 0.03])), Momentum(learning_rate=0.02)],
        penalty=L2(strength=0.01),
        schedule="cosine(warmup=0.1)",
        weight="importance",
        drop=["noise"],
    )
    data = result.data
    entries = {each["optimizer"]: each for each in data["contenders"]}
    assert [point["learning_rate"] for point in entries["adam"]["grid"]] == [0.03, 0.1]
    assert entries["adam"]["settings"]["learning_rate"] in (0.03, 0.1)
    assert (entries["momentum"]["settings"]["learning_rate"], entries["momentum"]["grid"]) == (0.02, [])
    assert {each["settings"]["delta"] for each in data["contenders"]} == {0.5}
    assert entries["adam"]["settings_in_units"]["delta"] == pytest.approx(0.5 * data["target_scale"]["scale"])
    assert (data["penalty"], data["schedule"]) == ("l2(strength=0.01)", "cosine(warmup=0.1)")
    used = {column["name"] for column in data["columns"] if column["used"]}
    assert used == {"size", "age", "colour"}
    rows = small.problem(table, weight="importance", drop=("noise",), confirmation=2).splits.test
    test = small.rows_of(table, rows)
    error, weight = result.model.predict(test) - np.array(test["price"]), np.array(test["importance"])
    assert np.sqrt(np.average(error**2, weights=weight)) == pytest.approx(data["test"]["rmse"], rel=1e-9)
    assert np.sqrt(np.mean(error**2)) != pytest.approx(data["test"]["rmse"], rel=1e-3), "weights make a difference here"


def test_classes_margin_losses_and_a_loss_that_does_not_fit():
    table = small.only(*small.LABELLED)
    losses = "binary_cross_entropy, hinge, squared_error"
    result = quick(table, target="dear", positive="no", losses=losses, optimizers="sgd(learning_rate=0.02)@1", epochs=2)
    data = result.data
    assert (data["task"], data["metric"]["name"], data["classes"], data["positive"]) == ("binary", "roc_auc", ["yes", "no"], "no")
    entries = {each["loss"]: each for each in data["contenders"]}
    for loss in ("binary_cross_entropy", "hinge"):
        assert (entries[loss]["status"], entries[loss]["batch"], entries[loss]["updates"]) == ("ok", 1, 2 * 102)
        assert entries[loss]["metrics"]["log_loss"]["mean"] < math.log(2), "margins are calibrated"
    misfit = entries["squared_error"]
    assert (misfit["status"], misfit["score"], misfit["rank"]) == ("incompatible", None, None)
    assert misfit["reason"] == "squared_error is a loss for regression targets, and this one is binary"
    assert [row["status"] for row in result.table][-1] == "incompatible"
    rows = small.problem(table, "dear", positive="no", confirmation=2).splits.test
    test = small.rows_of(table, rows)
    chance = result.model.predict_proba(test)
    assert chance.shape == (40, 2) and np.allclose(chance.sum(axis=1), 1)
    truth = np.array(test["dear"]) == "no"
    beats = chance[truth, 1][:, None] - chance[~truth, 1][None, :]
    assert np.mean((beats > 0) + 0.5 * (beats == 0)) == pytest.approx(data["test"]["roc_auc"], rel=1e-9)
    assert np.mean(np.array(result.model.predict(test)) == np.array(test["dear"])) == pytest.approx(data["test"]["accuracy"])


def test_training_one_at_a_fixed_rate_keeping_one_model_tested_on_own_rows():
    table, later = small.only(*small.PLAIN), small.only(*small.PLAIN, rows=50, seed=1)
    options = LINEAR | {"target": "price", "loss": SquaredError, "optimizer": "adam(learning_rate=0.001)", "test": later}
    result = downslope.train(table, **options, single=True)
    (entry,) = result.data["contenders"]
    assert (entry["settings"]["learning_rate"], entry["grid"], entry["rank"]) == (0.001, [], 1), "the default, but it was typed"
    assert {row["phase"] for row in result.runs} == {"confirmation"}
    assert len(result.model.members) == 1
    assert (result.data["rows"]["development"], result.data["rows"]["test"]) == (200, 50)
    error = result.model.predict(later) - np.array(later["price"])
    assert np.sqrt(np.mean(error**2)) == pytest.approx(result.data["test"]["rmse"], rel=1e-9)


def test_the_mean_of_the_models_is_the_mean_of_their_predictions(prices):
    table = small.only(*small.PLAIN)
    members = prices.model.members
    assert len(members) == small.PRICES["seeds"]
    features = prices.model.features(table).columns
    each = [member.scale.score(member.raw(member.encoder.transform(features).astype(float)), "identity") for member in members]
    np.testing.assert_allclose(np.mean(each, axis=0)[:, 0], prices.model.predict(table), rtol=1e-12)


@pytest.mark.parametrize("split", ["group:street", None])
def test_what_cannot_be_learned_is_said(split):
    table = small.only("noise", "colour", "price", "street")
    draw = np.random.default_rng(5)
    table["price"] = draw.permutation(table["price"]).tolist()
    table["colour"] = draw.permutation(table["colour"]).tolist()
    result = quick(table, target="price", losses="squared_error", optimizers="sgd", epochs=5, seeds=10, split=split)
    constant = result.data["controls"]["constant"]["score"]
    assert result.data["contenders"][0]["score"]["mean"] > 0.97 * constant
    assert result.recommendation["id"] is None
    assert "Nothing here predicts price better than its mean" in result.recommendation["text"]
    assert len(result.model.predict(table)) == 200, "whoever wants the model has it all the same"


def test_when_everything_diverges_there_is_a_result_and_no_model():
    result = quick(small.only(*small.PLAIN), target="price", losses="squared_error", optimizers="sgd(learning_rate=1e30)")
    (entry,) = result.data["contenders"]
    assert (entry["status"], entry["score"], entry["rank"]) == ("diverged", None, None)
    assert "left the finite numbers" in entry["reason"] and result.recommendation["id"] is None
    with pytest.raises(DownslopeError, match="no model"):
        _ = result.model


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"losses": "bce", "optimizers": "sgd"}, "binary_cross_entropy is a loss for binary targets, and this one is regression"),
        ({"losses": CrossEntropy, "optimizers": "sgd"}, "cross_entropy is a loss for multiclass targets"),
        ({"losses": "mse, squared_error", "optimizers": "sgd"}, "squared_error × sgd is named twice"),
        ({"losses": "mse", "optimizers": "sgd, sgd@32"}, "named twice"),
        ({"losses": "mse", "optimizers": []}, "no loss or no optimizer"),
        ({"losses": "mse", "optimizers": Adam(b1=np.array([0.5, 0.9]))}, "b1 must be one number, got 0.5, 0.9"),
        ({"losses": "huber(delta=[1, 2])", "optimizers": "sgd"}, "delta must be one number"),
        ({"losses": Huber(), "optimizers": Huber()}, "object of the class Optimizer, got Huber"),
        ({"losses": 3, "optimizers": "sgd"}, "object of the class Loss, got 3"),
        ({"losses": "mse", "optimizers": "sgd@0"}, "at least 1, got '0'"),
        ({"losses": "mse", "optimizers": "sgd", "model": 5}, "object of the class Model, got 5"),
        ({"losses": "mse", "optimizers": "sgd", "metric": "roc_auc"}, "metric roc_auc does not fit"),
        ({"losses": "mse", "optimizers": "sgd", "seeds": 1}, "seeds must be at least 2"),
        ({"losses": "mse", "optimizers": "sgd", "seed": -1}, "seed must be at least 0"),
        ({"losses": "mse", "optimizers": "sgd", "epochs": 0}, "epochs must be at least 1"),
        ({"losses": "mse", "optimizers": "sgd", "draws": 0}, "draws must be at least 1"),
        ({"losses": "mse", "optimizers": "sgd", "margin": 1.0}, "margin must be"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(options, words, tmp_path):
    with pytest.raises(DownslopeError) as caught:
        quick(small.only(*small.PLAIN), target="price", out=tmp_path / "run", **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()
