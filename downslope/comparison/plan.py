"""What will run, how long it should take, how much memory it needs; and fewer epochs where time is short."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np

from downslope.comparison import second_tier
from downslope.comparison.contender import Contender, short
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.core.errors import OutOfRange
from downslope.training import budget

STEP_SECONDS = 5e-6
MULTIPLY_ADDS_PER_SECOND = 4.5e10
COMPILE_SECONDS = 1.0
FIXED_SECONDS = 12.0
FIXED_BYTES = 500e6
UNITS = {"s": 1, "sec": 1, "min": 60, "m": 60, "h": 3600}
DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*")


class Work(NamedTuple):
    """What a comparison has to do, apart from the number of epochs: runs and programs, rows and columns, the model's size."""

    runs: int
    programs: int
    rows: int
    batch: int
    parameters: int
    features: int
    arrays: int
    stop: int


def work(rules: Protocol, field: Sequence[Contender], problem: Problem) -> Work:
    """The work of all contenders that can run."""
    ready = [one for one in field if not one.reason]
    tuned = sum(len(one.rates) * len(problem.tuning) for one in ready if len(one.rates) > 1)
    runs = tuned + len(ready) * len(problem.confirmation)
    runs += len(ready) * second_tier.runs(len(problem.thorough)) if rules.thorough else 0
    shapes = jax.eval_shape(lambda: rules.model.init(jax.random.key(0), problem.features, 1))
    return Work(
        runs=runs,
        programs=len(ready) - sum(one.twin_of is not None for one in ready),
        rows=max(len(fit.train) for fit in problem.fits),
        batch=rules.batch,
        parameters=int(sum(np.prod(leaf.shape) for leaf in jax.tree.leaves(shapes))),
        features=problem.features,
        arrays=sum(len(problem.fits[fit].train) + len(problem.fits[fit].stop) for fit in problem.firsts),
        stop=max(len(fit.stop) for fit in problem.fits),
    )


def foreseen(work: Work, epochs: int) -> tuple[float, float]:
    """Seconds and bytes that a comparison should take with nothing compiled before: rough, never steering it while it runs."""
    updates = epochs * -(-work.rows // work.batch)
    each = updates * (STEP_SECONDS + 3 * work.parameters * work.batch / MULTIPLY_ADDS_PER_SECOND)
    seconds = work.runs * each / jax.device_count() + work.programs * COMPILE_SECONDS + FIXED_SECONDS
    return seconds, FIXED_BYTES + 4.0 * work.arrays * work.features + 3 * budget.CALL_BYTES


def within(time_budget: float | str | None, rules: Protocol, field: Sequence[Contender], problem: Problem) -> Protocol:
    """The rules with as many epochs as should fit into the time, the same for everyone and at least one.

    A pure function of the plan: the clock is not looked at, so that the same command goes on where it stopped.
    """
    if time_budget is None:
        return rules
    seconds, todo = duration(time_budget), work(rules, field, problem)
    fixed = foreseen(todo, 0)[0]
    epoch = foreseen(todo, 1)[0] - fixed
    fitting = max(1, int((seconds - fixed) / epoch))
    if fitting >= rules.epochs:
        return rules
    return replace(rules, epochs=fitting, cut_from=rules.epochs, time_budget=seconds)


def duration(given: float | str) -> float:
    """Seconds, from a number of them or from a text with a unit.

    >>> duration(90), duration("90"), duration("1.5 h"), duration("10min")
    (90.0, 90.0, 5400.0, 600.0)
    """
    found = DURATION.fullmatch(str(given).lower())
    unit = UNITS.get((found[2] if found else "") or "s")
    seconds = float(found[1]) * unit if found and unit else 0.0
    if not seconds > 0:
        raise OutOfRange(f"a time budget is a number of seconds or a text such as '90 s', '10 min' or '2 h', got {given!r}")
    return seconds


def plan(rules: Protocol, field: Sequence[Contender], problem: Problem) -> list[str]:
    """What will run, how long it should take and how much memory, in sentences."""
    ready, todo = [one for one in field if not one.reason], work(rules, field, problem)
    seconds, size = foreseen(todo, rules.epochs)
    losses, optimizers = {one.loss.name for one in ready}, {one.optimizer.name for one in ready}
    known = [one for one in ready if one.twin_of is None]
    words = [
        f"{counted(len(known), 'contender')}: {counted(len(losses), 'loss', 'losses')} ({', '.join(sorted(losses))}) × "
        f"{counted(len(optimizers), 'optimizer')} ({', '.join(sorted(optimizers))})",
        rules.data(todo.rows, problem.splits)["words"],
        f"model {short(rules.model)} on {todo.features} columns; {todo.runs:,} runs in all, {in_words(seconds)}, "
        f"{size / 1e9:.1f} GB of memory",
    ]
    words += [f"{shortened(rules)}; planned beforehand, the clock stops nobody"] if rules.cut_from else []
    words += [*rules.alike.words(known, rules.penalty), *problem.labels.words()]
    words += [] if problem.standardize else ["numbers stay in their own units: nothing is standardised"]
    words += [f"not run: {one.id} ({one.reason})" for one in field if one.reason]
    return words


def shortened(rules: Protocol) -> str:
    """What a time budget left of the plan, in words."""
    given = in_words(rules.time_budget or 0.0).removeprefix("about ")
    return f"the time budget of {given} leaves {rules.epochs} of {rules.cut_from} epochs to everyone"


def in_words(seconds: float) -> str:
    """A duration as one says it.

    >>> in_words(4), in_words(50), in_words(200), in_words(9000)
    ('about 5 s', 'about 50 s', 'about 3 min', 'about 2.5 h')
    """
    if seconds < 90:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def counted(number: int, one: str, many: str = "") -> str:
    """A number and its noun.

    >>> counted(1, "loss", "losses"), counted(2, "optimizer")
    ('1 loss', '2 optimizers')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"
