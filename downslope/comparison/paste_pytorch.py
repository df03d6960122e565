"""The recommendation for PyTorch: the same loss, optimizer, model, schedule and scaling, in its own names and settings."""

from typing import Any

LOSSES = {
    "squared_error": "loss_of = torch.nn.MSELoss()",
    "absolute_error": "loss_of = torch.nn.L1Loss()",
    "huber": "loss_of = torch.nn.HuberLoss(delta={delta:.6g})",
    "binary_cross_entropy": "loss_of = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor({positive_weight:.6g}))",
    "cross_entropy": "loss_of = torch.nn.CrossEntropyLoss()",
    "hinge": "def loss_of(score, target):\n    return torch.relu(1 - (2 * target - 1) * score).mean()\n",
    "crammer_singer_hinge": (
        "def loss_of(score, target):\n"
        "    rival = score + 1 - torch.nn.functional.one_hot(target, score.shape[1])\n"
        "    return (rival.max(dim=1).values - score.gather(1, target[:, None]).squeeze(1)).mean()\n"
    ),
}
OPTIMIZERS = {
    "gradient_descent": "torch.optim.SGD({params}, lr={learning_rate:.6g})",
    "sgd": "torch.optim.SGD({params}, lr={learning_rate:.6g})",
    "momentum": "torch.optim.SGD({params}, lr={learning_rate:.6g}, momentum={momentum:.6g})",
    "nesterov": "torch.optim.SGD({params}, lr={learning_rate:.6g}, momentum={momentum:.6g}, nesterov=True)",
    "rmsprop": "torch.optim.RMSprop({params}, lr={learning_rate:.6g}, alpha={decay:.6g}, eps={epsilon:.6g}, centered={centered})",
    "adam": "torch.optim.Adam({params}, lr={learning_rate:.6g}, betas=({b1:.6g}, {b2:.6g}), eps={epsilon:.6g})",
    "adamw": "torch.optim.AdamW({params}, lr={learning_rate:.6g}, betas=({b1:.6g}, {b2:.6g}), eps={epsilon:.6g})",
}
# Settings that PyTorch cannot follow, with the value at which it need not.
ONLY = {"epsilon_hat": False, "epsilon_inside": False}
PENALTIES = {
    "": "",
    "l1": "{strength:.6g} * sum(w.abs().sum() for w in {paying})",
    "l2": "{strength:.6g} / 2 * sum((w**2).sum() for w in {paying})",
}


def code(recipe: Any) -> str | None:
    """A training loop that does the same; `None` where PyTorch has no such loss, optimizer or model."""
    known = (
        recipe.loss in LOSSES
        and recipe.optimizer in OPTIMIZERS
        and recipe.model in ("mlp", "linear")
        and recipe.schedule in ("", "constant", "linear", "cosine")
        and recipe.penalty in PENALTIES
        and all(recipe.optimizer_settings.get(name, value) == value for name, value in ONLY.items())
        and recipe.optimizer_settings.get("decayed", "weights") in ("weights", "everything")
        and (recipe.loss != "cross_entropy" or not recipe.loss_settings)
    )
    if not known:
        return None
    regression, several = recipe.task == "regression", recipe.task == "multiclass"
    outputs = recipe.classes if several else 1
    pick = "" if several else ".squeeze(1)"
    kind = "torch.long" if several else "torch.float32"
    lines = [
        "import math",
        "",
        "import torch",
        "",
        f"# X: encoded features, each with mean 0 and variance 1; y: {'the target' if regression else 'class indices from 0'}",
        f"torch.manual_seed({recipe.seed})",
        "X = torch.as_tensor(X, dtype=torch.float32)",
        *target(recipe, kind),
        *weighted(recipe),
        *model(recipe, outputs),
        f"optimizer = {optimizer(recipe)}",
        loss(recipe),
        f"epochs, batch = {recipe.epochs}, {recipe.batch if recipe.batch is not None else 'len(X)'}",
        "steps = epochs * math.ceil(len(X) / batch)",
        *schedule(recipe),
        *averaged(recipe),
        "for _ in range(epochs):",
        "    for rows in torch.randperm(len(X)).split(batch):",
        f"        cost = loss_of(model(X[rows]){pick}, target[rows])",
    ]
    if recipe.class_weight:
        lines.append("        cost = (weight[rows] * cost).sum() / weight[rows].sum()")
    if recipe.penalty:
        paying = "model.parameters()" if recipe.penalty_settings.get("charged") == "everything" else "weights"
        lines.append("        cost = cost + " + PENALTIES[recipe.penalty].format(paying=paying, **recipe.penalty_settings))
    lines += ["        optimizer.zero_grad()", "        cost.backward()"]
    if recipe.clip_norm is not None:
        lines.append(f"        torch.nn.utils.clip_grad_norm_(model.parameters(), {recipe.clip_norm:.6g})")
    lines += ["        optimizer.step()", "        schedule.step()"]
    if recipe.average:
        lines += ["        done += 1", "        if done > start:", "            average.update_parameters(model)"]
        lines += ["model = average.module if done > start else model"]
    lines += ["model.eval()", f"score = model(X).detach(){pick}", prediction(recipe)]
    lines.append("# downslope also starts the last bias at the best constant and keeps the epoch that is best on held-out rows.")
    return "\n".join(lines) + "\n"


def target(recipe: Any, kind: str) -> list[str]:
    """The target in the scale in which it was trained."""
    if recipe.scale is None:
        return [f"target = torch.as_tensor(y, dtype={kind})"]
    centre, scale = (f"{recipe.scale[name]:.6g}" for name in ("centre", "scale"))
    return [
        f"centre, scale = {centre}, {scale}  # median and IQR / 1.349 of the training rows",
        "target = (torch.as_tensor(y, dtype=torch.float32) - centre) / scale",
    ]


def loss(recipe: Any) -> str:
    """The loss: a mean, or one value for each row where classes weigh differently."""
    text = LOSSES[recipe.loss].format(**recipe.loss_settings)
    more = ['reduction="none"'] if recipe.class_weight else []
    more += [f"label_smoothing={recipe.label_smoothing:.6g}"] if recipe.label_smoothing and recipe.task == "multiclass" else []
    if text.startswith("def "):
        return text.replace(".mean()", "") if recipe.class_weight else text
    return text[:-1] + ("" if text.endswith("()") else ", ") * bool(more) + ", ".join(more) + ")"


def weighted(recipe: Any) -> list[str]:
    """The weight of each row by its class, and smoothed binary labels."""
    lines = []
    if recipe.class_weight:
        table = f"torch.tensor({recipe.class_weight})"
        if recipe.class_weight == "balanced":
            lines.append(f"count = torch.bincount(target.long(), minlength={recipe.classes})")
            table = f"(len(X) / {recipe.classes} / count)"
        lines.append(f"weight = {table}[target.long()]")
    if recipe.label_smoothing and recipe.task == "binary":
        lines.append(f"target = {1 - recipe.label_smoothing:.6g} * target + {recipe.label_smoothing / 2:.6g}")
    return lines


def model(recipe: Any, outputs: int) -> list[str]:
    """The layers, started as downslope starts them."""
    if recipe.model == "linear":
        return [
            f"model = torch.nn.Sequential(torch.nn.Linear(X.shape[1], {outputs}))",
            "torch.nn.init.zeros_(model[0].weight)",
            "torch.nn.init.zeros_(model[0].bias)",
            "weights = [model[0].weight]",
        ]
    dropout = float(recipe.model_settings["dropout"])
    lines, before = ["model = torch.nn.Sequential("], "X.shape[1]"
    for width in recipe.model_settings["widths"]:
        lines += [f"    torch.nn.Linear({before}, {width}),", "    torch.nn.ReLU(),"]
        lines += [f"    torch.nn.Dropout({dropout:.6g}),"] if dropout else []
        before = str(width)
    return [
        *lines,
        f"    torch.nn.Linear({before}, {outputs}),",
        ")",
        "layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]",
        "weights = [layer.weight for layer in layers]",
        "for layer in layers:",
        "    gain = 1 if layer is layers[-1] else 2",
        "    torch.nn.init.normal_(layer.weight, std=math.sqrt(gain / layer.in_features))",
        "    torch.nn.init.zeros_(layer.bias)",
    ]


def optimizer(recipe: Any) -> str:
    """The optimizer; AdamW shrinks weights alone, so biases are a group of their own."""
    settings = dict(recipe.optimizer_settings)
    params = "model.parameters()"
    if recipe.optimizer == "adamw":
        decay = f"{settings['weight_decay']:.6g}"
        if settings.get("decayed", "weights") == "everything":
            return OPTIMIZERS["adamw"].format(params=params, **settings)[:-1] + f", weight_decay={decay})"
        free = '{"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}'
        params = f'[{{"params": weights, "weight_decay": {decay}}}, {free}]'
    return OPTIMIZERS[recipe.optimizer].format(params=params, **settings)


def schedule(recipe: Any) -> list[str]:
    """The factor of the learning rate at each step."""
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
    else:
        lines += ["    part = min(step / steps, 1)", f"    return {shape}"]
    return ["", "", *lines, "", "", "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"]


def averaged(recipe: Any) -> list[str]:
    """A model beside the trained one that holds its average."""
    if not recipe.average:
        return []
    start, rule = float(recipe.average_settings.get("start", 0.0)), ""
    if recipe.average == "exponential_averaging":
        decay = f"{recipe.average_settings['decay']:.6g}"
        share = f"(1 - {decay}) / (1 - {decay} ** (float(count) + 1))"  # torch begins at the first parameters, as this does
        rule = f", avg_fn=lambda old, new, count: old + {share} * (new - old)"
    first = f"int({start:.6g} * steps)" if 0 < start < 1 else f"{start:.0f}"
    return [f"average, done, start = torch.optim.swa_utils.AveragedModel(model{rule}), 0, {first}"]


def prediction(recipe: Any) -> str:
    """From scores to predictions."""
    if recipe.task == "regression":
        return "prediction = score * scale + centre" if recipe.scale is not None else "prediction = score"
    if recipe.loss == "binary_cross_entropy":
        return "prediction = torch.sigmoid(score)  # probability of class 1"
    if recipe.loss == "cross_entropy":
        return "prediction = torch.softmax(score, dim=1)  # probability of each class"
    return "prediction = (score > 0).long()" if recipe.task == "binary" else "prediction = score.argmax(dim=1)"
