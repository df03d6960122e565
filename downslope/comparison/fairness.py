"""Whether everyone had the same chance: what each run should be, from the plan and the rules, against what the ledger holds."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from downslope.comparison import second_tier
from downslope.comparison.contender import BESIDE, Contender
from downslope.comparison.folder import fingerprint
from downslope.comparison.ledger import Run
from downslope.comparison.run import COUNTERFACTUAL, TRIED, Runner
from downslope.comparison.second_tier import Curve
from downslope.comparison.wording import percent
from downslope.optimizers.base import gradients_per_step
from downslope.training.best import Best
from downslope.training.status import Status

CONTROL = "control "
SHORT = 16
PHASES = ("tuning", second_tier.PHASE, "confirmation")


def differences(runner: Runner) -> list[str]:
    """One line for each thing in which a contender's runs are not what everyone gets; nothing where all is fair."""
    known = {one.id: one for one in runner.contenders if not one.reason}
    found: dict[str, list[Run]] = {}
    for run in runner.ledger.runs():
        found.setdefault(run.contender, []).append(run)
    planned = {name for name, runs in found.items() if {run.phase for run in runs} <= {COUNTERFACTUAL, TRIED}}
    planned = {name for name in planned if name.rpartition(BESIDE)[0] in known}
    planned |= {draw.contender.id for one in known.values() for draw in runner.draws(one)}
    strangers = [name for name in found if name not in known.keys() | planned and not name.startswith(CONTROL)]
    said = [f"{name}: {len(found[name])} runs of a contender that is not in the plan" for name in strangers]
    for one in known.values():
        mine = found.get(one.id, [])
        said += [f"{one.id}: {words}" for words in (*of_runs(runner, one, mine), *of_each(runner, one, mine))]
        said += [f"{one.id}: {words}" for words in of_draws(runner, one, found)]
    return said


def of_runs(runner: Runner, one: Contender, runs: Sequence[Run]) -> Iterator[str]:
    """Runs that are missing, and runs beyond those that the rule gives everyone."""
    rates = tuned_rates(runner, one)
    settled = runner.settled(one, rates)
    choice = None if settled is None else settled[1]
    wanted = {("tuning", rate, fit) for rate in rates for fit in runner.problem.tuning}
    wanted |= {("confirmation", choice, fit) for fit in runner.problem.confirmation if choice is not None}
    have = {(run.phase, run.learning_rate, run.fit) for run in runs}
    confirmed = {rate for phase, rate, _ in have if phase == "confirmation"}
    if choice is not None and confirmed and choice not in confirmed:
        yield f"confirmed at learning rate {listed(confirmed)}, but its tuning runs choose {choice:g}"
        have, wanted = ({each for each in some if each[0] == "tuning"} for some in (have, wanted))
    for keys, words in ((wanted - have, "missing"), (have - wanted, "more than everyone's")):
        for phase in sorted({phase for phase, _, _ in keys}):
            some = [(rate, fit) for name, rate, fit in keys if name == phase]
            noun = f"{phase} run is" if len(some) == 1 else f"{phase} runs are"
            where = f"learning rate {listed({rate for rate, _ in some})}, fit {listed({fit for _, fit in some})}"
            yield f"{len(some)} {noun} {words} ({where})"


def tuned_rates(runner: Runner, one: Contender) -> list[float]:
    """The learning rates of a contender's first tier, those beyond the border included; none where nothing is tuned."""
    return [rate for some in runner.grids(one) for rate in some] if len(one.rates) > 1 else []


def of_draws(runner: Runner, one: Contender, found: Mapping[str, Sequence[Run]]) -> Iterator[str]:
    """Runs of the second tier that are missing or too many, or that went on longer than the others' scores allow."""
    rates = tuned_rates(runner, one)
    draws = runner.draws(one, rates)
    runs = [run for draw in draws for run in found.get(draw.contender.id, ())]
    wanted = {(each.id, rate, fit) for each, rate, fit in runner.searched(one, rates)}
    have = {(run.contender, run.learning_rate, run.fit) for run in runs if run.phase == second_tier.PHASE}
    for keys, words in ((wanted - have, "missing"), (have - wanted, "more than everyone's")):
        if keys:
            yield f"{len(keys)} of the {len(wanted)} runs that tune all settings are {words}"
    numbers = {draw.contender.id: draw.number for draw in draws}
    curves: dict[int, list[Curve]] = {}
    for run in runs:
        if numbers[run.contender]:
            curve = Curve(run.arrays["stop_score"].tolist(), run.arrays["stop_loss"].tolist())
            curves.setdefault(numbers[run.contender], []).append(curve)
    cut = runner.cut(one)
    ends = second_tier.stopped(curves, cut, runner.smooth, cut.calls)
    for run in runs:
        after = ends.get(numbers[run.contender], cut.calls)
        yield from of_each(runner, one, [run], updates=cut.updates_after(after))


def of_each(
    runner: Runner, one: Contender, runs: Sequence[Run], phases: Collection[str] = PHASES, updates: int | None = None
) -> Iterator[str]:
    """Runs with another seed, other batches, more updates, or another result than their own curves give."""
    free = gradients_per_step(one.optimizer) is None
    updates = runner.updates(one) if updates is None else updates
    for run in runs:
        name = f"the {run.phase} run of fit {run.fit} at learning rate {run.learning_rate:g}"
        if run.phase not in phases or run.fit not in range(len(runner.problem.fits)):
            continue  # said already: more than everyone's
        seed = runner.lane_seed(one, run.fit)
        if run.seed != seed:
            yield f"{name} has the seed {run.seed}, where everyone {'else' if one.twin_of is None else 'in its place'} has {seed}"
        elif not np.array_equal(run.arrays.get("order", np.zeros(0, np.uint8)), runner.order(one, run.fit, seed)):
            yield f"{name} saw other batches, or in another order, than everyone with its seed"
        if run.updates > updates or (run.updates < updates and not free):
            yield f"{name} made {run.updates:,} updates, its budget is {updates:,}"
        if (words := inconsistent(runner, run)) is not None:
            yield f"{name} {words}"


def inconsistent(runner: Runner, run: Run) -> str | None:
    """What of a run its own curves contradict."""
    if run.status not in (Status.OK, Status.OUT_OF_BUDGET):
        return None if run.score is None else f"has a score although it is {run.status}"
    best = Best(3 if runner.metric.needs == "label" else 1)
    best.see(run.arrays["stop_score"].tolist(), run.arrays["stop_loss"].tolist(), lambda place: place)
    best.finish()
    value = best.value[0] if np.isfinite(best.value[0]) else None
    if (run.best, run.score) == (best.epoch, value):
        return None
    return f"claims the score {run.score} in round {run.best}, its curve says {value} in round {best.epoch}"


def shown(runner: Runner, facts: Mapping[str, Any]) -> list[list[str]]:
    """What was equal for everyone, as pairs of a label and words, read from the runs in the ledger."""
    problem, splits = runner.problem, runner.problem.splits
    ready = [one for one in runner.contenders if not one.reason and one.twin_of is None]
    runs = {one.id: runner.ledger.runs(one.id) for one in ready}
    everyone = {name: some for name, some in runs.items() if some}
    confirmed = {name: [run for run in some if run.phase == "confirmation"] for name, some in everyone.items()}
    planned = {one.id: [run for run in runs[one.id] if run.phase == "tuning" and run.learning_rate in one.rates] for one in ready}
    longer = [
        f"{one.id} {len({run.learning_rate for run in runs[one.id] if run.phase == 'tuning'}) - len(one.rates)}"
        for one in ready
        if any(run.phase == "tuning" and run.learning_rate not in one.rates for run in runs[one.id])
    ]
    parts = b"".join(rows.tobytes() for fit in problem.fits for rows in (fit.train, fit.stop, fit.judge))
    orders = {run.arrays["order"].tobytes() for some in everyone.values() for run in some if "order" in run.arrays}
    pairs = [
        ("Test rows", f"{len(splits.test):,}, in no fit: they chose nothing and judged the delivered model alone"),
        ("Rows of each fit", f"the same for everyone: {len(problem.fits)} fits, digest {digest(parts)}"),
        ("Learning rates planned", equal({one.id: len(one.rates) for one in ready})),
        ("Tuning runs on them", equal({name: len(some) for name, some in planned.items()})),
        ("Rates beyond the border", f"by one rule for everyone: {', '.join(longer)}" if longer else "none"),
        *second(runner, ready),
        ("Confirmation runs", equal({name: len(some) for name, some in confirmed.items() if some})),
        ("Seeds", equal({name: digest(seeds(some)) for name, some in confirmed.items() if some}, "digest ")),
        (
            "Batches",
            f"{len(orders - {b''})} orders of rows, each decided by seed and fit; digest {digest(b''.join(sorted(orders)))}",
        ),
        ("Budget of a run", budget(runner, ready)),
        ("Data", f"digest {facts['data'][:SHORT]}"),
        ("Identity", fingerprint(facts)),
    ]
    return [[label, words] for label, words in pairs]


def second(runner: Runner, ready: Sequence[Contender]) -> list[tuple[str, str]]:
    """The second tier of tuning, if there was one: its runs and what they cost."""
    if not runner.thorough:
        return []
    drawn = {one.id: [run for draw in runner.draws(one) for run in runner.drawn(one, draw)] for one in ready}
    runs = {name: [run for run in some if run.phase == second_tier.PHASE] for name, some in drawn.items()}
    whole = {one.id: runner.updates(one) for one in ready}
    spent = [sum(run.updates for run in some) / (len(some) * whole[name]) for name, some in runs.items() if some]
    words = f"{equal({name: len(some) for name, some in runs.items()})}, stopped on the way by one rule"
    part = f"; {percent(float(np.mean(spent)))} of the updates that whole runs would have made" if spent else ""
    return [("Runs that tuned all settings", words + part)]


def budget(runner: Runner, ready: Sequence[Contender]) -> str:
    """Examples of every run, and the updates that they make in each size of batch."""
    rows = max(len(fit.train) for fit in runner.problem.fits)
    ways = sorted({(runner.updates(one), "all rows" if one.batch is None else f"{runner.batch(one):,}") for one in ready})
    updates = ", ".join(f"{made:,} updates of {size}" for made, size in ways)
    return f"the gradients of {rows * runner.epochs:,} examples for everyone ({updates})"


def equal(values: Mapping[str, Any], noun: str = "") -> str:
    """One value that all have, or who has which."""
    if len(set(values.values())) <= 1:
        return f"{noun}{next(iter(values.values()), 0)} for everyone"
    return ", ".join(f"{name} {noun}{value}" for name, value in values.items())


def seeds(runs: Sequence[Run]) -> bytes:
    """Fit and seed of some runs, in order."""
    return repr(sorted((run.fit, run.seed) for run in runs)).encode()


def digest(data: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(data).hexdigest()[:SHORT]


def listed(values: Any) -> str:
    """Some numbers in words, few of them."""
    some = sorted(values)
    return ", ".join(f"{value:g}" for value in some[:4]) + (", …" if len(some) > 4 else "")
