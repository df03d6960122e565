"""Imports point one way, heavy libraries have one home each, and nothing in the source runs what it reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "downslope"
FILES = sorted(PACKAGE.rglob("*.py"))
PARTS = ("models", "data", "prediction", "penalties", "losses", "optimizers", "schedules")
ROW = {"core": 0} | dict.fromkeys(PARTS, 1) | {"training": 2, "comparison": 3, "estimators": 4, "cli": 4}
CATALOGUES = {"losses", "optimizers", "schedules", "penalties", "models"}
SIDEWAYS = {("prediction", "data")}  # a saved model carries its encoder
HOMES = {
    "sklearn": ("estimators/", "comparison/score.py", "comparison/controls.py"),
    "polars": ("data/",),
    "narwhals": ("data/",),
    "matplotlib": ("comparison/report/figures.py",),
    "jinja2": ("comparison/report/",),
    "click": ("cli/",),
    "rich": ("cli/",),
}
WITHOUT_JAX = ("data/", "prediction/", "core/about.py", "core/catalogue.py", "core/errors.py", "core/links.py", "__")
NEVER = {"pickle", "cPickle", "joblib", "dill", "cloudpickle", "marshal", "shelve", "skops"}
NEVER_CALLED = {"eval", "exec", "compile", "__import__"}


def imports(file: Path) -> Iterator[tuple[str, list[str], bool]]:
    """Module, names taken from it, and whether it happens as soon as the file is imported."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, [], id(node) not in inside
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            yield node.module or "", [alias.name for alias in node.names], id(node) not in inside


def where(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def package_of(file: Path) -> str:
    return where(file).split("/")[0] if "/" in where(file) else ""


def own_targets(module: str, names: list[str]) -> list[str]:
    """The modules of ours that an import reaches: `from downslope import losses` reaches `losses`."""
    if module == "downslope":
        return [f"downslope.{name}" for name in names if name in ROW]
    return [module] if module.startswith("downslope.") else []


def complaint(source: str, target: str, names: list[str]) -> str | None:
    """Why a file in package `source` may not import `names` from `target`; None if it may."""
    _, package, *rest = target.split(".")
    if package == source:
        if source in CATALOGUES and rest not in ([], ["base"]):
            return "entries of a catalogue know their contract, not each other"
        return None
    if (source, package) not in SIDEWAYS and ROW[package] >= ROW[source]:
        return "imports point down only"
    if package in CATALOGUES and rest not in ([], ["base"]):
        return "concrete entries are reached through the catalogue"
    if package in CATALOGUES and not rest and any(name[0].isupper() for name in names):
        return "concrete entries are reached through the catalogue"
    return None


@pytest.mark.parametrize("file", [f for f in FILES if package_of(f)], ids=where)
def test_imports_point_down(file):
    assert package_of(file) in ROW, "a new package needs a place in the layers"
    for module, names, _ in imports(file):
        for target in own_targets(module, names):
            why = complaint(package_of(file), target, names)
            assert why is None, f"{where(file)} imports {target}: {why}"


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("core", "downslope.losses", ["catalogue"]),
        ("losses", "downslope.optimizers.base", ["Here"]),
        ("losses", "downslope.losses.huber", ["Huber"]),
        ("training", "downslope.optimizers.adam", ["Adam"]),
        ("training", "downslope.optimizers", ["Adam"]),
        ("comparison", "downslope.cli.main", ["main"]),
        ("estimators", "downslope.cli.main", ["main"]),
        ("data", "downslope.prediction.predictor", ["load"]),
    ],
)
def test_the_rule_of_layers_can_fail(source, target, names):
    assert complaint(source, target, names)


@pytest.mark.parametrize(
    ("source", "target", "names"),
    [
        ("losses", "downslope.core.tree", []),
        ("training", "downslope.optimizers.base", ["Here"]),
        ("comparison", "downslope.losses", ["catalogue"]),
        ("prediction", "downslope.data.read", ["read"]),
        ("cli", "downslope.comparison.compare", ["compare"]),
    ],
)
def test_the_rule_of_layers_allows_what_it_should(source, target, names):
    assert complaint(source, target, names) is None


@pytest.mark.parametrize("file", FILES, ids=where)
def test_heavy_libraries_have_one_home(file):
    for module, _, _ in imports(file):
        library = module.split(".")[0]
        if library in HOMES:
            assert where(file).startswith(HOMES[library]), f"{where(file)} imports {library}"


@pytest.mark.parametrize("file", [f for f in FILES if where(f).startswith(WITHOUT_JAX)], ids=where)
def test_no_jax_where_none_is_needed(file):
    assert not [m for m, _, _ in imports(file) if m.split(".")[0] in {"jax", "jaxlib", "jaxtyping"}]


@pytest.mark.parametrize("file", FILES, ids=where)
def test_nothing_runs_what_it_reads(file):
    for module, _, _ in imports(file):
        assert module.split(".")[0] not in NEVER, f"{where(file)} imports {module}"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in NEVER_CALLED, f"{where(file)}:{node.lineno} calls {node.func.id}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert isinstance(node.value, ast.Constant) and node.value.value is False, f"{where(file)}:{node.value.lineno}"


@pytest.mark.parametrize("package", ["losses", "optimizers"])
def test_no_checker_is_silenced_in_the_catalogues(package):
    for file in (PACKAGE / package).glob("*.py"):
        assert not re.search(r"#\s*(type: ignore|noqa|pyright:)", file.read_text(encoding="utf-8")), file
