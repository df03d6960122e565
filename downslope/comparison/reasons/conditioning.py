"""Conditioning: is a contender held back because columns have very different sizes, or nearly say the same?"""

from collections.abc import Callable
from functools import cache

import numpy as np

from downslope.comparison.contender import Contender, short
from downslope.comparison.counterfactual import Change, Changed
from downslope.comparison.curvature import condition, top_curvature
from downslope.comparison.problem import Problem
from downslope.comparison.proportion import PROPORTIONAL, unevenness
from downslope.comparison.rank import Interval
from downslope.comparison.reasons.base import (
    CONFIRMED,
    REFUTED,
    Case,
    Cause,
    Record,
    helps,
    measured,
    moved,
    opened,
    reach_of,
    try_changes,
    untested,
)
from downslope.comparison.run import Runner
from downslope.comparison.wording import capital, number
from downslope.optimizers.base import gradients_per_step
from downslope.training.lanes import Lane
from downslope.training.status import Status

LEAST = 10.0  # below that no number of updates is too small
CLOSES = 0.5  # share of the gap that has to close
BELOW = (0.1, 1.0)  # learning rates that are tried, in units of 1 / curvature: the edge of gradient descent lies at 2
ALONE = "below the edge of its learning rate"


class Conditioning(Cause):
    """Whom it would hurt is the best contender whose steps are in proportion to the gradient; where none came to a score, one
    that diverged; where there is none, the recommended one. Its rival is the best one of the same loss whose steps are not.

    The sign is the condition number of the encoded rows with a column of ones. The test scales the columns, where numbers stay
    in their own units, and otherwise turns them to their principal axes and scales those; with such columns another learning
    rate is best, so it is chosen anew from a few.
    """

    title = "ill-conditioned features"
    rank = 5

    def examine(self, case: Case) -> Record | None:
        one, rival = pair(case)
        runner, metric = case.evidence.runner, case.evidence.metric
        remedy = change(runner.problem)
        seen = case.noted("conditioning", lambda: read(case, one, remedy))
        words = "condition number of the encoded training rows"
        updates = runner.updates(one)
        threshold = max(LEAST, float(np.sqrt(updates / 2)))
        record = opened(
            self, case, [one, *([] if rival is None else [rival])], measured(words, Interval(**seen["condition"])), threshold
        )
        record["rates"] = edge(case, one, seen["curvature"])
        if seen["condition"]["mean"] < threshold:
            why = f"the condition number is {number(seen['condition']['mean'])}; with {updates:,} updates it is tried from"
            return untested(record, f"{why} {number(threshold)} on")
        kept = confirmed(case, one)
        tuned = kept is not None and len(one.rates) > 1
        by_edge = proportional(one) and seen["start"] is not None and seen["changed"] is not None
        if kept is None and not by_edge:
            return untested(record, "it diverged, and its loss has no curvature that says at which learning rate it would not")
        rates = {remedy.name: [kept] if kept is not None else []}
        start = None
        if tuned:
            rates[remedy.name] += below(seen["changed"]) if by_edge else upper(list(one.rates))
        elif by_edge:  # nobody chose its rate: both sides get the same choice
            start = Change(ALONE)
            rates = {ALONE: below(seen["start"]), remedy.name: below(seen["changed"])}
        rates = {name: sorted(set(some)) for name, some in rates.items()}
        record = try_changes(case, record, one, [remedy], metric, rival, start, rates)
        if not record["arms"]:
            return record
        (arm,) = record["arms"]
        gap = 0.0 if rival is None else CLOSES * record["gap"]["mean"]
        record["needed"] = max(gap, record["needed"], case.margin(metric, arm["score"]))
        record["alike"] = start is not None
        return record | {"verdict": CONFIRMED if helps(arm, record["needed"]) else REFUTED}

    def sentence(self, record: Record) -> str:
        name, (arm,) = record["names"][0], record["arms"]
        sign = f"condition number {number(record['statistic']['value'])}"
        both = ", each at the better of two learning rates below its edge" if record["alike"] else ""
        effect = f"learning {arm['name']} brings {moved(record, arm)}{both}"
        if record["verdict"] == CONFIRMED:
            return f"{capital(name)} is held back by ill-conditioned features ({sign}): {effect}.{at_the_edge(record['rates'])}"
        return f"Features are ill-conditioned ({sign}), but that does not hold {name} back: {effect}."


def pair(case: Case) -> tuple[Contender, Contender | None]:
    """Whom bad conditioning would hurt, and the best contender of the same loss that has a step size for each number."""
    ready = [one for one in case.evidence.contenders if not one.reason and one.twin_of is None]
    plain = cache(lambda place: proportional(ready[place]))
    kinds = {one.id: place for place, one in enumerate(ready)}
    lost = [one for one in ready if one not in case.ranked]
    one = next((each for each in (case.chosen, *case.ranked, *lost) if plain(kinds[each.id])), case.chosen)
    others = [each for each in case.ranked if each is not one and short(each.loss) == short(one.loss)]
    return one, next((each for each in others if not plain(kinds[each.id])), None)


def proportional(one: Contender) -> bool:
    """Whether its steps are in proportion to the gradient, so that its curvature limits its learning rate."""
    return gradients_per_step(one.optimizer) == 1 and unevenness(one.optimizer, one.rates[0]) >= PROPORTIONAL


def confirmed(case: Case, one: Contender) -> float | None:
    """The learning rate at which a contender came to a score."""
    return case.trials.plain(one)[0].learning_rate if one in case.ranked else None


def below(curvature: float) -> list[float]:
    """Learning rates below the edge of gradient descent.

    >>> below(20.0)
    [0.005, 0.05]
    """
    return [float(f"{share / curvature:.4g}") for share in BELOW]


def upper(grid: list[float]) -> list[float]:
    """The middle and the highest of some learning rates: columns of one size bear larger ones than columns of all sizes.

    >>> upper([0.1, 0.2, 0.4])
    [0.2, 0.4]
    """
    return [grid[len(grid) // 2], grid[-1]]


def edge(case: Case, one: Contender, curvature: float | None) -> Record:
    """The top curvature, the learning rate beyond which gradient descent diverges on it, and the lowest that was seen to."""
    runs = [run for run in case.evidence.ledger.runs(one.id) if run.phase in ("tuning", "confirmation")]
    lost = [run.learning_rate for run in runs if run.status == Status.DIVERGED]
    fine = [run.learning_rate for run in runs if run.status == Status.OK]
    return {
        "curvature": curvature,
        "edge": 2 / curvature if curvature is not None and proportional(one) else None,
        "diverged_from": min(lost, default=None),
        "highest_finite": max(fine, default=None),
    }


def at_the_edge(rates: Record) -> str:
    """What is known of the learning rate's edge, as a sentence behind another."""
    if rates["edge"] is None:
        return ""
    said = f" Its curvature of {number(rates['curvature'])} puts the edge of the learning rate at {rates['edge']:.2g}"
    if rates["diverged_from"] is None:
        return f"{said}; none that was tried diverged."
    tried = "every one that was tried" if rates["highest_finite"] is None else "the lowest that did"
    return f"{said}; {tried} diverged{', from' if rates['highest_finite'] is None else ' was'} {rates['diverged_from']:.2g}" + (
        " on." if rates["highest_finite"] is None else "."
    )


def read(case: Case, one: Contender, remedy: Change) -> Record:
    """What is read from the columns: the condition number, and the top curvature at the kept parameters, at the start, and at
    the start with changed columns; all on the fits that pairs are made on, curvatures on the first of them.
    """
    runner = case.evidence.runner
    places = sorted({runner.problem.places[fit] for fit in case.trials.fits})
    logs = np.log([condition(runner.problem.matrices[place][0]) for place in places])
    middle, reach = float(logs.mean()), reach_of(logs) if len(logs) > 1 else 0.0
    value, low, high = (float(f"{np.exp(each):.4g}") for each in (middle, middle - reach, middle + reach))
    start = at_start(runner, case, one)
    kept = start
    if one in case.ranked:
        run = case.trials.plain(one)[0]
        fold = runner.trainer(one.loss).folds[runner.problem.places[run.fit]]
        kept = top_curvature(runner.recipe(one, run.learning_rate), runner.params(one.loss, run), fold)
    changed = at_start(Changed(runner, remedy, one), case, one)
    return {"condition": Interval(value, low, high).to_json(), "curvature": kept, "start": start, "changed": changed}


def at_start(runner: Runner, case: Case, one: Contender) -> float | None:
    """The top curvature where the first of the fits that pairs are made on begins."""
    trainer, fit = runner.trainer(one.loss), case.trials.fits[0]
    place, recipe = runner.problem.places[fit], runner.recipe(one, one.rates[0])
    lane = Lane(recipe, place, runner.lane_seed(one, fit))
    params = trainer.start(lane, one.loss.outputs(runner.classes), runner.classes)
    return top_curvature(recipe, params, trainer.folds[place])


def change(problem: Problem) -> Change:
    """Columns with mean 0 and variance 1 where numbers stayed as they are, otherwise with no correlation either."""
    fitted: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]] = whitening if problem.standardize else scaling
    known = cache(lambda place: fitted(problem.matrices[place][0].astype(np.float64)))

    def columns(place: int, x: np.ndarray) -> np.ndarray:
        centre, turn = known(place)
        return (x - centre) @ turn

    return Change("with whitened columns" if problem.standardize else "with standardised columns", columns=columns)


def scaling(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The means of columns, and the matrix that gives each its variance of 1; a column that never varies becomes 0."""
    spread = x.std(axis=0)
    varies = spread > np.abs(x).max(axis=0) * np.finfo(np.float32).eps
    return x.mean(axis=0), np.diag(np.where(varies, 1 / np.where(varies, spread, 1), 0))


def whitening(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The means of columns, and the matrix that turns them to their principal axes with variance 1 each; axes without any
    variance become 0.

    >>> x = np.random.default_rng(0).normal(size=(50, 2)) @ [[1.0, 0.9], [0.0, 0.1]]
    >>> centre, turn = whitening(x)
    >>> np.cov(((x - centre) @ turn).T, bias=True).round(6).tolist() == np.eye(2).tolist()
    True
    """
    centre = x.mean(axis=0)
    _, sizes, axes = np.linalg.svd(x - centre, full_matrices=False)
    there = sizes > sizes[0] * max(x.shape) * np.finfo(np.float32).eps
    turn = np.zeros((x.shape[1], x.shape[1]))
    turn[:, : there.sum()] = axes[there].T * np.sqrt(len(x)) / sizes[there]
    return centre, turn
