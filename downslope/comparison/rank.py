"""Which contenders are tied with the best: a simultaneous 95 % set over all pairs, from rows and seeds drawn again together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from downslope.core.errors import BadShape

DRAWS = 10_000
LEVEL = 0.95
SURE = 0.955  # for pairs: half a percent for what estimated variances cost when there are two contenders only
MARGIN_SHARE = 0.01
MOST_GROUPS = 20_000  # rows beyond this many are drawn in blocks
BLOCKS = 4_096
CHUNK = 1 << 20  # numbers held at once while drawing
TOGETHER = 32  # draws that are added up at once


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval."""

    mean: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """The entry of `result.json`."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Ranking:
    """Contenders in order, best first, with what can be said about them at once.

    `order` holds those that were judged; `unjudged` the others. `tied` is true for contenders that no other one beats both
    beyond chance and beyond the margin. `used` counts the confirmation runs in which the metric had a value, of `runs`.
    """

    order: tuple[str, ...]
    unjudged: tuple[str, ...]
    intervals: Mapping[str, Interval]
    tied: Mapping[str, bool]
    margin: float
    used: int
    runs: int
    estimate: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    quantile: float = float("nan")

    def difference(self, name: str, to: str) -> Interval:
        """How much worse `name` is than `to` (negative: better), with its simultaneous interval."""
        one, other = self.order.index(name), self.order.index(to)
        mean = float(self.estimate[one] - self.estimate[other])
        reach = float(self.quantile * self.error[one, other]) if one != other else 0.0
        return Interval(mean, mean - reach, mean + reach)


def practical_margin(best: float, constant: float, share: float = MARGIN_SHARE) -> float:
    """The difference that nobody would act on: a share of the way from the constant predictor to the best contender.

    >>> practical_margin(best=50.0, constant=150.0)
    1.0
    """
    way = abs(best - constant)
    return float(share * way) if np.isfinite(way) else 0.0


def tied_set(
    contributions: Mapping[str, Sequence[np.ndarray] | None],
    rows: Sequence[np.ndarray],
    direction: Literal["lower", "higher"],
    margin: float = 0.0,
    *,
    clusters: np.ndarray | None = None,
    limits: tuple[float, float] = (-np.inf, np.inf),
    draws: int = DRAWS,
    seed: int = 0,
) -> Ranking:
    """Ranks contenders by their mean over the confirmation runs.

    `contributions[name][run]` are the numbers of `influence.contributions` for the rows `rows[run]` that the run judges, the
    same for all contenders; `None` stands for a contender that diverged. `clusters` gives each row of the table a group that is
    drawn as a whole (`--split group:COL`, or blocks of time). `limits` are the metric's own, beyond which no interval reaches. A
    run in which the metric has no value is left out for all.
    """
    judged, kept = usable(contributions, rows)
    unjudged = tuple(name for name in contributions if name not in judged)
    if not judged:
        return Ranking((), unjudged, {}, {}, margin, 0, len(rows), np.zeros(0), np.zeros((0, 0)))
    sign = 1.0 if direction == "lower" else -1.0
    means = sign * np.array([[np.mean(values_of(contributions, name)[r], dtype=np.float64) for r in kept] for name in judged])
    order = np.argsort(means.mean(axis=1), kind="stable")
    names = tuple(judged[i] for i in order)
    # One run at a time: all contributions of a large table side by side would be the largest thing in memory.
    psi = (sign * np.stack([np.asarray(values_of(contributions, name)[r], np.float64) for name in names]) for r in kept)
    parts = Parts.of(psi, means[order], [np.asarray(rows[r]) for r in kept], clusters, seed)
    draw = parts.draw(draws, seed)

    cost = parts.means.mean(axis=1)
    error = np.sqrt(parts.row_variance(parts.pulls) + parts.run_variance)
    quantile = draw.largest_difference(error)
    worse = cost[:, None] - cost[None, :]
    beaten = (worse > quantile * error) & (worse > margin)
    intervals = {}
    for i, name in enumerate(names):
        low, high = draw.ends(i)
        # Percentiles, not their mirror image: a skewed score has its longer side where the draws have theirs.
        ends = np.clip(sorted((sign * (cost[i] + low), sign * (cost[i] + high))), *limits)
        intervals[name] = Interval(float(sign * cost[i]), float(ends[0]), float(ends[1]))
    tied = {name: not bool(beaten[i].any()) for i, name in enumerate(names)}
    return Ranking(names, unjudged, intervals, tied, margin, len(kept), len(rows), cost, error, float(quantile))


def values_of(contributions: Mapping[str, Sequence[np.ndarray] | None], name: str) -> Sequence[np.ndarray]:
    """The runs of a judged contender."""
    values = contributions[name]
    if values is None:
        raise BadShape(f"contender {name!r} has no judged rows")
    return values


def usable(contributions: Mapping[str, Sequence[np.ndarray] | None], rows: Sequence[np.ndarray]) -> tuple[list[str], list[int]]:
    """The contenders that can be judged, and the runs in which the metric has a value for all of them."""
    finite = {}
    for name, values in contributions.items():
        if values is None:
            continue
        if len(values) != len(rows) or any(len(v) != len(r) for v, r in zip(values, rows, strict=True)):
            raise BadShape(f"contender {name!r}: expected one number for each judged row of {len(rows)} runs, got other lengths")
        finite[name] = np.array([len(v) > 0 and bool(np.all(np.isfinite(v))) for v in values])
    if not finite:
        return [], []
    # A run that has a value for nobody says nothing (one class only); a contender without values in most of the others diverged.
    some = np.any(list(finite.values()), axis=0)
    judged = [name for name, f in finite.items() if 2 * f[some].sum() > some.sum()]
    kept = np.flatnonzero(np.all([finite[name] for name in judged], axis=0)) if judged else []
    return (judged, [int(r) for r in kept]) if len(kept) else ([], [])


@dataclass(frozen=True)
class Parts:
    """What the draws are made of: the pull of each group of rows on each contender's score, and the noise of runs.

    A score is the mean over runs of the mean over rows. It would differ with other rows (`pulls`, drawn again with the same
    multiplicities for all contenders and runs) and with other seeds and training rows (the spread of `means` over runs). Part of
    that spread comes from the rows again, `within`: what is left of it is the noise of seeds.
    """

    means: np.ndarray  # (contenders, runs)
    pulls: np.ndarray  # (contenders, groups); each row sums to 0
    run_variance: np.ndarray  # of each difference of two means, from their spread over runs
    own: np.ndarray  # variance of each contender's run mean, over runs
    own_within: np.ndarray
    shared: np.ndarray  # the same after what all contenders have in common is taken away
    shared_within: np.ndarray

    @classmethod
    def of(
        cls, psi: Iterable[np.ndarray], means: np.ndarray, rows: list[np.ndarray], clusters: np.ndarray | None, seed: int
    ) -> "Parts":
        """From contributions `(contenders, rows of the run)` of each run and their means."""
        contenders, runs = means.shape
        known, inverse = np.unique(np.concatenate(rows), return_inverse=True)
        group = grouping(known, clusters, seed)
        groups = int(group.max()) + 1
        where = np.split(group[inverse], np.cumsum([len(r) for r in rows])[:-1])
        by_run = [
            pull_of(part - mean[:, None], place, groups) / part.shape[1]
            for part, mean, place in zip(psi, means.T, where, strict=True)
        ]
        pulls = np.sum(by_run, axis=0) / runs
        noise = [pull - pulls for pull in by_run]

        def spread(values: np.ndarray, moving: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
            if runs < 2:
                return np.zeros(contenders), np.zeros(contenders)
            return values.var(axis=1, ddof=1), np.sum([np.square(m).sum(axis=1) for m in moving], axis=0) / (runs - 1)

        own, own_within = spread(means, noise)
        lost = max(1 - 1 / contenders, 0.5)  # share of a contender's own noise that stays when the mean of all is taken away
        shared, shared_within = spread(means - means.mean(axis=0), [m - m.mean(axis=0) for m in noise])
        apart = means[:, None, :] - means[None, :, :]
        run_variance = apart.var(axis=2, ddof=1) / runs if runs > 1 else np.zeros((contenders, contenders))
        scale = np.sqrt(groups / max(groups - 1, 1))
        return cls(means, pulls * scale, run_variance, own, own_within, shared / lost, shared_within / lost)

    @staticmethod
    def row_variance(pulls: np.ndarray) -> np.ndarray:
        """Variance of each difference of two scores over fresh rows."""
        both = np.einsum("ig,jg->ij", pulls, pulls)  # not a BLAS product, whose last bits depend on its threads
        alone = np.diag(both)
        return np.maximum(alone[:, None] + alone[None, :] - 2 * both, 0)

    def draw(self, draws: int, seed: int) -> "Draws":
        """Scores on rows and seeds drawn again, less the scores themselves."""
        rng = np.random.default_rng([seed, 2])
        contenders, runs = self.means.shape
        moved = drawn_rows(self.pulls, draws, rng)
        normal = rng.standard_normal((4, draws, runs, contenders), dtype=np.float32)

        def noise(which: int, total: np.ndarray, within: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            # A variance seen in ten runs may be far too small, which would do the harm; so its posterior mean counts.
            seeds = np.maximum(total - within, 0) * ((runs - 1) / (runs - 3) if runs > 3 else 2)
            of_runs = normal[which] * np.sqrt(np.maximum(seeds, seeds.mean())).astype(np.float32)
            seen = of_runs + normal[which + 1] * np.sqrt(within).astype(np.float32)
            return of_runs.mean(axis=1, dtype=np.float64), seen - seen.mean(axis=1, keepdims=True)

        shift, seen = noise(0, self.shared, self.shared_within)
        own_shift, own_seen = noise(2, self.own, self.own_within)
        freed = runs * max(runs - 1, 1)
        rows_alone = np.square(self.pulls).sum(axis=1)
        own_error = np.sqrt(rows_alone + np.square(own_seen).sum(axis=1, dtype=np.float64) / freed)
        stretched = ratio(moved + own_shift, own_error)
        error = np.sqrt(rows_alone + (self.own / runs if runs > 1 else 0))
        return Draws(moved + shift, seen, self.row_variance(self.pulls), freed, stretched, error)


@dataclass(frozen=True)
class Draws:
    """Scores drawn again, each with the error that would have been estimated from that draw (a studentised bootstrap).

    With ten runs the spread over runs is itself a guess; letting it vary from draw to draw, as it would from table to table, is
    what keeps the promise of 95 % (the plain bootstrap over ten seeds is too sure of itself).
    """

    moved: np.ndarray  # (draws, contenders)
    seen: np.ndarray  # (draws, runs, contenders), centred over runs
    row_variance: np.ndarray
    freed: int
    stretched: np.ndarray  # (draws, contenders): each one's own score, in its own errors
    error: np.ndarray

    def largest_difference(self, error: np.ndarray) -> float:
        """The size that the largest difference of any pair, in its own errors, stays below in 95 % of the draws."""
        contenders = self.moved.shape[1]
        if contenders < 2 or not error.any():
            return 0.0
        one, other = np.triu_indices(contenders, 1)
        real = error[one, other] > 0
        one, other = one[real], other[real]
        largest = np.empty(len(self.moved))
        step = max(1, CHUNK // (len(one) + contenders**2))
        for start in range(0, len(self.moved), step):
            some = slice(start, start + step)
            both = np.einsum("dri,drj->dij", self.seen[some], self.seen[some], optimize=True) / self.freed
            alone = np.einsum("dii->di", both)
            variance = self.row_variance[one, other] + np.maximum(alone[:, one] + alone[:, other] - 2 * both[:, one, other], 0)
            apart = np.abs(self.moved[some][:, one] - self.moved[some][:, other])
            largest[some] = np.max(ratio(apart, np.sqrt(variance)), axis=1)
        return float(np.quantile(largest, SURE))

    def ends(self, contender: int) -> tuple[float, float]:
        """Lower and upper end of the 95 % range of a contender's error."""
        tails = np.quantile(self.stretched[:, contender], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return float(tails[0] * self.error[contender]), float(tails[1] * self.error[contender])


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """`above / below`, and 0 where nothing varies."""
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)


def grouping(known: np.ndarray, clusters: np.ndarray | None, seed: int) -> np.ndarray:
    """The group that each judged row is drawn with: its cluster, a block of random rows on large tables, or itself."""
    if clusters is not None:
        return np.unique(np.asarray(clusters)[known], return_inverse=True)[1]
    if len(known) <= MOST_GROUPS:
        return np.arange(len(known))
    return np.random.default_rng([seed, 1]).permutation(len(known)) % BLOCKS


def pull_of(centred: np.ndarray, place: np.ndarray, groups: int) -> np.ndarray:
    """Sums of each contender's centred contributions over the groups of rows."""
    return np.stack([np.bincount(place, values, minlength=groups) for values in centred])


def poisson_table() -> np.ndarray:
    """How often a row is drawn, less one, for each of 65 536 equally likely random numbers: Poisson with mean and variance 1."""
    chances = np.exp(-1) / np.cumprod([1, *range(1, 9)])
    counts = np.rint(65536 * chances).astype(int)
    counts[1] += 65536 - counts.sum()
    return np.repeat(np.arange(-1, 8, dtype=np.int8), counts)


def drawn_rows(pulls: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """What drawing the groups again adds to each score, `(draws, contenders)`.

    The pulls are rounded to integers so large that nothing is lost and so small that every sum is exact in float64: the
    matrix product then gives the same bits whatever the number of threads.
    """
    from threadpoolctl import threadpool_limits

    largest = np.abs(pulls).max(initial=0)
    if largest == 0:
        return np.zeros((draws, len(pulls)))
    unit = largest / 2**34
    whole = np.ascontiguousarray(np.rint(pulls / unit).T)
    table, out = poisson_table(), np.empty((draws, len(pulls)))
    step = max(1, CHUNK // len(whole))
    # Few draws at a time, and one thread: their weights stay in a core's cache, where threads would wait for each other.
    with threadpool_limits(1):
        for start in range(0, draws, step):
            numbers = rng.integers(0, 65536, (min(step, draws - start), len(whole)), dtype=np.uint16)
            for first in range(0, len(numbers), TOGETHER):
                weight = table.take(numbers[first : first + TOGETHER]).astype(np.float64)
                out[start + first : start + first + len(weight)] = weight @ whole
    return out * unit
