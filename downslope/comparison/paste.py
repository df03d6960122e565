"""The recommendation as code to paste: for downslope, and for other frameworks where they have the same thing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from downslope import losses, models, optimizers, penalties, schedules
from downslope.comparison import paste_keras, paste_optax, paste_pytorch, paste_sklearn
from downslope.comparison.labels import named
from downslope.core.catalogue import Catalogue, spell_value
from downslope.core.errors import DownslopeError

FRAMEWORKS = {"pytorch": paste_pytorch, "keras": paste_keras, "optax": paste_optax, "scikit-learn": paste_sklearn}
"""By name, the modules that know what a framework has: each says in words what it lacks (`missing`), and writes the `code`."""


@dataclass(frozen=True)
class Recipe:
    """What was trained, by name and setting, so that it can be said in another framework.

    `batch` is `None` for methods that take all rows at once; `scale` is how the target was shifted and scaled, if it was.
    """

    task: str
    loss: str
    loss_settings: Mapping[str, Any]
    optimizer: str
    optimizer_settings: Mapping[str, Any]
    model: str
    model_settings: Mapping[str, Any]
    schedule: str
    schedule_settings: Mapping[str, Any]
    penalty: str
    penalty_settings: Mapping[str, Any]
    clip_norm: float | None
    average: str
    average_settings: Mapping[str, Any]
    class_weight: str | list[float] | None
    label_smoothing: float
    batch: int | None
    epochs: int
    classes: int
    standardize: bool
    scale: Mapping[str, float] | None
    seed: int


def paste(result: Mapping[str, Any], chosen: str | None = None) -> dict[str, str | None]:
    """Code for each framework, `None` where it lacks something. `chosen` is the id of a contender, else the recommended one's."""
    contender = contender_of(result, chosen)
    recipe = recipe_of(result, contender)
    out: dict[str, str | None] = {"downslope": downslope_code(result, contender)}
    for name, module in FRAMEWORKS.items():
        out[name] = None if isinstance(recipe, str) or module.missing(recipe) else module.code(recipe)
    return out


def lacking(result: Mapping[str, Any], chosen: str | None = None) -> dict[str, str]:
    """For each framework without code the reason, in words."""
    recipe = recipe_of(result, contender_of(result, chosen))
    if isinstance(recipe, str):
        return dict.fromkeys(FRAMEWORKS, recipe)
    return {name: reason for name, module in FRAMEWORKS.items() if (reason := module.missing(recipe))}


def contender_of(result: Mapping[str, Any], chosen: str | None) -> Mapping[str, Any]:
    """The contender with an id, the recommended one without."""
    chosen = chosen or result["recommendation"]["id"]
    return next(c for c in result["contenders"] if c["id"] == chosen)


def settings_of(catalogue: Catalogue, name: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The settings that belong to an entry, the rest at its defaults; `None` for an entry of the user's own."""
    if name not in catalogue:
        return None
    default = catalogue[name]().values()
    return default | own(name, default, settings)


def own(name: str, fields: Iterable[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a contender's settings hold for one of its entries; a name that loss and optimizer share carries the loss's."""
    found = {field: f"{name}.{field}" if f"{name}.{field}" in settings else field for field in fields}
    return {field: settings[key] for field, key in found.items() if key in settings}


def parsed(catalogue: Catalogue, text: str | None) -> tuple[str, dict[str, Any]] | None:
    """Name and settings of a part of the plan; an empty name where there is none, `None` for one of the user's own."""
    if not text:
        return "", {}
    try:
        part = catalogue.parse(text)
    except DownslopeError:
        return None
    return part.name, part.values()


def recipe_of(result: Mapping[str, Any], contender: Mapping[str, Any]) -> Recipe | str:
    """What was trained; in words why not, if no other framework can know or follow some part of it."""
    brought = [*contender.get("own", {}), *result.get("own", {})]
    if "=" in str(result["schedule"]).partition("(")[0]:
        return "several settings follow schedules"
    if result.get("asked", {}).get("weight"):
        return "rows have weights"
    if brought:
        return f"the {' and the '.join(brought)} {'is' if len(brought) == 1 else 'are'} your own"
    loss = settings_of(losses.catalogue, contender["loss"], contender["settings"])
    optimizer = settings_of(optimizers.catalogue, contender["optimizer"], contender["settings"])
    model = parsed(models.catalogue, result["model"])
    schedule = parsed(schedules.catalogue, result["schedule"])
    penalty = parsed(penalties.catalogue, result.get("penalty"))
    average = parsed(optimizers.catalogue, result.get("average"))
    if loss is None or optimizer is None or model is None or schedule is None or penalty is None or average is None:
        return "some part of it is your own"
    batch = contender["batch"]
    return Recipe(
        task=str(result["task"]),
        loss=contender["loss"],
        loss_settings=loss,
        optimizer=contender["optimizer"],
        optimizer_settings=optimizer,
        model=model[0],
        model_settings=model[1],
        schedule=schedule[0],
        schedule_settings=schedule[1],
        penalty=penalty[0],
        penalty_settings=penalty[1],
        clip_norm=result.get("clip_norm"),
        average=average[0],
        average_settings=average[1],
        class_weight=weights_in_order(result),
        label_smoothing=float(result.get("label_smoothing") or 0.0),
        batch=None if batch == "full" else int(batch),
        epochs=int(result["budget"]["epochs"]),
        classes=len(result.get("classes") or ()) or 2,
        standardize=bool(result.get("standardize", True)),
        scale=result.get("target_scale") if losses.catalogue[contender["loss"]].about.target_scale != "none" else None,
        seed=int(result.get("seed", 0)),
    )


def weights_in_order(result: Mapping[str, Any]) -> str | list[float] | None:
    """`balanced`, or a weight for each class in the order of their indices."""
    found = named(result.get("class_weight"))
    return [found.get(name, 1.0) for name in result["classes"]] if isinstance(found, dict) else found


def downslope_code(result: Mapping[str, Any], contender: Mapping[str, Any]) -> str:
    """One call that trains the same contender again."""
    budget = result["budget"]
    optimizer = typed(optimizers.catalogue, contender["optimizer"], contender["settings"])
    if contender["batch"] not in ("full", budget["batch"]):
        optimizer += f"@{contender['batch']}"
    source = str(result["source"])
    named = source.startswith("demo:") or "." in source
    options = {
        "target": result["target"],
        **result.get("asked", {}),
        "loss": typed(losses.catalogue, contender["loss"], contender["settings"]),
        "optimizer": optimizer,
        "model": result["model"],
        "schedule": result["schedule"],
        "clip_norm": result.get("clip_norm"),
        "average": result.get("average"),
        "class_weight": result.get("class_weight"),
        "label_smoothing": result.get("label_smoothing"),
        "standardize": None if result.get("standardize", True) else False,
        "penalty": result.get("penalty"),
        "metric": result["metric"]["name"],
        "epochs": budget["epochs"],
        "seed": result.get("seed", 0),
    }
    brought = {**contender.get("own", {}), **result.get("own", {})}
    lines = ["import downslope", ""]
    if brought:
        lines.append(f"# The {' and the '.join(brought)} must be there as you gave it: your own, known here by what it does,")
        lines.append("# so that there is no translation for other frameworks.")
    if not named:
        lines.append("# table: the data frame, arrays or dict of columns that was compared")
    lines += ["result = downslope.train(", f"    {source!r}," if named else "    table,"]
    given = {name: value for name, value in options.items() if value is not None}
    lines += [f"    {name}={brought[name]['code'] if name in brought else repr(value)}," for name, value in given.items()]
    lines += [")", "predictions = result.model.predict(rows)  # rows: a path or a table with the same columns"]
    return "\n".join(lines) + "\n"


def typed(catalogue: Catalogue, name: str, settings: Mapping[str, Any]) -> str:
    """An entry as one types it, with its learning rate and whatever differs from the defaults.

    >>> typed(optimizers.catalogue, "adam", {"learning_rate": 0.01, "b1": 0.9, "b2": 0.99})
    'adam(learning_rate=0.01, b2=0.99)'
    """
    if name not in catalogue:
        return name
    default = catalogue[name]().values()
    told = {
        field: value
        for field, value in own(name, default, settings).items()
        if field == "learning_rate" or value != default[field]
    }
    inside = [f"{field}={inner(catalogue, value)}" for field, value in told.items()]
    return f"{name}({', '.join(inside)})" if inside else name


def inner(catalogue: Catalogue, value: Any) -> str:
    """One setting as one types it; an entry inside another stands in the result as its name and its settings."""
    if isinstance(value, Mapping):
        return typed(catalogue, value["name"], value)
    return spell_value(value)
