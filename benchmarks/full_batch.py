"""Methods that read all rows for each gradient: how much of a copy's bandwidth they use, and L-BFGS against scikit-learn's."""

from benchmarks.figures import Target, ratios, spread
from benchmarks.neighbours import Watch
from benchmarks.peer import Peer
from benchmarks.report import Report
from benchmarks.sizes import Sizes

LOSS = "binary_cross_entropy"
STEEP = 10.0


def read(rows: int, columns: int) -> int:
    """Bytes that a gradient must read: features, targets, shares, all float32.

    >>> read(rows=10, columns=3)
    200
    """
    return 4 * rows * (columns + 2)


def measure(report: Report, sizes: Sizes, watch: Watch) -> None:
    """Gradients beside a copy, then both L-BFGS to the same place."""
    rows, columns = sizes.full_rows, sizes.growth_columns
    report.say(f"\nfull batch: logistic regression on {rows} x {columns} rows, float32")
    report.data["full_batch"] = []
    with Peer("ours_linear") as ours, Peer("scikit_learn_linear") as peer:
        for each in (ours, peer):
            report.use(each.ask("prepare", rows=rows, stop=1000, columns=columns, loss=LOSS, steep=STEEP))
        for optimizer, lanes in (("gradient_descent", 1), ("gradient_descent", sizes.full_lanes), ("lbfgs", 1)):
            request = {"optimizer": optimizer, "rate": 1.0, "batch": 0, "epochs": sizes.full_epochs, "lanes": lanes}
            ours.ask("run", **request)  # compiles
            gradients, copies = [], []
            for _ in range(sizes.turns):
                answer = ours.ask("run", **request)
                gradients.append(answer["seconds"] / answer["steps"])
                copies.append(peer.ask("copy", numbers=rows * columns)["seconds"])
                watch.check()
            name = f"{optimizer}, {lanes} run{'s' if lanes > 1 else ''}"
            speed = 8 * rows * columns / spread(copies).median / 1e9
            report.data["full_batch"].append({"name": name, "gradient": spread(gradients)._asdict(), "copy": speed})
            report.say(f"{name}: a gradient takes {1e3 * spread(gradients).median:.2f} ms; a copy moves {speed:.1f} GB/s")
            moved = read(rows, columns) / (8 * rows * columns)
            report.judge(Target(f"{name}, of a copy's bandwidth", 60, "%"), [100 * moved * r for r in ratios(copies, gradients)])
        against(report, ours, peer, sizes, watch)


def against(report: Report, ours: Peer, peer: Peer, sizes: Sizes, watch: Watch) -> None:
    """Both until the largest part of the gradient is as small as scikit-learn makes it."""
    first = peer.ask("reach", tolerance=sizes.full_tolerance)
    mine = ours.ask("reach", most=sizes.full_most, norm=first["norm"])
    report.say(
        f"L-BFGS until the gradient is at most {first['norm']:.1e}: ours looks at {mine['gradients']} gradients, "
        f"scikit-learn makes {first['updates']} updates"
    )
    report.data["full_batch"].append({"name": "lbfgs to one gradient", "ours": mine, "scikit-learn": first})
    if mine["seconds"] is None:
        report.say(f"ours came no further than {mine['norm']:.1e}")
        return
    request = {"optimizer": "lbfgs", "rate": 1.0, "batch": 0, "epochs": mine["gradients"], "lanes": 1}
    seconds: dict[str, list[float]] = {"ours": [], "scikit-learn": []}
    for _ in range(sizes.turns):
        seconds["scikit-learn"].append(peer.ask("reach", tolerance=sizes.full_tolerance)["seconds"])
        seconds["ours"].append(ours.ask("run", **request)["seconds"])
        watch.check()
    for who, values in seconds.items():
        report.say(f"{who}: {spread(values).median:.3f} s")
    report.judge(Target("L-BFGS against LogisticRegression", 1.0), ratios(seconds["scikit-learn"], seconds["ours"]))
