"""Large tables: orders kept between device calls, gradients added up block by block, memory that JAX takes over."""

from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chisquare

from downslope.models import Mlp
from downslope.optimizers import GradientDescent, Sgd
from downslope.penalties import L2
from downslope.training import budget, checkpoint, many_rows, orders, step, stream
from downslope.training.lanes import Bundle
from downslope.training.many_rows import split
from downslope.training.orders import Latest, order
from downslope.training.status import Status
from downslope.training.stream import Fold, aligned, chunk
from tests.training.problems import Lane, Linear, SquaredError, bits, fold, recipe, rmse_of, run, trainer


@pytest.mark.parametrize(("latest", "small"), [(None, 50), (Latest(), 50), (None, 200)])
def test_a_table_is_dealt_piece_by_piece_as_its_whole_order_says(monkeypatch, latest, small):
    """Over the border between two epochs, and back again, as another seed and a resumed run may ask."""
    monkeypatch.setattr(stream, "REMEMBERED_ROWS", small)
    part, batches, batch = fold(rows=101), 7, 16
    for first, seed in ((0, 3), (3, 3), (5, 3), (0, 4), (3, 3)):
        x, y, share = chunk(part, 4, batch, seed, batches, first, latest)
        for place, number in enumerate(range(first, first + 4)):
            rows, wanted = (each[number % batches] for each in order(101, batches, batch, seed, number // batches))
            np.testing.assert_array_equal(x[place], part.x[rows])
            np.testing.assert_array_equal(y[place], part.y[rows])
            np.testing.assert_array_equal(share[place], wanted)


def test_a_small_table_is_shuffled_once_for_all_contenders(monkeypatch):
    """Also where its epochs are many."""
    drawn, part, plain = [], fold(rows=41), orders.permutation
    monkeypatch.setattr(orders, "permutation", lambda *asked: drawn.append(asked) or plain(*asked))
    first, second = (
        [chunk(part, batches=900, batch=14, seed=seed, epoch_size=3, first=0) for seed in range(12)] for _ in range(2)
    )
    assert len(drawn) == 12 * 300
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(first, second, strict=True))


def test_one_order_is_kept_for_each_seed():
    latest = Latest()
    first = latest.permutation(70_000, 1, 0)
    assert latest.permutation(70_000, 1, 0) is first and first.dtype == np.uint32
    assert latest.permutation(70_000, 1, 1) is not first and len(latest.kept) == 1


@pytest.mark.parametrize("penalty", [None, L2(strength=0.5)])
@pytest.mark.parametrize("rows", [60, 64])
def test_many_rows_give_the_gradient_of_least_squares(monkeypatch, penalty, rows):
    """Also where the last rows fill no block; the truth is NumPy's, in float64."""
    monkeypatch.setattr(many_rows, "ROWS", 16)
    monkeypatch.setattr(many_rows, "MANY", 2)
    part = fold(rows=rows)
    weight = np.random.default_rng(0).integers(0, 3, rows)
    share = (weight / weight.sum()).astype(np.float32)
    start = np.array([0.3, -0.2, 0.5])
    made = recipe(0.0, GradientDescent(learning_rate=1.0), SquaredError(), Linear(), penalty)
    params = {"layers": [{"weight": start[:, None].astype(np.float32), "bias": np.full(1, 0.1, np.float32)}]}
    after, _, loss = step.update(
        made, params, GradientDescent().init(params), step.Batch(*map(jnp.asarray, (part.x, part.y, share))), {}, None
    )
    error = part.x.astype(np.float64) @ start + 0.1 - part.y
    slope = 2 * part.x.T @ (share * error) + (0 if penalty is None else 0.5) * start
    np.testing.assert_allclose(after["layers"][0]["weight"][:, 0], start - slope, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(after["layers"][0]["bias"][0], 0.1 - 2 * np.sum(share * error), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(loss, np.sum(share * error**2), rtol=1e-5)


@pytest.mark.parametrize(("rows", "blocks"), [(60, []), (many_rows.MANY * many_rows.ROWS - 1, []), (1 << 15, [32])])
def test_few_rows_are_one_block(monkeypatch, rows, blocks):
    """The bits of usual tables stay as they were."""
    seen, plain = [], step.by_blocks
    monkeypatch.setattr(step, "by_blocks", lambda *given: seen.append(split(given[-1])[0]) or plain(*given))
    part, made = fold(rows=rows), recipe(0.0, GradientDescent(), SquaredError(), Linear())
    params = made.model.init(jax.random.key(0), 3, 1)
    batch = step.Batch(*map(jnp.asarray, (part.x, part.y, np.full(rows, 1 / rows))))
    step.update(made, params, GradientDescent().init(params), batch, {}, None)
    assert seen == blocks


def test_devices_share_rows_that_begin_where_they_may():
    values = np.arange(1_001, dtype=np.float32)[1:]
    moved = aligned(values)
    assert moved.ctypes.data % 64 == 0 and np.array_equal(moved, values) and aligned(moved) is moved
    part = Fold(*(np.ascontiguousarray(each) for each in (moved[:, None], moved, moved, moved[:, None], moved, moved)))
    assert all(each.ctypes.data % 64 == 0 for each in stream.whole(part, 1_000))


@pytest.mark.parametrize("smooth", [1, 3])
def test_an_epoch_longer_than_a_device_call_is_evaluated_once_and_every_bit_stays(monkeypatch, smooth):
    """The truth is the same run in one device call. Only the mean of the losses on the way is added up in parts. The last lane
    leaves the finite numbers within its first epoch."""
    lanes = [Lane(recipe(rate, Sgd(learning_rate=rate), SquaredError(), Linear()), 0, 5) for rate in (0.03, 0.1, 1e14)]
    whole = run(trainer(Linear(), epochs=3), lanes, smooth=smooth)
    assert whole.cut.calls == 1
    monkeypatch.setattr(budget, "CALL_BYTES", 800)  # device calls of two updates
    train = trainer(Linear(), epochs=3)
    looked: list[int] = []

    def score(place: int, raw: np.ndarray) -> np.ndarray:
        looked.append(len(raw))
        return rmse_of(train)(place, raw)

    def made() -> Bundle:
        return train.bundle(lanes, 16, None, score, smooth)

    parts = made()
    assert list(parts) == list(range(2, 13, 2)) and looked == [1] * 6
    for number, (mine, theirs) in enumerate(zip(parts.trained, whole.trained, strict=True)):
        ends = (mine.status, mine.diverged_after, mine.best.epoch, mine.best.scores, mine.best.losses)
        assert ends == (theirs.status, theirs.diverged_after, theirs.best.epoch, theirs.best.scores, theirs.best.losses)
        assert (mine.status is Status.OK) == (number < 2)
        for one, other in zip(*(jax.tree.leaves(each.best.kept) for each in (mine, theirs)), strict=True):
            np.testing.assert_array_equal(one, other)
        np.testing.assert_allclose(mine.train_loss, theirs.train_loss, rtol=1e-6)
    for calls in (1, 2, 5):
        first, second = made(), made()
        for _ in zip(range(calls), first, strict=False):
            pass
        checkpoint.thaw(second, checkpoint.freeze(first))
        for _ in second:
            pass
        assert [bits(lane) for lane in second.trained] == [bits(lane) for lane in parts.trained]


def test_a_call_within_an_epoch_sees_no_stopping_slice(monkeypatch):
    """What a call reports then is as small as if there were no rows to validate on."""
    monkeypatch.setattr(budget, "CALL_BYTES", 800)
    train = trainer(Linear(), epochs=3)
    bundle = train.bundle([Lane(recipe(model=Linear()), 0, 5)], 16, None, rmse_of(train))
    reports = []
    for bundle.calls_done in range(4):
        bundle.carries[0], report = bundle.call(0).result()
        reports.append(report)
    assert [report.stop_raw is not None for report in reports] == 2 * [False, True]
    assert sum(leaf.size for leaf in jax.tree.leaves(reports[0])) == 3 * bundle.program.shape.places * bundle.program.shape.block


def test_many_rows_are_evaluated_block_by_block_to_the_scores_and_the_loss_of_least_squares(monkeypatch):
    """Also where the last rows fill no block; the truth is NumPy's, in float64."""
    monkeypatch.setattr(many_rows, "ROWS", 16)
    monkeypatch.setattr(many_rows, "MANY", 2)
    for rows in (60, 64):
        part = fold(rows=rows)
        share = (np.arange(rows) / np.arange(rows).sum()).astype(np.float32)
        params = {"layers": [{"weight": np.array([[0.3], [-0.2], [0.5]], np.float32), "bias": np.full(1, 0.1, np.float32)}]}
        made = recipe(0.0, GradientDescent(), SquaredError(), Linear())
        raw, loss = step.scored(made, params, step.Batch(*map(jnp.asarray, (part.x, part.y, share))))
        truth = part.x.astype(np.float64) @ [0.3, -0.2, 0.5] + 0.1
        np.testing.assert_allclose(raw, truth, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(loss, np.sum(share * (truth - part.y) ** 2), rtol=1e-5)


def test_evaluating_a_network_takes_no_memory_for_the_hidden_layers_of_all_rows():
    model, rows = Mlp(widths=(64, 64)), 1 << 17
    made = recipe(model=model)
    params = jax.eval_shape(lambda: model.init(jax.random.key(0), 3, 1))
    batch = jax.eval_shape(lambda: step.Batch(jnp.zeros((rows, 3)), jnp.zeros(rows), jnp.zeros(rows)))
    memory = jax.jit(partial(step.scored, made)).lower(params, batch).compile().memory_analysis()
    assert memory is not None and memory.temp_size_in_bytes < 4 * rows * 64 / 10


def test_a_slice_that_begins_where_it_may_is_not_copied():
    part = fold()
    part = Fold(part.x, part.y, part.weight, aligned(part.stop_x), aligned(part.stop_y), part.stop_weight)
    train = trainer(Linear(), [part])
    feed = train.bundle([Lane(recipe(model=Linear()), 0, 5)], 16, None, rmse_of(train)).feed
    x, y, _ = feed.stop_rows(0)
    assert np.shares_memory(x, part.stop_x) and np.shares_memory(y, part.stop_y)


def test_a_large_table_is_put_in_the_order_of_random_numbers(monkeypatch):
    """Smaller ones are shuffled as they always were. All 24 orders of four rows come up, as often as chance would have it."""
    shuffled = np.random.Generator(np.random.Philox(key=[3, 1])).permutation(1_000)
    np.testing.assert_array_equal(orders.permutation(1_000, 3, 1), shuffled)
    monkeypatch.setattr(orders, "SORTED_ROWS", 1)
    raw = np.random.Philox(key=[3, 1]).random_raw(1_000)
    np.testing.assert_array_equal(orders.permutation(1_000, 3, 1), np.lexsort((np.arange(1_000), raw >> 10)))
    found = Counter(orders.permutation(4, 3, epoch).tobytes() for epoch in range(2_400))
    assert len(found) == 24
    assert chisquare(list(found.values())).pvalue > 1e-3
    assert orders.permutation(1, 3, 1).tolist() == [0]
