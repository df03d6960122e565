"""The recommendation for optax: the same loss, optimizer, model, schedule and scaling, in JAX and optax' names."""

from typing import Any

from downslope.comparison import paste_frame as frame

LOSSES = {
    "squared_error": "optax.squared_error(score, target)",
    "absolute_error": "jnp.abs(score - target)",
    "huber": "optax.huber_loss(score, target, delta={delta:.6g})",
    "log_cosh": "optax.log_cosh(score, target)",
    "binary_cross_entropy": "optax.sigmoid_binary_cross_entropy(score, target)",
    "hinge": "optax.hinge_loss(score, 2 * target - 1)",
    "squared_hinge": "optax.hinge_loss(score, 2 * target - 1) ** 2",
    "cross_entropy": "optax.softmax_cross_entropy_with_integer_labels(score, target)",
    "crammer_singer_hinge": "optax.losses.multiclass_hinge_loss(score, target)",
}
ADAM = "rate, b1={b1:.6g}, b2={b2:.6g}, eps={epsilon:.6g}"
OPTIMIZERS = {
    "gradient_descent": "optax.sgd(rate)",
    "sgd": "optax.sgd(rate)",
    "momentum": "optax.sgd(rate, momentum={momentum:.6g})",
    "nesterov": "optax.sgd(rate, momentum={momentum:.6g}, nesterov=True)",
    "rmsprop": "optax.rmsprop(rate, decay={decay:.6g}, eps={epsilon:.6g}, centered={centered}, eps_in_sqrt={epsilon_inside})",
    "adam": f"optax.adam({ADAM})",
    "adamw": f"optax.adamw({ADAM}, weight_decay={{weight_decay:.6g}}{{mask}})",
    "adamax": f"optax.adamax({ADAM})",
    "adagrad": "optax.adagrad(rate, initial_accumulator_value={initial:.6g}, eps={epsilon:.6g})",
    "amsgrad": f"optax.amsgrad({ADAM})",
    "adabelief": f"optax.adabelief({ADAM}, eps_root={{epsilon:.6g}})",
    "lion": "optax.lion(rate, b1={b1:.6g}, b2={b2:.6g}, weight_decay={weight_decay:.6g}{mask})",
}
# What a setting has to be, because optax has no other.
ONLY = {
    "adam": {"epsilon_hat": False},
    "adamw": {"epsilon_hat": False},
    "adamax": {"epsilon_after": False},
    "adagrad": {"epsilon_inside": True},
    "amsgrad": {"correction": "before"},
}
MASK = ", mask=lambda params: jax.tree.map(lambda p: p.ndim > 1, params)"  # biases do not shrink
# JAX' own |w| has the slope 1 at 0, where there should be none.
COSTS = {
    "l1": "{strength:.6g} * sum((jax.lax.stop_gradient(jnp.sign(w)) * w).sum() for w in {paying})",
    "l2": "{strength:.6g} / 2 * sum((w**2).sum() for w in {paying})",
}
PAYING = {"weights": "params[0]", "everything": "[*params[0], *params[1]]"}


def missing(recipe: Any) -> str:
    """Why there is no such program, in words; "" where there is one."""
    if recipe.loss_settings.get("positive_weight", 1) != 1:
        return "its losses have no positive_weight"
    return frame.lacking(recipe, LOSSES, OPTIMIZERS, ONLY) or frame.unlike(recipe)


def code(recipe: Any) -> str:
    """A training loop that does the same."""
    several, dropout = recipe.task == "multiclass", float(recipe.model_settings.get("dropout", 0.0))
    lines = ["import math", "", "import jax", "import jax.numpy as jnp", "import numpy as np", "import optax", ""]
    lines += [*frame.numpy_part(recipe), "", *parameters(recipe), *frame.factor(recipe)]
    key, drawn = (", key", ", key=None") if dropout else ("", "")
    lines += [
        f"def model(params, x{drawn}):",
        "    weights, biases = params",
        "    for i, (w, b) in enumerate(zip(weights, biases)):",
    ]
    lines += ["        x = x @ w + b", "        if i < len(weights) - 1:", "            x = jax.nn.relu(x)"]
    if dropout:
        lines += [
            "            if key is not None:",
            f"                kept = jax.random.bernoulli(jax.random.fold_in(key, i), {1 - dropout:.6g}, x.shape)",
        ]
        lines += [f"                x = jnp.where(kept, x / {1 - dropout:.6g}, 0)"]
    lines += ["    return x" if several else "    return x[:, 0]", "", ""]
    given = "x, target, weight" if recipe.class_weight else "x, target"
    mean = "(weight * each).sum() / weight.sum()" if recipe.class_weight else "each.mean()"
    lines += [f"def cost(params, {given}{key}):", f"    score = model(params, x{key})", f"    each = {loss(recipe)}"]
    if recipe.penalty:
        paying = PAYING[recipe.penalty_settings.get("charged", "weights")]
        mean += " + " + COSTS[recipe.penalty].format(paying=paying, **recipe.penalty_settings)
    lines += [f"    return {mean}", "", "", *optimizer(recipe), "", "", "@jax.jit", f"def step(params, state, {given}{key}):"]
    lines += [
        f"    gradient = jax.grad(cost)(params, {given}{key})",
        "    change, state = optimizer.update(gradient, state, params)",
    ]
    lines += ["    return optax.apply_updates(params, change), state", "", "", "state = optimizer.init(params)"]
    lines += [f"average, done, first = params, 0, {frame.first_averaged(recipe)}"] if recipe.average else []
    lines += [f"key = jax.random.key({recipe.seed})"] if dropout else []
    lines += ["for _ in range(epochs):", "    for rows in np.array_split(rng.permutation(len(X)), parts):"]
    lines += ["        key, now = jax.random.split(key)"] if dropout else []
    handed = "X[rows], target[rows]" + (", weight[rows]" if recipe.class_weight else "") + (", now" if dropout else "")
    lines += [f"        params, state = step(params, state, {handed})", *averaged(recipe), "score = model(params, X)"]
    lines.append(frame.prediction(recipe, "jax.nn.sigmoid(score)", "jax.nn.softmax(score)", "score.argmax(axis=1)"))
    return "\n".join([*lines, frame.LAST]) + "\n"


def parameters(recipe: Any) -> list[str]:
    """Weights and biases, started as downslope starts them."""
    widths = "".join(f"{width}, " for width in recipe.model_settings.get("widths", ()))
    outputs = recipe.classes if recipe.task == "multiclass" else 1
    lines = [f"rng = np.random.default_rng({recipe.seed})", f"sizes = [X.shape[1], {widths}{outputs}]"]
    if recipe.model == "linear":
        lines.append("weights = [jnp.zeros(sizes)]")
    else:
        lines.append("gains = [2.0] * (len(sizes) - 2) + [1.0]")
        lines.append("draws = [rng.normal(0, math.sqrt(g / n), (n, m)) for g, n, m in zip(gains, sizes, sizes[1:])]")
        lines.append("weights = [jnp.asarray(draw, jnp.float32) for draw in draws]")
    lines.append("biases = [jnp.zeros(m) for m in sizes[1:]]")
    return [*lines, "params = (weights, [*biases[:-1], biases[-1] + jnp.asarray(start, jnp.float32)])"]


def loss(recipe: Any) -> str:
    """The loss of each row."""
    if recipe.label_smoothing and recipe.task == "multiclass":
        soft = f"optax.smooth_labels(jax.nn.one_hot(target, {recipe.classes}), {recipe.label_smoothing:.6g})"
        return f"optax.softmax_cross_entropy(score, {soft})"
    return LOSSES[recipe.loss].format(**recipe.loss_settings)


def optimizer(recipe: Any) -> list[str]:
    """The schedule, and the optimizer behind what shortens gradients."""
    settings = dict(recipe.optimizer_settings)
    mask = MASK if settings.get("weight_decay") and settings.get("decayed", "weights") == "weights" else ""
    made = OPTIMIZERS[recipe.optimizer].format(mask=mask, **settings)
    if recipe.clip_norm is not None:
        made = f"optax.chain(optax.clip_by_global_norm({recipe.clip_norm:.6g}), {made})"
    rate = f"{settings['learning_rate']:.6g}"
    if recipe.schedule in ("", "constant") and not recipe.schedule_settings.get("warmup", 0):
        return [f"rate = {rate}", f"optimizer = {made}"]
    rates = f"rates = jnp.array([{rate} * factor(step) for step in range(steps)])"
    return [rates, "", "", "def rate(step):", "    return rates[step]", "", "", f"optimizer = {made}"]


def averaged(recipe: Any) -> list[str]:
    """The average of the parameters that a run passes through, after each step and at the end."""
    if not recipe.average:
        return []
    share = "1 / (done - first)"
    if recipe.average == "exponential_averaging":
        decay = f"{recipe.average_settings['decay']:.6g}"
        share = f"(1 - {decay}) / (1 - {decay} ** done)"
    return [
        "        done += 1",
        "        if done > first:",
        f"            share = {share}",
        "            average = jax.tree.map(lambda old, new: old + share * (new - old), average, params)",
        "params = average if done > first else params",
    ]
