"""Made-up finished comparisons in the shape of `result.json`, drawn from a seed: what the report is tested on."""

from typing import Any

import numpy as np

from downslope.comparison.needs import needs
from downslope.comparison.tunability import tunability
from downslope.losses import catalogue as all_losses
from downslope.optimizers import catalogue as all_optimizers

METRICS = {
    "regression": [("rmse", "RMSE", "lower"), ("mae", "MAE", "lower"), ("r2", "R²", "higher")],
    "binary": [
        ("roc_auc", "ROC AUC", "higher"),
        ("average_precision", "average precision", "higher"),
        ("log_loss", "log loss", "lower"),
        ("brier", "Brier score", "lower"),
        ("accuracy", "accuracy", "higher"),
    ],
    "multiclass": [
        ("log_loss", "log loss", "lower"),
        ("accuracy", "accuracy", "higher"),
        ("balanced_accuracy", "balanced accuracy", "higher"),
        ("f1", "F1 (macro)", "higher"),
    ],
}
# Per task: the best value of each metric, and how much one unit of badness changes it.
LEVELS = {
    "regression": {"rmse": (49000.0, 4000.0), "mae": (34000.0, 3000.0), "r2": (0.82, -0.03)},
    "binary": {
        "roc_auc": (0.912, -0.02),
        "average_precision": (0.78, -0.03),
        "log_loss": (0.31, 0.03),
        "brier": (0.098, 0.01),
        "accuracy": (0.857, -0.01),
    },
    "multiclass": {
        "log_loss": (0.93, 0.06),
        "accuracy": (0.61, -0.02),
        "balanced_accuracy": (0.55, -0.02),
        "f1": (0.54, -0.02),
    },
}
LOSSES = {
    "regression": {"squared_error": 0.0, "huber": 0.15, "absolute_error": 0.4},
    "binary": {"binary_cross_entropy": 0.0, "hinge": 0.3},
    "multiclass": {"cross_entropy": 0.0, "crammer_singer_hinge": 0.5},
}
OPTIMIZERS = {
    "rmsprop": (0.0, 1e-4, 1e-2),
    "adam": (0.05, 1e-4, 1e-2),
    "adamw": (0.06, 1e-4, 1e-2),
    "momentum": (0.5, 3e-4, 3e-2),
    "sgd": (1.0, 1e-3, 3e-1),
    "gradient_descent": (5.5, 1e-2, 3.0),
    "nesterov": (0.45, 3e-4, 3e-2),
    "lion": (0.2, 1e-5, 1e-3),
    "adagrad": (0.7, 1e-3, 1e-1),
    "adadelta": (0.9, 1e-2, 1.0),
}
DEFAULT_OPTIMIZERS = ("gradient_descent", "sgd", "momentum", "rmsprop", "adam", "adamw")
CLASSES = {"regression": None, "binary": ["<=50K", ">50K"], "multiclass": ["low", "middle", "high", "very high"]}
NAMES = {"regression": ("california", "price"), "binary": ("adult", "income"), "multiclass": ("wine", "quality")}


def interval(mean: float, half: float) -> dict[str, float]:
    return {"mean": mean, "low": mean - half, "high": mean + half}


def values(task: str, badness: float, half: float = 0.12) -> dict[str, dict[str, float]]:
    return {name: interval(level + badness * step, abs(step) * half) for name, (level, step) in LEVELS[task].items()}


def contender(task: str, loss: str, optimizer: str, badness: float, random: np.random.Generator) -> dict[str, Any]:
    metric = METRICS[task][0][0]
    level, step = LEVELS[task][metric]
    _, low, best = OPTIMIZERS[optimizer]
    grid = []
    for rate in low * 10 ** (np.arange(7) / 2):
        away = abs(np.log10(rate / best))
        lost = rate > 11 * best
        mean = level + (badness + 2.5 * away**2) * step
        scores = [None if lost else float(mean + step * random.normal(0, 0.15)) for _ in range(2)]
        status = "diverged" if lost else "ok"
        grid.append({"learning_rate": float(rate), "scores": scores, "score": None if lost else float(mean), "status": status})
    tried = [point for point in grid if point["score"] is not None]
    chosen = (min if step > 0 else max)(tried, key=lambda point: point["score"])
    full = optimizer == "gradient_descent"
    settings = {"learning_rate": chosen["learning_rate"]}
    if loss == "huber":
        settings["delta"] = 1.0
    return {
        "id": f"{loss} × {optimizer}",
        "loss": loss,
        "optimizer": optimizer,
        "settings": settings,
        "settings_in_units": {"delta": 84000.0} if loss == "huber" else {},
        "batch": "full" if full else 128,
        "status": "ok",
        "reason": "",
        "score": values(task, badness)[metric],
        "scores": [float(level + step * (badness + random.normal(0, 0.2))) for _ in range(10)],
        "metrics": values(task, badness),
        "examples_seen": 396288,
        "updates": 30 if full else 3096,
        "tied_with_best": badness < 0.3,
        "rank": None,
        "difference": interval(badness * abs(step), abs(step) * 0.2),
        "grid": grid,
        "at_border": chosen in (grid[0], grid[-1]),
        "good_rates": int(np.sum([abs(np.log10(p["learning_rate"] / best)) < 0.6 for p in tried])),
        "bytes_per_parameter": {"sgd": 0.0, "gradient_descent": 0.0}.get(optimizer, 8.03 if "adam" in optimizer else 4.0),
        "gradients_per_step": 1,
        "epoch_best": 22,
        "updates_to_best": interval(400.0 + 50 * badness, 60.0) | {"runs": 10, "of": 10},
        "aims_at": all_losses[loss].about.aims_at if loss in all_losses.names else "",
        "best_constant": {"squared_error": 206856.0, "absolute_error": 179700.0, "huber": 191200.0}.get(loss),
    }


def fail(one: dict[str, Any], status: str, reason: str) -> None:
    """Make a contender one that has no score."""
    nothing: dict[str, Any] = {"score": None, "scores": [None] * 10, "metrics": {}, "rank": None, "difference": None}
    one.update(nothing, status=status, reason=reason, tied_with_best=False, epoch_best=None)


def controls(task: str) -> dict[str, Any]:
    metric = METRICS[task][0][0]
    levels = {"constant": 17.0, "linear": 4.5, "boosted_trees": -0.6}
    if task != "regression":
        levels["constant"] = 20.6 if task == "binary" else 6.0
    made: dict[str, Any] = {}
    for name, badness in levels.items():
        metrics = {key: value["mean"] for key, value in values(task, badness).items()}
        made[name] = {"metrics": metrics, "score": metrics[metric]}
    made["linear"]["tied_with_best"] = False
    made["boosted_trees"]["better"] = True
    return made


def curves(
    contenders: list[dict[str, Any]], task: str, random: np.random.Generator, epochs: int, seeds: int
) -> list[dict[str, Any]]:
    metric = METRICS[task][0][0]
    level, step = LEVELS[task][metric]
    rows = []
    for one in contenders:
        if one["status"] != "ok":
            continue
        badness = (one["score"]["mean"] - level) / step
        for seed in range(seeds):
            same = {key: one[key] for key in ("loss", "optimizer", "settings")} | {"contender": one["id"], "seed": seed}
            same |= {"phase": "confirmation", "repetition": seed // 5, "fold": seed % 5}
            same |= {"learning_rate": one["settings"]["learning_rate"]}
            wobble = random.normal(0, 0.02, size=3)
            for epoch in range(1, epochs + 1):
                done = epoch / epochs
                decay = np.exp(-6 * done) + 0.1 * badness
                here = same | {"epoch": epoch, "examples_seen": 13210 * epoch}
                train = 0.18 + 0.8 * decay + wobble[0] - 0.05 * done
                stop = 0.24 + 0.8 * decay + wobble[1] + 0.06 * max(0.0, done - 0.6)
                score = level + step * (badness + 4 * np.exp(-6 * done) + 5 * wobble[2])
                for split, name, value in (("train", "loss", train), ("stop", "loss", stop), ("stop", metric, score)):
                    rows.append(here | {"split": split, "metric": name, "value": float(value + random.normal(0, 0.002) * value)})
    return rows


def predictions(contenders: list[dict[str, Any]], task: str, random: np.random.Generator, rows: int) -> dict[str, Any]:
    judged = {}
    classes = CLASSES[task]
    if classes is None:
        target: np.ndarray = np.exp(random.normal(12.1, 0.5, rows)).clip(15000, 500001)
    else:
        target = random.choice(len(classes), rows, p=[0.76, 0.24] if task == "binary" else [0.3, 0.45, 0.2, 0.05])
    for one in contenders:
        if one["status"] != "ok":
            continue
        if task == "regression":
            prediction = target + random.normal(0, 1, rows) * (15000 + 0.16 * target)
        elif task == "binary":
            prediction = 1 / (1 + np.exp(-(2.4 * (target - 0.5) - 0.6 + random.normal(0, 1.2, rows))))
        else:
            assert classes is not None
            raw = random.normal(0, 1, (rows, len(classes))) + 1.6 * np.eye(len(classes))[target]
            prediction = np.exp(raw) / np.exp(raw).sum(1, keepdims=True)
        judged[one["id"]] = {"rows": np.arange(rows), "target": target, "prediction": prediction}
    return judged


def recommendation(best: dict[str, Any], tied: int, task: str) -> dict[str, Any]:
    title = METRICS[task][0][1]
    rate = best["settings"]["learning_rate"]
    text = (
        f"Use {best['optimizer']}, rate {rate:g}, {best['loss']}: {title} {best['score']['mean']:.6g} on rows never used. "
        f"It is one of {tied} that cannot be told apart, and the least sensitive to its learning rate."
    )
    reasons = [
        "Boosted trees do better; take them if you only want predictions.",
        f"{best['optimizer']} stays within the margin over {best['good_rates']} of 7 learning rates.",
        "At the same cost gradient descent took 30 steps, mini-batches 3096.",
    ]
    code = {
        "downslope": f"downslope train table.csv --target y --loss {best['loss']} --optimizer '{best['optimizer']}({rate:g})'",
        "pytorch": f"optimizer = torch.optim.RMSprop(model.parameters(), lr={rate:g})\nloss = torch.nn.MSELoss()\n",
        "scikit-learn": None,
    }
    keys = ("id", "loss", "optimizer", "settings")
    return {key: best[key] for key in keys} | {"text": text, "reasons": reasons, "code": code}


def tuned(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What the made-up grids say of tuning."""
    sign = 1 if result["metric"]["direction"] == "lower" else -1
    constants = [sign * result["controls"]["constant"]["score"]] * 2
    return tunability(result["contenders"], sign, constants, {c["id"]: 0.001 for c in result["contenders"]}, 0.01)


def sample(
    task: str = "regression",
    *,
    seed: int = 0,
    optimizers: tuple[str, ...] = DEFAULT_OPTIMIZERS,
    losses: dict[str, float] | None = None,
    finished: int | None = None,
    diverged: tuple[str, ...] = (),
    epochs: int = 30,
    seeds: int = 10,
    rows: int = 2000,
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """A result, its runs and its judged predictions.

    `finished` stops the comparison after so many contenders; `diverged` names contenders, or is ("all",).
    """
    random = np.random.default_rng(seed)
    name, target = NAMES[task]
    contenders = [
        contender(task, loss, optimizer, extra + OPTIMIZERS[optimizer][0] + abs(random.normal(0, 0.03)), random)
        for loss, extra in (losses or LOSSES[task]).items()
        for optimizer in optimizers
    ]
    for one in contenders:
        if diverged == ("all",) or one["id"] in diverged:
            fail(one, "diverged", "left the finite numbers at every learning rate, first at update 14")
    for one in contenders[finished:] if finished is not None else ():
        fail(one, "out_of_budget", "not reached before the comparison was stopped")
    _, step = LEVELS[task][METRICS[task][0][0]]
    alive = sorted((c for c in contenders if c["score"]), key=lambda c: c["score"]["mean"] * np.sign(step))
    for rank, one in enumerate(alive, start=1):
        one["rank"] = rank
    if alive:
        alive[0]["tied_with_best"] = True
        advice = recommendation(alive[0], sum(c["tied_with_best"] for c in alive), task)
    else:
        text = "Every contender diverged; standardise the inputs or try smaller learning rates."
        advice = {"id": None, "text": text, "reasons": []}
    metric, *beside = ({"name": n, "title": t, "direction": d} for n, t, d in METRICS[task])
    found = controls(task)
    if len(alive) > 1:
        twin = alive[1]
        found["twin"] = {
            "of": twin["id"],
            "score": twin["score"],
            "difference": interval(0.01 * step, abs(step) * 0.2),
            "tied": True,
        }
    result = {
        "downslope": "0.1.0",
        "format": 1,
        "name": name,
        "source": f"{name}.csv",
        "task": task,
        "target": target,
        "classes": CLASSES[task],
        "positive": ">50K" if task == "binary" else None,
        "metric": metric,
        "metrics": beside,
        "rows": {"read": 20640, "used": 20433, "dropped": {"target missing": 207}, "development": 16346, "test": 4087},
        "columns": [
            {"name": "longitude", "kind": "number", "used": True, "reason": "", "missing": 0, "distinct": 844},
            {"name": "total_bedrooms", "kind": "number", "used": True, "reason": "", "missing": 207, "distinct": 1923},
            {"name": "ocean_proximity", "kind": "category", "used": True, "reason": "", "missing": 0, "distinct": 5},
            {"name": "sold_on", "kind": "date", "used": True, "reason": "", "missing": 3, "distinct": 365},
            {"name": "remark", "kind": "text", "used": False, "reason": "free text", "missing": 12000, "distinct": 8000},
            {
                "name": "id",
                "kind": "identifier",
                "used": False,
                "reason": "a different value in every row",
                "missing": 0,
                "distinct": 20640,
            },
        ],
        "notes": ["Task: regression, because price is numeric with 3842 distinct values (--task overrules)."],
        "warnings": ["There is a date column (sold_on): a random split may flatter every contender; see --split time:sold_on."],
        "split": {
            "scheme": "folds",
            "repetitions": 2,
            "folds": 5,
            "words": "2 repetitions of 5 folds; each row is judged twice by models that never saw it.",
        },
        "budget": {
            "updates": 3096,
            "epochs": 30,
            "batch": 128,
            "examples": 396288,
            "learning_rates": 7,
            "tuning_seeds": 2,
            "confirmation": 10,
            "words": "24 runs for each contender: 7 learning rates × 2 seeds to tune, then 10 runs that judge.",
        },
        "model": "mlp(widths=[64, 64], dropout=0)",
        "schedule": "linear(warmup=0)",
        "penalty": None,
        "target_scale": {"centre": 179700.0, "scale": 108000.0} if task == "regression" else None,
        "contenders": contenders,
        "recommendation": advice,
        "test": {n: level for n, (level, _) in LEVELS[task].items()} if alive else {},
        "controls": found,
        "versions": {"downslope": "0.1.0", "jax": "0.10.2", "numpy": "2.4.6", "python": "3.11.7"},
        "seed": seed,
        "devices": "many",
        "margin": 670.0 if task == "regression" else 0.004,
        "timing": {
            "total_seconds": 61.3,
            "run_seconds": 44.0,
            "contender_seconds": {one["id"]: 0.02 + 0.01 * place for place, one in enumerate(contenders)},
        },
        "finished": finished is None,
        "command": f"downslope compare {name}.csv --target {target}",
    }
    result["tunability"] = tuned(result)
    result["needs"] = needs(result)
    result["papers"] = [
        {"name": name, "text": f"{name}, {source.title}", "url": source.url}
        for part, catalogue in (("loss", all_losses), ("optimizer", all_optimizers))
        for name in sorted({one[part] for one in contenders} & {*catalogue.names})
        if (source := catalogue[name].about.source) is not None
    ]
    return result, curves(contenders, task, random, epochs, seeds), predictions(contenders, task, random, rows)
