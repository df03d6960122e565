"""Lanes: their bits, their neighbours, their ends."""

import numpy as np
import pytest

from downslope.models import Mlp
from downslope.optimizers import Sgd
from downslope.training import checkpoint
from downslope.training.program import COMPILED
from downslope.training.status import Status
from tests.training.problems import Lane, Linear, SquaredError, bits, fold, recipe, run, trainer


@pytest.mark.parametrize("model", [Mlp(widths=(8,)), Linear()], ids=["mlp", "linear"])
def test_a_lane_has_the_same_bits_whatever_runs_beside_it(model):
    train = trainer(model)
    mine = Lane(recipe(0.03, model=model), 0, 5)
    others = [Lane(recipe(rate, model=model), place, 5) for place in (0, 1) for rate in (0.001, 0.3, 1.0)]
    alone = bits(run(train, [mine]).trained[0])
    for position in (0, 2, 5):
        together = run(train, [*others[:position], mine, *others[position:]])
        assert bits(together.trained[position]) == alone


def test_other_seeds_and_rates_give_other_bits():
    train = trainer()
    ends = {bits(each) for each in run(train, [Lane(recipe(r), 0, s) for r in (0.01, 0.02) for s in (1, 2)]).trained}
    assert len(ends) == 4


def test_values_never_compile_anew():
    train = trainer()
    run(train, [Lane(recipe(0.01), 0, 1)])
    before = len(COMPILED)
    run(train, [Lane(recipe(rate), place, seed) for rate in (0.1, 0.2) for place in (0, 1) for seed in (3, 4)])
    assert len(COMPILED) == before


def test_a_diverging_lane_is_frozen_and_leaves_its_neighbours_alone():
    train = trainer(Linear(), epochs=30)
    good = Lane(recipe(0.01, Sgd(learning_rate=0.01), SquaredError(), Linear()), 0, 5)
    wild = Lane(recipe(1.0, Sgd(learning_rate=1e4), SquaredError(), Linear()), 0, 5)
    alone = bits(run(train, [good]).trained[0])
    both = run(train, [good, wild]).trained
    assert bits(both[0]) == alone
    assert both[1].status is Status.DIVERGED
    assert both[1].diverged_after is not None and 0 < both[1].diverged_after < 40
    assert np.isfinite(both[1].train_loss).all()


def test_beside_a_diverged_lane_nobody_trains_longer(monkeypatch):
    from downslope.training import budget

    monkeypatch.setattr(budget, "KEPT_BYTES", 200)
    train = trainer(Linear(), epochs=7)
    good, wild = (Lane(recipe(1.0, Sgd(learning_rate=rate), SquaredError(), Linear()), 0, 5) for rate in (0.01, 1e4))
    both = run(train, [wild, good])
    assert both.cut.rounds % both.cut.rounds_per_call > 0, "the last call has rounds to spare"
    assert [len(lane.train_loss) for lane in both.trained] == [1, 7]
    assert bits(both.trained[1]) == bits(run(train, [good]).trained[0])


def test_a_lane_whose_every_score_is_infinite_has_diverged():
    train = trainer(Linear(), epochs=2)
    steep = Lane(recipe(1.0, Sgd(learning_rate=1e38), SquaredError(), Linear()), 0, 5)
    assert run(train, [steep]).trained[0].status is Status.DIVERGED


@pytest.mark.parametrize("smooth", [1, 3])
def test_a_frozen_bundle_goes_on_to_the_same_bits(smooth, monkeypatch):
    from downslope.training import budget
    from tests.training.problems import rmse_of

    monkeypatch.setattr(budget, "KEPT_BYTES", 300)  # every round a device call of its own
    train = trainer(epochs=6)
    lanes = [Lane(recipe(0.03), place, 5) for place in (0, 1)] + [Lane(recipe(1e20), 0, 5)]
    whole = run(train, lanes, smooth=smooth)
    assert whole.cut.calls == 6
    for stop_after in (1, 3, 5):
        first = train.bundle(lanes, 16, None, rmse_of(train), smooth)
        for _, _ in zip(range(stop_after), first, strict=False):
            pass
        second = train.bundle(lanes, 16, None, rmse_of(train), smooth)
        checkpoint.thaw(second, checkpoint.freeze(first))
        for _ in second:
            pass
        assert [bits(lane) for lane in second.trained] == [bits(lane) for lane in whole.trained]
        assert [lane.status for lane in second.trained] == [lane.status for lane in whole.trained]


@pytest.mark.parametrize("model", [Mlp(widths=(8,)), Linear()], ids=["mlp", "linear"])
def test_stopped_lanes_make_room_and_no_bit_changes(model, monkeypatch):
    from tests.training.problems import rmse_of

    train = trainer(model, epochs=8, pieces=4)
    lanes = [Lane(recipe(0.01 * (1 + number), model=model), number % 2, 5) for number in range(6)] + [
        Lane(recipe(1e38, model=model), 0, 5)
    ]
    whole = run(train, lanes)
    assert whole.cut.rounds_per_call == 2
    compiled = len(COMPILED)

    def go(bundle, upto=None):
        for _ in bundle:
            if bundle.calls_done == 1:
                bundle.stop([0, 3, 4])
            if bundle.calls_done == 2:
                bundle.stop([1, 6])
            if bundle.calls_done == upto:
                return bundle
        return bundle

    fewer = go(train.bundle(lanes, 16, None, rmse_of(train)))
    assert len(COMPILED) == compiled
    ends = [(lane.status, len(lane.train_loss)) for lane in fewer.trained]
    stopped, done = Status.OUT_OF_BUDGET, (Status.OK, 8)
    assert ends[:6] == [(stopped, 2), (stopped, 4), done, (stopped, 2), (stopped, 2), done]
    assert ends[6][0] is Status.DIVERGED, "what was lost is not called stopped"
    assert [fewer.updates(lane) for lane in range(6)] == [8, 16, 32, 8, 8, 32]
    assert sum(map(len, fewer.waves)) == 2, "a block for each of the two that are left"
    for lane in (2, 5):
        assert bits(fewer.trained[lane]) == bits(whole.trained[lane])
    for lane, rounds in ((0, 2), (1, 4)):
        assert fewer.trained[lane].train_loss == whole.trained[lane].train_loss[:rounds]
    for upto in (1, 2, 3):
        half = go(train.bundle(lanes, 16, None, rmse_of(train)), upto)
        second = train.bundle(lanes, 16, None, rmse_of(train))
        checkpoint.thaw(second, checkpoint.freeze(half))
        go(second)
        assert [bits(lane) for lane in second.trained] == [bits(lane) for lane in fewer.trained]
        assert [second.updates(lane) for lane in range(6)] == [8, 16, 32, 8, 8, 32]


def test_where_a_run_is_cut_changes_no_bit(monkeypatch):
    from downslope.training import budget

    lanes = [Lane(recipe(0.03), 0, 5), Lane(recipe(0.01), 1, 5)]
    whole = run(trainer(epochs=6), lanes)
    monkeypatch.setattr(budget, "KEPT_BYTES", 600)
    cut = run(trainer(epochs=6), lanes)
    assert cut.cut.calls > whole.cut.calls == 1
    assert [bits(lane) for lane in cut.trained] == [bits(lane) for lane in whole.trained]


def test_a_full_batch_sees_all_rows_at_each_update():
    train = trainer(Linear(), epochs=3)
    lane = Lane(recipe(0.1, Sgd(learning_rate=0.1), SquaredError(), Linear()), 0, 5)
    bundle = run(train, [lane], batch=None)
    assert bundle.cut.updates == 3
    part = fold()
    weight, bias = np.zeros(3), np.mean(part.y, dtype=np.float64)
    for step in range(3):
        error = part.x @ weight + bias - part.y
        rate = 0.1 * (1 - step / 3)
        weight, bias = weight - rate * 2 * part.x.T @ error / 60, bias - rate * 2 * error.mean()
    layer = bundle.trained[0].params["layers"][0]
    assert bundle.trained[0].best.epoch == 2
    np.testing.assert_allclose(layer["weight"][:, 0], weight, rtol=1e-5)
    np.testing.assert_allclose(layer["bias"][0], bias, rtol=1e-5, atol=1e-7)
