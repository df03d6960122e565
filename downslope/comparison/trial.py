"""What the user brings along is tried once on a few rows, so that a mistake is one clear line and not a failure much later."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.core import own
from downslope.core.errors import DownslopeError
from downslope.core.own import OwnFileError
from downslope.core.types import Params
from downslope.losses.base import Loss
from downslope.models.base import Model
from downslope.optimizers.base import Here, Optimizer, with_learning_rate

APART = 1e-4


def place(record: Any) -> str:
    """Where a message should point: the file and line of the function or class, or the name."""
    for name in ("formula", "factory", "scores"):
        if (function := getattr(record, name, None)) is not None:
            return own.at(function) if own.file_of(function) else record.name
    return own.at(type(record))


@contextmanager
def tried(record: Any) -> Iterator[None]:
    """Whatever goes wrong inside is the record's fault, and is told in one line."""
    try:
        with own.blamed():
            yield
    except DownslopeError:
        raise
    except Exception as error:
        told = " ".join((str(error).strip().splitlines() or [""])[0].split())[: own.LONGEST]
        raise OwnFileError(f"{place(record)}: {type(error).__name__}: {told}") from error


def refuse(record: Any, why: str) -> None:
    """Raises the error that says what is wrong, and where."""
    raise OwnFileError(f"{place(record)}: {why}")


def try_loss(loss: Loss, target: np.ndarray, classes: int | None) -> None:
    """Refuses a loss that gives no finite number for each example, or nothing to learn from."""
    outputs = loss.outputs(classes)
    shape = (len(target),) if outputs == 1 else (len(target), outputs)
    raw = jnp.asarray(np.random.default_rng(0).normal(size=shape), jnp.float32)
    fixed = jnp.asarray(target)
    with tried(loss):
        values = loss(raw, fixed)
        slope = jax.grad(lambda trial: jnp.sum(loss(trial, fixed)))(raw)
        constant = np.asarray(loss.best_constant(target.astype(np.int64 if outputs > 1 else np.float64), None, classes))
    if np.shape(values) != np.shape(target):
        refuse(loss, f"expected one loss for each example, {np.shape(target)}, got {np.shape(values)}; nothing is averaged here")
    for what, numbers in (("its value is", values), ("its gradient is", slope)):
        lost = ~np.isfinite(np.asarray(numbers)).reshape(len(target), -1).all(axis=1)
        if lost.any():
            row = int(np.argmax(lost))
            seen = f"{np.asarray(numbers)[row]} for the score {np.asarray(raw)[row]} and the target {target[row]}"
            refuse(loss, f"{what} {seen}; it must be finite for every score")
    if not np.asarray(slope).any():
        refuse(loss, "its gradient is zero for every score that was tried, so nothing can be learned from it")
    if constant.shape != (outputs,) or not np.isfinite(constant).all():
        refuse(loss, f"best_constant must give {outputs} finite numbers, got {constant}")


def first_step(optimizer: Optimizer) -> Callable[[Any, Any], Any]:
    """The state at the start, and the change and the state after one update down a bowl, from parameters and a learning rate."""

    def bowl(params: Params) -> jax.Array:
        return sum((jnp.sum(leaf**2) for leaf in jax.tree.leaves(params)), start=jnp.zeros(()))

    def step(params: Params, rate: Any) -> Any:
        rated = with_learning_rate(optimizer, rate)
        loss, gradient = jax.value_and_grad(bowl)(params)
        state = rated.init(params)
        return state, *rated.update(gradient, state, params, Here(loss, jax.random.key(0), jax.value_and_grad(bowl)))

    return step


def try_optimizer(optimizer: Optimizer, params: Params, rate: float) -> None:
    """Refuses an optimizer whose change does not fit the parameters, or whose state changes its kind."""
    some = jax.tree.map(lambda leaf: leaf + 0.5, params)
    with tried(optimizer):
        state, change, later = jax.jit(first_step(optimizer))(some, jnp.float32(rate))
    for what, new, old in (("the change", change, params), ("the state after an update", later, state)):
        if kinds(new, what != "the change") != kinds(old, what != "the change"):
            than = "the parameters" if what == "the change" else "the first state"
            refuse(optimizer, f"{what} has other shapes or types than {than}: {difference(new, old)}")
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(change)):
        refuse(optimizer, f"its first change is not finite at the learning rate {rate:g}")


def kinds(tree: Any, types: bool) -> Any:
    """Structure and shapes of a tree, on request with the types of its numbers."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, [(np.shape(leaf), np.dtype(leaf.dtype) if types else None) for leaf in leaves]


def difference(new: Any, old: Any) -> str:
    """The first leaf in which two trees differ, in words."""
    ours, theirs = ([f"{leaf.dtype}{list(leaf.shape)}" for leaf in jax.tree.leaves(tree)] for tree in (new, old))
    if len(ours) != len(theirs):
        return f"{len(ours)} arrays, expected {len(theirs)}"
    return next(
        (f"{mine}, expected {wanted}" for mine, wanted in zip(ours, theirs, strict=True) if mine != wanted), "nested otherwise"
    )


def first_scores(model: Model, features: int) -> Callable[[], Any]:
    """The scores of two rows at the first parameters."""
    return lambda: model.apply(model.init(jax.random.key(0), features, 1), jnp.ones((2, features)))


def try_model(model: Model, features: int, outputs: int) -> None:
    """Refuses a model without parameters that can be learned, or without one score for each row and output."""
    key = jax.random.key(0)
    x = jnp.asarray(np.random.default_rng(0).normal(size=(5, features)), jnp.float32)
    with tried(model):
        params = jax.jit(model.init, static_argnums=(1, 2))(key, features, outputs)
    leaves = jax.tree.leaves(params)
    if not leaves:
        refuse(model, "init gives no parameters")
    wrong = [leaf.dtype for leaf in leaves if leaf.dtype != jnp.float32]
    if wrong:
        refuse(model, f"init must give parameters of float32, got {wrong[0]}")
    with tried(model):
        raw = model.apply(params, x)
        fewer = model.apply(params, x[:2])
        while_training = model.apply(params, x, key) if model.random else raw
        slope = jax.grad(lambda at: jnp.sum(model.apply(at, x)))(params)
        predicted = model.apply_numpy(*jax.device_get((params, x)))
    for scores in (raw, while_training):
        if np.shape(scores) != (len(x), outputs):
            refuse(model, f"apply must give one score for each row and output, {(len(x), outputs)}, got {np.shape(scores)}")
    if not all(np.isfinite(part).all() for part in (raw, *jax.tree.leaves(slope))):
        refuse(model, "its scores or their gradient are not finite at the first parameters")
    if np.shape(predicted) != np.shape(raw) or not np.allclose(raw, predicted, atol=APART, rtol=APART):
        refuse(model, "prediction, from NumPy arrays, gives other scores than training; apply_numpy must do what apply does")
    if not np.allclose(raw[:2], fewer, atol=APART, rtol=APART):
        refuse(model, "the scores of a row depend on the other rows, so a prediction would depend on its neighbours")
