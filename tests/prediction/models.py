"""Small saved models for the tests of this folder."""

from pathlib import Path

import numpy as np

from downslope.data.describe import Dataset, describe
from downslope.data.encode import Encoder, TargetScale
from downslope.data.read import read
from downslope.prediction.save import name_tensors, save_model


def table(rows: int = 60, target: str = "number", seed: int = 0) -> dict[str, list]:
    draw = np.random.default_rng(seed)
    words = {"binary": ["=no", "yes"], "multiclass": ["a", "b", "-1"]}
    y = draw.normal(size=rows).tolist() if target == "number" else [words[target][i % len(words[target])] for i in range(rows)]
    towns = draw.choice(["Aa", "Bo"], rows).tolist()
    return {
        "size": draw.normal(size=rows).tolist(),
        "town": towns,
        "when": [f"2020-01-{1 + i % 28:02d}" for i in range(rows)],
        "y": y,
    }


def dataset(target: str = "number") -> Dataset:
    return describe(read(table(target=target)), "y")


def parts(data: Dataset, members: int = 2, link: str = "identity", calibration=None, pad: int = 0, hidden: int = 3):
    """The manifest and the tensors of an untrained model of some members, each with an encoder of its own."""
    draw = np.random.default_rng(1)
    outputs = len(data.classes) if data.classes and data.task == "multiclass" else 1
    plain, layers = [], []
    for member in range(members):
        encoder = Encoder.fit(data, np.arange(member, len(data.y), 2))
        scale = None
        if data.classes is None:
            fitted = TargetScale.fit(data.y, None, "shift_and_scale" if link == "identity" else "scale")
            scale = {"centre": fitted.centre, "scale": fitted.scale}
        plain.append(
            {"encoder": encoder.to_json(), "target_scale": scale, "calibration": calibration, "epoch": 3 + member, "seed": member}
        )
        sizes = [(encoder.width + pad, hidden), (hidden, outputs)] if hidden else [(encoder.width + pad, outputs)]
        layers.append([{"weight": draw.normal(size=size), "bias": draw.normal(size=size[1])} for size in sizes])
    manifest = {
        "task": str(data.task),
        "target": data.target,
        "classes": list(data.classes) if data.classes else None,
        "link": link,
        "columns": [column.to_json() for column in data.used],
        "members": plain,
        "network": {"kind": "mlp" if hidden else "linear", "activation": "relu"},
    }
    return manifest, name_tensors(layers)


def saved(folder: Path, target: str = "number", **options) -> Path:
    manifest, tensors = parts(dataset(target), **options)
    return save_model(folder / "model", manifest, tensors)
