"""The second tier of tuning: settings drawn evenly from all declared ranges, as many for everyone, the worse half stopped early.

Everything here is a pure function of a contender and of curves, so that whoever has the ledger finds the same draws, the same
survivors and the same choice.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from downslope.comparison.contender import BESIDE, Contender
from downslope.comparison.later import SOBOL, bring
from downslope.comparison.wording import listed
from downslope.core.about import Range
from downslope.optimizers.base import rated
from downslope.training.best import Best
from downslope.training.budget import Cut

PHASE = "thorough"
POWER = 4
DRAWS = 2**POWER
FITS = 3
PIECES = 8
RUNGS = ((1 / 8, 8), (1 / 4, 4), (1 / 2, 2))
"""After which share of the updates how many draws go on."""
DIGITS = 4
RATE = "learning_rate"


class Draw(NamedTuple):
    """Settings to try. Number 0 is the choice of the first tier; it is never stopped, for it has run already."""

    number: int
    contender: Contender
    rate: float


@dataclass(frozen=True)
class Place:
    """A setting that is drawn: of the loss, or of the optimizer so many steps inside the outermost one."""

    name: str
    depth: int | None
    range: Range

    def value(self, draw: Draw) -> float:
        """What a draw has in this place."""
        if self.name == RATE:
            return draw.rate
        if self.depth is None:
            return getattr(draw.contender.loss, self.name)
        return getattr(list(draw.contender.optimizer.chain())[self.depth], self.name)


class Curve(NamedTuple):
    """Scores and losses of a run on its stopping slice, round by round."""

    scores: Sequence[float]
    losses: Sequence[float]


def places(contender: Contender) -> list[Place]:
    """The settings with a declared range that the user left at their defaults; the learning rate where it is tuned at all."""
    found = [Place(name, None, where) for name, where in ranges(contender.loss)]
    for depth, record in enumerate(contender.optimizer.chain()):
        found += [Place(name, depth, where) for name, where in ranges(record) if name != RATE]
    if contender.ratio > 1:
        found.append(Place(RATE, None, rated(contender.optimizer).settings()[RATE].search or Range(1e-4, 1.0, "log")))
    return found


def ranges(record: Any) -> Iterator[tuple[str, Range]]:
    """Names and ranges of a record's own settings that still have their defaults."""
    defaults = type(record)().values()
    for name, setting in record.settings().items():
        if setting.search is not None and setting.kind == "hyper" and np.all(getattr(record, name) == defaults[name]):
            yield name, setting.search


def draws(contender: Contender, first: float | None) -> list[Draw]:
    """What everyone tries: the first tier's choice, if there is one, then the points of a Sobol sequence, each in the middle of
    its cell, so that no end of a range is met.

    A contender of which everything is fixed has nothing to draw.
    """
    where = places(contender)
    found = [] if first is None else [Draw(0, beside(contender, "first tier"), first)]
    if not where:
        return found
    (qmc,) = bring(SOBOL)
    points = qmc.Sobol(len(where), scramble=False).random_base2(POWER) + 0.5 / DRAWS
    for number, point in enumerate(points.tolist(), start=1):
        one, rate = beside(contender, f"draw {number}"), contender.rates[0]
        for place, share in zip(where, point, strict=True):
            value = spread(place.range, share)
            if place.name == RATE:
                rate = value
            elif place.depth is None:
                one = replace(one, loss=one.loss.replace(**{place.name: value}))
            else:
                one = replace(one, optimizer=put(one.optimizer, place.depth, place.name, value))
        found.append(Draw(number, one, rate))
    return found


def beside(contender: Contender, name: str) -> Contender:
    """The same contender under the name of one of its draws."""
    return replace(contender, id=f"{contender.id}{BESIDE}{name}")


def spread(where: Range, share: float) -> float:
    """The value at a share of the way through a range.

    >>> spread(Range(1e-4, 1e-1, "log"), 0.5), spread(Range(0.8, 1.0), 0.25)
    (0.003162, 0.85)
    """
    if where.scale == "log":
        value = where.low * (where.high / where.low) ** share
    else:
        value = where.low + share * (where.high - where.low)
    return float(f"{value:.{DIGITS}g}")


def put(record: Any, depth: int, name: str, value: float) -> Any:
    """A copy of an optimizer with a setting changed, so many steps inside."""
    if depth == 0:
        return record.replace(**{name: value})
    part = next(name for name, setting in record.settings().items() if setting.kind == "part")
    return record.replace(**{part: put(getattr(record, part), depth - 1, name, value)})


def rungs(cut: Cut) -> list[tuple[int, int]]:
    """After how many device calls how many draws go on; a run of few calls has fewer rungs. No rung lies within a round.

    >>> rungs(Cut(rounds=32, steps=10, rounds_per_call=4)), rungs(Cut(3, 10, 1)), rungs(Cut(3, 10, 1, calls_per_round=5))
    ([(1, 8), (2, 4), (4, 2)], [(1, 4), (2, 2)], [(5, 4), (10, 2)])
    """
    whole = cut.calls_per_round
    found = {math.ceil(cut.calls // whole * share) * whole: keep for share, keep in RUNGS}
    return [(after, keep) for after, keep in found.items() if after < cut.calls]


def stopped(curves: Mapping[int, Sequence[Curve]], cut: Cut, smooth: int, calls: int) -> dict[int, int]:
    """For each draw that stops within so many calls the call after which it does. The lowest mean of the best scores so far go
    on; a draw of which a run was lost goes last. `curves` holds, by the draw's number, one curve for each fit; `smooth` is as in
    `Best`.
    """
    left, out = sorted(curves), {}
    for after, keep in rungs(cut):
        if after > calls:
            break
        rounds = cut.rounds_after(after)
        means = {number: float(np.mean([standing(curve, rounds, smooth) for curve in curves[number]])) for number in left}
        ranked = sorted(left, key=lambda number, means=means: (means[number], number))
        left = sorted(ranked[:keep])
        out |= dict.fromkeys(ranked[keep:], after)
    return out


def standing(curve: Curve, rounds: int, smooth: int) -> float:
    """The best score within so many rounds; infinite for a run that did not come so far."""
    if len(curve.scores) < rounds:
        return math.inf
    best = Best(smooth)
    best.see(curve.scores[:rounds], curve.losses[:rounds], lambda place: place)
    return best.value[0]


def chosen(scores: Mapping[int, float], margin: float, constant: float) -> int | None:
    """The draw with the lowest mean score, or the first tier's where that one is better by no more than the practical margin.

    >>> chosen({0: 5.0, 3: 4.9, 9: 4.0}, margin=0.01, constant=10.0), chosen({0: 5.0, 3: 4.98}, margin=0.01, constant=10.0)
    (9, 0)
    """
    known = {number: score for number, score in scores.items() if math.isfinite(score)}
    if not known:
        return None
    best = min(known, key=lambda number: (known[number], number))
    reach = margin * abs(constant - known[best]) if math.isfinite(constant) else 0.0
    return 0 if 0 in known and known[0] <= known[best] + reach else best


def share(cut: Cut) -> float:
    """The part of a full grid's updates that halving makes.

    >>> round(share(Cut(rounds=32, steps=10, rounds_per_call=4)), 4)
    0.3125
    """
    left, before, made = DRAWS, 0, 0.0
    for after, keep in [*rungs(cut), (cut.calls, 0)]:
        made += left * (after - before)
        left, before = keep, after
    return made / (DRAWS * cut.calls)


def runs(fits: int) -> int:
    """Runs that everyone gets: each draw on each fit, and the first tier's choice on the one that has not seen it."""
    return DRAWS * fits + 1


def words(fits: int) -> str:
    """What everyone gets, in words.

    >>> words(3)
    '16 draws of all its settings × 3 seeds, of which 8, 4 and 2 go on after 1/8, 1/4 and 1/2 of the updates'
    """
    keep = listed([str(keep) for _, keep in RUNGS])
    after = listed([f"1/{1 / share:g}" for share, _ in RUNGS])
    return f"{DRAWS} draws of all its settings × {fits} seeds, of which {keep} go on after {after} of the updates"


def settled(contender: Contender, draw: Draw) -> Contender:
    """The contender with the settings of one of its draws, apart from the learning rate."""
    return replace(contender, loss=draw.contender.loss, optimizer=draw.contender.optimizer)
