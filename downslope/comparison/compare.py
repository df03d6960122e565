"""The main job: from a table to a measured answer, a report and a model."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from downslope.comparison import finish, folder, metrics, own, second_tier, witness
from downslope.comparison.command import command
from downslope.comparison.contender import Contender, contenders, short, twin
from downslope.comparison.labels import labels
from downslope.comparison.later import MODELS, PAGE, prepare
from downslope.comparison.ledger import Ledger
from downslope.comparison.plan import plan, within
from downslope.comparison.problem import Problem
from downslope.comparison.progress import Progress
from downslope.comparison.protocol import Protocol, protocol
from downslope.comparison.rank import MARGIN_SHARE
from downslope.comparison.result import Result, Temporary
from downslope.comparison.run import Runner
from downslope.comparison.watch import Watcher
from downslope.comparison.wording import percent
from downslope.comparison.worker import Worker
from downslope.core.errors import OutOfRange
from downslope.core.own import blamed
from downslope.data.describe import describe
from downslope.data.read import read, stack
from downslope.data.split import TUNING
from downslope.data.split import split as split_rows
from downslope.training import devices


def compare(
    source: Any,
    target: str | None = None,
    *,
    task: str | None = None,
    losses: Any = None,
    optimizers: Any = None,
    model: Any = None,
    metric: str | None = None,
    epochs: int | None = None,
    time_budget: float | str | None = None,
    draws: int | None = None,
    seeds: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    fresh: bool = False,
    test: Any = None,
    split: str | None = None,
    weight: str | None = None,
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    positive: str | None = None,
    penalty: Any = None,
    schedule: Any = None,
    clip_norm: float | None = None,
    average: Any = None,
    class_weight: Any = None,
    label_smoothing: float | None = None,
    standardize: bool = True,
    thorough: bool = False,
    single: bool = False,
    margin: float = MARGIN_SHARE,
    reasons: bool = True,
    watcher: Watcher | None = None,
    worker: Worker | None = None,
) -> Result:
    """Compares every suitable loss with every optimizer on a table, fairly, and trains the model that wins.

    `source` is a file, a data frame, an `(X, y)` pair, a dict of columns or `demo:NAME`; `target` the column to predict.
    `losses` and `optimizers` are names, objects or lists of them (`"all"` for every one); `model` is `"mlp"`, `"linear"` or an
    object; `metric` the task metric that decides. `drop` names columns to leave out, `keep` those to use although they look like
    row numbers. `epochs` is every run's budget,
    `time_budget` ("90 s", "10 min") plans fewer of them beforehand, the same for all; `draws` the number of learning rates tried,
    `seeds` the number of runs that judge; `thorough` tunes all settings after the learning rate, with as many draws for everyone.
    `out` is the folder for report, result, ledger and model; the same call again
    continues there, `fresh` starts anew. `schedule` is what multiplies the learning rate, or a mapping from names of settings to
    schedules; `clip_norm` is the greatest length of a gradient, `average` ("uniform", "exponential") predicts with averaged
    parameters. `class_weight` ("balanced", or weights by class) and `label_smoothing` are for the rows that are learned from,
    never for judging; without `standardize` numbers stay in their own units. All of these are alike for everyone. `reasons`
    looks for reasons afterwards, with a few more runs. `watcher` hears how it goes; a `worker` fits the references and draws the
    report beside the training, see `comparison.worker`.
    Raises a `DownslopeError` of one line for anything the user can put right.

    >>> import downslope
    >>> result = downslope.compare("demo:iris", losses="cross_entropy", optimizers="sgd, adam", epochs=2, draws=2, seeds=5)
    >>> sorted(entry["optimizer"] for entry in result.table)
    ['adam', 'sgd']
    """
    devices.offer()
    watcher = watcher or Watcher()
    started = time.monotonic()
    problem = rows_of(source, target, task, positive, drop, keep, weight, split, test, seed, seeds, thorough)
    given = {
        "target": target,
        "task": task,
        "positive": positive,
        "drop": tuple(drop),
        "keep": tuple(keep),
        "weight": weight,
        "test": test,
    }
    given |= {"split": split, "losses": losses, "optimizers": optimizers, "metric": metric, "model": model}
    given |= {"schedule": schedule, "clip_norm": clip_norm, "average": average}
    given |= {"class_weight": class_weight, "label_smoothing": label_smoothing}
    given |= {"penalty": penalty, "epochs": epochs, "draws": draws, "seeds": seeds, "seed": seed or None}
    given |= {"time": time_budget, "thorough": thorough}
    given |= {"margin": None if margin == MARGIN_SHARE else margin, "single": single}
    given |= {"no_standardize": not standardize, "no_reasons": not reasons}
    problem.command, problem.asked, problem.standardize = command(source, given), asked_of(given), standardize
    dataset, splits = problem.dataset, problem.splits
    ranking_metric = metrics.find_metric(metric, dataset.task) if metric else metrics.default_metric(dataset.task)
    watcher.found(dataset)
    if not 0 <= margin < 1:
        raise OutOfRange(f"margin must be at least 0 and below 1, got {margin}")
    rules = protocol(
        dataset,
        splits,
        model=model,
        schedule=schedule,
        clip_norm=clip_norm,
        average=average,
        penalty=penalty,
        epochs=epochs,
        draws=draws,
        seed=seed,
        thorough=thorough,
    )
    field = contenders(losses, optimizers, task=dataset.task, batch=rules.batch, draws=rules.draws)
    problem.labels = labels(class_weight, label_smoothing, dataset)
    field = problem.labels.fitted(field, dataset)
    rules = within(time_budget, rules, field, problem)
    field = rules.alike.fitted(field, rules.updates(max(len(fit.train) for fit in problem.fits)))
    runnable = [one for one in field if not one.reason]
    if len(runnable) > 1:
        field.append(twin(next((one for one in runnable if one.batch is not None), runnable[0])))
    temporary = None if out is not None else Temporary()
    place = Path(temporary.name if temporary is not None else str(out))
    mine = own.examined(problem, field, rules)
    facts = folder.identity(
        data=dataset.digest,
        target=dataset.target,
        task=str(dataset.task),
        classes=dataset.classes,
        columns=sorted(dataset.features),
        weight=weight,
        split=split,
        test=None if test is None else len(splits.test),
        seed=seed,
        metric=ranking_metric.name,
        contenders=[spelled(one) for one in field],
        model=short(rules.model),
        **rules.alike.facts(),
        **problem.labels.facts(),
        **({} if standardize else {"standardize": False}),
        penalty=None if rules.penalty is None else short(rules.penalty),
        batch=rules.batch,
        epochs=rules.epochs,
        runs=len(problem.fits),
        margin=margin,
        single=single,
        devices=devices.words(),
        **({"thorough": True} if thorough else {}),
        **({"own": mine} if mine else {}),
    )
    ties = f"differences up to {percent(margin)} of the way from the best score to the constant predictor count as ties"
    watcher.planned([*plan(rules, field, problem), ties])
    # A second thread for NumPy's products would wait for its next one where two cores are at work on runs.
    with blamed(), threadpool_limits(1, "blas"), folder.open_folder(place, facts, fresh) as ledger:
        return carried_out(
            problem, field, rules, ranking_metric, ledger, watcher, facts, started, margin, single, temporary, reasons, worker
        )


def carried_out(
    problem: Problem,
    field: list[Contender],
    rules: Protocol,
    metric: metrics.Metric,
    ledger: Ledger,
    watcher: Watcher,
    facts: dict[str, Any],
    started: float,
    margin: float,
    single: bool,
    temporary: Any,
    reasons: bool,
    worker: Worker | None,
) -> Result:
    """Runs what the ledger does not have yet and puts the result together, also when interrupted."""
    progress = Progress(watcher, field, problem, rules)
    later = (*MODELS, PAGE) if worker is None else ()
    runner = Runner(problem, field, ledger, rules, metric, margin, progress.advanced, later)
    closing = finish.Closing(problem, field, rules, metric, ledger, runner, facts, margin, single, started, worker)
    try:
        witness.keep(ledger, problem)
        progress.start(runner)
        if worker is not None:
            closing.references.ask(worker)
            worker.ask(prepare, PAGE)
        for contender in runner:
            progress.finished(contender, closing.glimpse(contender))
        watcher.say("all runs are done; now the reference models, the ranking and the report")
        result = closing.result(temporary, watcher.say if reasons else None)
    except KeyboardInterrupt as stop:
        runner.close()
        closing.partial(temporary)
        raise stop
    finally:
        runner.close()
    watcher.finished(result)
    return result


def rows_of(
    source: Any,
    target: str | None,
    task: str | None,
    positive: str | None,
    drop: Sequence[str],
    keep: Sequence[str],
    weight: str | None,
    by: str | None,
    test: Any,
    seed: int,
    seeds: int | None,
    thorough: bool = False,
) -> Problem:
    """The described rows and their split; a test table of the user's own is read with the same eyes."""
    table = read(source)
    own = None if test is None else read(test)
    whole = table if own is None else stack(table, own)
    dataset = describe(whole, target, task=task, positive=positive, drop=drop, keep=keep, weight=weight, split=by)
    rows = None if own is None else np.flatnonzero(dataset.origin >= table.rows)
    if seed < 0:
        raise OutOfRange(f"seed must be at least 0, got {seed}")
    if seeds is not None and seeds < 2:
        raise OutOfRange(f"seeds must be at least 2, got {seeds}: one run says nothing about luck")
    tuning = second_tier.FITS if thorough else TUNING
    splits = split_rows(dataset, seed=seed, test=rows, tuning=tuning, confirmation=seeds or 10)
    return Problem(dataset, splits, Path(table.source).name)


def spelled(contender: Contender) -> list[Any]:
    """A contender as the identity of a run remembers it."""
    return [contender.id, contender.settings(None), contender.batch, list(contender.rates)]


def asked_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked of the table, as plain data: the options without which the same rows would not be read in the same way."""
    found = {name: given[name] for name in ("task", "positive", "drop", "keep", "weight", "test", "split")}
    plain = {name: list(value) if isinstance(value, tuple) else str(value) for name, value in found.items() if value is not None}
    return {name: value for name, value in plain.items() if value}
