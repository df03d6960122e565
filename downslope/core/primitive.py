"""Operations of our own for JAX, which are something else on a CPU."""

from collections.abc import Callable
from functools import cache, partial
from inspect import Parameter, signature
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from downslope.core import native


@cache
def registered(*names: str) -> bool:
    """Whether XLA can call the kernels of these names: they were compiled, for a processor like this one and a version of
    its interface that it knows."""
    library = native.library()
    if library is None or not library.downslope_able():
        return False
    try:
        for name in names:
            jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(getattr(library, name)), platform="cpu")
    except RuntimeError:  # compiled for another version of XLA's interface
        return False
    return True


def primitive(
    plain: Callable[..., list[Array]],
    on_cpu: Callable[..., list[Array]],
    shapes: Callable[..., list[jax.ShapeDtypeStruct]] | None = None,
) -> Primitive:
    """An operation that is something else on a CPU. Several at once, and its derivatives, are those of the plain one, and so
    are the shapes of its results where nothing knows them faster."""
    made = Primitive(plain.__name__)
    made.multiple_results = True
    settings = [name for name, each in signature(plain).parameters.items() if each.kind is Parameter.KEYWORD_ONLY]
    made.def_impl(jax.jit(made.bind, static_argnames=settings))

    def traced(*values: Any, **given: Any) -> list[Any]:
        found = shapes(*values, **given) if shapes else jax.eval_shape(partial(plain, **given), *values)
        return [values[0].update(shape=each.shape, dtype=each.dtype, weak_type=False) for each in found]

    def batched(values: Any, axes: Any, **given: Any) -> tuple[list[Array], list[int]]:
        found = jax.vmap(partial(plain, **given), axes)(*values)
        return found, [0] * len(found)

    def derivative(values: Any, changes: Any, **given: Any) -> Any:
        moved = [jnp.zeros_like(v) if isinstance(c, ad.Zero) else c for v, c in zip(values, changes, strict=True)]
        return jax.jvp(partial(plain, **given), tuple(values), tuple(moved))

    made.def_abstract_eval(traced)
    mlir.register_lowering(made, mlir.lower_fun(plain, multiple_results=True))
    mlir.register_lowering(made, mlir.lower_fun(on_cpu, multiple_results=True), platform="cpu")
    batching.primitive_batchers[made] = batched
    ad.primitive_jvps[made] = derivative
    return made
