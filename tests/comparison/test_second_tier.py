"""The second tier of tuning: even draws, the same for everyone, halved by one rule, audited, resumable."""

import math
import shutil
import sqlite3

import numpy as np
import pytest

import downslope
from downslope.comparison import second_tier, sentences, tunability
from downslope.comparison.audit.audit import audit
from downslope.comparison.contender import contenders
from downslope.comparison.ledger import Ledger, sealed
from downslope.comparison.second_tier import Curve
from downslope.comparison.watch import Watcher
from downslope.core.about import Task
from downslope.prediction.predictor import read_manifest
from downslope.training.budget import Cut, cut
from downslope.training.layout import Layout
from downslope.training.program import COMPILED
from tests.comparison import small

CHOICES = {"losses": "huber", "optimizers": "sgd, momentum", "model": "linear", "epochs": 16, "draws": 3, "seeds": 5}


def one_contender(loss: str, optimizer: str):
    (found,) = contenders(loss, optimizer, task=Task.REGRESSION, batch=32)
    return found


def drawn(loss: str, optimizer: str, first: float | None = 0.1):
    one = one_contender(loss, optimizer)
    return second_tier.places(one), second_tier.draws(one, first)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "sam(momentum)", "lamb", "adafactor"])
def test_draws_meet_each_sixteenth_of_each_range_once(optimizer):
    places, draws = drawn("huber", optimizer)
    assert [draw.number for draw in draws] == list(range(17)) and draws[0].rate == 0.1
    for place in places:
        values = np.array([place.value(draw) for draw in draws[1:]])
        where = place.range
        shares = (values - where.low) / (where.high - where.low)
        if where.scale == "log":
            shares = np.log(values / where.low) / math.log(where.high / where.low)
        assert sorted(np.floor(shares * 16).astype(int).tolist()) == list(range(16)), place


def test_every_declared_setting_is_drawn_also_deep_inside():
    assert {place.name for place in drawn("huber", "adamw")[0]} == {"delta", "learning_rate", "b1", "b2", "weight_decay"}
    assert {place.name for place in drawn("mse", "sam(momentum)")[0]} == {"radius", "momentum", "learning_rate"}
    _, deep = drawn("mse", "sam(momentum)")[1][1].contender.optimizer.chain()
    assert deep.values()["momentum"] != type(deep)().values()["momentum"]


def test_what_the_user_has_set_is_not_drawn():
    places, draws = drawn("huber(delta=2)", "adam(learning_rate=0.03, b1=0.8)", None)
    assert {place.name for place in places} == {"b2"}
    assert {draw.rate for draw in draws} == {0.03} and {draw.contender.optimizer.values()["b1"] for draw in draws} == {0.8}
    places, draws = drawn("squared_error", "sgd(learning_rate=0.03)", 0.03)
    assert places == [] and [draw.number for draw in draws] == [0]


def test_the_worse_half_stops_by_means_over_the_fits_and_lost_ones_first():
    cut = Cut(rounds=8, steps=1, rounds_per_call=1)
    assert second_tier.rungs(cut) == [(1, 8), (2, 4), (4, 2)]
    # Draw n scores n in one fit and 2 n in the other; 1 turns bad later, which the best so far does not see; 2 is lost at once.
    curves = {n: [Curve([float(n)] * 8, [1.0] * 8), Curve([2.0 * n] * 8, [1.0] * 8)] for n in range(1, 17)}
    curves[1] = [Curve([1.0] + [99.0] * 7, [1.0] * 8)] * 2
    curves[2] = [Curve([], []), Curve([0.1] * 8, [1.0] * 8)]
    ends = second_tier.stopped(curves, cut, 1, 8)
    assert ends == {2: 1, **dict.fromkeys(range(10, 17), 1), **dict.fromkeys(range(6, 10), 2), 4: 4, 5: 4}
    assert second_tier.stopped(curves, cut, 1, 1) == {2: 1, **dict.fromkeys(range(10, 17), 1)}


@pytest.mark.parametrize("epochs", [1, 3, 8, 10, 30, 200])
def test_halving_saves_what_it_can(epochs):
    made = cut(
        rows=1000, batch=32, epochs=epochs, features=5, stop=200, parameters=6, layout=Layout(block=4), pieces=second_tier.PIECES
    )
    share = second_tier.share(made)
    assert share <= (0.37 if epochs >= 8 else 1)
    whole = second_tier.DRAWS * second_tier.FITS + 1  # the grid, and the one run that the first tier's choice has not made
    halved = share * second_tier.DRAWS * second_tier.FITS + 1
    assert epochs < 8 or whole / halved >= 2.5


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison with both tiers, in its folder."""
    place = tmp_path_factory.mktemp("thorough")
    before = len(COMPILED)
    result = downslope.compare(small.only("size", "age", "price"), "price", thorough=True, out=place / "run", **CHOICES)
    assert len(COMPILED) - before <= 3, "two optimizers and the runs that look for reasons; draws and rungs compile nothing"
    return place / "run", result


def test_everyone_gets_the_same_draws_and_confirms_what_they_chose(whole):
    place, result = whole
    manifest = read_manifest(place / "model" / "manifest.json")
    with Ledger(place) as ledger:
        for one in result.data["contenders"]:
            second = one["second_tier"]
            assert [draw["number"] for draw in second["draws"]] == list(range(17))
            finished = [draw for draw in second["draws"] if draw["status"] == "ok"]
            assert len([draw for draw in finished if draw["number"]]) == 2
            runs = [run for run in ledger.runs(phase="thorough") if run.contender.startswith(f"{one['id']} |")]
            assert len(runs) == 16 * 3 + 1
            choice = next(draw for draw in second["draws"] if draw["number"] == second["chosen"])
            for name, value in choice["settings"].items():
                assert one["settings"][name] == pytest.approx(value)
            assert {run.learning_rate for run in ledger.runs(one["id"], "confirmation")} == {one["settings"]["learning_rate"]}
            first, best = second["draws"][0]["score"], min(draw["score"] for draw in finished)
            assert choice["score"] <= first and (second["chosen"] == 0 or choice["score"] == best)
    chosen = result.recommendation
    assert manifest["trained_with"]["settings"] == chosen["settings"]
    page = (place / "report.html").read_text(encoding="utf-8")
    assert "16 draws of all its settings × 3 seeds" in page and "All settings" in page


def test_the_first_tier_has_the_same_bits_with_and_without_the_second(whole, tmp_path):
    downslope.compare(small.only("size", "age", "price"), "price", out=tmp_path / "plain", reasons=False, **CHOICES)
    with Ledger(whole[0]) as mine, Ledger(tmp_path / "plain") as plain:
        tuned, before = mine.runs(phase="tuning"), plain.runs(phase="tuning")
        assert len(tuned) == len(before) > 0
        for one, other in zip(tuned, before, strict=True):
            assert (one.contender, one.learning_rate, one.fit) == (other.contender, other.learning_rate, other.fit)
            for name in ("train_loss", "stop_loss", "order"):
                assert np.array_equal(one.arrays[name], other.arrays[name], equal_nan=True), name
            # Scores of several rounds are summed on the host side by side, in an order that depends on how many they are.
            np.testing.assert_allclose(one.arrays["stop_score"], other.arrays["stop_score"], rtol=1e-14)


def test_it_is_audited_and_a_draw_that_went_on_too_long_is_told(whole, tmp_path):
    found = audit(whole[0])
    assert found.problems == []
    assert any(label == "Runs that tuned all settings" and "49 for everyone" in words for label, words in found.facts)
    shutil.copytree(whole[0], tmp_path / "run")
    with sqlite3.connect(tmp_path / "run" / "ledger.sqlite") as database:
        row = list(
            database.execute(
                "SELECT * FROM runs WHERE phase = 'thorough' AND status = 'out_of_budget' ORDER BY updates"
            ).fetchone()
        )
        row[9] += 8
        row[10] = sealed(row[:10], row[10][32:])
        database.execute(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * 12)})", row)
    database.close()
    problems = audit(tmp_path / "run").problems
    assert any("its budget is" in words for words in problems), problems


class Stopping(Watcher):
    """Presses Ctrl-C when the draws have been halved once or twice."""

    def __init__(self, place) -> None:
        self.place, self.seen = place, 0

    def advanced(self, done, total, seconds_left, best) -> None:
        with sqlite3.connect(self.place / "ledger.sqlite") as database:
            kept = [name for (name,) in database.execute("SELECT bundle FROM checkpoints")]
        database.close()
        self.seen += any(name.endswith(second_tier.PHASE) for name in kept)
        if self.seen == 3:
            raise KeyboardInterrupt


def test_killed_in_the_second_tier_it_goes_on_to_the_same_bytes(whole, tmp_path, monkeypatch):
    from downslope.comparison import run as running

    monkeypatch.setattr(running, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    table = small.only("size", "age", "price")
    with pytest.raises(KeyboardInterrupt):
        downslope.compare(table, "price", thorough=True, out=tmp_path / "run", watcher=Stopping(tmp_path / "run"), **CHOICES)
    with Ledger(tmp_path / "run") as ledger:
        kept = ledger.ask("SELECT bundle FROM checkpoints")
        assert [name for (name,) in kept if name.endswith(second_tier.PHASE)], "it was stopped among the draws"
    downslope.compare(table, "price", thorough=True, out=tmp_path / "run", **CHOICES)
    assert small.timeless(tmp_path / "run") == small.timeless(whole[0])


def test_the_answer_names_the_settings_that_were_tuned(whole):
    entry = {"second_tier": {"chosen": 3, "draws": [{"number": 3, "settings": {"learning_rate": 0.1, "b1": 0.85}}]}}
    assert tunability.tuned(entry) == {"b1": 0.85} and tunability.tuned({"second_tier": None}) == {}
    data = whole[1].data
    first, *_ = data["contenders"]
    second = first["second_tier"]
    drawn = next(draw for draw in second["draws"] if draw["number"])
    pretended = first | {"second_tier": {"chosen": drawn["number"], "draws": second["draws"]}}
    tuned = tunability.tuned(pretended)
    assert tuned and all(f"{name} {value:.3g}" in sentences.use(data, pretended) for name, value in tuned.items())
