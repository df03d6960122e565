"""Derives every claim of a finished run again from its ledger, and says what does not hold."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison import deliver, fairness, folder, why
from downslope.comparison.audit import columns
from downslope.comparison.audit.compared import LEFT, differences, plain
from downslope.comparison.audit.recorded import Recorded
from downslope.comparison.audit.reopen import opened, reopened
from downslope.comparison.finish import LOOKED, Closing
from downslope.comparison.judge import Judged
from downslope.comparison.rank import Ranking
from downslope.core.errors import BadData, DownslopeError
from downslope.prediction.manifest import Damaged
from downslope.prediction.predictor import read_bytes, read_manifest
from downslope.prediction.tensors import load

PAGES = ("report.html", "runs.csv")


@dataclass
class Audit:
    """What was looked at and holds, what does not hold, and what a ledger alone cannot show. One line each.

    `facts` are pairs of a label and words: what was equal for everyone.
    """

    folder: str
    checked: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    facts: list[list[str]] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether everything that could be looked at holds."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        lists = {name: getattr(self, name) for name in ("checked", "problems", "unchecked", "facts")}
        return {"folder": self.folder, "holds": self.holds, **lists}

    def look(self, what: str, problems: Sequence[str]) -> bool:
        """Notes what was looked at; whether it holds."""
        self.problems += problems
        self.checked += [] if problems else [what]
        return not problems


def audit(place: str | Path, data: Any = None, test: Any = None) -> Audit:
    """Derives scores, ranking, learning rates, recommendation and model of a run folder again, and looks whether all was fair.

    With the table (`data`, and `test` where the run was tested on a table of its own) encoders, predictions, reference models,
    the true optimum and the signs of reasons are computed again too. Reads only; nothing in the folder is executed. Raises a
    `DownslopeError` of one line where there is no finished run, its ledger is damaged or the table is another one.

    >>> import downslope, tempfile
    >>> from downslope.comparison.audit import audit
    >>> with tempfile.TemporaryDirectory() as place:
    ...     options = {"losses": "cross_entropy", "optimizers": "sgd, adam", "epochs": 2, "draws": 2, "seeds": 5}
    ...     result = downslope.compare("demo:iris", out=place + "/run", **options)
    ...     audit(place + "/run").holds, audit(place + "/run", data="demo:iris").holds
    (True, True)
    """
    place = Path(place)
    found = Audit(str(place))
    with opened(place) as ledger:
        claimed = claims(place)
        facts, frame = ledger.fact("identity"), ledger.fact("frame")
        if facts is None or frame is None:
            raise BadData(f"the ledger of {place} is not that of a finished run; the same compare command again finishes it")
        if found.look("every run is as it was written", ledger.altered()):
            found.unchecked.append("that training leads from these rows to these parameters: nothing is trained here")
            if data is None:
                noted = "encoders, predictions, reference models, the true optimum and the signs of reasons"
                found.unchecked.append(f"{noted}, as noted: the ledger keeps no columns of the table; --data names it")
            if facts.get("own"):
                names = ", ".join(sorted(facts["own"]))
                found.unchecked.append(f"scores, ranking and fairness, for {names} is code of the user's own and is not run here")
            else:
                table = None if data is None else columns.described(data, test, facts, frame)
                derive(found, reopened(ledger, facts, frame, table), facts, frame, claimed, place)
    return found


def claims(place: Path) -> dict[str, Any]:
    """What `result.json` says."""
    try:
        data = json.loads((place / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        data = {}
    except ValueError as problem:
        raise BadData(f"{place / 'result.json'} is not JSON: {problem}; the same compare command again writes it") from None
    if not isinstance(data, dict) or not data.get("finished"):
        raise BadData(f"{place} holds no finished run; the same compare command again finishes it")
    return data


def derive(
    found: Audit, closing: Closing, facts: dict[str, Any], frame: dict[str, Any], claimed: dict[str, Any], place: Path
) -> None:
    """Goes from the runs to the claims, step by step; what follows from runs that do not hold is not looked at."""
    whole = not closing.problem.blank
    try:
        if whole and not found.look("rows, columns, targets and weights are those of the table", columns.of_rows(closing, frame)):
            return
        runs = [*fairness.differences(closing.runner)]
        runs += [f"control {kind}: the run of fit {fit} is missing" for kind, fit in closing.references.missing()]
        if not found.look("draws, fits, seeds, batches, updates and learning rates are what everyone gets", runs):
            return
        found.facts = fairness.shown(closing.runner, facts)
        if whole:
            found.look("parameters give the predictions that are judged", columns.of_everyone(closing))
            found.look("the reference models, made again, predict the same", columns.of_controls(closing))
        derived, judged, ranking = closing.assembled(closing.references.judged(), frame, solve=whole)
        derived = plain(derived | {"test": test(closing), "reasons": reasons(closing, derived, ranking, found)})
        wrong = differences({name: value for name, value in derived.items() if name not in LEFT}, claimed)
        found.look(
            "result.json follows from the runs: scores, intervals, ranks, ties, controls, twin, recommendation, reasons, test",
            wrong,
        )
        found.look("the model is that of the recommended contender's runs", model(closing, derived, ranking, place))
        page = derived | {name: claimed.get(name) for name in LEFT}
        if facts["versions"] == folder.versions():
            found.look("report.html and runs.csv show the same", pages(closing, page, judged, place))
        else:
            found.unchecked.append("report.html and runs.csv to the letter, for they were made with other versions")
    finally:
        closing.runner.close()


def reasons(closing: Closing, derived: Mapping[str, Any], ranking: Ranking | None, found: Audit) -> list[dict[str, Any]]:
    """The records of all causes, from the runs in the ledger and what it notes of the columns; none where none was asked for."""
    contender = closing.taken_home(derived, ranking)
    if contender is None or ranking is None or not closing.ledger.fact(LOOKED):
        return []
    trials = Recorded(closing.runner, closing.court, lambda said: None)
    try:
        records = why.reasons(closing.evidence, ranking, derived, contender.id, trials)
    except BadData as problem:
        found.problems.append(f"reasons: {problem}")
        return []
    found.look(
        "the extra runs of the reasons are those that they ask for, each beside its pair", trials.problems + trials.unasked()
    )
    return records


def model(closing: Closing, derived: Mapping[str, Any], ranking: Ranking | None, place: Path) -> list[str]:
    """What of the saved model differs from the parameters in the ledger."""
    contender = closing.taken_home(derived, ranking)
    if contender is None:
        return ["model: there is one, and no contender finished"] if (place / "model").exists() else []
    kept = deliver.members(closing.evidence, contender, closing.single)
    _, wanted = deliver.weights(closing.evidence, contender, kept)
    try:
        manifest = read_manifest(place / "model" / "manifest.json")
        tensors = load(read_bytes(place / "model" / "model.safetensors"), manifest)
    except (Damaged, DownslopeError) as problem:
        return [f"model: {problem}"]
    said = [
        f"model: the weights {name} are not those of {contender.id} in the ledger"
        for name in sorted({*tensors, *wanted})
        if name not in tensors or name not in wanted or not np.array_equal(tensors[name], wanted[name])
    ]
    told = [plain(deliver.member(closing.evidence, contender, run)) for run in kept]
    given = [{name: value for name, value in each.items() if name != "encoder"} for each in manifest["members"]]
    said = said[:3] or differences({"members": told}, {"members": given}, "manifest.json")
    return said if closing.problem.blank else said + columns.of_model(closing, kept, manifest, place)


def test(closing: Closing) -> dict[str, float | None]:
    """The delivered model's metrics on the test rows, from what it said of them."""
    prediction = closing.ledger.kept(deliver.TESTED)
    return {} if prediction is None else deliver.tested(closing.evidence, prediction)


def pages(closing: Closing, data: dict[str, Any], judged: Mapping[str, Judged], place: Path) -> list[str]:
    """Which files are not what result and ledger give when they are written again, elsewhere."""
    with tempfile.TemporaryDirectory(prefix="downslope-audit-") as other:
        closing.files(data, judged, Path(other))
        return [
            f"{name}: it is not what the ledger gives"
            for name in PAGES
            if not (place / name).is_file() or (place / name).read_bytes() != (Path(other) / name).read_bytes()
        ]
