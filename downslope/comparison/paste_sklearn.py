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


def missing(recipe: Any) -> str:
    """Why there is no such pipeline, in words; "" where there is one."""
    settings = recipe.loss_settings
    if one_by_one(recipe):
        lacking = "" if recipe.loss in LINEAR_LOSSES else f"its linear SGD has no {recipe.loss}"
    elif recipe.model not in ("mlp", "linear"):
        lacking = f"its model is {recipe.model}"
    elif recipe.loss not in NETWORK_LOSSES:
        lacking = f"its networks have no {recipe.loss}"
    else:
        lacking = "" if recipe.optimizer in NETWORK_OPTIMIZERS else f"its networks have no {recipe.optimizer}"
    reasons = {
        "its networks have no dropout": recipe.model_settings.get("dropout", 0),
        f"its networks have no {recipe.penalty} penalty": recipe.penalty not in ("", "l2"),
        "its penalty spares biases": recipe.penalty_settings.get("charged", "weights") != "weights",
        "it clips no gradients": recipe.clip_norm is not None,
        "its networks do not average, and its linear SGD begins elsewhere": recipe.average,
        "its networks have no class weights": recipe.class_weight or settings.get("positive_weight", 1) != 1,
        "it smooths no labels": recipe.label_smoothing,
    }
    return lacking or next((words for words, found in reasons.items() if found), "")


def one_by_one(recipe: Any) -> bool:
    """Whether a linear model learns from one example at a time, as SGDRegressor and SGDClassifier do."""
    return recipe.model == "linear" and recipe.optimizer == "sgd" and recipe.batch == 1 and recipe.task != "multiclass"


def code(recipe: Any) -> str:
    """A pipeline that does the same."""
    if one_by_one(recipe):
        home, name, arguments = "linear_model", "SGD", linear(recipe)
    else:
        home, name, arguments = "neural_network", "MLP", network(recipe)
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
    """Scaled features unless they stay as they are, the model, and for regression the scaled target."""
    scaled, standard = recipe.scale is not None, recipe.standardize
    scalers = [*(["RobustScaler"] if scaled else []), *(["StandardScaler"] if standard else [])]
    lines = ["from sklearn.compose import TransformedTargetRegressor"] if scaled else []
    lines.append(f"from sklearn.{home} import {name}")
    lines += ["from sklearn.pipeline import make_pipeline"] if standard else []
    lines += [f"from sklearn.preprocessing import {', '.join(scalers)}"] if scalers else []
    lines += ["", f"# X: numeric features; y: the {'target' if recipe.task == 'regression' else 'classes'}", f"model = {name}("]
    lines += [f"    {argument}," for argument in arguments]
    lines += [")", *(["model = make_pipeline(StandardScaler(), model)"] if standard else [])]
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
