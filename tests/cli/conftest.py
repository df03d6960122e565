"""A stand-in for the work, so that the command line is tested alone and fast."""

import copy
import sys
from contextlib import nullcontext
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from downslope.cli.main import cli

SECOND = "a second process"
RESULT: dict[str, Any] = {
    "downslope": "0.1.0",
    "format": 1,
    "name": "sales",
    "task": "regression",
    "target": "price",
    "classes": None,
    "metric": {"name": "rmse", "title": "RMSE", "direction": "lower"},
    "rows": {"read": 1200, "used": 1180, "dropped": {"no target": 20}},
    "warnings": [],
    "contenders": [
        {
            "id": "huber × sgd",
            "loss": "huber",
            "optimizer": "sgd",
            "settings": {"delta": 1.0, "learning_rate": 0.0316},
            "status": "ok",
            "reason": "",
            "score": {"mean": 52111.0, "low": 51000.0, "high": 53000.0},
            "tied_with_best": False,
            "rank": 2,
        },
        {
            "id": "huber × adam",
            "loss": "huber",
            "optimizer": "adam",
            "settings": {"delta": 1.0, "learning_rate": 0.01},
            "status": "ok",
            "reason": "",
            "score": {"mean": 49012.0, "low": 48110.0, "high": 49900.0},
            "tied_with_best": True,
            "rank": 1,
        },
        {
            "id": "huber × gradient_descent",
            "loss": "huber",
            "optimizer": "gradient_descent",
            "settings": {},
            "status": "diverged",
            "reason": "left the finite numbers at every rate",
            "score": None,
            "tied_with_best": False,
            "rank": None,
        },
    ],
    "recommendation": {"id": "huber × adam", "text": "Use Adam, rate 0.01, Huber: RMSE 49 000.", "reasons": []},
    "controls": {"constant": {"score": {"mean": 117000.0, "low": 115000.0, "high": 119000.0}}, "twin": {"of": "huber × adam"}},
}


@pytest.fixture
def data() -> dict[str, Any]:
    """A small finished result, free to be changed."""
    return copy.deepcopy(RESULT)


@pytest.fixture
def dataset() -> SimpleNamespace:
    """What a described table says of itself."""
    column = SimpleNamespace
    return SimpleNamespace(
        name="sales",
        target="price",
        task="regression",
        classes=None,
        columns=(
            column(name="price", kind="number", used=False, reason="target", missing=0, distinct=900),
            *(column(name=f"size {i}", kind="number", used=True, reason="", missing=0, distinct=90) for i in range(9)),
            column(name="town", kind="category", used=True, reason="", missing=3, distinct=7),
            column(name="id", kind="identifier", used=False, reason="every value differs", missing=0, distinct=1200),
        ),
        rows_read=1200,
        rows_used=1180,
        dropped={"without a target": 20, "never": 0},
        notes=("leading zeros: zip is a category",),
        warnings=("day looks like a date",),
    )


class Work:
    """Takes the place of `compare` and `train`: remembers its arguments, tells the watcher, answers or raises."""

    def __init__(self, data: dict[str, Any], dataset: Any) -> None:
        self.data = data
        self.dataset = dataset
        self.error: BaseException | None = None
        self.calls: list[dict[str, Any]] = []
        self.steps = [(1, 30, 90.0, ""), (30, 30, 0.0, "huber × adam 49 012")]

    def __call__(self, source: str, *, watcher: Any, worker: Any, **options: Any) -> Any:
        assert worker == SECOND
        self.calls.append({"source": source, **options})
        watcher.found(self.dataset)
        watcher.planned(["3 contenders, 72 runs", "about 40 s, 300 MB"])
        for step in self.steps:
            watcher.advanced(*step)
        if self.error is not None:
            raise self.error
        result = SimpleNamespace(data=self.data, folder="sales-downslope")
        watcher.finished(result)
        return result


@pytest.fixture
def work(monkeypatch, data, dataset) -> Work:
    """The stand-in, in place."""
    stand_in = Work(data, dataset)
    for name in ("compare", "train"):
        module = ModuleType(f"downslope.comparison.{name}")
        setattr(module, name, stand_in)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("downslope.comparison.worker.beside", lambda source: nullcontext(SECOND))
    return stand_in


@pytest.fixture
def run():
    """Runs a command line in this process; `.stdout`, `.stderr` and `.exit_code` tell how it went."""

    def invoke(*arguments: str, **environment: str) -> Any:
        return CliRunner(env={"COLUMNS": "100"} | environment).invoke(cli, list(arguments))

    return invoke
