"""What follows the last run: controls, ranking, advice, the model, the test, the report."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison import fairness, folder, metrics, own, reach, why
from downslope.comparison.advise import advise
from downslope.comparison.assemble import Evidence, curves, entry, epochs, papers
from downslope.comparison.contender import Contender, default_rate
from downslope.comparison.counterfactual import Trials
from downslope.comparison.deliver import deliver
from downslope.comparison.judge import Court, Judged, finite, interval, outcome
from downslope.comparison.later import PAGE, page, prepare
from downslope.comparison.ledger import Ledger
from downslope.comparison.metrics import Metric
from downslope.comparison.needs import fewest, needs
from downslope.comparison.optimum import optimum
from downslope.comparison.paste import lacking, paste
from downslope.comparison.plan import shortened
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.comparison.rank import Ranking
from downslope.comparison.references import References
from downslope.comparison.result import Result
from downslope.comparison.run import Runner
from downslope.comparison.tunability import tunability
from downslope.comparison.worker import Worker
from downslope.core.about import Task
from downslope.data.describe import Dataset
from downslope.data.split import Splits
from downslope.models.base import Layered
from downslope.training import devices
from downslope.training.status import Status

OPTIMUM = "optimum"
LOOKED = "looked for reasons"
ENOUGH_RUNS = 5


class Closing:
    """Everything between the ledger and the result. The same ledger always gives the same result, times aside."""

    def __init__(
        self,
        problem: Problem,
        field: Sequence[Contender],
        rules: Protocol,
        metric: Metric,
        ledger: Ledger,
        runner: Runner,
        facts: dict[str, Any],
        margin: float,
        single: bool,
        started: float,
        worker: Worker | None = None,
    ) -> None:
        self.problem, self.planned, self.rules, self.metric = problem, list(field), rules, metric
        self.ledger, self.runner, self.facts = ledger, runner, facts
        self.margin, self.single, self.started, self.worker = margin, single, started, worker
        self.shown = metrics.shown_metrics(problem.dataset.task, metric)
        self.court = Court(problem, metric, self.shown, rules.seed)
        self.evidence = Evidence(problem, self.planned, runner, ledger, self.court, rules)
        self.references = References(problem, metric, rules.seed, ledger, self.court)
        self.writing: Callable[[], None] | None = None

    @property
    def field(self) -> list[Contender]:
        """The contenders, each with the settings that its tuning chose once it has."""
        return list(self.evidence.contenders)

    def judged(self, contender: Contender) -> Judged | None:
        """A contender's judgement, `None` if it did not finish well."""
        runs = self.ledger.runs(contender.id, "confirmation")
        status, _ = outcome(contender, self.ledger, runs, len(self.problem.confirmation))
        return self.court.contender(contender.loss, contender.id, runs) if status == Status.OK else None

    def settled(self, contender: Contender) -> Contender:
        """A contender with the settings that its tuning chose."""
        found = None if contender.reason else self.runner.settled(contender)
        return contender if found is None else found[0]

    def glimpse(self, contender: Contender) -> dict[str, Any]:
        """How a contender did, before the others are known: what the progress shows."""
        judged = self.judged(contender)
        value = float("nan") if judged is None else self.court.mean(judged, self.metric)
        words = f"{contender.id} {self.metric.title} {value:.4g}"
        cost = self.metric.sign * value if np.isfinite(value) else None
        return {
            "id": contender.id,
            "cost": cost,
            "words": words,
            "score": finite(value),
            "status": "ok" if judged else "diverged",
        }

    def result(self, temporary: Any, say: Callable[[str], None] | None = None) -> Result:
        """The whole result, written to the folder. `say` hears of the runs that look for reasons; without it there are none."""
        data, judged, ranking = self.assembled(self.references.complete(), self.ledger.store("frame", self.frame()))
        # Where nothing is recommended, the best there is goes home all the same: whoever trains wants a model.
        contender = self.taken_home(data, ranking)
        if contender is not None and ranking is not None and say is not None:
            data["reasons"] = why.reasons(self.evidence, ranking, data, contender.id, Trials(self.runner, self.court, say))
        self.ledger.store(LOOKED, bool(data["reasons"]))
        if contender is not None:
            data["test"] = deliver(self.ledger.folder / "model", self.evidence, contender, data, self.single)
        return self.written(data, judged, ranking, temporary, finished=True)

    def taken_home(self, data: Mapping[str, Any], ranking: Ranking | None) -> Contender | None:
        """Whose model is saved: the recommended contender, otherwise the best there is."""
        chosen = data["recommendation"]["id"] or (ranking.order[0] if ranking is not None and ranking.order else None)
        return next((one for one in self.field if one.id == chosen), None)

    def partial(self, temporary: Any) -> None:
        """Writes what is finished when somebody stops the comparison: a valid report without model and test.

        Where only the writing was interrupted, it is done to the end: then all is finished.
        """
        if self.writing is not None:
            self.writing()
            return
        if self.worker is not None:
            self.worker.drop()
            self.worker.ask(prepare, PAGE)
        data, judged, ranking = self.assembled({}, self.ledger.store("frame", self.frame()))
        self.written(data, judged, ranking, temporary, finished=False)

    def assembled(
        self, controls: dict[str, Judged], frame: Mapping[str, Any], solve: bool = True
    ) -> tuple[dict[str, Any], dict[str, Judged], Ranking | None]:
        """The result's dict, without the test, from the ledger and from what the `frame` says of the table.

        Without `solve` the true optimum, which needs the columns, is what the ledger noted of it.
        """
        self.evidence.contenders = [self.settled(one) for one in self.planned]
        own = [one for one in self.field if one.twin_of is None]
        judged = {one.id: found for one in self.field if (found := self.judged(one)) is not None}
        constant = self.court.mean(controls["constant"], self.metric) if "constant" in controls else float("nan")
        ranked = [judged[one.id] for one in own if one.id in judged]
        margin = self.court.margin(ranked, constant, self.margin)
        ranking = self.court.rank(ranked, [], margin) if ranked else None
        best = ranking.order[0] if ranking is not None and ranking.order else None
        entries = [entry(self.evidence, one, judged.get(one.id), ranking, best) for one in own]
        data = dict(frame) | {
            "contenders": sorted(entries, key=lambda each: (each["rank"] is None, each["rank"] or 0, each["id"])),
            "margin": finite(ranking.margin) if ranking is not None else None,
            "controls": self.control_entries(controls, judged, best, margin),
            "fairness": fairness.shown(self.runner, self.facts),
            "test": {},
            "optimum": None,
            "papers": papers(own),
            "reasons": [],
        }
        data |= self.answers(data, [one.id for one in own if one.id in judged], margin)
        data["recommendation"] = advise(data)
        chosen = data["recommendation"]["id"]
        if chosen is not None and chosen != best and ranking is not None:
            for each in data["contenders"]:
                if each["rank"] is not None:
                    each["difference"] = interval(ranking.difference(each["id"], chosen))
        if chosen is not None:
            data["recommendation"] |= {"code": paste(data), "code_missing": lacking(data)}
        if chosen is not None and controls:  # whoever stops a comparison does not wait for a solver
            if solve:
                self.ledger.store(OPTIMUM, optimum(self.problem, self.runner, next(one for one in own if one.id == chosen)))
            data["optimum"] = self.ledger.fact(OPTIMUM)
            if data["optimum"] is not None and data["optimum"]["share"]:
                data["recommendation"]["reasons"].append(data["optimum"]["text"])
        return data, judged, ranking

    def answers(self, data: dict[str, Any], judged: Sequence[str], margin: float) -> dict[str, Any]:
        """How soon each contender is as good as the best, how hard it is to tune, and who serves which need."""
        entries = {each["id"]: each for each in data["contenders"]}
        runs = self.soon(judged)
        for name, soon in reach.updates(runs, reach.reached(runs, margin)).items():
            entries[name]["updates_to_best"] = soon
        constants = self.runner.constants
        defaults = {one.id: default_rate(one.optimizer) for one in self.field}
        found = {"tunability": tunability(data["contenders"], self.metric.sign, constants, defaults, self.margin)}
        return found | {"needs": needs(data | found)}

    def soon(self, judged: Sequence[str]) -> dict[str, list[reach.Curve]]:
        """The confirmation runs of contenders, round by round."""
        return {
            name: [
                reach.Curve(run.arrays["stop_score"], run.updates, run.seconds) for run in self.ledger.runs(name, "confirmation")
            ]
            for name in judged
        }

    def control_entries(
        self, controls: dict[str, Judged], judged: dict[str, Judged], best: str | None, margin: float
    ) -> dict[str, Any]:
        """Scores of the controls, whether the linear model is tied with the best, and whether the twins are."""
        out: dict[str, Any] = {
            kind: {"score": finite(self.court.mean(found, self.metric)), "metrics": self.court.entry(found)}
            for kind, found in controls.items()
        }
        twin = next((one for one in self.field if one.twin_of is not None), None)
        pair = [judged[name] for name in (twin.twin_of, twin.id) if name in judged] if twin is not None else []
        others = [judged[best]] if best is not None else []
        references = [controls[kind] for kind in ("linear", "constant") if kind in controls]
        beside = {one.id: one for one in (*others, *pair, *references)}
        ranking = self.court.rank(list(beside.values()), [], margin) if len(beside) > 1 else None
        for kind in ("linear", "constant"):
            if ranking is not None and best is not None and kind in out:
                worse = ranking.difference(f"control {kind}", best) if f"control {kind}" in ranking.order else None
                out[kind]["tied_with_best"] = worse is not None and (worse.low <= 0 or worse.mean <= ranking.margin)
                out[kind]["difference"] = interval(worse)
        if best is not None and "boosted_trees" in out:
            trees, mine = out["boosted_trees"]["score"], self.court.mean(judged[best], self.metric)
            out["boosted_trees"]["better"] = trees is not None and self.metric.sign * (mine - trees) > 0
        if ranking is not None and twin is not None and len(pair) == 2:
            apart = ranking.difference(twin.id, pair[0].id)
            tied = apart.low <= 0 <= apart.high or abs(apart.mean) <= ranking.margin
            score = finite(self.court.mean(pair[1], self.metric))
            out["twin"] = {"of": twin.twin_of, "score": score, "difference": interval(apart), "tied": tied}
        return out

    def frame(self) -> dict[str, Any]:
        """What the result says of the table, the task and the protocol."""
        data, splits = self.problem.dataset, self.problem.splits
        copies = counted_copies(data, splits)
        rows = max(len(fit.train) for fit in self.problem.fits)
        scale = None
        if data.task is Task.REGRESSION:
            loss = next(one.loss for one in self.field if not one.reason)
            fitted = self.problem.scale(self.problem.confirmation[0], loss)
            scale = None if fitted is None else {"centre": fitted.centre, "scale": fitted.scale}
        repetitions = 1 + max(fit.repetition for fit in splits.confirmation)
        return {
            "downslope": self.facts["versions"]["downslope"],
            "format": 1,
            "identity": folder.fingerprint(self.facts),
            "name": data.name,
            "source": self.problem.source,
            "command": self.problem.command,
            "asked": dict(self.problem.asked),
            "task": str(data.task),
            "target": data.target,
            "classes": list(data.classes) if data.classes else None,
            "positive": data.classes[1] if data.classes and data.task is Task.BINARY else None,
            "metric": named(self.metric),
            "metrics": [named(metric) for metric in self.shown],
            "rows": {
                "read": data.rows_read,
                "used": data.rows_used,
                "dropped": dict(data.dropped),
                "development": len(splits.development),
                "test": len(splits.test),
                **copies,
            },
            "columns": [
                {name: getattr(column, name) for name in ("name", "kind", "used", "reason", "missing", "distinct")}
                for column in data.columns
            ],
            "features": self.problem.features,
            "notes": list(data.notes),
            "warnings": [
                *data.warnings,
                *copied(copies["copies_in_test"], len(splits.test)),
                *few_runs(len(splits.confirmation)),
                *([f"{shortened(self.rules)}, so who learns slowly is behind"] if self.rules.cut_from else []),
            ],
            "split": {
                "scheme": splits.scheme,
                "repetitions": repetitions,
                "folds": splits.folds,
                "words": split_words(splits.scheme, repetitions, splits.folds, len(splits.confirmation)),
            },
            "budget": self.rules.data(rows, splits),
            "model": self.facts["model"],
            "schedule": self.facts["schedule"],
            "clip_norm": self.facts.get("clip_norm"),
            "average": self.facts.get("average"),
            "class_weight": self.facts.get("class_weight"),
            "label_smoothing": self.facts.get("label_smoothing"),
            "standardize": self.facts.get("standardize", True),
            "penalty": self.facts["penalty"],
            "own": own.written(self.rules),
            "target_scale": scale,
            "versions": self.facts["versions"],
            "margin_share": self.margin,
            "seed": self.rules.seed,
            "devices": devices.words(),
        }

    def written(
        self, data: dict[str, Any], judged: dict[str, Judged], ranking: Ranking | None, temporary: Any, finished: bool
    ) -> Result:
        """Writes report, result and runs; the times stand apart, for they are the only thing that differs from run to run."""
        data["finished"] = finished
        runs = self.soon([each["id"] for each in data["contenders"] if each.get("updates_to_best")])
        data["timing"] = {
            "total_seconds": round(time.monotonic() - self.started, 3),
            "run_seconds": round(self.ledger.seconds(), 3),
            "seconds_to_best": reach.seconds(runs, reach.reached(runs, data["margin"] or 0.0)),
            "contender_seconds": {one.id: self.evidence.seconds(one) for one in self.field if one.id in judged},
        }
        data["timing"]["needs"] = [found for found in [fewest(data, "seconds")] if found is not None]
        place = self.ledger.folder
        pooled = self.files(data, judged, place)
        network = None if isinstance(self.rules.model, Layered) else self.rules.model
        return Result(data, pooled, Path(place), temporary, network)

    def files(self, data: dict[str, Any], judged: Mapping[str, Judged], place: Path) -> dict[str, dict[str, np.ndarray]]:
        """Writes `report.html`, `result.json` and `runs.csv`, which follow from result and ledger; the pooled predictions."""
        pooled = {one.id: self.court.pooled(judged[one.id]) for one in self.field if one.id in judged and one.twin_of is None}
        shown = data, list(curves(self.evidence, judged, "confirmation")), pooled
        drawn = partial(page, *shown) if self.worker is None else self.worker.ask(page, *shown)

        def writing() -> None:
            folder.write_result(place, data, epochs(self.evidence, judged))
            folder.write_report(place, drawn())

        self.writing = writing
        writing()
        return pooled


def named(metric: Metric) -> dict[str, str]:
    """A metric as the result names it."""
    return {name: getattr(metric, name) for name in ("name", "title", "direction", "asks_for")}


def counted_copies(data: Dataset, splits: Splits) -> dict[str, int]:
    """How many rows are copies of an earlier one, and how many test rows have a copy outside the test."""
    if data.alike is None:
        return {"copies": 0, "copies_in_test": 0}
    across = np.isin(data.alike[splits.test], data.alike[splits.development])
    return {"copies": len(data.alike) - len(np.unique(data.alike)), "copies_in_test": int(across.sum())}


def copied(rows: int, test: int) -> list[str]:
    """A warning where the test asks for rows that were learned from."""
    if rows < max(1, test // 100):
        return []
    return [f"{rows} of {test} test rows are copies of rows outside the test, so the test score may be too good"]


def few_runs(runs: int) -> list[str]:
    """A warning where so few runs judged that the intervals say little."""
    if runs >= ENOUGH_RUNS:
        return []
    return [f"only {runs} runs judged, so the intervals are very wide; with --seeds 10 they mean something"]


def split_words(scheme: str, repetitions: int, folds: int, runs: int) -> str:
    """How the rows were split, in a sentence."""
    if scheme == "single":
        return f"one split; {runs} runs with their own seeds judged on the same rows, which chose nothing"
    if scheme == "time":
        return f"{folds} blocks in the order of time, each judged by runs that saw earlier rows only"
    by = "whole groups" if scheme == "group" else "rows"
    return f"{repetitions} × {folds} folds of {by}: every development row is judged by runs that never saw it"
