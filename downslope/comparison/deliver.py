"""The model that goes home: the confirmation models of the recommended contender, averaged, and tested once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from downslope.comparison import score
from downslope.comparison.assemble import Evidence
from downslope.comparison.calibrate import Platt, Temperature
from downslope.comparison.contender import Contender
from downslope.comparison.judge import finite
from downslope.comparison.ledger import Run
from downslope.core.about import Task
from downslope.core.own import file_of
from downslope.models.base import Layered, Model
from downslope.prediction.own import outline
from downslope.prediction.predictor import Features, Predictor, load
from downslope.prediction.save import name_tensors, save_model

TESTED = "test"
"""Under this name the ledger keeps what the delivered model said of the test rows."""


def deliver(folder: Path, evidence: Evidence, contender: Contender, data: Mapping[str, Any], single: bool) -> dict[str, Any]:
    """Saves the model and gives its metrics on the test rows, which nothing has seen before.

    The members are averaged: at no extra training the average predicts better than any of them. `single` keeps the one whose
    score is in the middle.
    """
    kept = members(evidence, contender, single)
    folder.mkdir(exist_ok=True)
    network, tensors = weights(evidence, contender, kept)
    save_model(folder, manifest(evidence, contender, kept, data, network), tensors)
    model = evidence.protocol.model
    prediction = predicted(evidence, load(folder, None if isinstance(model, Layered) else model))
    evidence.ledger.keep(TESTED, prediction)
    return tested(evidence, prediction)


def members(evidence: Evidence, contender: Contender, single: bool) -> Sequence[Run]:
    """The confirmation runs whose models go home."""
    runs = evidence.ledger.runs(contender.id, "confirmation")
    return [middle(evidence, contender, runs)] if single else runs


def weights(evidence: Evidence, contender: Contender, runs: Sequence[Run]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The network of the delivered model as the manifest keeps it, and its tensors by name."""
    params = [evidence.runner.params(contender.loss, run) for run in runs]
    model = evidence.protocol.model
    if isinstance(model, Layered):
        return {"kind": model.name, "activation": "relu"}, name_tensors([each["layers"] for each in params])
    return own_network(model, params, evidence.problem.features, contender.loss.outputs(evidence.runner.classes))


def middle(evidence: Evidence, contender: Contender, runs: Sequence[Run]) -> Run:
    """The run with the median score on its judged rows."""
    judged = evidence.court.contender(contender.loss, contender.id, runs)
    scores = [np.inf if value is None else value for value in judged.scores(evidence.metric)]
    return runs[int(np.argsort(scores, kind="stable")[(len(scores) - 1) // 2])]


def own_network(
    model: Model, members: Sequence[Any], features: int, outputs: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """A network of the user's own as the manifest keeps it, and its tensors by name."""
    import jax

    structure = jax.tree.structure(members[0])
    file = file_of(model)
    network = {
        "kind": "own",
        "name": model.name,
        "sha256": None if file is None else file.sha256,
        "settings": {name: number(value) for name, value in model.values().items()},
        "features": features,
        "outputs": outputs,
        "structure": outline(jax.tree.unflatten(structure, range(structure.num_leaves))),
    }
    named = {f"{place}.{number}": leaf for place, each in enumerate(members) for number, leaf in enumerate(jax.tree.leaves(each))}
    return network, named


def number(value: Any) -> Any:
    """A setting as JSON holds it and as it was: a whole number stays whole."""
    if isinstance(value, tuple | list):
        return [number(each) for each in value]
    return value if value is None or isinstance(value, bool | int | str) else float(value)


def manifest(
    evidence: Evidence, contender: Contender, runs: Sequence[Run], data: Mapping[str, Any], network: Mapping[str, Any]
) -> dict[str, Any]:
    """All that prediction needs beside the tensors."""
    problem = evidence.problem
    dataset = problem.dataset
    encoders = [problem.encoders[problem.places[run.fit]].to_json() for run in runs]
    each_run = [{"encoder": encoder, **member(evidence, contender, run)} for encoder, run in zip(encoders, runs, strict=True)]
    entry = next(each for each in data["contenders"] if each["id"] == contender.id)
    return {
        "downslope": data["downslope"],
        "task": str(dataset.task),
        "target": dataset.target,
        "classes": list(dataset.classes) if dataset.classes else None,
        "link": contender.loss.about.link,
        "columns": [column.to_json() for column in dataset.used],
        "network": network,
        "trained_with": {"loss": contender.loss.name, "optimizer": contender.optimizer.name, "settings": entry["settings"]},
        "members": each_run,
    }


def member(evidence: Evidence, contender: Contender, run: Run) -> dict[str, Any]:
    """What the manifest says of one of the averaged models, beside its encoder."""
    scale = evidence.problem.scale(run.fit, contender.loss)
    return {
        "target_scale": None if scale is None else {"centre": scale.centre, "scale": scale.scale},
        "calibration": stored(evidence.court.calibration(contender.loss, run)),
        "seed": run.seed,
        "learning_rate": run.learning_rate,
    }


def stored(calibration: Any) -> dict[str, Any] | None:
    """A calibration as the manifest keeps it."""
    if isinstance(calibration, Temperature):
        return {"temperature": calibration.temperature}
    if isinstance(calibration, Platt):
        return {"platt": [calibration.slope, calibration.offset]}
    return None


def predicted(evidence: Evidence, predictor: Predictor) -> dict[str, np.ndarray]:
    """What the delivered model says of the test rows."""
    dataset, rows = evidence.problem.dataset, evidence.problem.splits.test
    features = Features({column.name: dataset.features[column.name][rows] for column in dataset.used}, len(rows), ())
    raw = predictor.raw(features)
    if dataset.task is Task.REGRESSION:
        return {"value": np.array(predictor.decide(raw), np.float64)}
    chance = predictor.probabilities(raw)
    labels = raw > 0 if dataset.task is Task.BINARY else raw.argmax(axis=1)
    probability = chance[:, 1] if dataset.task is Task.BINARY else chance
    prediction = {"score": raw, "probability": probability, "label": labels.astype(np.int64)}
    return {name: np.ascontiguousarray(values) for name, values in prediction.items()}


def tested(evidence: Evidence, prediction: Mapping[str, np.ndarray]) -> dict[str, float | None]:
    """The metrics of a prediction of the test rows."""
    dataset, rows = evidence.problem.dataset, evidence.problem.splits.test
    weight = None if dataset.weight is None else dataset.weight[rows]
    values = score.judge_predictions(evidence.court.shown, prediction, dataset.y[rows], weight)
    return {name: finite(value) for name, value in values.items()}
