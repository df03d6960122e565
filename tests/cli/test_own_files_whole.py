"""A loss, an optimizer and a model of the user's own on the command line, from the first word to a prediction."""

import json
import subprocess
import sys
import textwrap

import pytest
from click.testing import CliRunner

from downslope import load
from downslope.cli.main import cli
from downslope.core.errors import BadData
from tests.comparison import small

LOSS = '''
"""Softened absolute error."""

import jax.numpy as jnp


def loss(raw, target, delta=1.0):
    """For targets with a few wild values."""
    return jnp.sqrt((raw - target) ** 2 + delta**2) - delta
'''
OPTIMIZER = """
import optax


def optimizer(learning_rate, momentum=0.9):
    return optax.sgd(learning_rate, momentum)
"""
MODEL = '''
"""A straight line with a bend."""

import numpy as np


def init(key, features, outputs, width=3):
    import jax
    import jax.numpy as jnp

    return {"bend": jax.random.normal(key, (features, width)), "line": (jnp.zeros((width + features, outputs)), jnp.zeros(()))}


def apply(params, x, dropout=0.1, key=None):
    import jax
    import jax.numpy as jnp

    bent = jnp.abs(x @ params["bend"])
    if key is not None:
        bent = jnp.where(jax.random.bernoulli(key, 1 - dropout, bent.shape), bent / (1 - dropout), 0)
    weight, offset = params["line"]
    return jnp.concatenate([bent, x], axis=1) @ weight + offset


def apply_numpy(params, x):
    weight, offset = params["line"]
    return np.concatenate([np.abs(x @ params["bend"]), x], axis=1) @ weight + offset
'''


def invoke(*arguments):
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a table and three files of the user's own, and the arguments of a comparison that uses them all."""
    folder = tmp_path_factory.mktemp("own")
    small.write(folder / "prices.csv", small.only(*small.PLAIN))
    for name, text in (("soft.py", LOSS), ("push.py", OPTIMIZER), ("bend.py", MODEL)):
        (folder / name).write_text(text.lstrip(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def line(place):
    """The command, from a folder elsewhere."""
    own = {"losses": f"{place}/soft.py(delta=2)", "optimizers": f"{place}/push.py(momentum=0.5)", "model": f"{place}/bend.py"}
    words = [
        "compare",
        place / "prices.csv",
        "--target",
        "price",
        "--epochs",
        3,
        "--draws",
        2,
        "--seeds",
        3,
        "--out",
        place / "run",
    ]
    return [*words, *(word for name, value in own.items() for word in (f"--{name}", value))]


@pytest.fixture(scope="module")
def data(place, line):
    """The result."""
    done = invoke(*line)
    assert done.exit_code == 0, done.stderr
    assert "soft.py(delta=2) × push.py(momentum=0.5)" in done.stdout and f"--model {place}/bend.py" in done.stdout.replace(
        "\n", ""
    )
    return small.strict(place / "run" / "result.json")


def test_the_result_and_the_report_say_whose_it_is(place, data):
    (entry,) = data["contenders"]
    assert (entry["id"], entry["loss"]) == ("soft.py(delta=2) × push.py(momentum=0.5)", "soft.py")
    assert (entry["optimizer"], data["model"]) == ("push.py", "bend.py")
    assert entry["settings"]["delta"] == 2 and entry["status"] == "ok" and entry["settings"]["momentum"] == 0.5
    assert entry["own"]["loss"] == {"code": repr(f"{place}/soft.py(delta=2)"), "path": f"{place}/soft.py"}
    rate = entry["settings"]["learning_rate"]
    assert entry["own"]["optimizer"]["code"] == repr(f"{place}/push.py(learning_rate={rate:.6g}, momentum=0.5)")
    assert data["own"]["model"]["path"] == f"{place}/bend.py"
    page = (place / "run" / "report.html").read_text(encoding="utf-8")
    assert "soft.py(delta=2)" in page and "push.py" in page and "no translation for other frameworks" in page


def test_the_code_to_paste_runs(place, data):
    code = data["recommendation"]["code"]
    assert code["pytorch"] is None and code["scikit-learn"] is None
    text = code["downslope"].replace(repr("prices.csv"), repr(str(place / "prices.csv")))
    table = {name: values[:4] for name, values in small.only(*small.PLAIN).items() if name != "price"}
    known = {"rows": table}
    text = text.replace("seed=0,", "seed=0, seeds=2,")
    run = compile(text, "pasted", "exec")
    exec(run, known)
    assert len(known["predictions"]) == 4


def test_the_same_again_trains_nothing_and_a_changed_file_is_another_run(place, line, data):
    from downslope.training import program

    compiled = len(program.COMPILED)
    assert json.loads(invoke(*line, "--json", "--quiet").stdout)["identity"] == data["identity"]
    assert len(program.COMPILED) == compiled
    for name in ("soft.py", "push.py", "bend.py"):
        before = (place / name).read_text()
        (place / name).write_text(before + "\n# changed\n")
        done = invoke(*line)
        (place / name).write_text(before)
        assert done.exit_code == 2 and f"({name}" in done.stderr
        assert "changed since); --fresh starts anew" in done.stderr


def test_a_mistake_is_one_line_and_leaves_nothing(place, line):
    (place / "wrong.py").write_text("def loss(raw, target):\n    return raw.mean()\n")
    done = invoke(*line, "--losses", "./no.py", "--out", place / "none")
    assert done.exit_code == 2 and "no.py: No such file or directory" in done.stderr
    done = invoke(*line[:10], "--losses", place / "wrong.py", "--optimizers", "sgd", "--out", place / "none")
    assert done.exit_code == 2 and "wrong.py, line 1: expected one loss for each example" in done.stderr.splitlines()[-1]
    assert not (place / "none").exists()


def test_explain(place):
    for name, words in (
        ("soft.py", "For targets with a few wild values."),
        ("push.py", "momentum = 0.9"),
        ("bend.py", "width = 3"),
    ):
        done = invoke("explain", place / name)
        assert done.exit_code == 0 and words in done.stdout and f"{place}/{name}" in done.stdout.splitlines()[-1]


# Predictions


def test_predicting_needs_the_file_and_no_jax(place, data, tmp_path):
    """NumPy alone, as the file offers `apply_numpy`; the same numbers as the model in Python, which uses the file too."""
    new = small.write(tmp_path / "new.csv", small.only("size", "age", "noise", "colour", rows=9, seed=3))
    out = tmp_path / "out.csv"
    program = f"""
        import sys
        from downslope.cli.main import cli
        try:
            cli(["predict", {str(place / "run")!r}, {str(new)!r}, "--model", {str(place / "bend.py")!r}, "--out", {str(out)!r}])
        except SystemExit as end:
            assert end.code == 0, end.code
        assert "jax" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    predicted = [float(line) for line in out.read_text().splitlines()[1:]]
    model = load(place / "run", model=place / "bend.py")
    assert predicted == pytest.approx(model.predict(str(new)).tolist(), rel=1e-6) and len(set(predicted)) > 3
    assert len(model.members) == 3 and "has changed" not in done.stderr


def test_without_the_file_one_line_says_what_is_needed(place, data, tmp_path):
    new = small.write(tmp_path / "new.csv", small.only("size", "age", "noise", "colour", rows=2))
    done = invoke("predict", place / "run", new)
    assert done.exit_code == 2 and "is your own, bend.py, and a saved model never runs anything by itself" in done.stderr
    assert "--model bend.py" in done.stderr
    with pytest.raises(BadData, match="your own"):
        load(place / "run")


def test_a_changed_file_is_announced(place, data, tmp_path):
    new = small.write(tmp_path / "new.csv", small.only("size", "age", "noise", "colour", rows=2))
    (tmp_path / "bend.py").write_text((place / "bend.py").read_text() + "\n# changed\n")
    done = invoke("predict", place / "run", new, "--model", tmp_path / "bend.py")
    assert done.exit_code == 0 and "bend.py is not the file that the model in" in done.stderr
    with pytest.warns(UserWarning, match="not the file"):
        load(place / "run", model=tmp_path / "bend.py")


def test_a_file_that_does_not_fit_is_one_line(place, data, tmp_path):
    new = small.write(tmp_path / "new.csv", small.only("size", "age", "noise", "colour", rows=2))
    other = tmp_path / "other.py"
    other.write_text("def apply(params, x):\n    return x[:, 0]\n")
    done = invoke("predict", place / "run", new, "--model", other)
    assert done.exit_code == 2 and "gives scores of the shape (2,), and the saved model (2, 1)" in done.stderr
    other.write_text("def apply(params, x):\n    return params.nothing\n")
    done = invoke("predict", place / "run", new, "--model", other)
    assert done.exit_code == 2 and "other.py, line 2: AttributeError" in done.stderr
