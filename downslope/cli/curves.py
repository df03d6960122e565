"""The curves that `explain` and the reference pages draw, computed by the entries themselves."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

POINTS = 161  # corners at whole numbers and tenths fall on a point
MOMENTS = 101
MODEL_ROWS, MODEL_STEPS, RATE = 41, 400, 0.01
STEPS = 60
RATES = 19
STEEP = 50.0  # curvature of the valley across, against 1 along it
TURN = 0.25  # by which the valley lies askew, in radians, so that no method can straighten it by scaling parameters
BOTTOM = np.array([0.5, 0.5])  # not at zero, where methods that shrink weights would be at home
START = np.array([-1.2, 0.4])
LEVELS = (0.05, 0.4, 1.2, 2.6, 4.5, 7.0)
DIGITS = 4
CLIMB = 1.5  # a rate at which the path climbs above so many times the start's height is none to recommend
NEAR = 1.02  # rates this close to the best are as good, and among them the one nearest the default is taken


@dataclass(frozen=True)
class Path:
    """The places an optimizer visits in the valley and the height at each; `rate` is its learning rate."""

    name: str
    rate: float
    places: np.ndarray
    heights: np.ndarray


@dataclass(frozen=True)
class Curves:
    """Curves over common places, in words and numbers. For an optimizer `paths` are its own and gradient descent's."""

    across: str
    places: np.ndarray
    values: dict[str, np.ndarray]
    caption: str
    logarithmic: bool = False
    paths: tuple[Path, ...] = field(default=())


def of(kind: str, entry: Any) -> Curves:
    """The curves of an entry, by its kind, in double precision: some paths would otherwise differ from machine to machine."""
    with jax.enable_x64(True):
        return {"loss": loss, "optimizer": optimizer, "schedule": schedule, "penalty": penalty, "model": model}[kind](entry)


def rounded(values: Any) -> np.ndarray:
    """Numbers of so many digits that another machine finds the same ones nearly always."""
    return np.array([float(f"{value:.{DIGITS - 1}e}") for value in np.ravel(values)]).reshape(np.shape(values))


def loss(entry: Any) -> Curves:
    """A loss and its gradient over the raw score."""
    made = entry()
    task = made.about.task
    outputs = made.outputs(3 if task == "multiclass" else None)
    if task == "multiclass":
        target, across = jnp.zeros((), int), "raw score of the true class, the others at 0"
    elif task == "binary":
        target, across = jnp.ones(()), "raw score, the true class being 1"
    elif made.about.lowest < 0:
        target, across = jnp.zeros(()), "error (raw score minus target)"
    else:
        target, across = jnp.ones(()), "raw score, the target being 1"
    if outputs == 2 and task == "regression":
        across = "error of the mean, the spread being 1"
    # A score that is the prediction itself of something positive is drawn where it has a meaning.
    least = -0.8 if made.about.lowest >= 0 and made.about.link == "identity" and task == "regression" else -4.0
    places = jnp.asarray(np.linspace(least, 4.0, POINTS))

    def value(place: jax.Array) -> jax.Array:
        raw = place[None] if outputs == 1 else jnp.zeros((1, outputs)).at[0, 0].set(place)
        return made(raw, target[None])[0]

    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(value)))(places)
    caption = "What one example costs, and the gradient that pulls on its score."
    return Curves(across, rounded(places), {"loss": rounded(values), "gradient": rounded(slopes)}, caption)


def valley(params: dict[str, jax.Array]) -> jax.Array:
    """The height at a place in a long valley, much steeper across than along: where plain steps zigzag or crawl."""
    east, north = params["weight"][0, 0] - BOTTOM[0], params["weight"][1, 0] - BOTTOM[1]
    along, across = np.cos(TURN) * east + np.sin(TURN) * north, np.cos(TURN) * north - np.sin(TURN) * east
    return 0.5 * (STEEP * across**2 + along**2)


def optimizer(entry: Any) -> Curves:
    """The height in the valley after each step at the best of several learning rates, beside gradient descent's."""
    from downslope.optimizers import catalogue

    reference = catalogue["gradient_descent"]
    paths = tuple(best_path(each) for each in dict.fromkeys((entry, reference)))
    own = paths[0]
    each = f"{own.name} at the learning rate {own.rate:.2g}"
    if len(paths) > 1:
        each += f", gradient descent at {paths[1].rate:.2g}"
    caption = (
        f"{STEPS} steps down a valley that is {STEEP:g} times as curved across as along: {each}; each is the best of "
        f"{RATES} rates over its range, held constant. The gradients are exact: nothing is said here about noise."
    )
    across = f"steps, at the learning rate {own.rate:.2g}"
    return Curves(across, np.arange(STEPS + 1), {path.name: path.heights for path in paths}, caption, True, paths)


def contours() -> list[np.ndarray]:
    """Lines of equal height around the bottom, each of shape (points, 2)."""
    turns = np.linspace(0.0, 2.0 * np.pi, 41)
    # Closer together where the lines bend, at the far ends of the valley.
    angles = np.arctan2(np.sin(turns) / np.sqrt(STEEP), np.cos(turns)) + TURN
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    with jax.enable_x64(True):
        heights = jax.jit(jax.vmap(lambda place: valley({"weight": place[:, None]})))(jnp.asarray(BOTTOM + around))
    # Heights grow with the square of the distance from the bottom, so one ring tells them all.
    return [rounded(BOTTOM + around * np.sqrt(level / np.asarray(heights))[:, None]) for level in LEVELS]


@cache
def best_path(entry: Any) -> Path:
    """The way down at the best of several learning rates over the range that the entry declares."""
    from downslope.optimizers.base import learning_rate, rated, with_learning_rate

    made = entry()
    setting = rated(made).settings()["learning_rate"]
    rates = np.geomspace(setting.search.low, setting.search.high, RATES) if setting.search else np.array([learning_rate(made)])
    walks = jax.jit(jax.vmap(lambda rate: walk(with_learning_rate(made, rate))))
    places, heights = map(np.asarray, walks(jnp.asarray(rates)))
    # The last height alone may be low by luck, when a swing passes the bottom.
    late = np.exp(np.log(heights[:, -STEPS // 3 :] + 1e-12).mean(axis=1))
    highest = np.where(np.isfinite(heights), heights, np.inf).max(axis=1)
    late = np.where(highest < CLIMB * heights[0, 0], late, np.inf)
    from_default = np.abs(np.log(rates / learning_rate(made)))
    best = int(np.argmin(np.where(late <= NEAR * late.min(), from_default, np.inf)))
    return Path(entry.name, float(rates[best]), rounded(places[best]), rounded(heights[best]))


def walk(made: Any) -> tuple[jax.Array, jax.Array]:
    """The start and the place after each step, with the heights there."""
    from downslope.optimizers.base import Here

    start = {"weight": jnp.asarray(START)[:, None]}
    look = jax.value_and_grad(valley)

    def step(carry: Any, key: jax.Array) -> tuple[Any, Any]:
        params, state = carry
        height, gradient = look(params)
        change, state = made.update(gradient, state, params, Here(height, key, look))
        params = jax.tree.map(jnp.add, params, change)
        seen = made.evaluate_at(state, params)
        return (params, state), (seen["weight"][:, 0], valley(seen))

    carry = (start, made.init(start))
    _, (places, heights) = jax.lax.scan(step, carry, jax.random.split(jax.random.key(0), STEPS))
    first = start["weight"][:, 0][None]
    return jnp.concatenate([first, places]), jnp.concatenate([valley(start)[None], heights])


def schedule(entry: Any) -> Curves:
    """The factor of a schedule over a run."""
    made, moments = entry(), np.arange(MOMENTS)
    values = jax.jit(jax.vmap(lambda step: made(step, float(MOMENTS))))(jnp.asarray(moments))
    caption = "By what the learning rate is multiplied, with the settings as they come."
    return Curves("share of the run, in per cent", moments, {"factor": rounded(values)}, caption)


def penalty(entry: Any) -> Curves:
    """What one weight costs and how it is pulled."""
    made, places = entry(strength=1.0), jnp.asarray(np.linspace(-2.0, 2.0, POINTS))
    values, slopes = jax.vmap(jax.value_and_grad(lambda place: made({"weight": place[None, None]})))(places)
    caption = "What one weight costs at strength 1, and the gradient that pulls on it."
    return Curves("weight", rounded(places), {"cost": rounded(values), "gradient": rounded(slopes)}, caption)


def model(entry: Any) -> Curves:
    """What a model makes of one feature whose effect bends, after training."""
    from downslope.optimizers import catalogue

    made, method = entry(), catalogue["adam"](learning_rate=RATE)
    places = jnp.asarray(np.linspace(-2.0, 2.0, MODEL_ROWS))
    target = jnp.sin(2.0 * places)

    def error(params: Any) -> jax.Array:
        return jnp.mean((made.apply(params, places[:, None])[:, 0] - target) ** 2)

    def step(carry: Any, _: Any) -> tuple[Any, None]:
        params, state = carry
        change, state = method.update(jax.grad(error)(params), state, params)
        return (jax.tree.map(jnp.add, params, change), state), None

    start = made.init(jax.random.key(0), 1, 1)
    (params, _), _ = jax.lax.scan(step, (start, method.init(start)), length=MODEL_STEPS)
    answers = made.apply(params, places[:, None])[:, 0]
    caption = (
        f"What it makes of one feature whose effect bends, after {MODEL_STEPS} steps of Adam on the squared error, at the "
        f"learning rate {RATE:g} and with the settings as they come."
    )
    return Curves("feature", rounded(places), {"model": rounded(answers), "target": rounded(target)}, caption)
