"""The whole job: `downslope compare` on a real table against the same runs as loops of others, one after another."""

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.compared import TARGET, compare, runs_made, training_seconds, where_time_goes
from benchmarks.figures import Target, promising, ratios
from benchmarks.neighbours import Watch
from benchmarks.peer import ROOT, Peer, cores
from benchmarks.report import Report
from benchmarks.shapes import operations
from benchmarks.sizes import Problem, Sizes

FOLDER = ROOT.parent / "shared" / "data"
TABLE = FOLDER / "california_housing.csv"
WARM_UP_EPOCHS = 2


@dataclass(frozen=True)
class Rival:
    """Who is held against a comparison: its worker, and how many times longer it should take at least."""

    worker: str
    name: str
    warm: float
    cold: float | None = None
    compiles: bool = True


@dataclass(frozen=True)
class Job:
    """A table, a model, and those who do the same runs."""

    table: Path
    target: str
    rivals: tuple[Rival, ...]
    widths: tuple[int, ...] = (64, 64)
    options: tuple[str, ...] = ()
    losses: str = "squared_error,huber"  # of a quick look

    @property
    def name(self) -> str:
        """As it is printed."""
        return f"{self.table.stem}, {'MLP 64-64' if self.widths else 'linear'}"


PYTORCH = Rival("pytorch_job", "PyTorch", warm=15, cold=8, compiles=False)
JOBS = {
    "job": Job(TABLE, TARGET, (PYTORCH,)),
    "job-compiled": Job(
        TABLE,
        TARGET,
        (
            Rival("ensemble_job", "the torch.compile ensemble", warm=1.3),
            Rival("optax_job", "optax in a scan", warm=1.8),
        ),
    ),
    "job-adult": Job(
        FOLDER / "adult.csv",
        "income",
        (Rival("pytorch_job", "PyTorch", warm=10, compiles=False),),
        losses="binary_cross_entropy,hinge",
    ),
    "job-linear": Job(
        TABLE, TARGET, (Rival("pytorch_job", "PyTorch", warm=50, compiles=False),), (), options=("--model", "linear")
    ),
}


def request(one: dict[str, Any], epochs: int, seed: int, lanes: int = 1) -> dict[str, Any]:
    """What a loop needs to know of a contender, and how many runs of it may be trained together."""
    settings = {"learning_rate": 1e-3} | {name: value for name, value in one["settings"].items() if value is not None}
    batch = None if one["batch"] == "full" else one["batch"]
    asked = {"loss": one["loss"], "optimizer": one["optimizer"], "settings": settings, "batch": batch}
    return {**asked, "epochs": epochs, "seed": seed, "lanes": lanes}


def made_ready(rival: Rival, peer: Peer, result: dict[str, Any], lanes: int) -> tuple[dict[str, list[int]], float]:
    """For each contender the numbers of threads that a short run does not rule out, and the seconds of all compilations."""
    if rival.compiles:
        seconds = [
            peer.ask("compile", **request(one, result["budget"]["epochs"], 0, lanes))["seconds"] for one in result["contenders"]
        ]
        return {one["id"]: [0] for one in result["contenders"]}, sum(seconds)
    found = {}
    for one in [result["contenders"][0], *result["contenders"]]:  # the first one warms up
        short = request(one, WARM_UP_EPOCHS, seed=0)
        found[one["id"]] = promising({n: peer.ask("run", threads=n, **short)["seconds"] for n in sorted({1, cores()})})
    return found, 0.0


def sample(peer: Peer, result: dict[str, Any], threads: dict[str, list[int]], seed: int, lanes: int) -> dict[str, float]:
    """Seconds of one run of each contender, with whichever number of threads is better for it."""
    epochs, found = result["budget"]["epochs"], {}
    for one in result["contenders"]:
        asked = request(one, epochs, seed, lanes)
        found[one["id"]] = min(peer.ask("run", threads=count, **asked)["seconds"] for count in threads[one["id"]])
    return found


def total(each: dict[str, float], made: dict[str, float]) -> float:
    """Seconds of all runs.

    >>> total({"a": 2.0, "b": 3.0}, {"a": 10, "b": 1.5})
    24.5
    """
    return sum(each[contender] * count for contender, count in made.items())


def products(rows: dict[str, int], widths: tuple[int, ...], result: dict[str, Any], runs: float) -> float:
    """Operations of the matrix products of all runs, which no way of training them can leave out."""
    batch, epochs = result["budget"]["batch"], result["budget"]["epochs"]
    problem = Problem(rows["train"], rows["stop"], rows["features"], batch, epochs)
    return operations(problem, widths) * -(-rows["train"] // batch) * epochs * runs


def measure(report: Report, sizes: Sizes, watch: Watch, name: str = "job", table: Path | None = None) -> None:
    """A cold comparison and what the rivals compile; then, in turns, the rivals' runs and a warm comparison; the figures."""
    job = JOBS[name]
    path = table if table is not None and job.table == TABLE else job.table
    if not path.exists():
        report.say(f"\n{name}: not measured, there is no {path.name} beside the checkout; --table names California housing")
        return
    options = [*job.options, *sizes.options]
    if sizes.options:
        options[options.index("--losses") + 1] = job.losses
    report.say(f"\n{name}: compare {path.name} --target {job.target} {' '.join(options)}")
    cold, warm, ready = [], [], {}
    each: dict[str, list[dict[str, float]]] = defaultdict(list)
    cold_too = any(rival.cold for rival in job.rivals)
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place)
        with Peer("table") as peer:
            rows = peer.ask("write", table=str(path), target=job.target, file=str(folder / "rows.npz"))
            report.say(f"rows: {rows}")
        kept = {"TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor")}  # an empty one: compiling is counted
        peers = {rival: stack.enter_context(Peer(rival.worker, folder / "theirs", **kept)) for rival in job.rivals}
        for peer in peers.values():
            report.use(peer.ask("prepare", file=str(folder / "rows.npz"), widths=job.widths))
        for number in range(sizes.jobs):
            if cold_too or not cold:
                cache = folder / f"cache {number}"
                cold.append(compare(path, folder / f"cold {number}", cache, options, job.target))
            result, made = cold[-1].result, runs_made(cold[-1].runs)
            for rival, peer in peers.items():
                if rival not in ready:
                    ready[rival] = made_ready(rival, peer, result, sizes.together)
                each[rival.worker].append(sample(peer, result, ready[rival][0], number, sizes.together))
            warm.append(compare(path, folder / f"warm {number}", cache, options, job.target))
            loops = ", ".join(f"{rival.name} {total(each[rival.worker][-1], made):.1f} s" for rival in job.rivals)
            report.say(f"cold {cold[-1].seconds:.1f} s, {loops}, warm {warm[-1].seconds:.1f} s")
            watch.check()
    told(report, name, job, cold, warm, each, {rival.worker: seconds for rival, (_, seconds) in ready.items()})
    with Peer("ours") as peer:
        peer.ask("card")
        seconds = products(rows, job.widths, result, sum(made.values())) / peer.ask("product")["rate"]
    label = f"{job.name}: the products of all runs at the rate of a large one"
    report.judge(Target(label, None, "s"), [seconds])
    for rival in job.rivals:
        most = ratios([total(one, made) for one in each[rival.worker]], [seconds] * len(warm))
        report.judge(Target(f"{job.name}: if nothing but these took time, against {rival.name}", None), most)


def told(report: Report, name: str, job: Job, cold: list, warm: list, each: dict, compiled: dict[str, float]) -> None:
    """The figures of a job: the whole command's time, and of it training, validation and scoring alone."""
    made = runs_made(cold[-1].runs)
    stored: dict[str, Any] = {
        "cold_seconds": [one.seconds for one in cold],
        "warm_seconds": [one.seconds for one in warm],
        "training_seconds": [training_seconds(one.runs) for one in warm],
        "runs": made,
        "loop_seconds_each": dict(each),
        "compile_seconds": compiled,
        "budget": cold[-1].result["budget"],
    }
    report.data[name] = stored
    report.say(f"{sum(made.values()):.1f} runs of {len(made)} contenders, {stored['budget']['updates']} updates each")
    for rival in job.rivals:
        loops = [total(one, made) for one in each[rival.worker]]
        if rival.cold:
            label = f"{job.name}: nothing compiled before, against {rival.name}"
            report.judge(Target(label, rival.cold), ratios(loops, stored["cold_seconds"]))
        report.judge(Target(f"{job.name}: against {rival.name}", rival.warm), ratios(loops, stored["warm_seconds"]))
        alone = Target(f"{job.name}: training alone, against {rival.name}", rival.warm)
        report.judge(alone, ratios(loops, stored["training_seconds"]))
        if rival.compiles:
            report.judge(Target(f"compiling, {rival.name}", None, "s"), [compiled[rival.worker]])
    compiling = [one - two for one, two in zip(stored["cold_seconds"], stored["warm_seconds"], strict=False)]
    report.judge(Target(f"{job.name}: cold less warm, ours", None, "s"), compiling)
    if name == "job":
        peaks = [one.peak_bytes / 1e9 for one in cold + warm]
        report.judge(Target("peak memory of compare", 1.2, "GB", least=False), peaks)
        for label, bound, some in (("cold", 25, cold), ("warm", 5, warm)):
            shares = [100 * one.waited / one.seconds for one in some]
            report.judge(Target(f"waiting for the compiler, {label}", bound, "%", least=False), shares)
    lines = [*where_time_goes(f"{name}, cold", cold), *where_time_goes(f"{name}, warm", warm)]
    report.data["where_time_goes"] += lines
    for text in lines:
        report.say(text)
