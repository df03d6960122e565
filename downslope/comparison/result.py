"""What a comparison gives back."""

import shutil
import tempfile
import weakref
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison.curves_file import read_runs
from downslope.comparison.needs import in_order
from downslope.core.errors import BadData, Diverged

MODEL = "model"


class Temporary:
    """A folder that goes when nobody holds it any more."""

    def __init__(self) -> None:
        self.name = tempfile.mkdtemp(prefix="downslope-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


@dataclass
class Result:
    """The answer with its evidence: plain data, and the trained model.

    `data` is the content of `result.json`. `folder` holds the files; without an `out` it is a temporary one that goes when
    the result goes, and `save` keeps a copy. `network` is the model where it is the user's own.
    """

    data: dict[str, Any]
    judged: dict[str, dict[str, np.ndarray]] = field(repr=False)
    folder: Path
    temporary: Temporary | None = field(default=None, repr=False)
    network: Any = field(default=None, repr=False)

    @property
    def table(self) -> list[dict[str, Any]]:
        """The ranking, best first, as plain dicts that any data frame takes."""
        entries = sorted(self.data["contenders"], key=lambda entry: (entry["rank"] is None, entry["rank"]))
        return [
            {
                "rank": entry["rank"],
                "loss": entry["loss"],
                "optimizer": entry["optimizer"],
                "learning_rate": entry["settings"].get("learning_rate"),
                "batch": entry["batch"],
                "status": entry["status"],
                self.data["metric"]["name"]: (entry["score"] or {}).get("mean"),
                "low": (entry["score"] or {}).get("low"),
                "high": (entry["score"] or {}).get("high"),
                "tied_with_best": entry["tied_with_best"],
            }
            for entry in entries
        ]

    @property
    def recommendation(self) -> dict[str, Any]:
        """Loss, optimizer and settings to use, with the reasons."""
        return self.data["recommendation"]

    @property
    def needs(self) -> list[dict[str, Any]]:
        """Who serves which need (best score, fewest updates, least memory …), as plain dicts; `text` says it in words."""
        return in_order(self.data)

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """Every run's curves, one row for each contender, setting, seed, epoch, split and metric."""
        return read_runs(self.folder)

    @cached_property
    def model(self) -> Any:
        """The trained model: `predict(table)`, `predict_proba(table)`. `Diverged` where there is none to give."""
        from downslope.prediction.predictor import load

        if not (self.folder / MODEL / "manifest.json").exists():
            raise Diverged("this comparison has no model: no contender finished with finite numbers")
        return load(self.folder / MODEL, self.network)

    def save(self, folder: str | Path) -> Path:
        """Copies report, result, runs, ledger and model to a folder, which may exist but must be empty."""
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise BadData(f"{target} is not an empty folder; choose another one")
        shutil.copytree(self.folder, target, dirs_exist_ok=True)
        return target

    def plot_ranking(self, ax: Any = None) -> Any:
        """Every contender's score with its interval, on matplotlib axes: the report's own picture, for a notebook."""
        return figures().plot_ranking(self.data, ax)

    def plot_heatmap(self, metric: str | None = None, ax: Any = None) -> Any:
        """Loss × optimizer, on any metric that was measured."""
        return figures().plot_heatmap(self.data, metric, ax)

    def plot_learning_rate(self, optimizer: str | None = None, ax: Any = None) -> Any:
        """Score against learning rate for one optimizer, a line for each loss."""
        return figures().plot_learning_rate(self.data, optimizer, ax)

    def plot_curves(self, contender: str | None = None, ax: Any = None, by: str = "examples") -> Any:
        """Training and validation loss of a contender (its `id`), the recommended one without; `by` "examples" or "seconds"."""
        return figures().plot_curves(self.data, self.runs, contender, ax, by)

    def plot_scores(self, ax: Any = None, by: str = "examples") -> Any:
        """The ranking metric while training: the recommended contender, the runner-up and the last."""
        return figures().plot_scores(self.data, self.runs, ax, by)

    def plot_tuning(self, ax: Any = None) -> Any:
        """The best score to expect after so many learning rates, a line for each optimizer."""
        return figures().plot_tuning(self.data, ax)

    def plot_overfitting(self, ax: Any = None) -> Any:
        """The recommended contender on training and judged rows without regularisation, with an L2 penalty, with dropout."""
        return judged_figures().plot_overfitting(self.data, ax)

    def plot_predictions(self, contender: str | None = None, ax: Any = None) -> Any:
        """Regression: predicted against true, on judged rows."""
        return judged_figures().plot_predictions(self.data, self.judged, contender, ax)

    def plot_residuals(self, contender: str | None = None, ax: Any = None) -> Any:
        """Regression: how often which error occurs, on judged rows."""
        return judged_figures().plot_residuals(self.data, self.judged, contender, ax)

    def plot_confusion(self, contender: str | None = None, ax: Any = None) -> Any:
        """Classification: truth against prediction, on judged rows."""
        return judged_figures().plot_confusion(self.data, self.judged, contender, ax)

    def plot_calibration(self, contender: str | None = None, ax: Any = None) -> Any:
        """Classification: how often what was said with so much probability came true, on judged rows."""
        return judged_figures().plot_calibration(self.data, self.judged, contender, ax)

    def __repr__(self) -> str:
        return f"<Result for {self.data['target']!r}: {self.data['recommendation']['text']}>"

    def _repr_html_(self) -> str:
        """The recommendation and the ranking, as a notebook shows them."""
        from downslope.comparison.report.render import snippet

        return snippet(self.data)


def figures() -> Any:
    """The plotting module, which brings matplotlib, when somebody wants a picture."""
    from downslope.comparison.report import figures as module

    return module


def judged_figures() -> Any:
    """The same for pictures of judged rows."""
    from downslope.comparison.report import judged_figures as module

    return module
