"""Large tables: orders kept between device calls, gradients added up block by block, memory that JAX takes over."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from downslope.optimizers import GradientDescent
from downslope.penalties import L2
from downslope.training import step, stream
from downslope.training.stream import Fold, Latest, aligned, chunk, order
from tests.training.problems import Linear, SquaredError, fold, recipe


@pytest.mark.parametrize("latest", [None, Latest()])
def test_a_large_table_is_dealt_piece_by_piece_as_its_whole_order_says(monkeypatch, latest):
    """Over the border between two epochs, and back again, as another seed and a resumed run may ask."""
    monkeypatch.setattr(stream, "REMEMBERED_ROWS", 50)
    part, batches, batch = fold(rows=101), 7, 16
    for first, seed in ((0, 3), (3, 3), (5, 3), (0, 4), (3, 3)):
        x, y, share = chunk(part, 4, batch, seed, batches, first, latest)
        for place, number in enumerate(range(first, first + 4)):
            rows, wanted = (each[number % batches] for each in order(101, batches, batch, seed, number // batches))
            np.testing.assert_array_equal(x[place], part.x[rows])
            np.testing.assert_array_equal(y[place], part.y[rows])
            np.testing.assert_array_equal(share[place], wanted)


def test_one_order_is_kept_for_each_seed():
    latest = Latest()
    first = latest.permutation(70_000, 1, 0)
    assert latest.permutation(70_000, 1, 0) is first and first.dtype == np.uint32
    assert latest.permutation(70_000, 1, 1) is not first and len(latest.kept) == 1


@pytest.mark.parametrize("penalty", [None, L2(strength=0.5)])
@pytest.mark.parametrize("rows", [60, 64])
def test_many_rows_give_the_gradient_of_least_squares(monkeypatch, penalty, rows):
    """Also where the last rows fill no block; the truth is NumPy's, in float64."""
    monkeypatch.setattr(step, "ROWS", 16)
    monkeypatch.setattr(step, "MANY", 2)
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


def test_few_rows_are_one_block(monkeypatch):
    """The bits of usual tables stay as they were."""
    monkeypatch.setattr(step, "by_blocks", lambda *_: pytest.fail("only many rows go block by block"))
    part, made = fold(rows=60), recipe(0.0, GradientDescent(), SquaredError(), Linear())
    params = made.model.init(jax.random.key(0), 3, 1)
    step.update(
        made,
        params,
        GradientDescent().init(params),
        step.Batch(*map(jnp.asarray, (part.x, part.y, np.full(60, 1 / 60)))),
        {},
        None,
    )


def test_devices_share_rows_that_begin_where_they_may():
    values = np.arange(1_001, dtype=np.float32)[1:]
    moved = aligned(values)
    assert moved.ctypes.data % 64 == 0 and np.array_equal(moved, values) and aligned(moved) is moved
    part = Fold(*(np.ascontiguousarray(each) for each in (moved[:, None], moved, moved, moved[:, None], moved, moved)))
    assert all(each.ctypes.data % 64 == 0 for each in stream.whole(part, 1_000))
