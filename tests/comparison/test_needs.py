"""Who serves which need, on results made by hand whose answers are known, and at no run at all."""

import copy
import html
import json

import pytest

import downslope
from downslope.comparison.needs import in_order, needs
from downslope.comparison.report.summarize import by_need
from downslope.training.trainer import Trainer
from tests.comparison import small


def soon(middle, low, high):
    return {"mean": middle, "low": low, "high": high, "runs": 10, "of": 10}


def contender(name, mean, memory=4.0, tied=False, soonest=None, batch=32, rate=0.01):
    return {
        "id": f"huber × {name}",
        "loss": "huber",
        "optimizer": name,
        "settings": {"learning_rate": rate},
        "score": None if mean is None else {"mean": mean, "low": mean - 2, "high": mean + 2},
        "tied_with_best": tied,
        "bytes_per_parameter": memory,
        "updates_to_best": soonest,
        "batch": batch,
    }


def tried(name, at_default, width, seeds=(1.0, 1.0), near=0.01, proposed=0.01, open_ended=False):
    default = None
    if at_default:
        score = {"mean": sum(at_default) / 2, "low": min(at_default), "high": max(at_default)}
        default = {"proposed": proposed, "learning_rate": near, "score": score, "scores": list(at_default)}
    decades = {"mean": width, "low": min(seeds), "high": max(seeds)}
    plateau = {"decades": decades, "from": 0.001, "to": 0.1, "at_least": open_ended}
    return {"id": f"huber × {name}", "default": default, "plateau": plateau}


def result(**more):
    """SGD has the best mean, Adam is soonest, momentum remembers little and is untuned as good; lion never finished."""
    return {
        "metric": {"name": "rmse", "title": "RMSE", "direction": "lower"},
        "margin": 0.5,
        "contenders": [
            contender("adam", 51.0, 8.0, True, soon(100, 80, 120)),
            contender("sgd", 50.0, 4.0, True, soon(300, 200, 400)),
            contender("momentum", 50.5, 4.0, True, soon(125, 110, 140)),
            contender("signum", 60.0, 0.0, False, soon(None, 900, None)),
            contender("lion", None, 0.0),
        ],
        "tunability": [
            tried("adam", (52.0, 54.0), 2.0, (1.5, 2.5), near=0.0095, open_ended=True),
            tried("sgd", (53.0, 56.0), 1.0, (0.5, 1.0)),
            tried("momentum", (52.9, 53.2), 1.5, (0.5, 1.6)),
            tried("signum", (), None, (0.0, 0.0)),
        ],
        "timing": {"seconds_to_best": {}},
    } | more


def said(given):
    return {record["need"]: record for record in needs(given)}


def test_each_need_has_its_contender_its_figure_its_interval_and_its_ties():
    found = said(result())
    assert list(found) == ["best_score", "untuned", "fewest_updates", "least_memory", "widest_rates"]
    short = {need: (one["optimizer"], one["figure"], one["low"], one["high"], one["tied"]) for need, one in found.items()}
    assert short == {
        "best_score": ("sgd", 50.0, 48.0, 52.0, ["huber × momentum", "huber × adam"]),
        "untuned": ("adam", 53.0, 52.0, 54.0, ["huber × momentum"]),
        "fewest_updates": ("adam", 100, 80, 120, ["huber × momentum"]),
        "least_memory": ("sgd", 4.0, 4.0, 4.0, ["huber × momentum"]),
        "widest_rates": ("adam", 2.0, 1.5, 2.5, ["huber × momentum"]),
    }
    json.dumps(list(found.values()), allow_nan=False)


def test_the_words():
    texts = {need: one["text"] for need, one in said(result()).items()}
    assert texts["best_score"] == "sgd with huber: RMSE 50 ± 2; a tie with momentum with huber and adam with huber"
    assert texts["untuned"].startswith("adam with huber at 0.0095, the nearest tried to its default 0.01: RMSE 53 on the rows")
    assert texts["fewest_updates"].startswith("adam with huber: 100 updates (80 to 120) to within the margin of the best; a tie")
    assert "4 bytes for each parameter" in texts["least_memory"]
    assert texts["widest_rates"].startswith("adam with huber: at least 2 decades, 0.001 to 0.1 (1.5 to 2.5 by seed)")


def test_no_tie_where_it_is_worse_on_every_seed_beyond_the_margin():
    apart = result(margin=0.01)
    apart["tunability"][2]["default"]["scores"] = [52.9, 54.2]
    assert said(apart)["untuned"]["tied"] == []
    apart["tunability"][2]["default"]["scores"] = [51.9, 54.2]
    assert said(apart)["untuned"]["tied"] == ["huber × momentum"]


def test_higher_may_be_better():
    given = result(metric={"name": "roc_auc", "title": "ROC AUC", "direction": "higher"})
    found = said(given)
    assert (found["best_score"]["optimizer"], found["untuned"]["optimizer"]) == ("signum", "sgd")


def test_a_full_batch_says_so_and_whoever_came_there_in_some_runs_only():
    given = result()
    given["contenders"][0] |= {"batch": "full", "updates_to_best": soon(9, 7, None)}
    words = said(given)["fewest_updates"]["text"]
    assert "9 updates, each with all rows (from 7, some runs never)" in words


def test_seconds_stand_behind_updates_and_apart():
    given = result(timing={"needs": [{"need": "fewest_seconds", "id": "huber × adam"}]})
    given["needs"] = needs(given)
    assert [one["need"] for one in in_order(given)][2:4] == ["fewest_updates", "fewest_seconds"]


def test_names_decide_nothing():
    given, renamed = result(), json.loads(json.dumps(result()).replace("sgd", "zeta").replace("momentum", "alpha"))
    swapped = [one["optimizer"].replace("zeta", "sgd").replace("alpha", "momentum") for one in needs(renamed)]
    assert swapped == [one["optimizer"] for one in needs(given)]


def test_nobody_finished():
    given = result()
    for one in given["contenders"]:
        one["score"] = None
    assert needs(given) == []


def test_file_object_and_page_say_the_same(prices):
    data = small.strict(prices.folder / "result.json")
    assert [need["need"] for need in prices.needs] == [
        "best_score",
        "untuned",
        "fewest_updates",
        "fewest_seconds",
        "least_memory",
        "widest_rates",
    ]
    assert in_order(data) == prices.needs
    assert [need["text"] for need in by_need(data)] == [need["text"] for need in prices.needs]
    page = html.unescape((prices.folder / "report.html").read_text(encoding="utf-8"))
    assert all(need["text"] in page for need in prices.needs)
    best = prices.needs[0]
    assert best["id"] == prices.data["contenders"][0]["id"] and best["figure"] == prices.data["contenders"][0]["score"]["mean"]


def test_it_costs_no_run(prices, tmp_path, monkeypatch):
    """The ledger holds the planned runs and no more, and the answers come from it when nothing can run."""
    prices.save(tmp_path / "again")

    def refused(*_):
        raise AssertionError("a run was started")

    monkeypatch.setattr(Trainer, "bundle", refused)
    monkeypatch.setattr(Trainer, "program", refused)
    table = small.write(tmp_path / "prices.csv", small.only(*small.PLAIN))
    again = downslope.compare(str(table), out=tmp_path / "again", **small.PRICES)
    assert again.data["needs"] == prices.data["needs"] and again.data["tunability"] == prices.data["tunability"]
    planned = sum(len(one["grid"]) * 2 + small.PRICES["seeds"] for one in prices.data["contenders"])
    ids = {one["id"] for one in prices.data["contenders"]}
    trained = {
        tuple(row[name] for name in ("contender", "phase", "learning_rate", "seed", "repetition", "fold"))
        for row in prices.runs
        if row["contender"] in ids and row["split"] == "train"
    }
    assert len(trained) == planned


@pytest.mark.parametrize("missing", ["tunability", "margin"])
def test_an_older_result_answers_what_it_can(missing):
    given = copy.deepcopy(result())
    del given[missing]
    assert "best_score" in said(given)
