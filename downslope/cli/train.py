"""`downslope train`: one loss, one optimizer, no comparison."""

from typing import Any

import click

from downslope.cli.compare import run
from downslope.cli.options import DATA, TRAINING, WRITING, example, shared


@click.command(epilog=example('downslope train demo:diabetes --loss "huber(delta=0.5)" --optimizer "adam(learning_rate=0.01)"'))
@shared(DATA)
@click.option("--loss", required=True, metavar="LOSS", help='For example huber or "huber(delta=0.5)".')
@click.option("--optimizer", required=True, metavar="OPTIMIZER", help='For example "adam(learning_rate=0.01)".')
@shared(TRAINING, WRITING)
def train(source: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Train one loss with one optimizer, and keep the model.

    A learning rate in OPTIMIZER is used as it is; without one it is tuned.
    """
    return run("train", source, options, as_json, quiet)
