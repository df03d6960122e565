"""Many lanes of a network at once, as an accelerator takes them: the numbers of one lane after another, forced here."""

import numpy as np
import pytest

from downslope.optimizers import Adam, GradientDescent
from downslope.training import budget, checkpoint, devices
from downslope.training.layout import Layout
from downslope.training.program import COMPILED
from downslope.training.status import Status
from tests.training.problems import Lane, bits, fold, recipe, rmse_of, run, trainer

WIDE = Layout(blocks=3, block=2)
LANES = [Lane(recipe(rate), place, seed) for place in (0, 1) for seed in (5, 6) for rate in (0.003, 0.03, 0.1)]


@pytest.fixture(scope="module")
def wide():
    """A trainer whose devices advance six lanes each; every second round is a device call of its own."""
    before, budget.KEPT_BYTES = budget.KEPT_BYTES, 4 * 41 * WIDE.lanes * 2
    made = trainer(epochs=6)
    made.forced = WIDE
    yield made
    budget.KEPT_BYTES = before


@pytest.fixture(scope="module")
def whole(wide):
    """All lanes, run to their end."""
    return run(wide, LANES)


def test_blocks_give_the_numbers_of_one_lane_after_another(whole):
    assert whole.program.shape.blocks == 3 and whole.cut.calls == 3
    assert len(whole.waves) == 2, "four streams of three lanes in blocks of two: eight blocks, six at a time"
    single = run(trainer(epochs=6), LANES)
    assert single.program.shape.turns
    for one, other in zip(whole.trained, single.trained, strict=True):
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=2e-5)
        np.testing.assert_allclose(one.best.scores, other.best.scores, rtol=2e-5)
        for mine, theirs in zip(one.params["layers"], other.params["layers"], strict=True):
            np.testing.assert_allclose(mine["weight"], theirs["weight"], rtol=1e-4, atol=1e-5)


def test_a_lane_has_the_same_bits_whatever_its_block_holds(wide, whole):
    compiled = len(COMPILED)
    for number in (0, 4, 11):
        assert bits(run(wide, [LANES[number]]).trained[0]) == bits(whole.trained[number])
    mixed = run(wide, [*LANES[::-1], Lane(recipe(1e20), 0, 5)])
    assert [bits(lane) for lane in mixed.trained[:12]] == [bits(lane) for lane in whole.trained[::-1]]
    assert mixed.trained[12].status is Status.DIVERGED
    assert len(COMPILED) == compiled


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_frozen_bundle_of_blocks_goes_on_to_the_same_bits(wide, whole, stop_after):
    first = wide.bundle(LANES, 16, None, rmse_of(wide))
    for _, _ in zip(range(stop_after), first, strict=False):
        pass
    second = wide.bundle(LANES, 16, None, rmse_of(wide))
    checkpoint.thaw(second, checkpoint.freeze(first))
    for _ in second:
        pass
    assert [bits(lane) for lane in second.trained] == [bits(lane) for lane in whole.trained]


def test_stopped_lanes_leave_their_blocks_and_no_bit_changes(wide, whole):
    bundle = wide.bundle(LANES, 16, None, rmse_of(wide))
    for _ in bundle:
        if bundle.calls_done == 1:
            bundle.stop(range(1, 12, 2))
    assert len(bundle.waves) == 1
    assert [bits(lane) for lane in bundle.trained[::2]] == [bits(lane) for lane in whole.trained[::2]]


def test_blocks_differ_in_their_batches_so_that_a_full_batch_has_one():
    method = GradientDescent(learning_rate=0.05)
    lanes = [Lane(recipe(optimizer=method), place, 5) for place in (0, 1)]
    made = trainer(epochs=4)
    made.forced = WIDE
    together = run(made, lanes, batch=None)
    assert together.program.shape.blocks == 1 and together.program.shape.block == 2
    assert made.shape(recipe(), 1, 16).blocks == 3
    for one, other in zip(together.trained, run(trainer(epochs=4), lanes, batch=None).trained, strict=True):
        np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=1e-5)


def test_each_stream_is_put_on_a_device_once(wide):
    bundle = wide.bundle([Lane(recipe(rate), 0, 5) for rate in (0.01, 0.02)], 16, None, rmse_of(wide))
    data, stop = bundle.feed.rows(bundle.streams(0), 0)
    assert data.x.shape[0] == stop.x.shape[0] == 6
    assert {device for _, _, _, device in bundle.feed.kept} == {0, 1} and len(bundle.feed.kept) == 2
    assert (np.asarray(data.x) == np.asarray(data.x)[:1]).all()


def test_a_run_is_never_continued_where_other_kernels_compute(monkeypatch):
    monkeypatch.setattr(devices.layer, "able", lambda: True)
    assert devices.words() == "many"
    monkeypatch.setattr(devices.layer, "able", lambda: False)
    assert devices.words() == "many without kernels"
    monkeypatch.setattr(devices.jax, "default_backend", lambda: "gpu")
    assert devices.words() == "many gpu"
    made = trainer(folds=[fold()])
    assert made.shape(recipe(optimizer=Adam()), 1, 16)[:3] == (2, 16, 64)
