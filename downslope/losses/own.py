"""A loss from a plain function `loss(raw, target)`: what its author need not say is filled in."""

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from downslope.core import own, plain
from downslope.core.about import AboutLoss, Task
from downslope.core.errors import BadShape, UnknownName
from downslope.losses.base import Loss

WANTED = "a function loss(raw, target)"
LINKS = {Task.REGRESSION: ("identity", "exp", "expm1"), Task.BINARY: ("sign", "sigmoid"), Task.MULTICLASS: ("argmax", "softmax")}
FURTHEST = 30.0


class OfFunction(Loss):
    """A loss whose formula is somebody else's function."""

    formula: ClassVar[Callable[..., Any]]

    def __call__(self, raw: Float[Array, " batch *outputs"], target: Num[Array, " batch *classes"]) -> Float[Array, " batch"]:
        values = jnp.asarray(self.formula(raw, target, **self.values()))
        if values.shape != target.shape[:1]:
            raise BadShape(
                f"{own.at(self.formula)}: expected one loss for each example, {target.shape[:1]}, got {values.shape}; "
                "nothing is averaged here, that comes later"
            )
        if not jnp.issubdtype(values.dtype, jnp.floating):
            raise BadShape(f"{own.at(self.formula)}: expected losses that are floating-point numbers, got {values.dtype}")
        return values

    def best_constant(self, target: np.ndarray, weight: np.ndarray | None = None, classes: int | None = None) -> np.ndarray:
        from scipy.optimize import minimize

        outputs = self.outputs(classes)
        heavy = np.ones(len(target)) if weight is None else np.asarray(weight)
        share = jnp.asarray(heavy / heavy.sum(), jnp.float32)
        fixed = jnp.asarray(target, jnp.int32 if self.about.task is Task.MULTICLASS else jnp.float32)

        @jax.jit
        def mean(score: jax.Array) -> jax.Array:
            raw = jnp.broadcast_to(score[None], (len(fixed), outputs))
            return jnp.sum(share * self(raw[:, 0] if outputs == 1 else raw, fixed))

        if outputs > 1:
            slope = jax.jit(jax.value_and_grad(mean))

            def look(score: np.ndarray) -> tuple[np.ndarray, ...]:
                return tuple(np.asarray(part, np.float64) for part in slope(jnp.asarray(score, jnp.float32)))

            limits = [(-FURTHEST, FURTHEST)] * outputs
            return minimize(look, np.zeros(outputs), jac=True, method="L-BFGS-B", bounds=limits).x
        inside = self.about.link == "identity"
        limits = (float(np.min(target)), float(np.max(target))) if inside else (-FURTHEST, FURTHEST)
        start = float(np.average(target, weights=weight)) if inside else 0.0
        if limits[0] == limits[1]:
            return np.array([limits[0]])

        def height(score: np.ndarray) -> float:
            return float(mean(jnp.asarray(score, jnp.float32)))

        # Without a gradient: most losses of one score have kinks, and the best constant often lies on one.
        return minimize(height, [start], method="Nelder-Mead", bounds=[limits]).x


def of_module(module: ModuleType, file: own.Own) -> type[Loss] | None:
    """The loss that a file's function `loss` makes; `None` for a file without one."""
    function = getattr(module, "loss", None)
    return of_function(function, file.name, module) if callable(function) else None


def of_object(thing: Any, naming: Callable[[str], str]) -> Loss | None:
    """The loss that a function makes, called what `naming` makes of its own name; `None` for what is no function.

    The function may say in attributes what a file says in variables: `task` and `link`.
    """
    return of_function(thing, naming(plain.called(thing)), thing)() if callable(thing) else None


@cache
def of_function(function: Callable[..., Any], name: str, holder: Any) -> type[Loss]:
    """A finished class. `holder`, a module or the function, may say `task` and `link`."""
    plain.check_arguments(function, ("raw", "target"))
    task = getattr(holder, "task", "regression")
    if task not in list(Task):
        raise UnknownName.among("task", str(task), [str(each) for each in Task], f" in {name}")
    task = Task(task)
    link = getattr(holder, "link", LINKS[task][0])
    if link not in LINKS[task]:
        raise UnknownName.among("link", str(link), LINKS[task], f" for {task} in {name}")
    about = AboutLoss(
        title=name,
        equation="",
        source=None,
        task=task,
        link=link,
        target="any real number" if task is Task.REGRESSION else "a class",
        target_scale="none" if task is not Task.REGRESSION else "shift_and_scale" if link == "identity" else "scale",
        probabilities=link in ("sigmoid", "softmax"),
        perfect=None,
    )
    return plain.record_class(OfFunction, name, about, plain.settings(function, 2), {}, {"formula": function}, function)
