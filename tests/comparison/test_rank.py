"""The tied set keeps its promise in simulated comparisons, and depends on nothing but the numbers."""

import importlib.util
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from downslope.comparison.rank import grouping, poisson_table, practical_margin, tied_set
from downslope.core.errors import BadShape

ranked = partial(tied_set, draws=2000)


@pytest.fixture(scope="module")
def validation(root):
    spec = importlib.util.spec_from_file_location("validate_statistics", root / "benchmarks" / "validate_statistics.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def simple(shifts, rows=400, runs=10, seed=0, noise=0.3):
    """Contenders that differ by a shift, on the same rows with ten seeds."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=rows)
    found = {name: [common + s + noise * rng.normal(size=rows) for _ in range(runs)] for name, s in shifts.items()}
    return found, [np.arange(rows)] * runs


@pytest.mark.parametrize("layout", ["folds", "single"])
@pytest.mark.parametrize("contenders", [2, 6, 18])
def test_equal_contenders_are_rarely_told_apart_and_a_gap_is_found(validation, layout, contenders):
    times = 96
    with threadpool_limits(limits=1):  # on products this small a second thread only waits
        (line,) = validation.table([layout], [contenders], [200], times, 500, seed=7)
    assert line["comparisons"] == times
    assert line["false"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert line["found"] >= 0.75


@pytest.mark.parametrize("layout", ["folds", "single"])
@pytest.mark.parametrize("contenders", [2, 6, 18, 32])
def test_the_same_holds_on_the_stored_contributions_of_real_runs(validation, layout, contenders):
    times = 40
    with threadpool_limits(limits=1):
        (line,) = validation.of_traces([layout], [contenders], times, 300, seed=7)
    assert line["false"] <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / times)
    assert line["found"] >= 0.75 - 2 * np.sqrt(0.75 * 0.25 / times)


def test_stored_runs_are_dealt_so_that_nobody_can_be_better(validation):
    arrays = np.arange(24.0).reshape(4, 3, 2)
    found, rows = validation.dealt(np.random.default_rng(0), 4, arrays, np.zeros((3, 2), int))
    for run in range(3):
        dealt = sorted(tuple(found[f"contender {c}"][run]) for c in range(4))
        assert dealt == [tuple(arrays[name, run]) for name in range(4)]
    assert len(rows) == 3


def test_order_intervals_and_flags():
    found, rows = simple({"worst": 3.0, "best": 0.0, "second": 0.001})
    ranking = ranked(found, rows, "lower")
    assert ranking.order[2] == "worst"
    assert ranking.tied == {"best": True, "second": True, "worst": False}
    for name, interval in ranking.intervals.items():
        assert interval.low < interval.mean < interval.high
        assert interval.mean == pytest.approx(np.mean(found[name]))
    gap = ranking.difference("worst", "best")
    assert gap.low < 3.0 < gap.high
    assert gap.mean == pytest.approx(3.0, abs=0.1)
    back = ranking.difference("best", "worst")
    assert (back.mean, back.low, back.high) == pytest.approx((-gap.mean, -gap.high, -gap.low))
    assert ranking.difference("best", "best").high == 0


def test_the_interval_of_a_score_is_the_textbook_one_where_seeds_do_not_matter():
    rng = np.random.default_rng(1)
    values = rng.normal(size=2000)
    ranking = ranked({"a": [values] * 10}, [np.arange(2000)] * 10, "higher")
    expected = 1.96 * values.std() / np.sqrt(2000)
    interval = ranking.intervals["a"]
    assert interval.high - interval.mean == pytest.approx(expected, rel=0.08)
    assert interval.mean - interval.low == pytest.approx(expected, rel=0.08)


def test_the_interval_of_a_score_is_students_where_only_seeds_matter():
    luck = np.random.default_rng(2).normal(size=10)
    ranking = ranked({"a": [np.full(50, value) for value in luck]}, [np.arange(50)] * 10, "lower")
    interval = ranking.intervals["a"]
    expected = 2.262 * luck.std(ddof=1) / np.sqrt(10)
    assert (interval.high - interval.low) / 2 == pytest.approx(expected, rel=0.05)


def test_a_skewed_score_has_its_longer_side_where_the_rows_have_theirs():
    values = np.random.default_rng(3).standard_gamma(0.1, 100)
    interval = ranked({"a": [values] * 10}, [np.arange(100)] * 10, "lower").intervals["a"]
    assert interval.high - interval.mean > 1.1 * (interval.mean - interval.low)
    near_one = ranked({"a": [1.001 - values / 50] * 10}, [np.arange(100)] * 10, "higher", limits=(0, 1)).intervals["a"]
    assert near_one.high == 1


def test_higher_is_the_mirror_of_lower():
    found, rows = simple({"a": 0.0, "b": 0.5, "c": 0.52})
    low = ranked(found, rows, "lower")
    high = ranked({name: [-v for v in values] for name, values in found.items()}, rows, "higher")
    assert low.order == high.order
    assert low.tied == high.tied
    for name in found:
        mirrored = high.intervals[name]
        assert (low.intervals[name].low, low.intervals[name].high) == pytest.approx((-mirrored.high, -mirrored.low))


def test_names_and_their_order_change_nothing():
    found, rows = simple({"a": 0.0, "b": 0.01, "c": 0.3})
    one = ranked(found, rows, "lower")
    renamed = {"z": "a", "y": "b", "x": "c"}
    other = ranked({new: found[old] for new, old in sorted(renamed.items())}, rows, "lower")
    assert [renamed[name] for name in other.order] == list(one.order)
    for new, old in renamed.items():
        assert other.tied[new] == one.tied[old]
        assert other.intervals[new] == one.intervals[old]


def test_rows_are_paired_however_they_are_ordered_in_the_runs():
    found, rows = simple({"a": 0.0, "b": 0.02})
    mixed = [np.random.default_rng(r).permutation(len(rows[0])) for r in range(10)]
    shuffled = {name: [v[m] for v, m in zip(values, mixed, strict=True)] for name, values in found.items()}
    one, other = ranked(found, rows, "lower"), ranked(shuffled, [r[m] for r, m in zip(rows, mixed, strict=True)], "lower")
    assert one.tied == other.tied
    assert other.difference("b", "a").high == pytest.approx(one.difference("b", "a").high, rel=0.05)


def test_the_margin_widens_the_set():
    found, rows = simple({"a": 0.0, "b": 0.5})
    assert not ranked(found, rows, "lower").tied["b"]
    assert not ranked(found, rows, "lower", margin=0.3).tied["b"]
    assert ranked(found, rows, "lower", margin=0.7).tied["b"]


def test_those_that_diverged_come_last_without_an_interval():
    found, rows = simple({"a": 0.0, "b": 0.5})
    ranking = ranked({"gone": None, "lost": [np.full(400, np.nan)] * 10, **found}, rows, "lower")
    assert ranking.order == ("a", "b")
    assert ranking.unjudged == ("gone", "lost")
    assert set(ranking.intervals) == {"a", "b"}
    assert (ranking.used, ranking.runs) == (10, 10)
    nobody = ranked({"gone": None}, rows, "lower")
    assert nobody.order == ()
    assert nobody.unjudged == ("gone",)


def test_a_run_without_a_value_is_left_out_for_all():
    found, rows = simple({"a": 0.0, "b": 0.5})
    for values in found.values():
        values[3] = np.full(400, np.nan)
    ranking = ranked(found, rows, "lower")
    assert (ranking.used, ranking.runs) == (9, 10)
    assert ranking.order == ("a", "b")
    assert ranking.intervals["a"].mean == pytest.approx(np.mean([v for i, v in enumerate(found["a"]) if i != 3]))


def test_one_alone_and_twins_to_the_bit():
    found, rows = simple({"a": 0.0})
    assert ranked(found, rows, "lower").tied == {"a": True}
    twins = ranked({"a": found["a"], "b": found["a"]}, rows, "lower")
    assert twins.tied == {"a": True, "b": True}
    assert twins.difference("a", "b").high == 0


def test_rows_that_belong_together_count_less():
    rng = np.random.default_rng(3)
    groups = np.arange(400) // 20
    of_group = rng.normal(size=20)[groups]
    found = {"a": [np.zeros(400)] * 10, "b": [of_group + 0.1 * rng.normal(size=400) for _ in range(10)]}
    rows = [np.arange(400)] * 10
    apart, together = ranked(found, rows, "lower"), ranked(found, rows, "lower", clusters=groups)
    width = [r.difference("b", "a").high - r.difference("b", "a").low for r in (apart, together)]
    assert width[1] > 3 * width[0]


def test_large_tables_are_drawn_in_blocks_with_the_same_answer(monkeypatch):
    found, rows = simple({"a": 0.0, "b": 0.02, "c": 0.05}, rows=4000)
    one = ranked(found, rows, "lower")
    monkeypatch.setattr("downslope.comparison.rank.MOST_GROUPS", 1000)
    monkeypatch.setattr("downslope.comparison.rank.BLOCKS", 500)
    assert np.bincount(grouping(np.arange(4000), None, 0)).tolist() == [8] * 500
    other = ranked(found, rows, "lower")
    assert one.tied == other.tied
    assert other.intervals["a"].high == pytest.approx(one.intervals["a"].high, rel=0.2)


def test_a_table_with_a_handful_of_rows():
    found, rows = simple({"a": 0.0, "b": 9.0}, rows=6)
    folds = [np.array([i]) for i in (0, 1, 2, 3, 4, 5)]
    assert not ranked(found, rows, "lower").tied["b"]
    one_row = {name: [v[:1] for v in values[:6]] for name, values in found.items()}
    assert ranked(one_row, folds, "lower").order == ("a", "b")


def test_lengths_must_agree():
    found, rows = simple({"a": 0.0})
    with pytest.raises(BadShape, match="one number for each judged row of 9 runs"):
        ranked(found, rows[:9], "lower")


def test_the_margin_is_a_share_of_the_way_from_the_constant():
    assert practical_margin(0.9, 0.5) == pytest.approx(0.004)
    assert practical_margin(0.9, float("nan")) == 0


def test_drawing_keeps_mean_and_variance():
    table = poisson_table()
    assert len(table) == 65536
    assert table.mean() == pytest.approx(0, abs=1e-3)
    assert table.var() == pytest.approx(1, abs=1e-3)


BITS = """
import numpy as np
from downslope.comparison.rank import tied_set
rng = np.random.default_rng(0)
found = {str(c): [rng.normal(size=3000) for _ in range(10)] for c in range(6)}
ranking = tied_set(found, [np.arange(3000)] * 10, "lower", draws=500)
print(repr(ranking.intervals), repr(ranking.quantile))
"""


def test_the_same_bits_with_one_thread_and_with_two(root):
    said = [
        subprocess.run(
            [sys.executable, "-c", BITS], capture_output=True, text=True, check=True, cwd=root, env={"OPENBLAS_NUM_THREADS": n}
        ).stdout
        for n in ("1", "2")
    ]
    assert said[0] == said[1] != ""
