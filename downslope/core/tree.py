"""Arithmetic on nested parameters."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from downslope.core.errors import BadShape
from downslope.core.types import Mask, Number

MANY = 64


def map(function: Callable[..., Any], model: Any, *others: Any) -> Any:  # noqa: A001 - read as `tree.map`
    """What `function` makes of the leaves that stand in one place. It is traced once for all leaves that are alike, where
    there are many of them: tracing each anew took most of the time before the compiler starts."""
    leaves = jax.tree.leaves(model)
    if len(leaves) >= MANY and isinstance(leaves[0], Tracer):
        function = jax.jit(function)
    return jax.tree.map(function, model, *others)


def zeros_like(params: Any) -> Any:
    """Zeros in the shape of `params`, at least in float32: moments in half precision lose what they should remember."""
    return map(lambda p: jnp.zeros(jnp.shape(p), jnp.promote_types(jnp.result_type(p), jnp.float32)), params)


def full_like(params: Any, value: Number) -> Any:
    """`value` everywhere in the shape of `params`, at least in float32."""
    return map(lambda zero: zero + jnp.asarray(value, zero.dtype), zeros_like(params))


def widen(params: Any) -> Any:
    """The same numbers, at least in float32: squares of half-precision gradients would vanish or overflow."""
    return jax.tree.map(lambda p: typed(p, jnp.promote_types(jnp.result_type(p), jnp.float32)), params)


def typed_as(model: Any, params: Any) -> Any:
    """`params` in the number types of `model`, so that a float64 setting cannot change the type of a state."""
    return jax.tree.map(lambda m, p: typed(p, m.dtype), model, params)


def typed(leaf: Any, dtype: Any) -> Any:
    """The same numbers in a type; the leaf itself where it has that type, for nothing is traced faster."""
    same = isinstance(leaf, jax.Array) and leaf.dtype == dtype and not leaf.weak_type
    return leaf if same else jnp.asarray(leaf, dtype)


def number_type(params: Any) -> Any:
    """The type of a single number that sums up all of `params`: the widest among them, at least float32."""
    return jnp.result_type(jnp.float32, *(leaf.dtype for leaf in jax.tree.leaves(zeros_like(params))))


def blend(old: Any, new: Any, keep: Number) -> Any:
    """keep · old + (1 − keep) · new, in the number types of `old`."""
    return map(lambda o, n: typed(keep * o + (1 - keep) * n, o.dtype), old, new)


def add(left: Any, right: Any) -> Any:
    """left + right."""
    return map(jnp.add, left, right)


def scale(factor: Number, params: Any) -> Any:
    """factor · params."""
    return map(lambda p: factor * p, params)


def dot(left: Any, right: Any) -> jax.Array:
    """Sum of the products of all pairs of numbers. Not `vdot`: accelerators round the factors of a matrix product."""
    products = map(lambda a, b: jnp.sum(a * b), left, right)
    return jnp.asarray(sum(jax.tree.leaves(products), start=0.0))


def norm(params: Any) -> jax.Array:
    """Euclidean length of all numbers taken together."""
    return jnp.sqrt(dot(params, params))


def meant(which: Mask, params: Any) -> Any:
    """The parameters that are meant; `None` stands in the place of the others.

    >>> meant(lambda params: {"a": True, "b": False}, {"a": 1.0, "b": 2.0})
    {'a': 1.0, 'b': None}
    """
    if not callable(which):
        return jax.tree.map(lambda leaf: leaf if which == "everything" or is_weight(leaf) else None, params)
    mask = which(params)
    known = all(isinstance(leaf, bool | np.bool_) for leaf in jax.tree.leaves(mask))
    if not known or jax.tree.structure(mask) != jax.tree.structure(params):
        found = " ".join(repr(mask).split())
        raise BadShape(f"a mask must give True or False for each parameter, in the structure of the parameters, got {found:.99}")
    return jax.tree.map(lambda leaf, yes: leaf if yes else None, params, mask)


def is_weight(leaf: Any) -> bool:
    """Whether a parameter is a matrix of weights and not a bias: decay and penalties leave biases alone."""
    return jnp.ndim(leaf) >= 2


def rebuilt(build: Any, leaves: Any) -> Any:
    """`leaves` in the containers of what `build(key)` would give; nothing is computed."""
    return jax.tree.unflatten(jax.tree.structure(jax.eval_shape(lambda: build(jax.random.key(0)))), list(leaves))
