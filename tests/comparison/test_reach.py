"""How soon a contender is as good as the best, on curves whose answer can be counted."""

import numpy as np

from downslope.comparison.reach import Curve, reached, seconds, spread, updates


def curve(*costs, updates=40, seconds=2.0):
    return Curve(np.array(costs, float), updates, seconds)


FAST = [curve(5.0, 3.0, 3.2, 3.1), curve(5.0, 3.9, 3.0, 3.0)]
SLOW = [curve(9.0, 8.0, 3.05, 2.5, seconds=1.0), curve(9.0, 8.0, 7.0, 3.4, seconds=1.0)]
NEVER = [curve(9.0, np.nan, 9.0, 9.0), curve(9.0, 9.0, 9.0, np.inf)]


def test_each_run_is_held_against_the_run_of_the_best_on_the_same_rows():
    # The best rounds are 3.0, 3.0 and 2.5, 3.4: the slow one has the best mean, so levels are 2.5 and 3.4 and the margin.
    found = reached({"fast": FAST, "slow": SLOW, "never": NEVER}, margin=0.5)
    assert found["fast"].tolist() == [0.5, 0.5]
    assert found["slow"].tolist() == [1.0, 1.0]
    assert np.isinf(found["never"]).all()
    assert reached({"fast": FAST, "slow": SLOW}, margin=0.0)["fast"].tolist() == [np.inf, 0.75]


def test_updates_and_seconds_are_shares_of_the_whole_run():
    curves = {"fast": FAST, "slow": SLOW}
    shares = reached(curves, margin=0.5)
    assert updates(curves, shares)["fast"] == {"mean": 20.0, "low": 20.0, "high": 20.0, "runs": 2, "of": 2}
    assert seconds(curves, shares)["fast"]["mean"] == 1.0
    assert seconds(curves, shares)["slow"]["mean"] == 1.0


def test_a_median_that_never_came_there_is_none_and_infinity_is_not_averaged():
    inf = float("inf")
    assert spread([inf, inf, 3.0])["mean"] is None
    assert spread([1.0, inf])["mean"] == 1.0
    ten = [float(value) for value in range(1, 10)] + [inf]
    assert (spread(ten)["low"], spread(ten)["mean"], spread(ten)["high"], spread(ten)["runs"]) == (1.0, 5.0, 9.0, 9)


def test_nobody_with_a_value_gives_nothing():
    assert reached({}, 1.0) == {} and reached({"lost": [curve(np.nan, np.nan)]}, 1.0) == {}
