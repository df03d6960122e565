"""Many arrays held as one: whoever hands them over pays once, and not for each."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


class Layout(NamedTuple):
    """A tree's structure, and the shapes of those leaves that lie in one array; `None` for a leaf kept by itself."""

    structure: Any
    shapes: tuple[tuple[int, ...] | None, ...]


@jax.tree_util.register_pytree_node_class
class Packed:
    """A tree whose float32 arrays lie one after another in one: `whole`. `unpacked` gives the tree back."""

    def __init__(self, whole: Any, others: list[Any], layout: Layout) -> None:
        self.whole, self.others, self.layout = whole, others, layout

    def tree_flatten(self) -> tuple[tuple[Any, list[Any]], Layout]:
        """Arrays, and what is known before."""
        return (self.whole, self.others), self.layout

    @classmethod
    def tree_unflatten(cls, layout: Layout, parts: tuple[Any, list[Any]]) -> "Packed":
        """The inverse of `tree_flatten`."""
        return cls(*parts, layout)

    def unpacked(self) -> Any:
        """The tree."""
        shapes = [shape for shape in self.layout.shapes if shape is not None]
        flat = iter(jax.lax.split(self.whole, [math.prod(shape) for shape in shapes]) if len(shapes) > 1 else [self.whole])
        others = iter(self.others)
        leaves = [next(others) if shape is None else next(flat).reshape(shape) for shape in self.layout.shapes]
        return jax.tree.unflatten(self.layout.structure, leaves)


def packed(tree: Any) -> Packed:
    """A tree of arrays with its float32 arrays in one. Single numbers and other types are kept as they are.

    >>> state = packed({"mean": jnp.ones(2), "square": jnp.zeros((2, 2)), "step": jnp.array(3)})
    >>> state.whole
    Array([1., 1., 0., 0., 0., 0.], dtype=float32)
    >>> state.unpacked()["step"]
    Array(3, dtype=int32, weak_type=True)
    """
    leaves, structure = jax.tree.flatten(tree)
    joined = [leaf.dtype == jnp.float32 and leaf.ndim > 0 for leaf in leaves]
    flat = [leaf.reshape(-1) for leaf, yes in zip(leaves, joined, strict=True) if yes]
    if any(isinstance(each, Tracer) for each in flat):
        whole = jax.lax.concatenate(flat, 0)
    else:  # by NumPy: a program with thousands of arguments would first have to be compiled
        whole = jnp.asarray(np.concatenate([np.zeros(0, np.float32), *flat]))
    others = [leaf for leaf, yes in zip(leaves, joined, strict=True) if not yes]
    shapes = tuple(leaf.shape if yes else None for leaf, yes in zip(leaves, joined, strict=True))
    return Packed(whole, others, Layout(structure, shapes))
