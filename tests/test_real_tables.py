"""Real tables with their dirt, from file to model: what is learned there, and that nothing in them stops the work."""

import csv

import numpy as np
import pytest

import downslope
from tests.comparison import small

FEW = {"draws": 2, "seeds": 2}


def column(path, name):
    with path.open(newline="", encoding="utf-8") as file:
        return [row[name] for row in csv.DictReader(file, skipinitialspace=True)]


@pytest.fixture(scope="module")
def adult(real_tables, tmp_path_factory):
    return downslope.train(
        real_tables / "adult.csv",
        "income",
        loss="binary_cross_entropy",
        optimizer="adam(learning_rate=0.003)",
        epochs=4,
        seeds=2,
        out=tmp_path_factory.mktemp("adult") / "run",
    )


def test_a_classifier_on_adult_reaches_auc_090_on_rows_it_never_saw(adult):
    assert adult.data["test"]["roc_auc"] >= 0.90
    assert adult.data["rows"]["read"] == 32_561 and adult.data["split"]["scheme"] == "single"
    assert adult.data["classes"] == ["<=50K", ">50K"] and adult.data["controls"]["constant"]["score"] == pytest.approx(0.5)


def test_its_saved_model_predicts_the_file_in_its_order(adult, real_tables):
    table = real_tables / "adult.csv"
    income = np.array(column(table, "income"))
    model = downslope.load(adult.folder)
    chance = model.predict_proba(table)
    assert chance.shape == (32_561, 2)
    assert 0.83 < np.mean(np.asarray(model.predict(table)) == income) < 0.90
    assert chance[income == ">50K", 1].mean() > 3 * chance[income == "<=50K", 1].mean()


def test_house_values_within_60_000_by_the_mlp(real_tables):
    result = downslope.train(
        real_tables / "california_housing.csv",
        "median_house_value",
        loss="squared_error",
        optimizer="adam(learning_rate=0.01)",
        epochs=8,
        seeds=2,
    )
    assert result.data["model"].startswith("mlp") and result.data["test"]["rmse"] < 60_000
    missing = {each["name"]: each["missing"] for each in result.data["columns"]}
    assert missing["total_bedrooms"] == 207 and result.data["rows"]["used"] == 20_640
    assert result.recommendation["optimizer"] == "adam"


@pytest.mark.parametrize(
    ("name", "target", "task", "loss", "epochs", "metric"),
    [
        ("bird_strikes.csv", "Phase of flight", "multiclass", "cross_entropy", 1, "log_loss"),
        ("wine_quality_white.csv", "quality", "multiclass", "cross_entropy", 2, "log_loss"),
        ("nyc_weather.csv", "temp", "regression", "huber", 2, "rmse"),
    ],
)
def test_a_small_comparison_runs_through(real_tables, tmp_path, name, target, task, loss, epochs, metric):
    result = downslope.compare(
        real_tables / name, target, losses=loss, optimizers="sgd, adam", epochs=epochs, out=tmp_path / "run", **FEW
    )
    data = small.strict(tmp_path / "run" / "result.json")
    assert data == result.data and (data["task"], data["metric"]["name"]) == (task, metric)
    assert [entry["status"] for entry in data["contenders"]] == ["ok", "ok"]
    assert data["test"][metric] < data["controls"]["constant"]["score"], "something was learned"
    counted = data["rows"]["used"] + sum(data["rows"]["dropped"].values())
    assert data["rows"]["read"] == counted == len(column(real_tables / name, target))
    assert any("date" in warning for warning in data["warnings"]) == (name != "wine_quality_white.csv")
    again = downslope.load(tmp_path / "run").predict(real_tables / name)
    assert len(again) == data["rows"]["read"]
    assert "</html>" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
