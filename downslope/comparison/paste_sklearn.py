"""The recommendation for scikit-learn: its networks and its linear SGD, where they have the same loss and optimizer."""

from typing import Any

NETWORK_LOSSES = {"squared_error", "binary_cross_entropy", "cross_entropy"}
NETWORK_OPTIMIZERS = {"gradient_descent", "sgd", "momentum", "nesterov", "adam"}
LINEAR_LOSSES = {
    "squared_error": 'loss="squared_error"',
    "absolute_error": 'loss="epsilon_insensitive", epsilon=0.0',
    "huber": 'loss="huber", epsilon={delta:.6g}',
    "binary_cross_entropy": 'loss="log_loss"',
    "hinge": 'loss="hinge"',
}
FALLING = "# scikit-learn keeps the learning rate constant; here it fell over the run, so a smaller one may do better there."


def code(recipe: Any) -> str | None:
    """A pipeline that does the same; `None` where scikit-learn has no such loss, optimizer, penalty or model.

    It has no clipping and no smoothed labels, no class weights in its networks, and averages in its linear SGD alone, from
    another start.
    """
    if recipe.clip_norm is not None or recipe.average or recipe.class_weight or recipe.label_smoothing:
        return None
    if recipe.loss_settings.get("positive_weight", 1) != 1 or recipe.penalty not in ("", "l2"):
        return None
    if recipe.penalty_settings.get("charged", "weights") != "weights" or recipe.model_settings.get("dropout", 0):
        return None
    one_by_one = recipe.model == "linear" and recipe.optimizer == "sgd" and recipe.batch == 1
    if one_by_one and recipe.loss in LINEAR_LOSSES:
        home, name, arguments = "linear_model", "SGD", linear(recipe)
    elif recipe.model in ("mlp", "linear") and recipe.loss in NETWORK_LOSSES and recipe.optimizer in NETWORK_OPTIMIZERS:
        home, name, arguments = "neural_network", "MLP", network(recipe)
    else:
        return None
    return pipeline(recipe, home, name + ("Regressor" if recipe.task == "regression" else "Classifier"), arguments)


def strength(recipe: Any, times: float) -> str:
    """The penalty in scikit-learn's measure."""
    return f"{float(recipe.penalty_settings.get('strength', 0.0)) * times:.6g}"


def rate(recipe: Any) -> float:
    """The learning rate for half the squared error: twice ours, except for Adam, which does not mind the size of a loss."""
    halved = recipe.loss == "squared_error" and recipe.optimizer != "adam"
    return float(recipe.optimizer_settings["learning_rate"]) * (2 if halved else 1)


def linear(recipe: Any) -> list[str]:
    """Arguments of SGDRegressor and SGDClassifier, which take one example at a time."""
    half = 0.5 if recipe.loss == "squared_error" else 1.0  # of the loss, hence of the penalty beside it
    return [
        LINEAR_LOSSES[recipe.loss].format(**recipe.loss_settings),
        f"alpha={strength(recipe, half)}",
        'learning_rate="constant"',
        f"eta0={rate(recipe):.6g}",
        f"max_iter={recipe.epochs}",
        "tol=None",
        f"random_state={recipe.seed}",
    ]


def network(recipe: Any) -> list[str]:
    """Arguments of MLPRegressor and MLPClassifier; a linear model is a network without hidden layers."""
    settings = recipe.optimizer_settings
    out = [f"hidden_layer_sizes={tuple(recipe.model_settings.get('widths', ()))!r}"]
    if recipe.optimizer == "adam":
        out += [
            'solver="adam"',
            f"beta_1={settings['b1']:.6g}",
            f"beta_2={settings['b2']:.6g}",
            f"epsilon={settings['epsilon']:.6g}",
        ]
    else:
        out += ['solver="sgd"', f"momentum={float(settings.get('momentum', 0.0)):.6g}"]
        out.append(f"nesterovs_momentum={recipe.optimizer == 'nesterov'}")
    half = 0.5 if recipe.loss == "squared_error" else 1.0
    size = "len(X)" if recipe.batch is None else f"min({recipe.batch}, len(X))"
    # Its penalty is divided by the rows of a batch, so that it means something else in each batch size.
    charge = strength(recipe, half)
    return [
        *out,
        f"learning_rate_init={rate(recipe):.6g}",
        f"batch_size={size}",
        f"alpha={charge}" + (f" * {size}" if charge != "0" else ""),
        f"max_iter={recipe.epochs}",
        f"n_iter_no_change={recipe.epochs}",
        "tol=0.0",
        f"random_state={recipe.seed}",
    ]


def pipeline(recipe: Any, home: str, name: str, arguments: list[str]) -> str:
    """Scaled features, the model, and for regression the scaled target."""
    scaled = recipe.scale is not None
    lines = ["from sklearn.compose import TransformedTargetRegressor"] if scaled else []
    lines += [f"from sklearn.{home} import {name}", "from sklearn.pipeline import make_pipeline"]
    lines.append(f"from sklearn.preprocessing import {'RobustScaler, ' if scaled else ''}StandardScaler")
    lines += ["", f"# X: numeric features; y: the {'target' if recipe.task == 'regression' else 'classes'}", f"model = {name}("]
    lines += [f"    {argument}," for argument in arguments]
    lines += [")", "model = make_pipeline(StandardScaler(), model)"]
    if scaled:
        lines.append("# The target is trained less its median and divided by IQR / 1.349.")
        lines.append("scaler = RobustScaler(quantile_range=(25, 75), unit_variance=True)")
        lines.append("model = TransformedTargetRegressor(regressor=model, transformer=scaler)")
    if recipe.schedule not in ("", "constant"):
        lines.append(FALLING)
    if home == "neural_network":
        lines.append("# It warns that it has not converged: the number of epochs is the budget here, not a test of convergence.")
    if recipe.optimizer == "adam":
        lines.append("# Its epsilon is added before the bias correction, which matters for tiny gradients only.")
    return "\n".join([*lines, "model.fit(X, y)"]) + "\n"
