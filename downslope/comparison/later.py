"""What only the end of a comparison needs and what takes long to import: brought while the compiler works."""

from importlib import import_module
from threading import Lock
from typing import Any

MODELS = ("sklearn.ensemble", "sklearn.linear_model")
PAGE = "downslope.comparison.report.render"
SOBOL = "scipy.stats.qmc"
IMPORTING = Lock()


def bring(*modules: str) -> list[Any]:
    """The modules, imported by one thread at a time: two that import modules which import each other meet halves of them.

    >>> [module.__name__ for module in bring("json", "math")]
    ['json', 'math']
    """
    with IMPORTING:
        return [import_module(module) for module in modules]


def prepare(*modules: str) -> None:
    """The same for a process that will need them."""
    bring(*modules)


def page(result: dict[str, Any], runs: list[dict[str, Any]], judged: dict[str, Any]) -> str:
    """The report as one HTML text, see `report.render.page`."""
    (render,) = bring(PAGE)
    return render.page(result, runs, judged)
