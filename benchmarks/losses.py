"""Losses alone: value and gradient of the mean loss, compiled, float32, beside every peer that has the loss."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from benchmarks.figures import Target, better, promising, ratios, spread
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer, cores, rotated
from benchmarks.report import Report
from benchmarks.sizes import Sizes

WORKERS = {
    "plain JAX": "jax_pieces",
    "optax": "optax_pieces",
    "Keras": "keras_pieces",
    "PyTorch": "pytorch_pieces",
    "PyTorch compiled": "pytorch_compiled_pieces",
}
REGRESSION = ("squared_error", "absolute_error", "huber", "smooth_l1", "log_cosh", "squared_logarithmic_error", "poisson")
BINARY = ("hinge", "perceptron", "binary_cross_entropy")
MULTICLASS = ("cross_entropy", "crammer_singer_hinge")
NAMES = (*REGRESSION, *BINARY, *MULTICLASS)
# All keep the memory that they let go: what is timed is their arithmetic and not the system's supply of fresh pages.
KEEPING = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=268435456"}
Timed = dict[tuple[str, int], list[float]]
BESIDE_ACCURATE, BESIDE_FASTEST, AT_MANY_CLASSES, MANY = 1.1, 1.6, 2.0, 32_000


class Case(NamedTuple):
    """A loss and its shape; no classes for a loss with one score a row."""

    loss: str
    rows: int
    classes: int = 0

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.loss}, {self.rows} rows" + (f" × {self.classes} classes" if self.classes else "")


def cases(sizes: Sizes) -> list[Case]:
    """All of them, loss by loss."""
    found = [Case(loss, rows) for loss in (*REGRESSION, *BINARY) for rows in sizes.rows]
    return found + [Case(loss, rows, classes) for loss in MULTICLASS for rows, classes in sizes.shapes]


def settings(who: str) -> list[tuple[str, int]]:
    """A peer with the numbers of threads it is tried with; what runs on JAX decides for itself."""
    return [(who, threads) for threads in sorted({1, cores()})] if who.startswith("PyTorch") else [(who, 0)]


def label(who: str, threads: int) -> str:
    """A peer as it is printed."""
    return f"{who}, {threads} thread{'s' if threads > 1 else ''}" if threads else who


def accurate(who: str, passes: Mapping[str, bool]) -> bool:
    """Whether a peer passes the accuracy test; compiling PyTorch's formula makes it no better."""
    return passes.get(who.split(",")[0].removesuffix(" compiled"), False)


def verdicts(case: Case, seconds: Mapping[str, Sequence[float]], passes: Mapping[str, bool]) -> list[tuple[Target, list[float]]]:
    """Our time in times of the fastest peer, and of the fastest among those that are as accurate; each with its bound.

    >>> passes = {"ours": True, "optax": False, "PyTorch": True}
    >>> seconds = {"ours": [3.0, 3.0], "optax": [2.0, 1.5], "PyTorch, 1 thread": [3.0, 2.0]}
    >>> [(target.bound, values) for target, values in verdicts(Case("huber", 100), seconds, passes)]
    [(1.6, [1.5, 2.0]), (1.1, [1.0, 1.5])]
    """
    ours = seconds["ours"]
    peers = {who: values for who, values in seconds.items() if who != "ours"}
    bound = AT_MANY_CLASSES if case.classes >= MANY else BESIDE_FASTEST
    found = []
    for limit, some in ((bound, peers), (BESIDE_ACCURATE, {who: each for who, each in peers.items() if accurate(who, passes)})):
        if some:
            best = better(some)
            kind = "fastest" if limit == bound else "accurate"
            found.append((Target(f"{case.name}, {kind}: {best}", limit, least=False), ratios(ours, some[best])))
    return found


def measure(report: Report, sizes: Sizes, watch: Watch, only: str | None = None) -> None:
    """Starts the peers, lets them take turns at each case, reports. All of it several times in new processes: where the system
    has put the memory of one makes it faster or slower for its whole life."""
    report.say("\nlosses: value and gradient of the mean, our time in times of the fastest peer and of the fastest accurate one")
    report.data["losses"] = []
    passes = judged([only] if only else NAMES, sizes.points)
    found: dict[Case, Timed] = {case: {} for case in cases(sizes) if case.loss in passes}
    for number in range(1, sizes.processes + 1):
        report.say(f"processes {number} of {sizes.processes}")
        with ExitStack() as stack:
            workers = {
                who: stack.enter_context(Peer(worker, **KEEPING)) for who, worker in {"ours": "ours_pieces", **WORKERS}.items()
            }
            versions = [each.ask("prepare") for each in workers.values()]
            for each in versions if number == 1 else []:
                report.use(each)
            for case, seconds in found.items():
                take_turns(case, workers, sizes.turns, seconds)
                watch.check()
                if number == sizes.processes:
                    told(report, case, {label(*setting): values for setting, values in seconds.items()}, passes[case.loss])


def told(report: Report, case: Case, seconds: dict[str, list[float]], passes: dict[str, bool]) -> None:
    """One case: the times, and what was promised."""
    medians = {who: spread(values)._asdict() for who, values in seconds.items()}
    report.data["losses"].append({**case._asdict(), "seconds": medians, "passes": passes})
    report.say(f"{case.name}: " + ", ".join(f"{who} {1e6 * each['median']:.4g} µs" for who, each in medians.items()))
    for target, values in verdicts(case, seconds, passes):
        report.judge(target, values)


def judged(losses: Sequence[str], points: int) -> dict[str, dict[str, bool]]:
    """Who passes the accuracy test of each loss."""
    with Peer("judge") as judge:
        judge.ask("prepare")
        return {loss: judge.ask("judge", loss=loss, count=points)["passes"] for loss in losses}


def take_turns(case: Case, workers: Mapping[str, Peer], turns: int, found: Timed) -> None:
    """Adds seconds to what was found by peer and threads; a first turn warms up, and the very first rules out threads."""

    def ask(who: str, threads: int) -> Any:
        request = {"name": case.loss, "rows": case.rows, "classes": case.classes, "threads": threads}
        return workers[who].ask("loss", **request)["seconds"]

    tried = {each: ask(*each) for each in found or [each for who in workers for each in settings(who)]}
    for who in workers if not found else ():
        mine = {setting: seconds for setting, seconds in tried.items() if setting[0] == who and seconds is not None}
        found.update({setting: [] for setting in (promising(mine) if mine else [])})
    for turn in range(turns):
        for setting in rotated(list(found), turn):
            found[setting].append(ask(*setting))
