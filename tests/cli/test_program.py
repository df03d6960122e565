"""The program as a whole: its help, its errors, its exit codes, and what it does not import."""

import errno
import json
import os
import subprocess
import sys

import click
import pytest

from downslope import __version__
from downslope.cli.main import COMMANDS, cli
from downslope.core.errors import BadData, Diverged

HEAVY = ("jax", "numpy", "polars", "sklearn", "matplotlib", "rich", "scipy")


def python(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=os.environ | environment)


def after(code: str) -> set[str]:
    """The heavy modules loaded after some code."""
    report = f"import sys, json\n{code}\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]), file=sys.stderr)"
    done = python("-c", report)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def ending(arguments: str, code: int) -> str:
    """A program that runs a command line and goes on if that ends with the code expected."""
    run = f"try:\n    cli({arguments})\nexcept SystemExit as end:\n    assert end.code == {code}"
    return f"from downslope.cli.main import cli\n{run}"


def test_importing_the_package_loads_nothing_heavy():
    assert after("import downslope") == set()


def test_help_loads_nothing_heavy():
    assert after(ending("['--help']", code=0)) == set()


def test_a_missing_file_is_refused_before_anything_heavy_is_loaded():
    assert after(ending("['compare', 'no.csv', '--losses', 'huber']", code=2)) == set()


def test_the_module_runs_as_a_program():
    done = python("-m", "downslope", "--version")
    assert (done.returncode, done.stdout) == (0, f"downslope {__version__}\n")


def test_without_arguments_the_help_is_shown(run):
    assert run().stdout == run("--help").stdout
    assert run().exit_code == 0


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_ends_with_a_command_to_paste(run, name):
    page = run(name, "--help")
    assert page.exit_code == 0
    *_, title, example = page.stdout.rstrip().splitlines()
    assert title.strip() == "Example:"
    assert example.strip().startswith(f"downslope {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name):
    command = cli.get_command(click.Context(cli), name)
    assert command is not None and command.help
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["comare"], "did you mean 'compare'?"),
        (["compare"], "Missing argument 'SOURCE'"),
        (["compare", "no-such.csv", "--target", "x"], "no such file: no-such.csv"),
        (["compare", "demo:iris", "--epochs", "0"], "Invalid value for '--epochs'"),
        (["compare", "demo:iris", "--loss", "huber"], "No such option '--loss'"),
        (["compare", "demo:iris", "--losses", "hubber"], "unknown loss 'hubber'; did you mean 'huber'"),
        (["compare", "demo:iris", "--losses", "mse,huber(delta=-1)"], "huber: delta must be above 0, got -1"),
        (["compare", "demo:iris", "--optimizers", "adam(rate=1)"], "unknown setting of adam 'rate'"),
        (["compare", "demo:iris", "--optimizers", "sgd@none"], "batch"),
        (["compare", "demo:iris", "--model", "mlq"], "unknown model 'mlq'; did you mean 'mlp'?"),
        (["compare", "demo:iris", "--schedule", "cosin"], "did you mean 'cosine'"),
        (["compare", "demo:iris", "--penalty", "l2(strength=-1)"], "strength must be at least 0"),
        (["compare", "demo:iris", "--losses", "__import__('os')"], "unknown loss '__import__'"),
        (["train", "demo:iris", "--optimizer", "adam"], "Missing option '--loss'"),
        (["explain", "hubber"], "did you mean 'huber'"),
        (["predict", "nowhere", "also-nowhere.csv"], "no such file: also-nowhere.csv"),
    ],
)
def test_bad_input_gets_one_line_and_code_2(run, work, in_empty_folder, arguments, words):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("downslope: ") and words in line
    assert work.calls == [] and not list(in_empty_folder.iterdir())


def test_tables_nearby_are_named_when_a_file_is_missing(run, in_empty_folder):
    (in_empty_folder / "sales.csv").write_text("a,b\n1,2\n")
    assert "tables here: sales.csv" in run("compare", "sale.csv").stderr


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (BadData("sales.csv: line 3 has 5 cells,\nexpected 4"), 2, "sales.csv: line 3 has 5 cells, expected 4"),
        (Diverged("every run left the finite numbers"), 1, "every run left"),
        (OSError(errno.ENOSPC, "No space left on device", "out/ledger.sqlite"), 74, "the disk is full: out/ledger.sqlite"),
        (OSError(errno.EFBIG, "File too large"), 74, "the disk is full"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), 2, "Permission denied: out"),
        (MemoryError(), 1, "not enough memory"),
        (ZeroDivisionError("division by zero"), 70, "internal error, ZeroDivisionError: division by zero"),
    ],
)
def test_errors_while_working_get_one_line_and_their_code(run, work, error, code, words):
    work.error = error
    done = run("compare", "demo:iris", "--quiet")
    assert done.exit_code == code
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("downslope: ") and words in line


@pytest.mark.parametrize("where", [0, 2])
def test_debug_shows_where_an_error_comes_from(run, work, where):
    work.error = ZeroDivisionError("division by zero")
    arguments = ["compare", "demo:iris"]
    arguments.insert(where, "--debug")
    assert run(*arguments).exception is work.error


def test_a_reader_that_leaves_is_no_error():
    code = "from downslope.cli.main import cli\ncli(['losses', '--json'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    with process.stderr:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.wait() == 1
