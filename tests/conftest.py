"""Arithmetic stricter than a user's, shapes checked, randomness fixed, compilations counted."""

import os
import sys
from pathlib import Path

import jax
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

HERE = Path(__file__).parent

# Compiled programs and font lists are kept in the checkout, not in the home of whoever runs the tests.
os.environ["XDG_CACHE_HOME"] = str(HERE.parent / ".cache")

# Before anything uses JAX: a run's bits need at least two devices, and no shape may be stretched silently.
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")

# Shapes written in annotations are checked in these packages while testing, and only then.
SHAPES = ["downslope.losses", "downslope.optimizers"]
install_import_hook(SHAPES, "beartype.beartype")

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=30)
settings.load_profile("repeatable")

MOST_COMPILATIONS = 250  # half a second or more each: the suite's time is mostly theirs
counted = pytest.StashKey[int]()


def compiled() -> int:
    """Engine programs that took XLA its time in this process; none if no test came near the engine."""
    program = sys.modules.get("downslope.training.program")
    return sum(not line.endswith(program.BY_KERNEL) for line in program.COMPILED) if program else 0


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Programs and data that tests use are no tests: nothing is collected from them, not even doctests."""
    return (
        True
        if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") and HERE in collection_path.parents
        else None
    )


def pytest_configure(config: pytest.Config) -> None:
    """Starts the count that the workers add to."""
    config.stash[counted] = 0


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """A worker has ended: add what it compiled."""
    node.config.stash[counted] += getattr(node, "workeroutput", {}).get("compiled", 0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker reports its compilations, the main process adds them up and refuses too many."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["compiled"] = compiled()
        return
    config.stash[counted] += compiled()
    if config.stash[counted] > MOST_COMPILATIONS:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, exitstatus, config: pytest.Config) -> None:
    """Says how many programs were compiled."""
    total = config.stash[counted]
    verdict = "too many" if total > MOST_COMPILATIONS else "allowed"
    terminalreporter.write_line(f"engine programs compiled: {total} ({verdict}; the limit is {MOST_COMPILATIONS})")


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the checkout."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def real_tables(root: Path) -> Path:
    """The folder of real tables beside the checkout; tests that need it skip where there is none."""
    folder = root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real tables are not on this machine")
    return folder


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder as the present one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
