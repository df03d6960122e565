"""A finished comparison from its ledger alone, as the ordinary path knows it, but without a table and with nothing to train."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from downslope import losses as all_losses
from downslope import models, penalties
from downslope import optimizers as all_optimizers
from downslope.comparison import metrics, witness
from downslope.comparison.alike import alike
from downslope.comparison.contender import BATCH, TWIN, Contender, contender, grid, twin
from downslope.comparison.finish import Closing
from downslope.comparison.ledger import FILES, Ledger
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.comparison.run import Runner
from downslope.core.about import Task
from downslope.core.errors import BadData, DownslopeError
from downslope.data.describe import Dataset
from downslope.optimizers.base import with_learning_rate

JOINED = " × "


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """A copy of a run folder's ledger: looking at a database in this mode writes beside it, and nothing is written there."""
    if not (folder / FILES[0]).is_file():
        raise BadData(f"{folder} holds no {FILES[0]}; name the folder that compare or train wrote")
    owner = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(owner, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            raise DownslopeError(f"{folder} is in use by another process; wait until it has finished") from None
        with TemporaryDirectory(prefix="downslope-audit-") as place:
            for name in FILES:
                if (folder / name).exists() and not name.endswith("-shm"):
                    shutil.copyfile(folder / name, Path(place) / name)
            with Ledger(Path(place), shown=folder) as ledger:
                yield ledger
    finally:
        os.close(owner)


def reopened(ledger: Ledger, facts: Mapping[str, Any], frame: Mapping[str, Any], table: Dataset | None = None) -> Closing:
    """Everything between the ledger and the result, with the `table` where it was read again.

    An error where it cannot be made from the ledger alone.
    """
    problem = witness.reopened(ledger, facts, frame, table)
    task, margin, single = Task(facts["task"]), float(facts["margin"]), bool(facts["single"])
    rules = Protocol(
        models.catalogue.make(facts["model"]),
        alike(facts["schedule"], facts.get("clip_norm"), facts.get("average")),
        None if facts["penalty"] is None else penalties.catalogue.make(facts["penalty"]),
        int(facts["batch"]),
        int(facts["epochs"]),
        int(frame["budget"]["learning_rates"]),
        int(facts["seed"]),
        bool(facts.get("thorough")),
    )
    field = entered(problem, rules, facts["contenders"], task)
    metric = metrics.find_metric(facts["metric"], task)
    runner = Runner(problem, field, ledger, rules, metric, margin)
    return Closing(problem, field, rules, metric, ledger, runner, dict(facts), margin, single, 0.0)


def entered(problem: Problem, rules: Protocol, spelled: list[Any], task: Task) -> list[Contender]:
    """The contenders as the plan had them; an error where a setting is not told to the last digit."""
    field = [again(one, rules, task) for one in spelled if not one[0].endswith(TWIN)]
    field = problem.labels.fitted(field, problem.dataset)
    field = rules.alike.fitted(field, rules.updates(max(len(fit.train) for fit in problem.fits)))
    known = {one.id: one for one in field}
    field += [twin(known[one[0].removesuffix(TWIN)]) for one in spelled if one[0].endswith(TWIN)]
    for one, (name, settings, batch, rates) in zip(field, spelled, strict=True):
        if (one.id, one.settings(None), one.batch, list(one.rates)) != (name, settings, batch, rates):
            raise BadData(f"{name} cannot be made again from its name; its settings have more digits than the name tells")
    return field


def again(spelled: list[Any], rules: Protocol, task: Task) -> Contender:
    """One contender from its name and its learning rates."""
    name, _, batch, rates = spelled
    loss, _, text = name.partition(JOINED)
    at = BATCH.fullmatch(text)
    optimizer = all_optimizers.catalogue.make(at[1] if at else text)
    if tuple(rates) != grid(optimizer, rules.draws)[0]:
        optimizer = with_learning_rate(optimizer, np.asarray(rates, float))
    return contender(all_losses.catalogue.make(loss), optimizer, batch, task=task, batch=rules.batch, draws=rules.draws)
