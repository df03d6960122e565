"""`downslope compare`: the main job."""

from typing import Any

import click

from downslope.cli.options import DATA, TRAINING, WRITING, check_names, check_source, example, folder_for, shared

NAMED = {"losses": "loss", "loss": "loss", "optimizers": "optimizer", "optimizer": "optimizer"} | {
    kind: kind for kind in ("model", "schedule", "average", "class_weight", "penalty")
}
"""Options that name entries, each with the kind of entry."""


@click.command(epilog=example("downslope compare demo:diabetes --losses huber,mse --optimizers sgd,adam"))
@shared(DATA)
@click.option("--losses", metavar="NAMES", multiple=True, help='Names with commas between them, "huber(delta=2)", or all.')
@click.option("--optimizers", metavar="NAMES", multiple=True, help="Likewise; sgd@32 sets the batch.")
@shared(TRAINING)
@click.option("--reasons/--no-reasons", default=True, help="Whether a few more runs look for reasons afterwards.")
@shared(WRITING)
def compare(source: str, losses: tuple[str, ...], optimizers: tuple[str, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Compare losses and optimizers on a table; keep the best model.

    SOURCE is a CSV, TSV, Parquet or Arrow file, an .npz with X and y, or demo:NAME with diabetes, breast_cancer, wine, digits
    or iris. The same command again continues where it stopped.
    """
    contenders = {"losses": ", ".join(losses) or None, "optimizers": ", ".join(optimizers) or None}
    return run("compare", source, contenders | options, as_json, quiet)


def run(what: str, source: str, options: dict[str, Any], as_json: bool, quiet: bool) -> int:
    """Runs `compare` or `train`, with progress on stderr and the result on stdout; the exit code."""
    check_source(source)
    options["out"] = options["out"] or folder_for(source)
    if options["margin"] is None:
        del options["margin"]  # the comparison knows its own

    from downslope.comparison.worker import beside

    with beside(source) as worker:
        for option, kind in NAMED.items():
            check_names(kind, options.get(option))

        from downslope.cli import answer, memory
        from downslope.cli.progress import Progress
        from downslope.training import devices

        memory.keep()
        devices.offer()
        if what == "compare":
            from downslope.comparison.compare import compare as work
        else:
            from downslope.comparison.train import train as work

        with Progress(quiet) as watcher:
            result = work(source, watcher=watcher, worker=worker, **options)
    if as_json:
        click.echo(answer.as_json(result.data))
    else:
        answer.show(result)
    return answer.exit_code(result.data)
