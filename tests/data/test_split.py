"""Who trains, who stops, who judges: nobody does two of these, and the test rows none."""

import numpy as np
import pytest
from data.tables import lines
from hypothesis import given
from hypothesis import strategies as st

from downslope.core.errors import BadData
from downslope.data.describe import describe
from downslope.data.read import read
from downslope.data.split import SINGLE_FROM, deal, split


def dataset(rows=200, classes=0, seed=0, **columns):
    draw = np.random.default_rng(seed)
    target = draw.normal(size=rows) if not classes else [f"c{i % classes}" for i in range(rows)]
    roles = {key: f"{key}:g" for key in ("time", "group") if key in columns}
    if roles:
        columns = {"g": next(iter(columns.values()))}
    return describe(read({"x": draw.normal(size=rows), "y": target, **columns}), "y", split=next(iter(roles.values()), None))


def check(data, parts):
    """What holds for every scheme."""
    rows = set(range(len(data.y)))
    assert set(parts.development) | set(parts.test) == rows and not set(parts.development) & set(parts.test)
    for fit in (*parts.tuning, *parts.confirmation):
        train, stop, judge = set(fit.train), set(fit.stop), set(fit.judge)
        assert train and stop and judge
        assert not train & stop and not train & judge and not stop & judge
        assert train | stop | judge <= set(parts.development)
        for part in (fit.train, fit.stop, fit.judge):
            assert part.dtype == np.int64 and (np.diff(part) > 0).all()
    seeds = [fit.seed for fit in (*parts.tuning, *parts.confirmation)]
    assert len(set(seeds)) == len(seeds)
    assert len(parts.tuning) == 2 and len(parts.confirmation) == 10


@pytest.mark.parametrize("classes", [0, 2, 5])
def test_folds(classes):
    data = dataset(503, classes)
    parts = split(data)
    check(data, parts)
    assert parts.scheme == "folds" and parts.folds == 5
    judged = np.concatenate([fit.judge for fit in parts.confirmation])
    np.testing.assert_array_equal(np.bincount(judged, minlength=503)[parts.development], 2)
    assert all(set(f.train) | set(f.stop) | set(f.judge) == set(parts.development) for f in parts.confirmation)
    assert np.ptp([len(fit.train) for fit in parts.confirmation]) <= 2
    for whole, part in [(503, parts.test), *((len(f.train) + len(f.stop), f.stop) for f in parts.confirmation)]:
        assert abs(len(part) - whole / 5) <= 1
    assert [(f.repetition, f.fold) for f in parts.confirmation] == [(r, f) for r in (0, 1) for f in range(5)]
    first, second = parts.confirmation[0], parts.confirmation[5]
    assert set(first.judge) != set(second.judge), "repetitions are dealt anew"
    for tuned, judged in zip(parts.tuning, (first, second), strict=True):
        np.testing.assert_array_equal(tuned.stop, judged.stop)
        np.testing.assert_array_equal(tuned.train, judged.train)


def test_shares_of_classes_are_kept():
    target = ["rare"] * 30 + ["usual"] * 270
    data = describe(read({"x": np.random.default_rng(0).normal(size=300), "y": target}), "y")
    parts = split(data)
    for part in (parts.test, *(p for f in parts.confirmation for p in (f.train, f.stop, f.judge))):
        assert abs((data.y[part] == 0).sum() - len(part) / 10) <= 1.5


def test_quantiles_of_a_quantity_are_kept():
    data = dataset(1000)
    middle = np.median(data.y)
    for part in (p for f in split(data).confirmation for p in (f.stop, f.judge)):
        assert abs((data.y[part] > middle).mean() - 0.5) < 0.04


def test_one_split_for_many_rows():
    data = dataset(int(SINGLE_FROM * 1.3))
    parts = split(data)
    check(data, parts)
    assert parts.scheme == "single" and parts.folds == 1
    assert all(fit.train is parts.tuning[0].train for fit in parts.confirmation), "one split, shared arrays"
    assert abs(len(parts.confirmation[0].judge) - len(parts.development) / 5) <= 1
    assert split(dataset(SINGLE_FROM)).scheme == "folds"
    assert split(dataset(100), folds=1).scheme == "single"


def test_seeds_decide_and_nothing_else():
    data = dataset(200)
    one, again, other = split(data), split(data), split(data, seed=1)
    for first, second in zip(one.confirmation, again.confirmation, strict=True):
        np.testing.assert_array_equal(first.train, second.train)
    assert set(one.test) != set(other.test)
    seeds = [{f.seed for f in (*parts.tuning, *parts.confirmation)} for parts in (one, other)]
    assert not seeds[0] & seeds[1]


def test_given_test_rows():
    data = dataset(100)
    parts = split(data, test=np.arange(90, 100))
    check(data, parts)
    np.testing.assert_array_equal(parts.test, np.arange(90, 100))
    with pytest.raises(BadData, match="4 development and 96 test rows"):
        split(data, test=np.arange(4, 100))


@given(rows=st.integers(6, 40), classes=st.sampled_from([0, 2]), seed=st.integers(0, 5))
def test_tiny_tables(rows, classes, seed):
    data = dataset(rows, classes)
    parts = split(data, seed=seed)
    check(data, parts)
    assert np.ptp([len(fit.train) for fit in parts.confirmation]) <= 3
    if classes:
        for fit in parts.confirmation:
            assert set(data.y[fit.train]) == set(data.y[parts.development]), "every class can be learned"


def test_classes_of_three_rows_are_in_every_training_part():
    target = [f"c{i}" for i in range(20) for _ in range(3)]
    data = describe(read({"x": np.random.default_rng(0).normal(size=60), "y": target}), "y")
    for seed in range(5):
        for fit in split(data, seed=seed).confirmation:
            assert set(data.y[fit.train]) == set(range(20))


@pytest.mark.parametrize("rows", [60, 997, 26_000])
def test_time(rows):
    when = np.random.default_rng(1).permutation(rows).astype(float)
    data = dataset(rows, time=when)
    parts = split(data)
    check(data, parts)
    assert parts.scheme == "time" and data.time is not None
    assert data.time[parts.test].min() > data.time[parts.development].max()
    assert abs(len(parts.test) - rows / 5) <= 1
    for fit in parts.confirmation:
        assert data.time[fit.train].max() < data.time[fit.stop].min()
        assert data.time[fit.stop].max() < data.time[fit.judge].min()
    assert np.ptp([len(fit.train) for fit in parts.confirmation]) <= 3
    first = min(data.time[fit.judge].min() for fit in parts.confirmation)
    assert all(data.time[fit.stop].max() < first for fit in parts.tuning), "tuned before the first judged moment"


def test_equal_times_stay_on_one_side():
    when = np.repeat(np.arange(40.0), 10)
    data = dataset(400, time=when)
    parts = split(data)
    check(data, parts)
    assert data.time is not None
    assert not set(data.time[parts.test]) & set(data.time[parts.development])
    for fit in parts.confirmation:
        sides = [set(data.time[part]) for part in (fit.train, fit.stop, fit.judge)]
        assert not sides[0] & sides[1] and not sides[1] & sides[2]
    with pytest.raises(BadData, match="different times in"):
        split(dataset(400, time=np.repeat(np.arange(4.0), 100)))


@pytest.mark.parametrize(("rows", "groups"), [(400, 40), (400, 7), (40, 4), (26_000, 100)])
def test_groups(rows, groups):
    which = np.random.default_rng(2).permutation(np.arange(rows) % groups)
    data = dataset(rows, group=[f"g{i}" for i in which])
    parts = split(data)
    check(data, parts)
    assert parts.scheme == "group" and data.group is not None
    assert not set(data.group[parts.test]) & set(data.group[parts.development])
    for fit in parts.confirmation:
        sides = [set(data.group[part]) for part in (fit.train, fit.stop, fit.judge)]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


def test_too_few_groups():
    for groups in (2, 3):
        with pytest.raises(BadData, match="at least 4 are needed"):
            split(dataset(60, group=[f"g{i % groups}" for i in range(60)]))


def test_one_group_holds_most_rows():
    sizes = [300, 20, 20, 20, 20, 20]
    data = dataset(400, group=[f"g{i}" for i, size in enumerate(sizes) for _ in range(size)])
    parts = split(data)
    check(data, parts)
    assert len(parts.test) < 200


@given(rows=st.integers(1, 60), bins=st.integers(1, 7), strata=st.integers(1, 5), seed=st.integers(0, 3))
def test_dealing_is_even(rows, bins, strata, seed):
    layer = np.random.default_rng(seed).integers(0, strata, rows)
    dealt = deal(layer, bins, np.random.default_rng(seed))
    sizes = np.bincount(dealt, minlength=bins)
    assert np.ptp(sizes) <= 1
    for stratum in range(strata):
        assert np.ptp(np.bincount(dealt[layer == stratum], minlength=bins)) <= 1


def test_the_text_table_can_be_split():
    header, *rows = lines(40)
    parts = split(describe(read(dict(zip(header, zip(*rows, strict=True), strict=True))), "y"))
    assert len(parts.test) == 8
