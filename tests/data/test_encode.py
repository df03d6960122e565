"""Features as the model sees them, learned from the training rows and nothing else."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from downslope.core.errors import BadData
from downslope.data.calendar import date_parts
from downslope.data.coded import Coded
from downslope.data.describe import describe
from downslope.data.encode import MOST_LEVELS, Encoder, PlainNumberPart, TargetScale, draw_in, fit_category, fit_number
from downslope.data.read import read
from downslope.data.scale import weighted_quantiles
from downslope.data.split import split

DRAW = np.random.default_rng(3)
ROWS = 400


def table(seed=3):
    draw = np.random.default_rng(seed)
    amount = draw.normal(size=ROWS) * 50 + 7
    amount[::9] = np.nan
    return {
        "amount": amount,
        "town": draw.choice(["Aa", "Bo", "Ca", None], ROWS, p=[0.5, 0.3, 0.1, 0.1]).tolist(),
        "open": draw.choice(["yes", "no"], ROWS).tolist(),
        "day": (np.datetime64("2019-03-01") + draw.integers(0, 900, ROWS)).astype("datetime64[us]"),
        "y": draw.normal(size=ROWS),
    }


DATA = describe(read(table()), "y")


def test_shape_names_and_type():
    encoder = Encoder.fit(DATA, np.arange(ROWS))
    encoded = encoder.transform(DATA.features)
    assert encoded.shape == (ROWS, encoder.width) == (ROWS, len(encoder.names))
    assert encoded.dtype == np.float32 and encoded.flags.c_contiguous and np.isfinite(encoded).all()
    assert encoder.names[:8] == (
        "amount",
        "amount: missing",
        "town=Aa",
        "town=Bo",
        "town=Ca",
        "town: missing",
        "open",
        "day: elapsed",
    )
    np.testing.assert_array_equal(encoder.transform(DATA.features, np.array([5, 3])), encoded[[5, 3]])


def test_numbers_are_standardised_and_missing_is_the_mean():
    encoder = Encoder.fit(DATA, np.arange(ROWS))
    encoded = encoder.transform(DATA.features)
    gone = np.isnan(DATA.features["amount"])
    assert abs(encoded[~gone, 0].mean()) < 1e-6 and abs(encoded[~gone, 0].std() - 1) < 1e-6
    np.testing.assert_array_equal(encoded[gone, 0], 0)
    np.testing.assert_array_equal(encoded[:, 1], gone)
    usual = (DATA.features["amount"] - np.nanmean(DATA.features["amount"])) / np.nanstd(DATA.features["amount"])
    np.testing.assert_allclose(encoded[~gone, 0], usual[~gone], atol=1e-5)


def test_numbers_stay_as_they_are_where_nothing_is_standardised():
    rows = np.arange(0, ROWS, 2)
    encoder = Encoder.fit(DATA, rows, standardize=False)
    encoded, amount = encoder.transform(DATA.features), DATA.features["amount"]
    gone = np.isnan(amount)
    np.testing.assert_array_equal(encoded[~gone, 0], amount[~gone].astype(np.float32))
    np.testing.assert_allclose(encoded[gone, 0], np.nanmean(amount[rows]), rtol=1e-6)
    np.testing.assert_array_equal(encoded[:, 1], gone)
    usual = Encoder.fit(DATA, rows)
    assert encoder.names == usual.names
    same = [place for place, name in enumerate(usual.names) if name.startswith(("town", "day"))]
    np.testing.assert_array_equal(encoded[:, same], usual.transform(DATA.features)[:, same])
    assert Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False))) == encoder
    part = encoder.parts[0]
    assert isinstance(part, PlainNumberPart)
    with np.errstate(all="raise"):
        part.fill(np.array([1e300, -1e300]), out := np.zeros((2, 2), np.float32))
    assert np.isfinite(out).all() and out[0, 0] == -out[1, 0] > 1e38
    for name, value in (("fill_in", "1"), ("fill_in", float("nan")), ("kind", "plain")):
        with pytest.raises((KeyError, TypeError, ValueError)):
            Encoder.from_json({"parts": [part.to_json() | {name: value}]})


def test_nothing_is_learned_from_other_rows():
    """Whatever stands in the rows that are held out, the encoder and what it makes of the others is the same."""
    parts = split(DATA)
    fit = parts.confirmation[0]
    spoiled = table()
    held = np.setdiff1d(np.arange(ROWS), fit.train)
    spoiled["amount"][held] = 1e9
    spoiled["town"] = ["Zz" if i in set(held) else town for i, town in enumerate(spoiled["town"])]
    spoiled["day"][held] = np.datetime64("2099-12-31")
    other = describe(read(spoiled), "y")
    encoder, again = Encoder.fit(DATA, fit.train), Encoder.fit(other, fit.train)
    assert encoder == again
    np.testing.assert_array_equal(encoder.transform(DATA.features, fit.train), again.transform(other.features, fit.train))


def test_fit_looks_at_its_rows_only():
    class Spy(np.ndarray):
        seen: list

        def __getitem__(self, key):
            self.seen.append(key)
            return np.asarray(self)[key]

    rows = np.arange(0, ROWS, 3)
    values = np.asarray(DATA.features["amount"]).view(Spy)
    values.seen = []
    spied = describe(read(table()), "y")
    object.__setattr__(spied, "features", {**spied.features, "amount": values})
    Encoder.fit(spied, rows)
    assert len(values.seen) == 1 and values.seen[0] is rows


def test_json_round_trip_is_exact():
    encoder = Encoder.fit(DATA, np.arange(0, ROWS, 2))
    again = Encoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))
    assert again == encoder
    np.testing.assert_array_equal(again.transform(DATA.features), encoder.transform(DATA.features))


def test_damaged_json_is_refused():
    plain = Encoder.fit(DATA, np.arange(ROWS)).to_json()
    for path, value in [
        ((0, "kind"), "code"),
        ((0, "scale"), "1"),
        ((0, "scale"), float("inf")),
        ((0, "mean"), True),
        ((1, "levels"), "abc"),
        ((1, "levels"), [1, 2]),
        ((3, "used"), ["elapsed", "moon"]),
        ((3, "numbers"), []),
    ]:
        damaged = json.loads(json.dumps(plain))
        damaged["parts"][path[0]][path[1]] = value
        with pytest.raises((KeyError, TypeError, ValueError)):
            Encoder.from_json(damaged)


def test_levels_unseen_rare_and_missing():
    codes = [0] * 200 + [1] * 100 + [2, 3, 4] + [-1] * 7
    part = fit_category("c", Coded.of(codes, ("a", "b", "c", "d", "e", "never")))
    assert part.levels == ("a", "b") and part.rare == ("c", "d", "e") and part.indicator
    assert part.names == ("c=a", "c=b", "c: rare", "c: missing")
    out = np.zeros((6, 4))
    part.fill(Coded.of([0, 1, 2, 3, 4, -1], ("b", "a", "e", "never", "brand new")), out)
    np.testing.assert_array_equal(out.argmax(axis=1)[[0, 1, 2, 5]], [1, 0, 2, 3])
    np.testing.assert_array_equal(out[[3, 4]], 0)
    with pytest.raises(BadData, match="expected categories"):
        part.fill(np.zeros(6), out)


def test_a_single_rare_level_is_itself():
    part = fit_category("c", Coded.of([0] * 300 + [1], ("a", "b")))
    assert part.levels == ("a", "b") and part.rare == ()


def test_the_number_of_levels_is_bounded():
    codes = np.repeat(np.arange(300), np.arange(300) + 5)
    part = fit_category("c", Coded.of(codes, tuple(f"w{i:03d}" for i in range(300))))
    assert len(part.levels) == MOST_LEVELS and len(part.rare) == 300 - MOST_LEVELS
    assert min(part.levels) == f"w{300 - MOST_LEVELS}", "the most frequent ones stay"


def test_missing_without_a_slot_is_the_zero_vector():
    part = fit_category("c", Coded.of([0, 1] * 50, ("a", "b")))
    out = np.zeros((1, 2))
    part.fill(Coded.of([-1], ()), out)
    np.testing.assert_array_equal(out, 0)


@given(arrays.arrays(np.float64, st.integers(1, 50), elements=st.floats(-1e12, 1e12)))
def test_any_numbers_give_tame_features(values):
    part = fit_number("c", values)
    out = np.zeros((len(values), len(part.names)), np.float32)
    part.fill(values, out)
    assert np.isfinite(out).all() and np.abs(out).max() < 60


def test_one_huge_value_does_not_flatten_the_rest():
    values = np.append(DRAW.normal(size=1000), 1e15)
    part = fit_number("c", values)
    out = np.zeros((1001, 1))
    part.fill(values, out)
    assert out[:-1, 0].std() > 0.5


def test_drawing_in_keeps_order_and_slope():
    points = np.linspace(-50, 50, 10_001)
    drawn = draw_in(points)
    assert (np.diff(drawn) > 0).all()
    slope = np.diff(drawn) / np.diff(points)
    assert np.abs(np.diff(slope)).max() < 0.02, "no corner"


def test_dates():
    seconds = np.array(["2020-02-29T18:00", "1969-12-31T00:00"], "datetime64[s]").astype(float)
    parts = date_parts(seconds)
    assert parts["year"].tolist() == [2020, 1969] and parts["month"].tolist() == [2, 12]
    assert parts["weekday Saturday"].tolist() == [1, 0] and parts["weekday Wednesday"].tolist() == [0, 1]
    np.testing.assert_allclose(parts["hour sine"], [-1, 0], atol=1e-12)
    np.testing.assert_allclose(parts["day of year cosine"][1], np.cos(2 * np.pi * 364 / 365.25))


def test_date_parts_that_never_vary_are_left_out():
    days = [f"2020-03-{1 + i % 28:02d}" for i in range(60)]
    dataset = describe(read({"d": days, "y": DRAW.normal(size=60)}), "y")
    names = Encoder.fit(dataset, np.arange(60)).names
    assert "d: elapsed" in names and "d: day of year sine" in names and "d: weekday Monday" in names
    assert not {"d: year", "d: month", "d: hour sine"} & set(names)


def test_coded_arrays_keep_their_levels():
    coded = Coded.of([0, 1, -1], ("a", "b"))
    for other in (coded[1:], coded[np.array([2, 0])], pickle.loads(pickle.dumps(coded)), coded.copy()):
        assert isinstance(other, Coded) and other.levels == ("a", "b")
    assert coded.dtype == np.int32


def test_scale_of_the_target():
    y = np.append(DRAW.normal(size=999) * 3 + 100, 1e9)
    scale = TargetScale.fit(y)
    assert abs(scale.centre - 100) < 0.5 and abs(scale.scale - 3) < 0.5, "one wild target does not set the unit"
    np.testing.assert_allclose(scale.outward(scale.inward(y)), y, rtol=1e-12)
    only = TargetScale.fit(np.abs(y), None, "scale")
    assert only.centre == 0 and (only.inward(np.abs(y)) >= 0).all()
    assert TargetScale.fit(y, None, "none") == TargetScale(0.0, 1.0)
    with pytest.raises(ValueError, match="how must be"):
        TargetScale.fit(y, None, "squash")


def test_scale_where_the_quartiles_coincide():
    y = np.array([0.0] * 90 + [10.0] * 10)
    assert TargetScale.fit(y) == TargetScale(0.0, float(y.std()))
    assert TargetScale.fit(np.full(9, 4.0)) == TargetScale(4.0, 1.0)


def test_scale_with_weights_counts_rows_again():
    y = DRAW.normal(size=200)
    weight = np.where(y > 0, 4, 1)  # heavy where it is large: without weights the centre would be elsewhere
    heavy = TargetScale.fit(y, weight.astype(float))
    repeated = TargetScale.fit(np.repeat(y, weight))
    assert abs(heavy.centre - repeated.centre) < 0.05 and abs(heavy.scale - repeated.scale) < 0.05
    assert weighted_quantiles(y, np.ones(200), (0.3,)) == [float(np.quantile(y, 0.3))]
    masked = TargetScale.fit(np.array([1.0, 2.0, 3.0, 1e9]), np.array([1.0, 1.0, 1.0, 0.0]))
    assert masked.centre == 2.0


@given(raw=st.floats(-30, 600), scale=st.floats(1e-3, 1e6))
def test_scores_behind_links(raw, scale):
    target = TargetScale(0.0, scale)
    assert target.outward(raw, "exp") == pytest.approx(scale * np.exp(raw), rel=1e-9)
    assert target.outward(raw, "expm1") == pytest.approx(max(scale * np.expm1(raw), -1.0), rel=1e-6, abs=1e-8)
    with pytest.raises(ValueError, match="not shifted"):
        TargetScale(1.0, scale).outward(raw, "exp")


def test_scores_far_out_stay_finite():
    assert np.isfinite(TargetScale(0.0, 1e6).score(5_000.0, "expm1"))
    assert np.isfinite(TargetScale(0.0, 1e-6).score(5_000.0, "expm1"))
