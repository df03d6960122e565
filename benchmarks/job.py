"""The whole job: `downslope compare` on a real table against the same runs as PyTorch loops, one after another."""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.compared import TARGET, compare, runs_made, where_time_goes
from benchmarks.figures import Target, promising, ratios
from benchmarks.neighbours import Watch
from benchmarks.peer import ROOT, Peer, cores
from benchmarks.report import Report
from benchmarks.sizes import Sizes

TABLE = ROOT.parent / "shared" / "data" / "california_housing.csv"
WARM_UP_EPOCHS = 2


def request(one: dict[str, Any], epochs: int, seed: int) -> dict[str, Any]:
    """What the loop needs to know of a contender."""
    settings = {"learning_rate": 1e-3} | {name: value for name, value in one["settings"].items() if value is not None}
    batch = None if one["batch"] == "full" else one["batch"]
    return {
        "loss": one["loss"],
        "optimizer": one["optimizer"],
        "settings": settings,
        "batch": batch,
        "epochs": epochs,
        "seed": seed,
    }


def threads_worth_trying(peer: Peer, result: dict[str, Any]) -> dict[str, list[int]]:
    """For each contender the numbers of threads that a short run does not rule out."""
    found = {}
    for one in [result["contenders"][0], *result["contenders"]]:  # the first one warms up
        short = request(one, WARM_UP_EPOCHS, seed=0)
        found[one["id"]] = promising({n: peer.ask("run", threads=n, **short)["seconds"] for n in sorted({1, cores()})})
    return found


def sample(peer: Peer, result: dict[str, Any], threads: dict[str, list[int]], seed: int) -> dict[str, float]:
    """Seconds of one run of each contender as a PyTorch loop, with whichever number of threads is better for it."""
    epochs, found = result["budget"]["epochs"], {}
    for one in result["contenders"]:
        asked = request(one, epochs, seed)
        found[one["id"]] = min(peer.ask("run", threads=count, **asked)["seconds"] for count in threads[one["id"]])
    return found


def total(each: dict[str, float], made: dict[str, float]) -> float:
    """Seconds of all runs.

    >>> total({"a": 2.0, "b": 3.0}, {"a": 10, "b": 1.5})
    24.5
    """
    return sum(each[contender] * count for contender, count in made.items())


def measure(report: Report, sizes: Sizes, watch: Watch, table: Path = TABLE) -> None:
    """A cold comparison, the loops, a warm comparison; again; the figures."""
    if not table.exists():
        report.say(f"\nwhole job: not measured, there is no {table.name} beside the checkout; --table names one")
        return
    report.say(f"\nwhole job: compare {table.name} --target {TARGET} {' '.join(sizes.options)}")
    cold, warm, loops, each = [], [], [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with Peer("table") as peer:
            report.say(f"rows: {peer.ask('write', table=str(table), target=TARGET, file=str(folder / 'rows.npz'))}")
        with Peer("pytorch_job") as peer:
            report.use(peer.ask("prepare", file=str(folder / "rows.npz")))
            for number in range(sizes.jobs):
                cache = folder / f"cache {number}"
                cold.append(compare(table, folder / f"cold {number}", cache, sizes.options))
                threads = threads_worth_trying(peer, cold[-1].result)
                each.append(sample(peer, cold[-1].result, threads, seed=number))
                loops.append(total(each[-1], runs_made(cold[-1].runs)))
                warm.append(compare(table, folder / f"warm {number}", cache, sizes.options))
                report.say(f"cold {cold[-1].seconds:.1f} s, loops {loops[-1]:.1f} s, warm {warm[-1].seconds:.1f} s")
                watch.check()
    made = runs_made(cold[-1].runs)
    report.data["job"] = {
        "loops_seconds": loops,
        "cold_seconds": [one.seconds for one in cold],
        "warm_seconds": [one.seconds for one in warm],
        "runs": made,
        "loop_seconds_each": each,
        "budget": cold[-1].result["budget"],
    }
    report.say(f"{sum(made.values()):.1f} runs of {len(made)} contenders, {report.data['job']['budget']['updates']} updates each")
    report.judge(Target("compare, nothing compiled before, against PyTorch", 6), ratios(loops, [one.seconds for one in cold]))
    report.judge(Target("compare, programs in the cache, against PyTorch", 10), ratios(loops, [one.seconds for one in warm]))
    peaks = [one.peak_bytes / 1e9 for one in cold + warm]
    report.judge(Target("peak memory of compare", 1.2, "GB", least=False), peaks)
    told = [*where_time_goes("cold", cold), *where_time_goes("warm", warm)]
    report.data["where_time_goes"] += told
    for text in told:
        report.say(text)
