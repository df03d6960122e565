"""The lists and the explanations cover the catalogues whole."""

import json
import re

import pytest

from downslope.cli import entry, formula, plot
from downslope.cli.terminal import clean, spell

ENTRIES = [(kind, name) for kind in entry.PACKAGES for name in entry.catalogue(kind)]


@pytest.mark.parametrize(("command", "kind"), [("losses", "loss"), ("optimizers", "optimizer")])
def test_lists_name_every_entry(run, command, kind):
    names = list(entry.catalogue(kind))
    wide, narrow = run(command), run(command, COLUMNS="40")
    listed = json.loads(run(command, "--json").stdout)
    assert wide.exit_code == narrow.exit_code == 0
    assert sorted(row["name"] for row in listed) == names
    for name in names:
        assert name in wide.stdout and name in narrow.stdout
    assert max(len(line) for line in narrow.stdout.split("\n\nIn every")[0].splitlines()) <= 40


def test_on_a_pipe_every_row_is_one_line(run, monkeypatch):
    wide = run("optimizers", COLUMNS=None).stdout
    for row in json.loads(run("optimizers", "--json").stdout):
        line = next(line for line in wide.splitlines() if line.startswith(f"{row['name']} "))
        assert row["use"] in line and row["family"] in line


@pytest.mark.parametrize("command", ["losses", "optimizers", "metrics"])
def test_lists_fit_a_terminal_of_80_columns(run, command):
    table = run(command, COLUMNS="80").stdout.split("\n\nIn every")[0]
    assert max(len(line) for line in table.splitlines() if not line.startswith("Try")) <= 80


def test_optimizers_are_listed_with_family_and_costs(run):
    listed = {row["name"]: row for row in json.loads(run("optimizers", "--json").stdout)}
    assert all(row["family"] and row["use"] for row in listed.values())
    assert listed["sam"]["family"] == "wrapper" and listed["sam"]["gradients_per_step"] == 2
    assert listed["lbfgs"]["gradients_per_step"] is None
    assert (listed["adam"]["family"], listed["adam"]["bytes_per_parameter"]) == ("adaptive", 8.0)


def test_memory_is_counted_from_the_state():
    assert entry.memory(entry.catalogue("optimizer")["adam"]) == 8.0
    assert entry.memory(entry.catalogue("optimizer")["sgd"]) == 0.0


def test_metrics_are_listed_by_task(run):
    listed = json.loads(run("metrics", "--json").stdout)
    assert {"name": "rmse", "title": "RMSE", "task": "regression", "better": "lower"} in listed
    assert {row["task"] for row in listed} == {"regression", "binary", "multiclass"}


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_entry_is_explained(run, kind, name):
    told = entry.describe(kind, entry.catalogue(kind)[name])
    done = run("explain", name)
    assert done.exit_code == 0, done.stderr
    assert told.title in done.stdout and told.words in done.stdout
    assert told.use in done.stdout and told.avoid in done.stdout and told.file in done.stdout and told.source in done.stdout
    for row in told.settings:
        assert f"{row.name} = {row.default}" in done.stdout and row.doc in done.stdout
    for who, how in told.differs.items():
        assert f"{who}: {how}" in done.stdout
    assert done.stdout.rstrip().splitlines()[-1].startswith("Try: downslope compare demo:")
    assert "●" in done.stdout


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_equation_can_be_read_on_a_terminal(kind, name):
    equation = entry.catalogue(kind)[name].about.equation
    assert set(re.findall(r"\\([A-Za-z]+)", equation)) <= formula.KNOWN
    assert not set(formula.readable(equation)) & set("\\{}&$")


def test_a_short_name_is_explained_too(run):
    assert "The loss `squared_error`" in run("explain", "mse").stdout


def test_a_name_in_two_catalogues_is_explained_twice(run):
    out = run("explain", "linear").stdout
    assert "The schedule `linear`" in out and "The model `linear`" in out


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{a}{b + c}", "a / (b + c)"),
        (r"\sqrt{v} + \epsilon", "√v + ε"),
        (r"x^{2} + x^{abc}", "x² + x^(abc)"),
        (r"\theta_{t-1} - \alpha \, g_t", "θₜ₋₁ - α gₜ"),
        (r"\begin{cases} 1 & x > 0 \\ 0 & x \le 0 \end{cases}", "  1   x > 0\n  0   x ≤ 0"),
        (r"\operatorname{sign}(x)\quad \text{if it is}", "sign(x)\nif it is"),
        (r"\max\left(0, 1 - s\right)", "max(0, 1 - s)"),
        (r"a^", "a^"),
        (r"\log \frac{a}{b}", "log (a / b)"),
        (r"\frac{a}{2} \sum_i b", "(a / 2) Σᵢ b"),
        (r"\frac{a}{2}, \quad \tfrac{1}{d}\big)", "a / 2,\n1 / d)"),
        (r"\lVert g \rVert + ( a )", "‖g‖ + (a)"),
        (r"\operatorname{rms}\theta + \operatorname{rms}(U)", "rms θ + rms(U)"),
        (r"\overline{G^2} + g^\top", "mean(G²) + gᵀ"),
    ],
)
def test_formulas(latex, text):
    assert formula.readable(latex) == text


def test_a_plot_leaves_out_what_is_not_finite():
    import numpy as np

    picture = plot.draw("x", np.array([0.0, 1.0, 2.0]), {"y": np.array([0.0, np.nan, 1.0])}, width=40)
    assert 2 <= picture.count("●") < 40
    assert plot.draw("x", np.array([0.0, 1.0]), {"y": np.array([np.inf, np.nan])}) == "(nothing finite to draw)"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_plot_fits(width):
    import numpy as np

    lines = plot.draw("x", np.arange(5.0), {"a": np.arange(5.0), "b": -np.arange(5.0)}, width=width).splitlines()
    assert max(map(len, lines)) <= width


def test_every_character_has_a_spelling():
    for point in (0xE9, 0x3B2, 0x2212, 0x1F600, 0x4E00, 0x302, 0xDC80, 0x2028):
        assert spell(chr(point)).isascii()


def test_clean_keeps_words_and_drops_what_steers():
    assert clean("a\x00b\x9bc\u2066d\ud800e\tf") == "abcde f"
    assert clean("é 語 ×\n", newlines=True) == "é 語 ×\n"
