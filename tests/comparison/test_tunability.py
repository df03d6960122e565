"""What tuning costs, against brute force over all choices and grids whose answers are plain to see."""

import itertools

import numpy as np
import pytest

from downslope.comparison.tunability import costs, expected_best, tunability


def entry(name, rates, columns, chosen=None):
    """A contender with a grid: one list of scores, a seed each, for every rate."""
    grid = [{"learning_rate": rate, "scores": list(scores)} for rate, scores in zip(rates, columns, strict=True)]
    return {"id": f"huber × {name}", "loss": "huber", "optimizer": name, "grid": grid, "settings": {"learning_rate": chosen}}


def only(columns, sign=1, constants=(10.0, 10.0), default=0.1, chosen=None, others=(), margin=0.01):
    rates = [10.0**power for power in range(-3, len(columns) - 3)]
    one = entry("adam", rates, columns, chosen)
    return tunability([one, *others], sign, constants, {one["id"]: default}, margin)[0]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_expected_best_is_the_mean_over_all_choices_of_rates(sign):
    draw = np.random.default_rng(3)
    scores = sign * draw.uniform(1.0, 12.0, size=(9, 2))
    scores[4, 1] = np.inf * sign
    grid = [{"scores": [None if np.isinf(value) else value for value in pair]} for pair in scores]
    constant = np.array([8.0, 9.0])
    found = expected_best(costs(grid, sign), constant, sign)
    assert [point["draws"] for point in found] == list(range(1, 10))
    mine = [constant if (sign * pair).mean() > constant.mean() else sign * pair for pair in scores]
    for point in found:
        choices = itertools.combinations(mine, point["draws"])
        kept = np.array([min(choice, key=lambda pair: pair.mean()) for choice in choices])
        assert point["mean"] == pytest.approx(sign * kept.mean())
        seeds = sorted(sign * kept.mean(axis=0))
        assert (point["low"], point["high"]) == pytest.approx(tuple(seeds))


def test_a_flat_grid_needs_no_tuning_and_a_hopeless_one_comes_to_the_constant():
    assert [point["mean"] for point in only([(5.0, 5.0)] * 4)["expected_best"]] == pytest.approx([5.0] * 4)
    lost = only([(None, 5.0), (30.0, 40.0)], constants=(10.0, 12.0))["expected_best"]
    assert [(point["mean"], point["low"], point["high"]) for point in lost] == [(11.0, 10.0, 12.0)] * 2


def test_without_a_constant_a_lost_rate_counts_as_the_worst_that_was_not():
    found = only([(None, 3.0), (2.0, 2.0), (6.0, 6.0)], constants=(float("nan"),) * 2)["expected_best"]
    assert found[0]["mean"] == pytest.approx((6.0 + 2.0 + 6.0) / 3)


def test_the_plateau_has_no_gap_and_each_seed_has_its_own():
    # From 2 to 10 a twentieth of the way is 0.4.
    found = only([(2.1, 9.0), (9.0, 9.0), (2.3, 2.3), (2.0, 2.0), (2.2, 2.9), (9.0, 9.0)])["plateau"]
    assert (found["from"], found["to"], found["at_least"]) == (0.1, 1.0, False)
    assert found["decades"] == {"mean": 1.0, "low": 1.0, "high": 2.0}
    wide = only([(2.1, 2.1), (2.0, 2.0), (9.0, 9.0)])["plateau"]
    assert (wide["decades"]["mean"], wide["at_least"]) == (1.0, True)


def test_good_is_measured_from_the_best_of_all():
    better = entry("sgd", [0.1, 1.0], [(0.0, 0.0), (5.0, 5.0)])
    assert only([(2.0, 2.0), (2.0, 2.0)], others=(better,))["plateau"]["decades"] == {"mean": None, "low": 0.0, "high": 0.0}


def test_rates_that_learn_nothing_and_rates_that_are_lost():
    found = only([(10.0, 9.99), (9.0, 9.95), (2.0, 2.0), (11.0, 9.0), (None, 9.0), (None, None)])
    # The margin is 0.08: all but 9.475, the mean of the second, and 2 are within it of the constant.
    assert found["dead_zone"]["learning_rates"] == [0.001, 1.0]
    assert found["dead_zone"]["count"] == {"mean": 2.0, "low": 2.0, "high": 2.0}
    assert found["divergence_edge"] == {"low": 10.0, "high": 100.0}
    assert only([(2.0, 2.0), (3.0, 3.0)])["divergence_edge"] == {"low": None, "high": None}


def test_the_default_is_the_nearest_tried_on_the_log_scale_and_the_lower_of_two():
    columns = [(5.0, 6.0), (4.0, 4.5), (2.0, 3.0)]
    assert only(columns, default=0.04)["default"]["learning_rate"] == 0.1
    found = only(columns, default=0.001 * 10**0.5, chosen=0.1)["default"]
    assert (found["learning_rate"], found["tuned"]) == (0.001, 0.1)
    assert found["score"] == {"mean": 5.5, "low": 5.0, "high": 6.0}
    assert found["tuned_score"] == {"mean": 2.5, "low": 2.0, "high": 3.0}
    assert only([(None, 2.0), (3.0, 3.0)], default=0.001)["default"]["score"] is None


def test_who_tried_one_rate_has_nothing_to_say():
    assert tunability([entry("adam", [0.1], [(1.0, 2.0)])], 1, (3.0, 3.0), {}, 0.01) == []
