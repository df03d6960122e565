"""The recommendation for PyTorch: the same loss, optimizer, model, schedule and scaling, in its own names and settings."""

from typing import Any

from downslope.comparison import paste_frame as frame

LOSSES = {
    "squared_error": "loss_of = torch.nn.MSELoss()",
    "absolute_error": "loss_of = torch.nn.L1Loss()",
    "huber": "loss_of = torch.nn.HuberLoss(delta={delta:.6g})",
    "binary_cross_entropy": "loss_of = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor({positive_weight:.6g}))",
    "cross_entropy": "loss_of = torch.nn.CrossEntropyLoss()",
    "hinge": "def loss_of(score, target):\n    return torch.maximum(1 - (2 * target - 1) * score, torch.zeros(1)).mean()\n",
    "crammer_singer_hinge": (
        "def loss_of(score, target):\n"
        "    rival = score + 1 - torch.nn.functional.one_hot(target, score.shape[1])\n"
        "    return (rival.amax(dim=1) - score.gather(1, target[:, None]).squeeze(1)).mean()\n"
    ),
}
ADAM = "{params}, lr={learning_rate:.6g}, betas=({b1:.6g}, {b2:.6g}), eps={epsilon:.6g}"
RMSPROP = "{params}, lr={learning_rate:.6g}, alpha={decay:.6g}, eps={epsilon:.6g}, centered={centered}"
OPTIMIZERS = {
    "gradient_descent": "SGD({params}, lr={learning_rate:.6g})",
    "sgd": "SGD({params}, lr={learning_rate:.6g})",
    "momentum": "SGD({params}, lr={learning_rate:.6g}, momentum={momentum:.6g})",
    "nesterov": "SGD({params}, lr={learning_rate:.6g}, momentum={momentum:.6g}, nesterov=True)",
    "rmsprop": f"RMSprop({RMSPROP})",
    "rmsprop_momentum": f"RMSprop({RMSPROP}, momentum={{momentum:.6g}})",
    "adam": f"Adam({ADAM})",
    "adamw": f"AdamW({ADAM})",
    "amsgrad": f"Adam({ADAM}, amsgrad=True)",
    "adamax": f"Adamax({ADAM})",
    "nadam": f"NAdam({ADAM}, momentum_decay={{momentum_decay:.6g}})",
    "radam": f"RAdam({ADAM})",
    "adagrad": "Adagrad({params}, lr={learning_rate:.6g}, initial_accumulator_value={initial:.6g}, eps={epsilon:.6g})",
    "adadelta": "Adadelta({params}, lr={learning_rate:.6g}, rho={decay:.6g}, eps={epsilon:.6g})",
}
# What a setting has to be, because PyTorch has no other.
ONLY = {
    "rmsprop": {"epsilon_inside": False},
    "rmsprop_momentum": {"epsilon_inside": False},
    "adam": {"epsilon_hat": False},
    "adamw": {"epsilon_hat": False},
    "amsgrad": {"correction": "after"},
    "adamax": {"epsilon_after": False},
    "radam": {"epsilon_after": False, "threshold": 5},
    "adagrad": {"epsilon_inside": False},
}
COSTS = {
    "l1": "{strength:.6g} * sum(w.abs().sum() for w in {paying})",
    "l2": "{strength:.6g} / 2 * sum((w**2).sum() for w in {paying})",
}


def missing(recipe: Any) -> str:
    """Why there is no such program, in words; "" where there is one."""
    return frame.lacking(recipe, LOSSES, OPTIMIZERS, ONLY) or frame.unlike(recipe)


def code(recipe: Any) -> str:
    """A training loop that does the same."""
    several = recipe.task == "multiclass"
    pick = "" if several else ".squeeze(1)"
    lines = ["import math", "", "import numpy as np", "import torch", "", *frame.numpy_part(recipe), ""]
    lines += [f"torch.manual_seed({recipe.seed})", "X, target = torch.as_tensor(X), torch.as_tensor(target)"]
    lines += ["weight = torch.as_tensor(weight)"] if recipe.class_weight else []
    lines += [*model(recipe, recipe.classes if several else 1), f"optimizer = {optimizer(recipe)}", loss(recipe)]
    lines += [*frame.factor(recipe), "schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)", *averaged(recipe)]
    lines += [
        "for _ in range(epochs):",
        "    for rows in torch.randperm(len(X)).tensor_split(parts):",
        f"        cost = loss_of(model(X[rows]){pick}, target[rows])",
    ]
    if recipe.class_weight:
        lines.append("        cost = (weight[rows] * cost).sum() / weight[rows].sum()")
    if recipe.penalty:
        paying = "model.parameters()" if recipe.penalty_settings.get("charged") == "everything" else "weights"
        lines.append("        cost = cost + " + COSTS[recipe.penalty].format(paying=paying, **recipe.penalty_settings))
    lines += ["        optimizer.zero_grad()", "        cost.backward()"]
    if recipe.clip_norm is not None:
        lines.append("        # PyTorch adds 1e-6 to the length by which it divides.")
        lines.append(f"        torch.nn.utils.clip_grad_norm_(model.parameters(), {recipe.clip_norm:.6g})")
    lines += ["        optimizer.step()", "        schedule.step()"]
    if recipe.average:
        lines += ["        done += 1", "        if done > first:", "            average.update_parameters(model)"]
        lines += ["model = average.module if done > first else model"]
    lines += ["model.eval()", f"score = model(X).detach(){pick}"]
    lines.append(frame.prediction(recipe, "torch.sigmoid(score)", "torch.softmax(score, dim=1)", "score.argmax(dim=1)"))
    return "\n".join([*lines, frame.LAST]) + "\n"


def loss(recipe: Any) -> str:
    """The loss: a mean, or one value for each row where classes weigh differently."""
    text = LOSSES[recipe.loss].format(**recipe.loss_settings)
    more = ['reduction="none"'] if recipe.class_weight else []
    more += [f"label_smoothing={recipe.label_smoothing:.6g}"] if recipe.label_smoothing and recipe.task == "multiclass" else []
    if text.startswith("def "):
        return text.replace(".mean()", "") if recipe.class_weight else text
    return text[:-1] + ("" if text.endswith("()") else ", ") * bool(more) + ", ".join(more) + ")"


def model(recipe: Any, outputs: int) -> list[str]:
    """The layers, started as downslope starts them."""
    lines, before = ["model = torch.nn.Sequential("], "X.shape[1]"
    if recipe.model == "mlp":
        dropout = float(recipe.model_settings["dropout"])
        for width in recipe.model_settings["widths"]:
            lines += [f"    torch.nn.Linear({before}, {width}),", "    torch.nn.ReLU(),"]
            lines += [f"    torch.nn.Dropout({dropout:.6g}),"] if dropout else []
            before = str(width)
    lines += [f"    torch.nn.Linear({before}, {outputs}),", ")"]
    lines += ["layers = [layer for layer in model if isinstance(layer, torch.nn.Linear)]"]
    lines += ["weights = [layer.weight for layer in layers]", "with torch.no_grad():", "    for layer in layers:"]
    if recipe.model == "linear":
        lines.append("        layer.weight.zero_()")
    else:
        lines.append("        gain = 1 if layer is layers[-1] else 2")
        lines.append("        layer.weight.normal_(std=math.sqrt(gain / layer.in_features))")
    lines += ["        layer.bias.zero_()", "    layers[-1].bias += torch.as_tensor(start, dtype=torch.float32)"]
    return lines


def optimizer(recipe: Any) -> str:
    """The optimizer; AdamW shrinks weights alone, so biases are a group of their own."""
    settings = dict(recipe.optimizer_settings)
    params = "model.parameters()"
    if recipe.optimizer == "adamw":
        decay = f"{settings['weight_decay']:.6g}"
        free = '{"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}'
        apart = f'[{{"params": weights, "weight_decay": {decay}}}, {free}]'
        params = f"{params}, weight_decay={decay}" if settings["decayed"] == "everything" else apart
    return "torch.optim." + OPTIMIZERS[recipe.optimizer].format(params=params, **settings)


def averaged(recipe: Any) -> list[str]:
    """A model beside the trained one that holds its average."""
    if not recipe.average:
        return []
    rule = ""
    if recipe.average == "exponential_averaging":
        decay = f"{recipe.average_settings['decay']:.6g}"
        share = f"(1 - {decay}) / (1 - {decay} ** (float(count) + 1))"  # torch begins at the first parameters, as this does
        rule = f", avg_fn=lambda old, new, count: old + {share} * (new - old)"
    first = frame.first_averaged(recipe)
    return [f"average, done, first = torch.optim.swa_utils.AveragedModel(model{rule}), 0, {first}"]
