"""Write predictions as CSV, in the order of the input's rows, so that no spreadsheet runs what a text says."""

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from downslope.core.errors import BadData
from downslope.prediction.predictor import Features, Predictor
from downslope.prediction.whole import write_whole

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_predictions(predictor: Predictor, source: Any, out: str | os.PathLike[str]) -> tuple[str, ...]:
    """Predict each row of `source` into the file `out`; returns what is to be said of the input.

    Columns: `prediction`; for classes also a probability for each, or a `score` where the loss gives none.
    """
    out = Path(out)
    if out.is_dir():
        raise BadData(f"cannot write predictions to {out}: it is a folder; name a file in it")
    if isinstance(source, str | os.PathLike) and Path(source).exists() and out.exists() and os.path.samefile(source, out):
        raise BadData(f"predictions would overwrite their input {out}; name another file")
    features = predictor.features(source)
    write_whole(out, as_csv(predictor, features).encode())
    return features.notes


def as_csv(predictor: Predictor, features: Features) -> str:
    """The whole file as text."""
    names, columns = prediction_columns(predictor, predictor.raw(features))
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([harmless(name) for name in names])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue()


def prediction_columns(predictor: Predictor, scores: np.ndarray) -> tuple[list[str], list[list[Any]]]:
    """Names and cells of what is predicted."""
    predicted = predictor.decide(scores)
    if predictor.classes is None:
        return ["prediction"], [[number(value) for value in predicted]]
    names, columns = ["prediction"], [[harmless(label) for label in predicted]]
    if predictor.has_probabilities:
        shares = predictor.probabilities(scores)
        names += [f"probability_{label}" for label in predictor.classes]
        columns += [[number(value) for value in shares[:, index]] for index in range(len(predictor.classes))]
    elif scores.ndim == 1:
        names.append("score")
        columns.append([number(value) for value in scores])
    else:
        names += [f"score_{label}" for label in predictor.classes]
        columns += [[number(value) for value in scores[:, index]] for index in range(len(predictor.classes))]
    return names, columns


def number(value: Any) -> str:
    """The shortest text that is read back as the same number.

    >>> number(np.float64(0.1))
    '0.1'
    """
    return repr(float(value))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula; numbers stay as they are.

    >>> harmless("=1+1"), harmless("-1"), harmless("yes")
    ("'=1+1", '-1', 'yes')
    """
    if not text.startswith(FORMULA_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
