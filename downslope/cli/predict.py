"""`downslope predict`: a saved model, a table in, a table out; no JAX."""

from pathlib import Path

import click

from downslope.cli import terminal
from downslope.cli.options import check_source, example


@click.command(epilog=example("downslope predict diabetes-downslope/model new.csv --out predictions.csv"))
@click.argument("model")
@click.argument("table")
@click.option("--model", "own", metavar="FILE", help="Your model's Python file, where it was trained with one; it is run.")
@click.option("--out", metavar="FILE", help="Where to write the predictions; otherwise to stdout.")
def predict(model: str, table: str, own: str | None, out: str | None) -> None:
    """Predict a table with a saved model.

    MODEL is the model folder of a run, or the run folder itself. Predictions keep the order of the rows; classifiers add the
    probability of each class.
    """
    check_source(table)
    from downslope.prediction import predictor, write

    folder = Path(model)
    loaded = predictor.opened(folder / "model" if (folder / "model").is_dir() else folder, own)
    if out:
        notes = write.write_predictions(loaded, table, out)
    else:
        features = loaded.features(table)
        notes = features.notes
        click.echo(write.as_csv(loaded, features), nl=False)
    for note in notes:
        terminal.line(f"note: {note}")
    if out:
        terminal.line(f"Predictions: {out}")
