"""An optimizer from a factory `learning_rate -> optimizer`, such as any of optax's: only its `init` and `update` are used."""

import inspect
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from downslope.core import own, plain
from downslope.core.about import AboutOptimizer, Range
from downslope.core.errors import IncompatiblePair, OutOfRange
from downslope.core.record import hyper
from downslope.core.types import Number, Params, State
from downslope.optimizers.base import Here, Optimizer

WANTED = "a function optimizer(learning_rate) that returns an optimizer"
TRIED = "num_linesearch_steps"
SETTINGS = "hyperparams"
WIDE = Range(1e-4, 1.0, "log")


class Searching(NamedTuple):
    """The state of an optimizer that evaluates gradients of its own, updates so far, and gradient evaluations so far."""

    inner: Any
    step: Int[Array, ""]
    evaluations: Int[Array, ""]


class OfFactory(Optimizer):
    """What somebody else's factory makes of a learning rate. The factory is called inside the compiled program, with the rate
    of the present update, so that one program runs all rates and schedules act on it as on ours.
    """

    factory: ClassVar[Callable[..., Any]]
    searches: ClassVar[bool] = False

    learning_rate: Number = hyper(default=1e-3, above=0.0, doc="Step size.")

    def made(self) -> Any:
        """The optimizer at this learning rate."""
        settings = self.values()
        made = self.factory(settings.pop("learning_rate"), **settings)
        if not (callable(getattr(made, "init", None)) and callable(getattr(made, "update", None))):
            raise IncompatiblePair(f"{own.at(self.factory)}: expected an optimizer with init and update, got {made!r:.60}")
        return made

    def init(self, params: Params) -> State:
        state = self.made().init(params)
        return Searching(state, jnp.zeros((), jnp.int32), jnp.zeros((), jnp.int32)) if self.searches else state

    def update(self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None) -> tuple[Any, State]:
        made = self.made()
        inner = with_rate_of(made, state.inner if self.searches else state, params)
        change, later = made.update(gradient, inner, params, **extras(made.update, gradient, here))
        if self.searches:
            later = Searching(later, state.step + 1, state.evaluations + 1 + tried(later))
        return change, later


def with_rate_of(made: Any, state: State, params: Params | None) -> State:
    """The state with the settings that `made` was made with, where a state holds settings, as `optax.inject_hyperparams` has
    it: else the rate of the first update would stay, whatever the schedule says."""
    if not any(map(holds_settings, jax.tree.leaves(state, is_leaf=holds_settings))):
        return state

    def renewed(old: Any, new: Any) -> Any:
        if not holds_settings(old):
            return old
        inside = jax.tree.map(renewed, old.inner_state, new.inner_state, is_leaf=holds_settings)
        return old._replace(hyperparams=new.hyperparams, inner_state=inside)

    return jax.tree.map(renewed, state, made.init(params), is_leaf=holds_settings)


def holds_settings(node: Any) -> bool:
    """Whether a part of a state is one of optax's that hold an optimizer's settings."""
    return isinstance(node, tuple) and {SETTINGS, "inner_state"} <= set(getattr(node, "_fields", ()))


def tried(state: State) -> Any:
    """Points that a line search has looked at in this update, as optax's line searches tell in their state; else one."""
    paths = jax.tree_util.tree_leaves_with_path(state)
    found = [leaf for path, leaf in paths if getattr(path[-1], "name", "") == TRIED]
    return sum(found, start=jnp.zeros((), jnp.int32)).astype(jnp.int32) if found else 1


def extras(update: Callable[..., Any], gradient: Params, here: Here | None) -> dict[str, Any]:
    """What an update asks for by name beyond the gradient, in optax's names: loss, gradient and the loss as a function."""
    if here is None:
        return {}
    known = {"value": here.loss, "grad": gradient, "value_fn": lambda params: here.loss_and_gradient(params)[0]}
    asked = inspect.signature(update).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in asked):
        return known
    return {parameter.name: known[parameter.name] for parameter in asked if parameter.name in known}


def of_module(module: ModuleType, file: own.Own) -> type[Optimizer] | None:
    """The optimizer that a file's function `optimizer` makes; `None` for a file without one."""
    function = getattr(module, "optimizer", None)
    if not callable(function):
        return None
    return of_factory(function, file.name, getattr(module, "learning_rates", None), getattr(module, "batch", "mini"))


def of_object(thing: Any, naming: Callable[[str], str]) -> Optimizer | None:
    """The optimizer that a factory makes, called what `naming` makes of its own name; `None` for what is no factory.

    A pair of a factory and a `Range`, a learning rate or several of them says where to look. A factory may say as much in
    attributes: `learning_rates` (low, high), and `batch` ("full").
    """
    pair = isinstance(thing, tuple) and len(thing) == 2 and not hasattr(thing, "init")
    factory, rates = thing if pair else (thing, None)
    if hasattr(factory, "init") and hasattr(factory, "update") and not isinstance(factory, type):
        raise IncompatiblePair(
            "this optimizer holds its learning rate already; give the function that makes it, "
            'as in {"lion": lambda learning_rate: optax.lion(learning_rate)}'
        )
    if not callable(factory):
        return None
    name = naming(plain.called(factory))
    ranged = rates if isinstance(rates, Range) else getattr(factory, "learning_rates", None)
    made = of_factory(factory, name, ranged, getattr(factory, "batch", "mini"))
    return made() if rates is None or isinstance(rates, Range) else made(learning_rate=np.atleast_1d(np.asarray(rates, float)))


@cache
def of_factory(factory: Callable[..., Any], name: str, rates: Any, batch: Any) -> type[Any]:
    """A finished class."""
    plain.check_arguments(factory, ("learning_rate",))
    if batch not in ("mini", "full"):
        raise OutOfRange(f"{name}: batch must be 'mini' or 'full', got {batch!r}")
    where = search(name, rates)
    default = float(f"{np.sqrt(where.low * where.high):.4g}")
    about = AboutOptimizer(
        title=name, equation="", source=None, batch=batch, gradients_per_step=None if looks_further(factory) else 1
    )
    leaves = {"learning_rate": hyper(default=default, above=0.0, search=where, doc="Step size.")}
    made = plain.record_class(OfFactory, name, about, plain.settings(factory, 1), leaves, {"factory": factory}, factory)
    made.searches = about.gradients_per_step is None
    return made


def search(name: str, rates: Any) -> Range:
    """Where to look for the learning rate."""
    if rates is None or isinstance(rates, Range):
        return rates or WIDE
    try:
        low, high = (float(rate) for rate in rates)
    except (TypeError, ValueError):
        low = high = 0.0
    if not 0 < low < high:
        raise OutOfRange(f"{name}: learning_rates must be two numbers, 0 < low < high, got {rates!r:.60}")
    return Range(low, high, "log")


def looks_further(factory: Callable[..., Any]) -> bool:
    """Whether an update asks for the loss at other places than the one it was given: then its cost depends on the data."""
    looked: list[int] = []

    def step(rate: jax.Array, params: Params) -> Any:
        def look(at: Params) -> tuple[jax.Array, Params]:
            looked.append(1)
            return jnp.sum(at["layers"][0]["weight"] ** 2), at

        made = factory(rate)
        here = Here(jnp.ones(()), jax.random.key(0), look)
        return made.update(params, made.init(params), params, **extras(made.update, params, here))

    try:
        jax.eval_shape(step, jnp.ones(()), {"layers": [{"weight": jnp.ones((2, 3)), "bias": jnp.ones(3)}]})
    except Exception:  # what goes wrong here goes wrong again on the real parameters, where it is reported
        return False
    return bool(looked)
