"""`compare` and `train`: what is handed on, what is printed where, and how it ends."""

import inspect
import json
import math
import re
import shlex

import pytest

from downslope.cli import signals

HOSTILE = "[red]x[/red] \x1b[31m :smile: \u202egpj.exe\r\n<b>"


def test_all_options_reach_the_work(run, work):
    line = (
        "compare sales.csv --target price --task regression --metric mae --losses huber,mse --losses mae --optimizers sgd@32 "
        "--model linear --epochs 3 --draws 5 --seeds 4 --seed 7 --out folder --fresh --test last.csv --split time:day --weight w "
        "--drop id --drop 'a,b' --keep number --positive yes --penalty l2 --schedule cosine --single --margin 0.02 "
        "--clip-norm 0.5 --average 'uniform(start=0.5)' --class-weight balanced --label-smoothing 0.1 "
        "--no-standardize --thorough --time '5 min'"
    )
    with open("/dev/null") as table:
        done = run(*shlex.split(line.replace("sales.csv", table.name)))
    assert done.exit_code == 0, done.stderr
    assert work.calls == [
        {
            "source": "/dev/null",
            "target": "price",
            "task": "regression",
            "metric": "mae",
            "losses": "huber,mse, mae",
            "optimizers": "sgd@32",
            "model": "linear",
            "epochs": 3,
            "draws": 5,
            "seeds": 4,
            "seed": 7,
            "out": "folder",
            "fresh": True,
            "test": "last.csv",
            "split": "time:day",
            "weight": "w",
            "drop": ("id", "a,b"),
            "keep": ("number",),
            "positive": "yes",
            "penalty": "l2",
            "schedule": "cosine",
            "clip_norm": 0.5,
            "average": "uniform(start=0.5)",
            "class_weight": "balanced",
            "label_smoothing": 0.1,
            "standardize": False,
            "thorough": True,
            "time_budget": "5 min",
            "single": True,
            "margin": 0.02,
            "reasons": True,
        }
    ]


def test_train_hands_on_one_loss_and_one_optimizer(run, work):
    done = run("train", "demo:diabetes", "--loss", "huber(delta=0.5)", "--optimizer", "adam(learning_rate=0.01)")
    assert done.exit_code == 0
    (call,) = work.calls
    assert (call["loss"], call["optimizer"]) == ("huber(delta=0.5)", "adam(learning_rate=0.01)")


def test_the_options_are_those_of_the_function(run, request):
    from downslope.comparison.compare import compare

    wanted = set(inspect.signature(compare).parameters) - {"watcher", "worker"}
    work = request.getfixturevalue("work")
    run("compare", "demo:diabetes", "--margin", "0.1")
    run("train", "demo:diabetes", "--margin", "0.1", "--loss", "huber", "--optimizer", "adam")
    compared, trained = (set(call) for call in work.calls)
    assert compared == wanted
    assert trained == wanted - {"losses", "optimizers", "reasons"} | {"loss", "optimizer"}


def test_the_margin_is_left_to_the_comparison_unless_given(run, work):
    run("compare", "demo:diabetes")
    assert "margin" not in work.calls[0] and work.calls[0]["out"] == "diabetes-downslope"


def test_results_on_stdout_and_progress_on_stderr(run, work):
    done = run("compare", "demo:diabetes")
    assert done.exit_code == 0
    for words in (
        "huber × adam",
        "49,000 (48,100 to 49,900)",
        "Use Adam, rate 0.01",
        "always the same guess",
        "117,000",
    ):
        assert words in done.stdout and words not in done.stderr
    for words in ("sales: 1,200 rows, 12 columns", "3 contenders, 72 runs", "every value differs", "20 without a target"):
        assert words in done.stderr and words not in done.stdout
    assert "never" not in done.stderr


def test_the_answer_comes_in_order(run, work):
    out = run("compare", "demo:diabetes").stdout
    places = [out.index(words) for words in ("RMSE, lower is better", "huber × adam", "huber × sgd", "diverged: left", "always")]
    places += [out.index(words) for words in ("Use Adam", "Report: sales-downslope/report.html", "Model:  sales-downslope/model")]
    assert places == sorted(places)
    assert out.rstrip().splitlines()[-1] == "Next:   downslope predict sales-downslope/model new.csv --out predictions.csv"


def test_ties_and_warnings_are_said(run, work):
    work.data["contenders"][0]["tied_with_best"] = True
    work.data["warnings"] = ["a random split flatters tables with dates"]
    out = run("compare", "demo:diabetes").stdout
    assert "no difference found between these 2" in out
    assert re.search(r"^ 1 → +huber × adam", out, re.MULTILINE) and re.search(r"^ 2 • +huber × sgd", out, re.MULTILINE)
    assert "Warning: a random split flatters tables with dates" in out


def test_json_is_strict_and_alone_on_stdout(run, work):
    done = run("compare", "demo:diabetes", "--json")
    assert json.loads(done.stdout, parse_constant=lambda token: pytest.fail(token)) == work.data
    assert done.stdout.isascii()


def test_json_refuses_what_is_no_number(run, work):
    work.data["contenders"][0]["score"]["mean"] = math.nan
    done = run("compare", "demo:diabetes", "--json")
    assert done.exit_code == 70 and done.stdout == ""


def test_quiet_says_nothing_on_stderr(run, work):
    done = run("compare", "demo:diabetes", "--quiet")
    assert done.stderr == "" and "Use Adam" in done.stdout


def test_if_nothing_finished_the_code_is_1_and_no_model_is_named(run, work):
    for contender in work.data["contenders"]:
        contender |= {"status": "diverged", "score": None, "rank": None, "tied_with_best": False}
    work.data["recommendation"] = {"id": None, "text": "Every run diverged.", "reasons": []}
    done = run("compare", "demo:diabetes")
    assert done.exit_code == 1
    assert "Every run diverged." in done.stdout and "Model:" not in done.stdout


@pytest.mark.parametrize(
    ("stop", "code", "word"), [(KeyboardInterrupt(), 130, "Interrupted"), (signals.Terminated(), 143, "Stopped")]
)
def test_when_interrupted_the_last_line_is_the_command_that_continues(run, work, stop, code, word):
    work.error = stop
    done = run("compare", "demo:diabetes", "--losses", "huber(delta=2)", "--fresh")
    assert (done.exit_code, done.stdout) == (code, "")
    said, command = done.stderr.splitlines()[-2:]
    assert said.startswith(word)
    assert shlex.split(command) == ["downslope", "compare", "demo:diabetes", "--losses", "huber(delta=2)"]


def test_data_can_neither_steer_nor_colour_the_terminal(run, work, data, dataset):
    data["contenders"][0] |= {"id": HOSTILE, "reason": HOSTILE}
    data["contenders"][2] |= {"reason": HOSTILE}
    data["recommendation"]["text"] = HOSTILE
    data["warnings"] = [HOSTILE]
    data["metric"]["title"] = HOSTILE
    dataset.name = dataset.target = dataset.columns[1].name = dataset.columns[-1].reason = HOSTILE
    dataset.notes = dataset.classes = (HOSTILE,)
    work.steps = [(1, 2, 1.0, HOSTILE)]
    done = run("compare", "demo:diabetes", COLUMNS="200")
    assert done.exit_code == 0, done.exception
    for text in (done.stdout, done.stderr):
        assert "[red]x[/red]" in text and ":smile:" in text
        assert not any(character in text for character in "\x1b\r\u202e")


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_it_fits_the_width(run, work, columns):
    out = run("compare", "demo:diabetes", COLUMNS=columns).stdout
    table = out.split("\n\n")[0]
    assert max(len(line) for line in table.splitlines()) <= int(columns)
    assert "adam" in table


def test_a_stream_that_knows_only_ascii_gets_ascii(work, monkeypatch):
    import io
    import sys

    from downslope.cli.main import cli

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with pytest.raises(SystemExit) as end:
        cli(["compare", "demo:diabetes"])
    assert end.value.code == 0
    text = raw.getvalue().decode("ascii")
    assert "huber x adam" in text and "49,000 (48,100 to 49,900)" in text


def test_confirmed_reasons_are_said_and_no_others(run, work):
    reason = {"title": "outliers", "why_not": "", "verdict": "confirmed", "sentence": "SGD is behind because of outliers."}
    others = [{"verdict": "refuted", "sentence": "Overfitting is none."}, {"verdict": "not tested", "sentence": ""}]
    work.data["reasons"] = [reason, *({"title": "more", "why_not": "too few runs"} | other for other in others)]
    out = run("compare", "demo:diabetes").stdout
    assert "Why: SGD is behind because of outliers." in out
    assert "Overfitting" not in out and "too few runs" not in out


@pytest.mark.parametrize(("option", "wanted"), [([], True), (["--no-reasons"], False)])
def test_reasons_are_looked_for_unless_told_otherwise(run, work, option, wanted):
    run("compare", "demo:diabetes", *option)
    assert work.calls[-1]["reasons"] is wanted
