"""The names of what passes between functions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from jax import Array
from jaxtyping import Float

if TYPE_CHECKING:
    Number: TypeAlias = float | int | Float[Array, "..."] | Float[np.ndarray, "..."]
else:
    Number = Any  # JAX also puts tracers, shapes and other placeholders into a record; no run-time check may refuse them
"""One hyper-parameter: a plain number, or an array of them when many settings are swept together."""

Mask: TypeAlias = str | Callable[[Any], Any]
"""Which parameters are meant: "weights", "everything", or a function from parameters to a tree of booleans like them."""

Params: TypeAlias = Any
"""Parameters of a model: any nesting of dicts, lists and tuples with arrays at its ends."""

State: TypeAlias = Any
"""What an optimizer remembers from one update to the next; its structure and types never change."""
