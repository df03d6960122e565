"""Pictures: the same in notebook and report, untouched by and not touching the user's Matplotlib."""

import itertools

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from sample import sample, tuned

from downslope.comparison.report import figures, judged_figures, series
from downslope.comparison.report import judged as rows_of


@pytest.fixture(scope="module")
def made():
    return sample(rows=300, epochs=10)


def drawing(draw) -> str:
    return figures.to_svg(draw, "x", "words")


def test_every_function_draws_on_the_axes_it_is_given(made):
    result, runs, judged = made
    for draw in (
        lambda ax: figures.plot_ranking(result, ax=ax),
        lambda ax: figures.plot_heatmap(result, "mae", ax=ax),
        lambda ax: figures.plot_learning_rate(result, "sgd", ax=ax),
        lambda ax: figures.plot_curves(result, runs, ax=ax),
        lambda ax: figures.plot_scores(result, runs, ax=ax),
        lambda ax: figures.plot_tuning(result, ax=ax),
        lambda ax: judged_figures.plot_predictions(result, judged, ax=ax),
        lambda ax: judged_figures.plot_residuals(result, judged, ax=ax),
    ):
        ax = Figure().add_subplot()
        assert draw(ax) is ax
        assert ax.lines or ax.patches
    result, _, judged = sample("multiclass", rows=100, epochs=2)
    for draw in (judged_figures.plot_confusion, judged_figures.plot_calibration):
        ax = Figure().add_subplot()
        assert draw(result, judged, ax=ax) is ax
        assert ax.lines or ax.patches


def test_the_users_settings_neither_change_the_picture_nor_are_changed(made):
    result = made[0]
    before = dict(matplotlib.rcParams)
    plain = drawing(lambda: figures.plot_ranking(result))
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"font.size": 30, "axes.grid": True, "svg.fonttype": "path", "lines.linewidth": 9}):
        assert drawing(lambda: figures.plot_ranking(result)) == plain


def test_no_second_window_system_is_started():
    import subprocess
    import sys

    code = "import downslope.comparison.report.figures, sys; print('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_names_are_never_read_as_mathematics():
    result, _, judged = sample("binary", rows=60, epochs=2)
    result["classes"] = [r"$\alpha_1$", r"cost in $"]
    text = drawing(lambda: judged_figures.plot_confusion(result, judged))
    assert r"$\alpha_1$" in text and "cost in $" in text


def test_letters_that_the_measuring_font_lacks_do_no_harm():
    result, _, judged = sample("binary", rows=60, epochs=2)
    result["classes"] = ["猫🐈", "\ud800"]
    text = drawing(lambda: judged_figures.plot_confusion(result, judged))
    assert "猫🐈" in text
    text.encode("utf-8")


def test_pictures_are_small_plain_and_follow_the_page(made):
    text = drawing(lambda: figures.plot_ranking(made[0]))
    assert "http" not in text and "DejaVu" not in text and "<!--" not in text and "metadata" not in text
    assert "var(--accent,#14607a)" in text
    assert text.count("<title>") == 18 + 15 + 1  # every dot, the bars inside the window, boosted trees
    assert 'data-c="17"' in text


def test_one_hopeless_contender_does_not_squeeze_the_others():
    result = sample()[0]
    low, high = sorted(series.score_window(result))
    scores = [c["score"]["mean"] for c in series.in_order(result)]
    assert low < scores[0] and scores[8] < high < scores[-1]
    assert high < result["controls"]["constant"]["score"]


def test_order_puts_failures_last_and_best_first():
    result = sample("binary", diverged=("hinge × adam",), finished=None)[0]
    order = series.in_order(result)
    assert [c["status"] for c in order] == ["ok"] * 11 + ["diverged"]
    means = [c["score"]["mean"] for c in order[:-1]]
    assert means == sorted(means, reverse=True)


def test_curves_are_medians_over_seeds_thinned():
    rows = [
        {
            "phase": p,
            "contender": "a",
            "split": "stop",
            "metric": "loss",
            "epoch": e,
            "examples_seen": 10 * e,
            "value": float(s + e),
        }
        for p in ("tuning", "confirmation")
        for s in range(11)
        for e in range(1, 201)
        if p == "confirmation" or s == 0
    ]
    rows.append(rows[-1] | {"value": float("nan")})
    curve = series.curves(rows, ["a"])["a", "stop", "loss"]
    assert len(curve["median"]) == series.CURVE_POINTS
    assert (curve["examples"][0], curve["examples"][-1]) == (10.0, 2000.0)
    halves = [row | {"epoch": row["epoch"] / 2} for row in rows]
    assert len(series.curves(halves, ["a"])["a", "stop", "loss"]["median"]) == series.CURVE_POINTS  # several rounds an epoch
    assert (curve["low"][-1], curve["median"][-1], curve["high"][-1]) == (201.0, 205.0, 209.0)


def test_a_curve_by_seconds_ends_with_its_run():
    """To the bit: 0.0035 times 84, divided by 84, is a little less than 0.0035."""
    for whole in (0.0035, 0.1, 1.7):
        for seen in range(10, 60):
            at = [float(seen * epoch) for epoch in range(1, 7)]
            assert series.along({"timing": {"contender_seconds": {"a": whole}}}, "a", {"examples": at}, "seconds")[-1] == whole


def test_heat_map_levels_follow_the_direction():
    for task in ("regression", "binary"):
        result = sample(task)[0]
        for metric in series.metrics(result):
            heat = series.heat(result, metric)
            sign = 1 if metric["direction"] == "lower" else -1
            cells = sorted(heat.cells.values(), key=lambda cell: sign * cell.value["mean"])
            assert cells[0].best and cells[0].level == 8 and cells[-1].level == 0
            levels = [cell.level for cell in cells]
            assert levels == sorted(levels, reverse=True)


def test_confusion_counts_and_pools():
    judged = {"target": np.array([0, 0, 1, 2]), "prediction": np.eye(3)[[0, 1, 1, 0]]}
    names, counts = rows_of.confusion(judged, ["a", "b", "c"], "multiclass")
    assert names == ["a", "b", "c"]
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    target = np.repeat(np.arange(20), np.arange(20, 0, -1))
    many = {"target": target, "prediction": np.eye(20)[target]}
    names, counts = rows_of.confusion(many, [str(i) for i in range(20)], "multiclass")
    assert names == [*map(str, range(11)), "9 others"]
    assert counts.sum() == len(target) and counts[-1, -1] == 45 and np.trace(counts) == len(target)


def test_scores_are_not_taken_for_probabilities():
    margins = {"target": np.array([0, 1] * 20), "prediction": np.array([-1.5, 2.0] * 20)}
    assert rows_of.calibration(margins, "binary") is None
    assert rows_of.confusion(margins, ["no", "yes"], "binary")[1].tolist() == [[20, 0], [0, 20]]


def test_calibration_says_what_happened():
    target = np.array([0] * 90 + [1] * 10 + [0] * 20 + [1] * 80)
    curve = rows_of.calibration({"target": target, "prediction": np.repeat([0.1, 0.8], 100)}, "binary", bins=2)
    assert curve is not None
    assert curve["happened"] == [0.1, 0.8] and curve["rows"] == [100, 100]
    assert curve["low"][0] < 0.1 < curve["high"][0] < curve["low"][1] < 0.8 < curve["high"][1]


def test_drawn_rows_are_spread_over_the_target():
    target = np.arange(10000.0)
    drawn, _ = rows_of.drawn_rows({"target": target, "prediction": target + np.where(target == 5, np.nan, 0)})
    assert len(drawn) == rows_of.DRAWN_ROWS
    assert (drawn[0], drawn[-1]) == (0.0, 9999.0)
    assert np.diff(drawn).max() <= 24


def test_residuals_keep_every_row():
    error = np.concatenate([np.random.default_rng(0).normal(0, 1, 999), [1e6]])
    edges, counts = rows_of.residuals({"target": np.zeros(1000), "prediction": error})
    assert counts.sum() == 1000
    assert edges[-1] < 5 and np.isclose(edges[15] + edges[16], 0)


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_tuning_is_the_mean_over_all_choices_of_rates(task):
    result = sample(task, optimizers=("adam", "sgd"))[0]
    constant = result["controls"]["constant"]["score"]
    best = min if result["metric"]["direction"] == "lower" else max
    for method, (contender, scores) in series.tuning(result).items():
        one = next(c for c in result["contenders"] if c["id"] == contender)
        assert one == next(c for c in series.in_order(result) if c["optimizer"] == method)
        reached = [constant if None in p["scores"] else best(np.mean(p["scores"]), constant) for p in one["grid"]]
        for count in (1, 3, 7):
            tries = [best(chosen) for chosen in itertools.combinations(reached, count)]
            assert scores[count - 1]["mean"] == pytest.approx(np.mean(tries))


def test_a_flat_line_where_every_rate_is_as_good():
    result = sample(optimizers=("adam",), losses={"huber": 0.0})[0]
    for point in result["contenders"][0]["grid"]:
        point |= {"score": 50000.0, "scores": [49000.0, 51000.0]}
    result["tunability"] = tuned(result)
    flat = series.tuning(result)["adam"][1]
    assert len(flat) == 7
    for point in flat:
        assert [point[end] for end in ("mean", "low", "high")] == pytest.approx([50000.0, 49000.0, 51000.0])
