"""The promise: a new loss or optimizer is one new file, and everything else finds it."""

import json
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
from downslope.losses.base import Loss, rising_to_zero


class Quartic(Loss):
    """The fourth power of the error.

    Use it for targets without outliers, where large errors must not happen.
    Not with outliers: it has eyes for nothing else.

    >>> Quartic()(jnp.array([2.0]), jnp.array([0.0]))
    Array([16.], dtype=float32)
    """

    about = AboutLoss(
        title="Quartic error",
        equation=r"\\ell(e) = a e^4",
        source=Paper("Nobody", 2000, "A Title", "https://example.org"),
        task=Task.REGRESSION,
        aims_at="the middle of the range, nearly",
        ulp=5,
        differs={"scikit-learn": "Lets nobody choose it."},
        aliases=("l4",),
    )

    factor: Number = hyper(default=1.0, above=0.0, doc="By how much everything counts.")

    def __call__(self, raw: Float[Array, " batch"], target: Float[Array, " batch"]) -> Float[Array, " batch"]:
        square = (raw - target) ** 2
        return self.factor * square * square

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        del classes
        return rising_to_zero(lambda score: np.average((score - target) ** 3, weights=weight), np.min(target), np.max(target))
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
    """A step of one length for every parameter.

    Use it where only the direction of a gradient can be trusted.
    Not where small gradients mean that the end is near: it steps on.

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
        gradient = tree.widen(gradient)
        return tree.typed_as(gradient, tree.map(lambda g: -self.learning_rate * jnp.sign(g), gradient)), state
'''


@pytest.fixture(scope="module")
def copy(tmp_path_factory, root):
    """A copy of the checkout with two more files; nothing else is changed."""
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
        for listing in (show.losses, show.optimizers):
            listing.main(["--json"], standalone_mode=False)
        explain.explain.main(["quartic"], standalone_mode=False)
        explain.explain.main(["sign-descent"], standalone_mode=False)
    """ % str(copy)  # noqa: UP031 - braces would have to be doubled
    printed = python(copy, "-c", textwrap.dedent(program))
    assert '"name": "quartic"' in printed and '"name": "sign_descent"' in printed
    assert "mild on small errors" in printed and "every parameter moves by the same amount" in printed
    assert "ℓ(e) = a e⁴" in printed and "factor = 1; above 0" in printed


def test_the_stub_and_the_reference_pages_name_it(copy):
    python(copy, "docs/generate.py")
    assert "from downslope.losses.quartic import Quartic as Quartic" in (copy / "downslope/losses/__init__.pyi").read_text()
    page = (copy / "docs/reference/losses/quartic.md").read_text()
    assert "# Quartic error" in page and "`factor`" in page and "*unverified*" in page
    assert "sign_descent" in (copy / "docs/reference/optimizers.md").read_text()
    assert (copy / "docs/reference/optimizers/sign_descent.md").exists()


def test_the_suites_pass_for_it(copy):
    """Every test of the contract that bears the name of one of the two, and their examples; what they promise is what they do."""
    places = ("tests/contract", "downslope/losses/quartic.py", "downslope/optimizers/sign_descent.py")
    names = ("-k", "quartic or sign_descent or Quartic or SignDescent")
    report = python(copy, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *places, *names)
    for name in ("quartic", "sign_descent"):
        passed = [line for line in report.splitlines() if line.startswith("PASSED tests/contract/") and name in line]
        assert len(passed) >= 15, passed
        assert any(line.startswith("PASSED downslope/") and f"{name}.py" in line for line in report.splitlines())
    assert "SKIPPED" not in report


def test_a_comparison_takes_it(copy):
    line = "compare demo:diabetes --losses mse,l4 --optimizers adam,sign_descent --epochs 2 --draws 2 --seeds 2 --json --quiet"
    result = json.loads(python(copy, "-m", "downslope", *line.split()))
    assert {entry["id"] for entry in result["contenders"]} == {
        f"{loss} × {optimizer}" for loss in ("squared_error", "quartic") for optimizer in ("adam", "sign_descent")
    }
    assert all(entry["status"] == "ok" and entry["own"] == {} for entry in result["contenders"])
    assert "Nobody (2000)" in (copy / "diabetes-downslope" / "report.html").read_text(encoding="utf-8")


def test_two_classes_in_one_file_are_refused(tmp_path, root):
    place = tmp_path / "checkout"
    shutil.copytree(root / "downslope", place / "downslope", ignore=shutil.ignore_patterns("__pycache__"))
    twice = LOSS.lstrip() + "\n\nclass Another(Quartic):\n    pass\n"
    (place / "downslope/losses/quartic.py").write_text(twice)
    done = subprocess.run([sys.executable, "-m", "downslope", "explain", "quartic"], cwd=place, capture_output=True, text=True)
    assert done.returncode == 2
    assert "quartic.py must hold exactly one finished Loss, it holds 2" in done.stderr
