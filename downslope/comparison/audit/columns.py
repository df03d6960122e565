"""What only the table itself can show: that what the ledger holds and what the folder says follow from its columns."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison import deliver, witness
from downslope.comparison.audit.compared import differences, plain
from downslope.comparison.deliver import TESTED
from downslope.comparison.finish import Closing
from downslope.comparison.ledger import Run
from downslope.comparison.run import Runner
from downslope.core.errors import BadData
from downslope.data.describe import Dataset, describe
from downslope.data.read import read, stack
from downslope.losses.base import Loss
from downslope.prediction.predictor import load

NEAR = 1e-7  # of the largest number: another machine may sum in another order
SHORT = 16


def described(data: Any, test: Any, facts: Mapping[str, Any], frame: Mapping[str, Any]) -> Dataset:
    """The table read as the run has read it; an error where it is another table."""
    asked = dict(frame["asked"])
    if "test" in asked and test is None:
        raise BadData(f"this run was tested on a table of its own ({asked['test']}); name it with --test")
    table = read(data)
    name = Path(table.source).name
    table = table if test is None else stack(table, read(test))
    if table.digest != facts["data"]:
        raise BadData(
            f"{name} is not the table of this run: its digest is {table.digest[:SHORT]}, the run's {facts['data'][:SHORT]}"
        )
    options = {option: asked.get(option) for option in ("task", "positive", "weight", "split")}
    return describe(table, facts["target"], drop=asked.get("drop", ()), keep=asked.get("keep", ()), **options)


def of_rows(closing: Closing, frame: Mapping[str, Any]) -> list[str]:
    """Whether targets, weights and groups in the ledger are the table's, and so is what is said of rows and columns."""
    kept, out = closing.ledger.kept(witness.ROWS) or {}, []
    for name, ours in witness.of_table(closing.problem.dataset).items():
        theirs = kept.get(name)
        if theirs is None or not np.array_equal(ours, theirs):
            out.append(f"{name}: the ledger holds other values than the table")
    return out + differences(plain(closing.frame()), frame, "what was read")


def of_predictions(runner: Runner, loss: Loss, runs: list[Run]) -> Iterator[str]:
    """Runs whose parameters do not give the predictions that they are judged by."""
    for run in runs:
        if "judged" not in run.arrays:
            continue
        raw = runner.predicted(runner.params(loss, run), runner.judged(run.fit))
        if not near(raw[:, 0] if raw.shape[1] == 1 else raw, run.arrays["judged"]):
            yield f"{run.contender}: the {run.phase} run of fit {run.fit} predicts something else on the judged rows"


def of_everyone(closing: Closing) -> list[str]:
    """The same of all confirmation runs."""
    ready = [one for one in closing.field if not one.reason]
    return [
        line for one in ready for line in of_predictions(closing.runner, one.loss, closing.ledger.runs(one.id, "confirmation"))
    ]


def of_controls(closing: Closing) -> list[str]:
    """The reference models, made again."""
    known = {(run.contender, run.fit): run for run in closing.ledger.runs(phase="control")}
    out = []
    for run in closing.references.fitted(closing.references.distinct()):
        theirs = known[run.contender, run.fit].arrays
        if any(need not in theirs or not near(values, theirs[need]) for need, values in run.arrays.items()):
            out.append(f"{run.contender}: the run of fit {run.fit} predicts something else on the judged rows")
    return out


def of_model(closing: Closing, kept: Sequence[Run], manifest: Mapping[str, Any], place: Path) -> list[str]:
    """Whether the saved encoders are those of the training rows, and the saved model says of the test rows what was noted."""
    problem = closing.problem
    ours = [plain(problem.encoders[problem.places[run.fit]].to_json()) for run in kept]
    out = differences({"encoders": ours}, {"encoders": [each["encoder"] for each in manifest["members"]]}, "manifest.json")
    said, noted = deliver.predicted(closing.evidence, load(place / "model")), closing.ledger.kept(TESTED) or {}
    if said.keys() != noted.keys() or not all(near(values, noted[name]) for name, values in said.items()):
        out.append("model: it says something else of the test rows than was noted")
    return out


def near(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether two arrays hold the same numbers, rounding aside."""
    reach = NEAR * float(np.max(np.abs(theirs), initial=0.0))
    return ours.shape == theirs.shape and bool(np.allclose(ours, theirs, rtol=NEAR, atol=reach))
