"""Measures everything that was promised about speed and memory; `make bench`, or `make bench QUICK=1` for a first look."""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

from benchmarks import card, engine, full_batch, growth, job, losses, shapes, start, steps
from benchmarks.neighbours import Busy, Watch
from benchmarks.peer import ROOT
from benchmarks.report import Report, latest, show
from benchmarks.sizes import FULL, QUICK

SECTIONS = {
    "engine": engine.measure,
    "shapes": shapes.measure,
    "growth": growth.measure,
    "full_batch": full_batch.measure,
    **{name: partial(job.measure, name=name) for name in job.JOBS},
    "start": start.measure,
    "card": card.measure,
    "losses": losses.measure,
    "steps": steps.measure,
}
WHOLE = (
    "engine",
    "shapes",
    "growth",
    "full_batch",
    *job.JOBS,
    "start",
)  # what is measured if nothing is named; `make bench-parts` names the others
SCRATCH = ROOT / ".cache" / "benchmarks.json"


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; without a name all up to start")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that everything runs, measures nothing")
    parser.add_argument("--busy-ok", action="store_true", help="measure although another process works")
    parser.add_argument("--table", type=Path, default=job.TABLE, help="where california_housing.csv is")
    parser.add_argument("--loss", choices=losses.NAMES, metavar="NAME", help="of the section losses this one alone")
    parser.add_argument("--out", type=Path, help="the report; otherwise a new file in benchmarks/results")
    parser.add_argument("--show", action="store_true", help="print the newest report in benchmarks/results, measure nothing")
    return parser


def main() -> int:
    """0 after a report, whatever it says; 2 for a wrong section, or one that needs a GPU where there is none: then nothing was
    measured, and nobody should believe it was; 3 where a neighbour's work spoils it."""
    parser = arguments()
    given = parser.parse_args()
    if given.show:
        path = latest()
        if path is None:
            parser.error("there is no report yet")
        show(json.loads(path.read_text(encoding="utf-8")))
        return 0
    unknown = [name for name in given.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    quick = given.quick or os.environ.get("QUICK", "") not in ("", "0")
    sizes, watch = QUICK if quick else FULL, Watch(given.busy_ok)
    try:
        watch.check()
        report = Report(quick)
        for name in given.sections or WHOLE:
            extra = {"table": given.table} if name in job.JOBS else {"only": given.loss} if name == "losses" else {}
            SECTIONS[name](report, sizes, watch, **extra)
    except Busy as busy:
        print(busy, file=sys.stderr)
        return 3
    except card.NoCard as missing:
        print(missing, file=sys.stderr)
        return 2
    report.data["busy"] = watch.noticed
    show(report.data, briefly=True)
    # Only what was measured in earnest, on a quiet machine, enters the history.
    earnest = not quick and not watch.noticed
    print(f"\nwritten to {report.write(given.out or (None if earnest else SCRATCH))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
