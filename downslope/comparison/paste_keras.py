"""The recommendation for Keras: the same loss, optimizer, model, schedule and scaling, in its own names and settings."""

from typing import Any

from downslope.comparison import paste_frame as frame

LOSSES = {
    "squared_error": "MeanSquaredError()",
    "absolute_error": "MeanAbsoluteError()",
    "huber": "Huber(delta={delta:.6g})",
    "log_cosh": "LogCosh()",
    "binary_cross_entropy": "BinaryCrossentropy(from_logits=True)",
    "hinge": "Hinge()",
    "squared_hinge": "SquaredHinge()",
    "cross_entropy": "SparseCategoricalCrossentropy(from_logits=True)",
}
ADAM = "rate, beta_1={b1:.6g}, beta_2={b2:.6g}, epsilon={epsilon:.6g}"
OPTIMIZERS = {
    "gradient_descent": "SGD(rate)",
    "sgd": "SGD(rate)",
    "momentum": "SGD(rate, momentum={momentum:.6g})",
    "nesterov": "SGD(rate, momentum={momentum:.6g}, nesterov=True)",
    "rmsprop": "RMSprop(rate, rho={decay:.6g}, epsilon={epsilon:.6g}, centered={centered})",
    "adam": f"Adam({ADAM})",
    "adamw": f"AdamW({ADAM}, weight_decay={{weight_decay:.6g}})",
    "adamax": f"Adamax({ADAM})",
    "adagrad": "Adagrad(rate, initial_accumulator_value={initial:.6g}, epsilon={epsilon:.6g})",
    "lion": "Lion(rate, beta_1={b1:.6g}, beta_2={b2:.6g}, weight_decay={weight_decay:.6g})",
}
# What a setting has to be, because Keras has no other.
ONLY = {"adamax": {"epsilon_after": True}, "adagrad": {"epsilon_inside": True}}
MARGINS = ("hinge", "squared_hinge")
REGULARIZERS = {"l1": "keras.regularizers.L1({strength:.6g})", "l2": "keras.regularizers.L2({strength:.6g} / 2)"}


def missing(recipe: Any) -> str:
    """Why there is no such program, in words; "" where there is one."""
    steady = recipe.schedule in ("", "constant") and not recipe.schedule_settings.get("warmup", 0)
    if recipe.loss == "crammer_singer_hinge":
        return "its CategoricalHinge is another loss"
    if recipe.optimizer in ("momentum", "nesterov") and not steady:
        return "it stores the velocity multiplied by the learning rate, which is another rule where the rate changes"
    if recipe.average:
        return "its average begins at the parameters before the first update"
    if recipe.class_weight and recipe.loss_settings.get("positive_weight", 1) != 1:
        return "it has one weight for each row, while class weights and positive_weight are divided by different sums"
    return frame.lacking(recipe, LOSSES, OPTIMIZERS, ONLY) or frame.unlike(recipe)


def code(recipe: Any) -> str:
    """A model that is compiled and fitted to do the same."""
    several = recipe.task == "multiclass"
    lines = ["import math", "", "import keras", "import numpy as np", "", *frame.numpy_part(recipe)]
    if recipe.loss in MARGINS:
        lines.append("target = 2 * target - 1  # its hinges take -1 and 1")
    if recipe.label_smoothing and several:
        lines.append(f"target = keras.utils.to_categorical(target, {recipe.classes})")
    lines += [f"keras.utils.set_random_seed({recipe.seed})", *model(recipe, recipe.classes if several else 1)]
    lines += [
        *frame.factor(recipe),
        *schedule(recipe),
        *optimizer(recipe),
        f"model.compile(optimizer, keras.losses.{loss(recipe)})",
    ]
    weights = ", sample_weight=weight" if recipe.class_weight else ""
    positive = float(recipe.loss_settings.get("positive_weight", 1))
    weights = f", sample_weight=np.where(y == 1, {positive:.6g}, 1.0)" if positive != 1 else weights
    pick = "" if several else "[:, 0]"
    lines.append("# Its batches hold so many rows and the last one of an epoch the rest; downslope's differ by one row at most.")
    if recipe.penalty == "l1" and recipe.model == "linear":
        lines.append("# Its L1 has the slope 1 and not 0 where a weight is 0 if Keras runs on JAX, which moves the first step.")
    lines += [
        f"model.fit(X, target, epochs=epochs, batch_size=batch{weights}, verbose=0)",
        f"score = model.predict(X, verbose=0){pick}",
    ]
    exponentials = "keras.ops.convert_to_numpy(keras.ops.{}(score))"
    lines.append(frame.prediction(recipe, exponentials.format("sigmoid"), exponentials.format("softmax"), "score.argmax(axis=1)"))
    return "\n".join([*lines, frame.LAST]) + "\n"


def loss(recipe: Any) -> str:
    """The loss; where classes weigh differently, its mean divides by the weights."""
    text = LOSSES[recipe.loss].format(**recipe.loss_settings)
    if recipe.label_smoothing and recipe.task == "multiclass":
        text = f"CategoricalCrossentropy(from_logits=True, label_smoothing={recipe.label_smoothing:.6g})"
    if recipe.class_weight:
        text = text[:-1] + ("" if text.endswith("()") else ", ") + 'reduction="mean_with_sample_weight")'
    return text


def model(recipe: Any, outputs: int) -> list[str]:
    """The layers, started as downslope starts them."""
    charge = ""
    if recipe.penalty:
        made = REGULARIZERS[recipe.penalty].format(**recipe.penalty_settings)
        charge = f", kernel_regularizer={made}"
        charge += f", bias_regularizer={made}" if recipe.penalty_settings.get("charged") == "everything" else ""
    lines, before = ["model = keras.Sequential([", "    keras.Input((X.shape[1],)),"], "X.shape[1]"
    normal = "kernel_initializer=keras.initializers.RandomNormal(stddev=math.sqrt({} / {}))"
    if recipe.model == "mlp":
        dropout = float(recipe.model_settings["dropout"])
        for width in recipe.model_settings["widths"]:
            lines.append(f'    keras.layers.Dense({width}, "relu", {normal.format(2, before)}{charge}),')
            lines += [f"    keras.layers.Dropout({dropout:.6g}),"] if dropout else []
            before = str(width)
    first = 'kernel_initializer="zeros"' if recipe.model == "linear" else normal.format(1, before)
    lines += [f"    keras.layers.Dense({outputs}, {first}{charge}),", "])"]
    return [*lines, "model.layers[-1].bias.assign(np.broadcast_to(start, model.layers[-1].bias.shape))"]


def schedule(recipe: Any) -> list[str]:
    """The learning rate at each step, as a table that Keras looks into."""
    rate = f"{recipe.optimizer_settings['learning_rate']:.6g}"
    if recipe.schedule in ("", "constant") and not recipe.schedule_settings.get("warmup", 0):
        return [f"rate = {rate}"]
    return [
        "class Rate(keras.optimizers.schedules.LearningRateSchedule):",
        f"    table = np.array([{rate} * factor(step) for step in range(steps)], np.float32)",
        "",
        "    def __call__(self, step):",
        '        return keras.ops.take(self.table, keras.ops.cast(step, "int32"))',
        "",
        "",
        "rate = Rate()",
    ]


def optimizer(recipe: Any) -> list[str]:
    """The optimizer, its epsilon converted, with what shortens gradients and spares biases."""
    settings, notes = dict(recipe.optimizer_settings), []
    if recipe.optimizer == "rmsprop" and not settings["epsilon_inside"]:
        settings["epsilon"] = settings["epsilon"] ** 2
        notes.append("# It adds epsilon under the root: squared, it differs only for gradients about as small as epsilon was.")
    if recipe.optimizer in ("adam", "adamw") and not settings["epsilon_hat"]:
        notes.append("# It adds epsilon before the bias correction, which matters for gradients about as small as epsilon only.")
    made = OPTIMIZERS[recipe.optimizer].format(**settings)
    if recipe.clip_norm is not None:
        made = f"{made[:-1]}, global_clipnorm={recipe.clip_norm:.6g})"
    lines = [*notes, f"optimizer = keras.optimizers.{made}"]
    if settings.get("weight_decay") and settings.get("decayed", "weights") == "weights":
        lines.append('optimizer.exclude_from_weight_decay(var_names=["bias"])')
    return lines
