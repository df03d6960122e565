"""The model that goes home is the ledger's weights, no more and no less, with everything that belongs to them."""

import json

import numpy as np
from safetensors.numpy import load_file

from downslope.comparison.ledger import Ledger
from tests.comparison import small


def test_the_members_are_the_confirmation_models_of_the_recommended_contender(prices):
    chosen = prices.recommendation["id"]
    tensors = load_file(prices.folder / "model" / "model.safetensors")
    with Ledger(prices.folder) as ledger:
        runs = ledger.runs(chosen, "confirmation")
    assert len(runs) == small.PRICES["seeds"]
    written = sorted(array.tobytes() for array in tensors.values())
    kept = sorted(array.tobytes() for run in runs for name, array in run.arrays.items() if name.startswith("params"))
    assert written == kept and len(written) == 5 * 4


def test_the_manifest_says_how_the_model_was_made(prices):
    manifest = json.loads((prices.folder / "model" / "manifest.json").read_text(encoding="utf-8"))
    made = manifest["trained_with"]
    advice = prices.recommendation
    assert (made["loss"], made["optimizer"], made["settings"]) == (advice["loss"], advice["optimizer"], advice["settings"])
    assert {member["learning_rate"] for member in manifest["members"]} == {advice["settings"]["learning_rate"]}
    assert len({member["seed"] for member in manifest["members"]}) == 5
    assert (manifest["task"], manifest["target"], manifest["classes"]) == ("regression", "price", None)
    assert [column["name"] for column in manifest["columns"]] == ["size", "age", "noise", "colour"]


def test_each_member_predicts_what_was_judged_in_its_fold(prices):
    table = small.only(*small.PLAIN)
    problem = small.problem(table)
    judged = prices.judged[prices.recommendation["id"]]
    start = 0
    for member, fit in zip(prices.model.members, problem.confirmation, strict=True):
        rows = problem.fits[fit].judge
        features = prices.model.features(small.rows_of(table, rows)).columns
        raw = member.raw(member.encoder.transform(features).astype(np.float64))
        mine = member.scale.score(raw, "identity")[:, 0]
        np.testing.assert_allclose(mine, judged["prediction"][start : start + len(rows)], rtol=1e-12)
        start += len(rows)
    assert start == len(judged["rows"])


def test_the_mean_of_all_is_better_than_most_of_them(prices):
    table = small.only(*small.PLAIN)
    test = small.rows_of(table, small.problem(table).splits.test)
    features = prices.model.features(test).columns
    errors = []
    for member in prices.model.members:
        raw = member.raw(member.encoder.transform(features).astype(np.float64))
        errors.append(np.sqrt(np.mean((member.scale.score(raw, "identity")[:, 0] - np.array(test["price"])) ** 2)))
    assert prices.data["test"]["rmse"] < np.mean(errors)
