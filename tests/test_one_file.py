"""The promise: a new loss or optimizer is one new file, and everything else finds it."""

import os
import shutil
import subprocess
import sys
import textwrap

import pytest

LOSS = '''
"""Quartic: mild on small errors, merciless on large ones."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from downslope.core.about import AboutLoss, Paper, Task
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.losses.base import Loss


class Quartic(Loss):
    """For targets without outliers.

    >>> Quartic()(jnp.array([2.0]), jnp.array([0.0]))
    Array([16.], dtype=float32)
    """

    about = AboutLoss(
        title="Quartic error",
        equation=r"\\ell(e) = a e^4",
        source=Paper("Nobody", 2000, "A Title", "https://example.org"),
        task=Task.REGRESSION,
        aliases=("l4",),
    )

    factor: Number = hyper(default=1.0, above=0.0, doc="By how much everything counts.")

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        return self.factor * (raw - target) ** 4

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del weight, classes
        return np.array([np.mean(target)])
'''

OPTIMIZER = '''
"""Sign descent: every parameter moves by the same amount."""

import jax.numpy as jnp

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer


class SignDescent(Optimizer):
    """Where only the direction of a gradient can be trusted.

    >>> SignDescent(learning_rate=0.5).update(jnp.array([3.0]), ())[0]
    Array([-0.5], dtype=float32)
    """

    about = AboutOptimizer(
        title="Sign descent",
        equation=r"\\Delta_t = -\\alpha \\operatorname{sign}(g_t)",
        source=Paper("Nobody", 2000, "A Title", "https://example.org"),
    )

    learning_rate: Number = hyper(default=1e-2, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")

    def init(self, params: Params) -> tuple[()]:
        return ()

    def update(
        self, gradient: Params, state: tuple[()], params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, tuple[()]]:
        del params, here
        return tree.map(lambda g: -self.learning_rate * jnp.sign(g), gradient), state
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory, root):
    """A copy of the checkout with two more files and nothing else changed."""
    place = tmp_path_factory.mktemp("checkout")
    for folder in ("downslope", "docs", "tests"):
        shutil.copytree(root / folder, place / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", place)
    (place / "downslope/losses/quartic.py").write_text(LOSS.lstrip())
    (place / "downslope/optimizers/sign_descent.py").write_text(OPTIMIZER.lstrip())
    return place


def python(place, *arguments: str) -> str:
    """What a Python started in the copy prints; the copy comes first on its path."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=place, env=os.environ | {"PYTHONPATH": str(place)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_names_are_found_parsed_and_explained(copy):
    program = """
        import downslope
        from downslope.cli import entry, explain, show
        from downslope.core.catalogue import spell
        assert downslope.__file__.startswith(%r), downslope.__file__
        from downslope import losses, optimizers
        assert spell(losses.catalogue.parse("l4(factor=2)")) == "quartic(factor=2)"
        assert losses.Quartic(factor=2.0) == losses.catalogue.parse("quartic(2)")
        assert optimizers.SignDescent().learning_rate == 0.01
        show.losses.main([], standalone_mode=False)
        show.optimizers.main([], standalone_mode=False)
        explain.explain.main(["quartic"], standalone_mode=False)
        explain.explain.main(["sign-descent"], standalone_mode=False)
    """ % str(copy)  # noqa: UP031 - braces would have to be doubled
    printed = python(copy, "-c", textwrap.dedent(program))
    assert "mild on small errors" in printed and "every parameter moves by the same amount" in printed
    assert "ℓ(e) = a e⁴" in printed and "factor = 1; above 0" in printed


def test_the_stub_and_the_reference_pages_name_it(copy):
    python(copy, "docs/generate.py")
    assert "from downslope.losses.quartic import Quartic as Quartic" in (copy / "downslope/losses/__init__.pyi").read_text()
    page = (copy / "docs/reference/losses/quartic.md").read_text()
    assert "# Quartic error" in page and "`factor`" in page and "*unverified*" in page
    assert "sign_descent" in (copy / "docs/reference/optimizers.md").read_text()
    assert (copy / "docs/reference/optimizers/sign_descent.md").exists()


def test_the_suites_collect_it(copy):
    collected = python(
        copy,
        "-m",
        "pytest",
        "--collect-only",
        "-p",
        "no:cacheprovider",
        "tests/contract",
        "downslope/losses",
        "downslope/optimizers",
    )
    contract = [line for line in collected.splitlines() if line.startswith("tests/contract/")]
    assert any("quartic" in line for line in contract)
    assert any("sign_descent" in line for line in contract)
    assert "downslope/losses/quartic.py::" in collected
    assert "downslope/optimizers/sign_descent.py::" in collected


def test_two_classes_in_one_file_are_refused(tmp_path, root):
    place = tmp_path / "checkout"
    shutil.copytree(root / "downslope", place / "downslope", ignore=shutil.ignore_patterns("__pycache__"))
    twice = LOSS.lstrip() + "\n\nclass Another(Quartic):\n    pass\n"
    (place / "downslope/losses/quartic.py").write_text(twice)
    done = subprocess.run([sys.executable, "-m", "downslope", "explain", "quartic"], cwd=place, capture_output=True, text=True)
    assert done.returncode == 2
    assert "quartic.py must hold exactly one finished Loss, it holds 2" in done.stderr
