"""Programs to paste against our own parts: a linear model, all rows at once, so that nothing is drawn and both must agree.

`make pasted` runs the programs for every framework that is installed; the tests run those for optax.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from downslope import losses, optimizers, penalties
from downslope.comparison.alike import alike
from downslope.comparison.paste import lacking, paste
from downslope.core.about import Task
from downslope.models import Linear
from downslope.training.step import Batch, Recipe, update

EPOCHS = 12
# The last bias starts where its gradient is nothing but rounding, which methods that only look at relative sizes would follow:
# so their epsilon is large here, or their loss starts at a kink, where the gradient is not.
SHORT = {"learning_rate": 0.05}
CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    *((loss, "gradient_descent", {}, {}) for loss in ("squared_error", "absolute_error", "log_cosh", "hinge", "squared_hinge")),
    ("cross_entropy", "gradient_descent", {}, {"class_weight": "a=1, b=3, c=0.5"}),
    ("cross_entropy", "gradient_descent", {}, {"label_smoothing": 0.2}),
    ("crammer_singer_hinge", "gradient_descent", {}, {}),
    ("binary_cross_entropy", "gradient_descent", {"positive_weight": 3.0}, {}),
    ("binary_cross_entropy", "gradient_descent", {}, {"class_weight": "balanced", "label_smoothing": 0.2}),
    ("huber", "momentum", {"delta": 0.3, "momentum": 0.8}, {"clip_norm": 0.4}),
    ("huber", "nesterov", {"momentum": 0.8}, {"schedule": "cosine(end=0.1, warmup=0.3)"}),
    ("huber", "momentum", {"momentum": 0.8}, {"schedule": "constant"}),
    ("squared_error", "rmsprop", {"decay": 0.8, "epsilon": 1e-3}, {"penalty": "l2(strength=0.3)"}),
    ("squared_error", "rmsprop", {"centered": True, "epsilon": 1e-2, "epsilon_inside": True}, {}),
    ("hinge", "adam", {"b1": 0.8, "b2": 0.9}, {"penalty": "l1(strength=0.07, charged='everything')"}),
    ("hinge", "adamw", {"weight_decay": 0.5}, {"average": "uniform_averaging(start=0.5)"}),
    ("hinge", "adamw", {"weight_decay": 0.5, "decayed": "everything"}, {"average": "exponential_averaging(decay=0.8)"}),
    ("squared_error", "adam", {"epsilon": 0.1, "epsilon_hat": True}, {}),
    ("squared_error", "adamax", {"epsilon": 0.1}, {}),
    ("squared_error", "adamax", {"epsilon": 0.1, "epsilon_after": True}, {}),
    *(("hinge", name, {}, {}) for name in ("nadam", "radam", "adadelta", "amsgrad", "adagrad", "rmsprop_momentum")),
    ("squared_error", "adagrad", {"initial": 0.2, "epsilon": 0.01, "epsilon_inside": True}, {"schedule": "linear(warmup=0.25)"}),
    ("squared_error", "amsgrad", {"epsilon": 0.01, "correction": "before"}, {}),
    ("squared_error", "adabelief", {"epsilon": 1e-4}, {}),
    ("hinge", "lion", {"weight_decay": 0.5}, {}),
    ("hinge", "lion", {"weight_decay": 0.5, "decayed": "everything"}, {}),
]


def result(loss: str, optimizer: str, own: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """As much of a result as code is made from."""
    task = losses.catalogue[loss].about.task
    values = {**losses.catalogue[loss]().values(), **optimizers.catalogue[optimizer]().values(), "learning_rate": 0.01}
    batch = "full" if optimizers.catalogue[optimizer].about.batch == "full" else more.pop("rows", 32)
    return {
        "source": "demo:diabetes",
        "target": "target",
        "task": str(task),
        "classes": {Task.REGRESSION: None, Task.BINARY: ["no", "yes"], Task.MULTICLASS: ["a", "b", "c"]}[task],
        "metric": {"name": "rmse"},
        "budget": {"epochs": 3, "batch": 32},
        "model": "mlp(widths=[8, 4])",
        "schedule": "linear",
        "penalty": None,
        "target_scale": {"centre": 2.0, "scale": 3.0} if task is Task.REGRESSION else None,
        "seed": 1,
        "contenders": [{"id": "a", "loss": loss, "optimizer": optimizer, "settings": values | (own or {}), "batch": batch}],
        "recommendation": {"id": "a"},
    } | more


def table(task: Task, rows: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Features and a target that they predict, not without error."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 3)).astype(np.float32)
    score = x[:, 0] + 0.5 * rng.normal(size=rows)
    if task is Task.REGRESSION:
        return x, (2 + 3 * score + score**2).astype(np.float32)
    return x, np.digitize(score, [0.3] if task is Task.BINARY else [-0.5, 0.8])


def made(loss: str, optimizer: str, own: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """A case as a result: a linear model and one batch that holds all rows, which leaves nothing to chance."""
    budget = {"epochs": EPOCHS, "batch": 90}
    return result(loss, optimizer, SHORT | own, **{"model": "linear", "budget": budget, "rows": 90} | more)


def ours(loss: str, optimizer: str, own: dict[str, Any], more: dict[str, Any]) -> np.ndarray:
    """The scores of all rows after training with our own parts, in a plain loop."""
    about = losses.catalogue[loss].about
    x, y = (np.asarray(each) for each in table(about.task))
    target: Any = ((y - 2.0) / 3.0).astype(np.float32) if about.task is Task.REGRESSION else y
    target = target if about.task is Task.MULTICLASS else target.astype(np.float32)
    rule, descent = losses.catalogue[loss](), optimizers.catalogue[optimizer]()
    descent = descent.replace(**{n: v for n, v in (SHORT | own).items() if n in descent.values()})
    rule = rule.replace(**{n: v for n, v in own.items() if n in rule.values()})
    weight = np.ones(len(y), np.float32)
    if wanted := more.get("class_weight"):
        count = np.bincount(y)
        each = 1 / count if wanted == "balanced" else np.array([float(part.split("=")[1]) for part in wanted.split(", ")])
        weight = each[y].astype(np.float32)
    plan = alike(more.get("schedule"), more.get("clip_norm"), more.get("average"))
    smoothing, classes = more.get("label_smoothing"), 3 if about.task is Task.MULTICLASS else 2
    penalty = penalties.catalogue.parse(more["penalty"]) if more.get("penalty") else None
    model = Linear()
    recipe = Recipe(rule, plan.optimizer(descent, EPOCHS), plan.schedules["learning_rate"], penalty, model, smoothing)
    soft = target if not smoothing else (1 - smoothing) * (target if classes == 2 else np.eye(3)[y]) + smoothing / classes
    constant = np.asarray(rule.best_constant(np.asarray(soft, np.float64), weight, classes), np.float32)
    params = model.starting_at(model.init(jax.random.key(0), 3, rule.outputs(classes)), constant)
    state, rows = recipe.optimizer.init(params), jax.numpy.asarray(x)
    batch = Batch(rows, jax.numpy.asarray(target), jax.numpy.asarray(weight / weight.sum()))

    @jax.jit
    def step(params: Any, state: Any, number: Any) -> Any:
        factor = recipe.schedule(number, EPOCHS)  # type: ignore[operator]  # one schedule, not several
        return update(recipe, params, state, batch, {"learning_rate": factor}, None)[:2]

    for number in range(EPOCHS):
        params, state = step(params, state, number)
    score = np.asarray(model.apply(recipe.optimizer.evaluate_at(state, params), rows))
    return score if score.shape[1] > 1 else score[:, 0]


def theirs(framework: str, case: tuple[str, str, dict[str, Any], dict[str, Any]]) -> np.ndarray | None:
    """The scores of all rows after running the pasted program, `None` where there is none."""
    loss, optimizer, own, more = case
    code = paste(made(loss, optimizer, own, more))[framework]
    if code is None:
        return None
    x, y = table(losses.catalogue[loss].about.task)
    space: dict[str, Any] = {"X": x, "y": y}
    with jax.numpy_rank_promotion("allow"):  # the tests forbid what people do
        exec(compile(code, "pasted", "exec"), space)
    return np.asarray(space["score"])


def main() -> None:
    """Print how far each program ends from our own parts; an exit status of 1 where one is off."""
    there = [
        name
        for name, module in {"pytorch": "torch", "keras": "keras", "optax": "optax"}.items()
        if importlib.util.find_spec(module)
    ]
    worst = 0.0
    for case in CASES:
        expected, words = ours(*case), []
        for name in there:
            found = theirs(name, case)
            if found is None:
                words.append(f"{name}: {lacking(made(*case))[name]}")
                continue
            apart = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
            known = "which moves the first step" in (paste(made(*case))[name] or "")
            worst = max(worst, 0.0 if known else apart)
            words.append(f"{name} {apart:.1e}{' (said there)' if known else ''}")
        settings = ", ".join(f"{key}={value}" for key, value in {**case[2], **case[3]}.items())
        print(f"{case[0]} × {case[1]}{f' ({settings})' if settings else ''}: {'; '.join(words)}", flush=True)
    print(f"largest relative difference {worst:.1e}")
    sys.exit(worst > 1e-3)


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "jax")
    main()
