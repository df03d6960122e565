"""What the programs to paste for PyTorch, Keras and optax have in common, in NumPy: target, weights, start, schedule."""

from collections.abc import Mapping
from typing import Any

SCHEDULES = ("", "constant", "linear", "cosine")
WHO = ("weights", "everything")
PENALTIES = ("", "l1", "l2")
# The best constant for all rows, as NumPy says it; `weights` is put where rows weigh differently.
STARTS = {
    "squared_error": "np.average(target{weights})",
    "absolute_error": "np.median(target)",
    "huber": "np.median(target)",
    "log_cosh": "np.median(target)",
    "binary_cross_entropy": "np.log(np.average(target{weights}) / np.average(1 - target{weights}) * {positive_weight:.6g})",
    "hinge": "np.sign(np.average(2 * target - 1{weights}))",
    "squared_hinge": "np.average(2 * target - 1{weights})",
    "cross_entropy": "np.log({shares})",
    "crammer_singer_hinge": "({shares} > 0.5).astype(float)",
}
# Where the best constant is not a formula, the number at which the mean of these slopes is zero.
SLOPES = {"huber": "np.clip(target - start, -{delta:.6g}, {delta:.6g})", "log_cosh": "np.tanh(target - start)"}


def lacking(recipe: Any, losses: Any, optimizers: Any, only: Mapping[str, Mapping[str, Any]]) -> str:
    """Which loss, optimizer or setting a framework lacks, in words; "" where it has all.

    `only` are settings that it has in one form alone, by optimizer.
    """
    if recipe.loss not in losses:
        return f"it has no {recipe.loss}"
    if recipe.optimizer not in optimizers:
        return f"it has no {recipe.optimizer} that is known to follow the same rule"
    for name, value in only.get(recipe.optimizer, {}).items():
        if recipe.optimizer_settings.get(name, value) != value:
            return f"its {recipe.optimizer} follows the rule of {name}={value} alone"
    return ""


def unlike(recipe: Any) -> str:
    """Why no loop with gradients can be written for a recipe, in words; "" where one can."""
    if recipe.model not in ("mlp", "linear"):
        return f"its model is {recipe.model}"
    if recipe.schedule not in SCHEDULES:
        return f"its schedule is {recipe.schedule}"
    if recipe.penalty not in PENALTIES:
        return f"its penalty is {recipe.penalty}"
    if recipe.optimizer_settings.get("decayed", "weights") not in WHO:
        return "a mask of your own says what decays"
    if recipe.penalty_settings.get("charged", "weights") not in WHO:
        return "a mask of your own says what pays"
    if recipe.loss == "cross_entropy" and recipe.loss_settings:
        return "the settings of its loss have no counterpart"
    return ""


def numpy_part(recipe: Any) -> list[str]:
    """Features, target, weights of rows, the best constant, the numbers of epochs, rows and steps."""
    kind = "int" if recipe.task == "multiclass" else "np.float32"
    what = "the target" if recipe.task == "regression" else "class indices from 0"
    units = "each with mean 0 and variance 1" if recipe.standardize else "numbers in their own units"
    lines = [
        f"# X: encoded features, {units}; y: {what}",
        "X, y = np.asarray(X, np.float32), np.asarray(y)",
    ]
    if recipe.scale is not None:
        centre, scale = (f"{recipe.scale[name]:.7g}" for name in ("centre", "scale"))
        lines.append(f"centre, scale = {centre}, {scale}  # median and IQR / 1.349 of the training rows")
        lines.append("target = ((y - centre) / scale).astype(np.float32)")
    else:
        lines.append(f"target = y.astype({kind})")
    lines += [*weight(recipe), *start(recipe)]
    lines.append(f"epochs, batch = {recipe.epochs}, {recipe.batch if recipe.batch is not None else 'len(X)'}")
    return [*lines, "parts = math.ceil(len(X) / batch)  # batches of an epoch", "steps = epochs * parts"]


def weight(recipe: Any) -> list[str]:
    """The weight of each row by its class, and smoothed binary labels."""
    lines = []
    if recipe.class_weight == "balanced":
        lines.append("count = np.bincount(y.astype(int))")
        lines.append("weight = (len(y) / count / len(count))[y.astype(int)].astype(np.float32)")
    elif recipe.class_weight:
        lines.append(f"weight = np.array({recipe.class_weight}, np.float32)[y.astype(int)]")
    if recipe.label_smoothing and recipe.task == "binary":
        lines.append(f"target = {1 - recipe.label_smoothing:.6g} * target + {recipe.label_smoothing / 2:.6g}")
    return lines


def start(recipe: Any) -> list[str]:
    """Where the last bias starts: at the one constant that would be best for all rows."""
    weights = ", weights=weight" if recipe.class_weight else ""
    count = f"np.bincount(target{weights}, minlength={recipe.classes})"
    shares = f"{count} / weight.sum()" if recipe.class_weight else f"{count} / len(target)"
    if recipe.label_smoothing and recipe.task == "multiclass":
        shares = f"{1 - recipe.label_smoothing:.6g} * {shares} + {recipe.label_smoothing / recipe.classes:.6g}"
    text = STARTS[recipe.loss].format(weights=weights, shares=shares, **recipe.loss_settings)
    lines = [f"start = {text}  # the last bias starts at the best constant"]
    if recipe.loss in SLOPES:
        slope = SLOPES[recipe.loss].format(**recipe.loss_settings)
        lines += ["for _ in range(200):", f"    start += {slope}.mean()"]
    return lines


def factor(recipe: Any) -> list[str]:
    """The factor of the learning rate at each step, as a function of its own."""
    settings = recipe.schedule_settings
    end, warmup = float(settings.get("end", 0.0)), float(settings.get("warmup", 0.0))
    shape = {
        "linear": f"1 - {1 - end:.6g} * part" if end else "1 - part",
        "cosine": f"{end:.6g} + {1 - end:.6g} * 0.5 * (1 + math.cos(math.pi * part))",
    }.get(recipe.schedule, "1.0")
    lines = ["def factor(step):"]
    if warmup:
        lines.append(f"    rising = {warmup:.6g} * steps")
        lines.append("    part = min(max((step - rising) / max(steps - rising, 1), 0), 1)")
        lines.append(f"    return min((step + 1) / (rising + 1), 1) * ({shape})")
    elif recipe.schedule in ("", "constant"):
        lines.append("    return 1.0")
    else:
        lines += ["    part = min(step / steps, 1)", f"    return {shape}"]
    return ["", "", *lines, "", ""]


def first_averaged(recipe: Any) -> str:
    """The number of steps before the first whose parameters enter the average."""
    first = float(recipe.average_settings.get("start", 0.0))
    return f"int({first:.6g} * steps)" if 0 < first < 1 else f"{first:.0f}"


def prediction(recipe: Any, sigmoid: str, softmax: str, winner: str) -> str:
    """From scores to predictions, with a framework's own functions of the score."""
    if recipe.task == "regression":
        return "prediction = score * scale + centre" if recipe.scale is not None else "prediction = score"
    if recipe.loss == "binary_cross_entropy":
        return f"prediction = {sigmoid}  # probability of class 1"
    if recipe.loss == "cross_entropy":
        return f"prediction = {softmax}  # probability of each class"
    return "prediction = score > 0  # whether it is class 1" if recipe.task == "binary" else f"prediction = {winner}  # the class"


LAST = "# downslope also keeps the epoch that is best on held-out rows."
