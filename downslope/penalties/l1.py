"""L1: the sum of the sizes of all weights."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper
from downslope.penalties.base import Penalty


class L1(Penalty):
    """Charges every weight by its size, so weights that hardly help shrink towards zero; the pull at zero itself is taken as
    0.

    Use it when few features matter.
    Not when weights have to be exactly zero: gradient methods leave them small and not zero.

    >>> float(L1(strength=0.1)({"weight": jnp.array([[1.0, -2.0]]), "bias": jnp.array([5.0])}))
    0.3...
    """

    about = AboutPart(
        title="L1 penalty",
        equation=r"\lambda \sum_i |w_i|",
        source=Paper(
            "Tibshirani",
            1996,
            "Regression Shrinkage and Selection via the Lasso",
            "https://doi.org/10.1111/j.2517-6161.1996.tb02080.x",
        ),
        aliases=("lasso",),
        differs={
            "Keras": "`L1` in each layer's `kernel_regularizer`; 0.01 unless told.",
            "scikit-learn": "penalty='l1' in SGDClassifier and SGDRegressor, whose steps stop at zero and leave exact zeros.",
        },
    )

    def cost(self, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        return weight * jnp.sign(weight)  # not abs: JAX gives abs the slope 1 at zero, here it is 0
