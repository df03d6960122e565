"""A model from two plain functions, `init(key, features, outputs)` and `apply(params, x)`."""

import inspect
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any, ClassVar

import jax
from jaxtyping import Array, Float

from downslope.core import own, plain
from downslope.core.about import AboutPart
from downslope.core.types import Params
from downslope.models.base import Model

WANTED = "the functions init(key, features, outputs) and apply(params, x)"


class OfFunctions(Model):
    """A model that is somebody else's two functions. Their arguments with a default are its settings, each given to the
    function that names it; `apply` gets a `key` while training if it names one.
    """

    start: ClassVar[Callable[..., Any]]
    scores: ClassVar[Callable[..., Any]]
    scores_in_numpy: ClassVar[Callable[..., Any]]

    def init(self, key: jax.Array, features: int, outputs: int) -> Params:
        return self.start(key, features, outputs, **self.given(self.start))

    def apply(
        self, params: Params, x: Float[Array, "batch features"], key: jax.Array | None = None
    ) -> Float[Array, "batch outputs"]:
        return self.scores(params, x, **({"key": key} if self.random else {}), **self.given(self.scores))

    def apply_numpy(self, params: Params, x: Any) -> Any:
        """What prediction does: `apply_numpy` where the author wrote one, else `apply`, on NumPy arrays."""
        function = self.scores_in_numpy
        named = inspect.signature(function).parameters
        return function(params, x, **({"key": None} if "key" in named else {}), **self.given(function))

    @property
    def random(self) -> bool:
        return "key" in inspect.signature(self.scores).parameters

    def given(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The settings that a function names."""
        named = inspect.signature(function).parameters
        return {name: value for name, value in self.values().items() if name in named}


def of_module(module: ModuleType, file: own.Own) -> type[Model] | None:
    """The model that a file's functions make; `None` for a file without them."""
    init, apply = getattr(module, "init", None), getattr(module, "apply", None)
    if not (callable(init) and callable(apply)):
        return None
    return of_functions(init, apply, getattr(module, "apply_numpy", apply), file.name)


def of_object(thing: Any, naming: Callable[[str], str]) -> Model | None:
    """The model that the functions `init` and `apply` of an object or a module make; `None` where they are missing."""
    init, apply = getattr(thing, "init", None), getattr(thing, "apply", None)
    if not (callable(init) and callable(apply)):
        return None
    name = naming(getattr(thing, "__name__", type(thing).__name__))
    return of_functions(init, apply, getattr(thing, "apply_numpy", apply), name)()


@cache
def of_functions(init: Callable[..., Any], apply: Callable[..., Any], in_numpy: Callable[..., Any], name: str) -> type[Model]:
    """A finished class."""
    plain.check_arguments(init, ("key", "features", "outputs"))
    plain.check_arguments(apply, ("params", "x"))
    plain.check_arguments(in_numpy, ("params", "x"))
    settings = {**plain.settings(init, 3), **plain.settings(apply, 2, reserved=("key",))}
    functions = {"start": init, "scores": apply, "scores_in_numpy": in_numpy}
    return plain.record_class(OfFunctions, name, AboutPart(title=name), settings, {}, functions, apply)
