"""Which rows train, which choose the epoch, which judge, and which are kept for the very end."""

from dataclasses import dataclass

import numpy as np

from downslope.core.errors import BadData
from downslope.data.describe import Dataset

FOLDS = 5
TUNING = 2  # fits on which learning rates are tuned
SINGLE_FROM = 20_000  # development rows from which one judged part is large enough
STRATA = 10
FEWEST = 5  # development rows, so that each of five folds judges one
LATEST = 5  # one in so many rows is set aside: for the test, for stopping, for judging in a single split


@dataclass(frozen=True, eq=False)
class Fit:
    """One model to train: on `train`, its epoch chosen on `stop`, judged on `judge`. Row numbers of the dataset, sorted."""

    train: np.ndarray
    stop: np.ndarray
    judge: np.ndarray
    seed: int
    repetition: int
    fold: int


@dataclass(frozen=True, eq=False)
class Splits:
    """The fits of a comparison, and the test rows that none of them sees.

    The score of a tuning fit comes from its stopping slice, that of a confirmation fit from its judged rows.
    """

    scheme: str
    development: np.ndarray
    test: np.ndarray
    tuning: tuple[Fit, ...]
    confirmation: tuple[Fit, ...]

    @property
    def folds(self) -> int:
        """How many different judged parts there are in one repetition."""
        return 1 + max((fit.fold for fit in self.confirmation), default=0)


@dataclass(frozen=True, eq=False)
class Part:
    """Training, stopping and judged rows of one fold."""

    train: np.ndarray
    stop: np.ndarray
    judge: np.ndarray


def split(
    dataset: Dataset,
    *,
    seed: int = 0,
    tuning: int = TUNING,
    confirmation: int = 10,
    test: np.ndarray | None = None,
    folds: int | None = None,
) -> Splits:
    """The rows of each fit. `test` names the test rows if they are given; `folds=1` asks for one judged part.

    >>> from downslope.data.describe import describe
    >>> from downslope.data.read import read
    >>> parts = split(describe(read("demo:iris")))
    >>> parts.scheme, len(parts.test), len(parts.confirmation), len(parts.confirmation[0].judge)
    ('folds', 30, 10, 24)
    """
    rows = np.arange(len(dataset.y))
    draw = np.random.default_rng([seed, 0])
    if test is None:
        test = set_aside(dataset, rows, draw)
    test = np.unique(np.asarray(test, np.int64))
    development = without(rows, test)
    if len(test) == 0 or len(development) < FEWEST:
        raise BadData(f"{len(development)} development and {len(test)} test rows, expected at least {FEWEST} and 1; add rows")
    single = folds == 1 or (folds is None and len(development) >= SINGLE_FROM)
    if single:
        parts = [[single_part(dataset, development, np.random.default_rng([seed, 1, 0]))]]
    else:
        wanted = folds or FOLDS
        repetitions = -(-confirmation // wanted)
        parts = [
            fold_parts(dataset, development, wanted, np.random.default_rng([seed, 1, r])) for r in range(max(repetitions, 1))
        ]
    scheme = "time" if dataset.time is not None else "group" if dataset.group is not None else "single" if single else "folds"
    judged = [(r, f) for r, fold in enumerate(parts) for f in range(len(fold))]
    chosen = [(i % len(parts), i // len(parts) % len(parts[0])) for i in range(tuning)]
    return Splits(
        scheme,
        development,
        test,
        tuple(make_fit(parts, r, f, 1000 * seed + i) for i, (r, f) in enumerate(chosen)),
        # Seeds of their own, so that no initial weights are met again that have been tuned on.
        tuple(make_fit(parts, *judged[i % len(judged)], 1000 * seed + 100 + i) for i in range(confirmation)),
    )


def make_fit(parts: list[list[Part]], repetition: int, fold: int, seed: int) -> Fit:
    """The fit of one fold with its own seed; fits of the same fold share their arrays."""
    part = parts[repetition][fold]
    return Fit(part.train, part.stop, part.judge, seed, repetition, fold)


def set_aside(dataset: Dataset, rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """One row in five: the latest ones, whole groups, or a stratified draw."""
    if dataset.time is not None:
        return latest(dataset.time, rows)[1]
    if dataset.group is not None:
        return one_bin(dataset.group, rows, draw)
    return (
        rows[deal(strata(dataset, rows), LATEST, draw) == 0] if len(rows) >= 2 * LATEST else rows[draw.permutation(len(rows))[:1]]
    )


def without(rows: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """The sorted rows that are not taken, no row occurring twice."""
    return np.setdiff1d(rows, taken, assume_unique=True)


def single_part(dataset: Dataset, development: np.ndarray, draw: np.random.Generator) -> Part:
    """One judged part, as the test part was set aside."""
    judge = set_aside(dataset, development, draw) if dataset.time is not None or dataset.group is not None else None
    if judge is None:
        judge = development[deal(strata(dataset, development), LATEST, draw) == 0]
    return with_stop(dataset, without(development, judge), judge, draw)


def fold_parts(dataset: Dataset, development: np.ndarray, folds: int, draw: np.random.Generator) -> list[Part]:
    """Every development row judged once; with time, the later half of them by windows of equal length."""
    if dataset.time is not None:
        return time_parts(dataset, development, folds)
    if dataset.group is not None:
        bins = deal_groups(dataset.group[development], min(folds, len(np.unique(dataset.group[development]))), draw)
    else:
        bins = deal(strata(dataset, development), min(folds, len(development)), draw)
    return [with_stop(dataset, development[bins != fold], development[bins == fold], draw) for fold in range(bins.max() + 1)]


def with_stop(dataset: Dataset, training: np.ndarray, judge: np.ndarray, draw: np.random.Generator) -> Part:
    """A fold whose training rows give one in five to the stopping slice."""
    if dataset.time is not None:
        train, stop = latest(dataset.time, training)
        return Part(train, stop, judge)
    if dataset.group is not None:
        stop = one_bin(dataset.group, training, draw)
        return Part(without(training, stop), stop, judge)
    stopping = deal(strata(dataset, training), LATEST, draw) == 0
    if dataset.classes is not None:
        keep_each_class(dataset.y[training], stopping)
    return Part(training[~stopping], training[stopping], judge)


def keep_each_class(labels: np.ndarray, stopping: np.ndarray) -> None:
    """Give back to training the only row of a class; nothing can be learned of a class that is not there."""
    for label in np.setdiff1d(labels, labels[~stopping]):
        stopping[np.flatnonzero(labels == label)[0]] = False
    if not stopping.any():
        counts = np.bincount(labels)
        stopping[np.flatnonzero(labels == counts.argmax())[0]] = True


def strata(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """The class of each row, or which tenth of the target values it belongs to."""
    y = dataset.y[rows]
    if dataset.classes is not None:
        return y
    rank = np.argsort(np.argsort(y, kind="stable"), kind="stable")
    return rank * min(STRATA, max(1, len(y) // FOLDS)) // len(y)


def deal(strata: np.ndarray, bins: int, draw: np.random.Generator) -> np.ndarray:
    """A bin for each row, dealt in turn after shuffling within strata: sizes differ by at most one, in all and per stratum.

    >>> np.bincount(deal(np.zeros(7, int), 3, np.random.default_rng(0)))
    array([3, 2, 2])
    """
    order = draw.permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    dealt = np.empty(len(strata), np.int64)
    dealt[order] = np.arange(len(strata)) % bins
    return dealt


def deal_groups(group: np.ndarray, bins: int, draw: np.random.Generator) -> np.ndarray:
    """A bin for each row, one for all rows of a group: large groups first, each to the bin that is emptiest."""
    names, member, sizes = np.unique(group, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise BadData("split by group: too few groups to train, stop, judge and test on different ones; at least 4 are needed")
    order = draw.permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled, chosen = np.zeros(bins, np.int64), np.empty(len(names), np.int64)
    for name in order:
        chosen[name] = filled.argmin()
        filled[chosen[name]] += sizes[name]
    return chosen[member]


def one_bin(group: np.ndarray, rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """The rows of whole groups, as near to one row in five as groups allow, and never all of them."""
    bins = deal_groups(group[rows], min(LATEST, len(np.unique(group[rows]))), draw)
    sizes = np.bincount(bins)
    return rows[bins == np.abs(sizes - len(rows) / LATEST).argmin()]


def latest(time: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The earlier rows, and the latest one in five; equal times stay on one side."""
    early, late = cut(time, rows, [len(rows) - max(1, len(rows) // LATEST)])
    return np.sort(early), np.sort(late)


def cut(time: np.ndarray, rows: np.ndarray, positions: list[int]) -> list[np.ndarray]:
    """Rows in the order of time, cut at (or, for equal times, nearest to) the positions."""
    order = rows[np.argsort(time[rows], kind="stable")]
    ordered = time[order]
    borders = np.flatnonzero(np.diff(ordered) > 0) + 1
    cuts: list[int] = []
    for position in positions:
        free = borders[borders > (cuts[-1] if cuts else 0)]
        if not len(free):
            raise BadData(
                f"split by time: {len(borders) + 1} different times in {len(rows)} rows are too few to train before, judge after"
            )
        cuts.append(int(free[np.abs(free - position).argmin()]))
    return np.split(order, cuts)


def time_parts(dataset: Dataset, development: np.ndarray, folds: int) -> list[Part]:
    """Each judged block comes after the rows that train for it; all training windows span the same number of blocks."""
    assert dataset.time is not None
    blocks = 2 * folds
    pieces = cut(dataset.time, development, [len(development) * i // blocks for i in range(1, blocks)])
    parts = []
    for fold in range(folds):
        train, stop = latest(dataset.time, np.concatenate(pieces[fold : fold + folds]))
        parts.append(Part(train, stop, np.sort(pieces[fold + folds])))
    return parts
