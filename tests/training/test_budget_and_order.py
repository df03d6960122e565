"""How work is cut and ordered: pure functions, checked over their range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from downslope.training.best import Best
from downslope.training.budget import CALL_BYTES, CALL_SECONDS, cut, default_batch, default_epochs
from downslope.training.layout import MOST, Layout, layout
from downslope.training.orders import derive, order
from downslope.training.stream import chunk
from tests.training.problems import fold

ONE = Layout()


@given(rows=st.integers(5, 10**7), features=st.integers(1, 2000), widths=st.integers(0, 4096), full=st.booleans())
def test_every_cut_covers_the_budget_in_short_calls(rows, features, widths, full):
    batch = rows if full else min(default_batch(rows), rows)
    epochs = default_epochs(rows, min(default_batch(rows), rows))
    parameters = (features + 1) * max(widths, 1) + widths
    found = cut(rows=rows, batch=batch, epochs=epochs, features=features, stop=rows // 5 + 1, parameters=parameters, layout=ONE)
    assert found.rounds == epochs and found.steps * batch >= rows
    assert found.rounds_after(found.calls) == found.rounds > found.rounds_after(found.calls - 1)
    assert found.updates_after(found.calls) == found.updates > found.updates_after(found.calls - 1)
    assert found.steps_per_call * found.calls_per_round == found.steps * found.rounds_per_call
    if not full and found.steps_per_call > 1:
        assert 4 * batch * (features + 2) * found.steps_per_call <= 1.1 * CALL_BYTES
    assert CALL_SECONDS <= 1


@given(hidden=st.integers(0, 3), parameters=st.integers(1, 10**9), platform=st.sampled_from(["cpu", "gpu", "tpu", "METAL"]))
def test_a_layout_fits_the_confirmation_runs_of_a_contender_or_leaves_one_lane_a_core(hidden, parameters, platform):
    found = layout(hidden, parameters, platform)
    if platform == "cpu":
        assert (found.block, found.turns) == (4, hidden > 0)
    else:
        assert found.blocks >= 10 and found.lanes <= MOST and found.block.bit_count() == 1
        assert found.block == layout(hidden, parameters, "another").block


@given(rows=st.integers(1, 300), batch=st.integers(1, 64), seed=st.integers(0, 2**32 - 1), epoch=st.integers(0, 50))
def test_an_epoch_has_every_row_once_in_batches_of_nearly_one_size(rows, batch, seed, epoch):
    batches = -(-rows // batch)
    where, share = order(rows, batches, batch, seed, epoch)
    real = share > 0
    assert sorted(where[real].tolist()) == list(range(rows))
    assert real.sum(axis=1).max() - real.sum(axis=1).min() <= 1
    assert where.min() >= 0 and where.max() < rows


def test_chunks_are_windows_of_one_endless_stream():
    part = fold(rows=50)
    whole = chunk(part, 12, 16, seed=7, epoch_size=4, first=0)
    for size in (1, 3, 5):
        pieces = [chunk(part, size, 16, seed=7, epoch_size=4, first=at) for at in range(0, 12 - size + 1, size)]
        for number, joined in enumerate(zip(*pieces, strict=True)):
            together = np.concatenate(joined)
            np.testing.assert_array_equal(together, whole[number][: len(together)])


def test_epochs_differ_and_seeds_differ():
    ways = {order(30, 2, 16, seed, epoch)[0].tobytes() for seed in range(3) for epoch in range(3)}
    assert len(ways) == 9
    assert len({derive(0, fit, tag) for fit in range(50) for tag in (0, 7)}) == 100


@pytest.mark.parametrize("pieces", [(5,), (1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_the_best_epoch_is_kept_with_its_payload(pieces):
    epochs = [(3.0, 1.0, "a"), (1.0, 5.0, "b"), (np.nan, 0.0, "c"), (1.0, 4.0, "d"), (2.0, 0.1, "e")]
    best = seen(Best(), epochs, pieces)
    assert (best.kept, best.epoch) == ("d", 3)


@pytest.mark.parametrize("pieces", [(6,), (1, 1, 1, 1, 1, 1), (3, 3), (5, 1)])
def test_label_scores_count_with_their_neighbours(pieces):
    scores = [5.0, 0.0, 5.0, 2.0, 1.0, 2.0]  # the lonely 0 is luck
    best = seen(Best(smooth=3), [(score, 1.0, index) for index, score in enumerate(scores)], pieces)
    assert best.kept == 5  # the mean of 1 and 2 at the end


def test_where_the_metric_has_no_value_the_loss_decides():
    best = seen(Best(), [(np.nan, loss, index) for index, loss in enumerate([3.0, 1.0, 2.0, np.inf])], (4,))
    assert best.kept == 1


def seen(best: Best, epochs, pieces) -> Best:
    """The epochs shown piece by piece."""
    at = 0
    for size in pieces:
        part = epochs[at : at + size]
        best.see([score for score, _, _ in part], [loss for _, loss, _ in part], lambda i, part=part: part[i][2])
        at += size
    best.finish()
    return best
