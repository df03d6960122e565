"""Elastic net: part L1, part L2."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper, Range
from downslope.core.record import hyper
from downslope.core.types import Number
from downslope.penalties.base import Penalty


class ElasticNet(Penalty):
    """Pulls small weights towards zero as L1 does and shares effects among similar features as L2 does.

    Use it when few features matter and some of them say the same.
    Not when one of the two would do: the share is one more setting to tune.

    >>> float(ElasticNet(strength=1.0, mix=0.5)({"weight": jnp.array([[1.0, -2.0]])}))
    2.75
    """

    about = AboutPart(
        title="Elastic net penalty",
        equation=r"\lambda \sum_i \left( \rho \, |w_i| + \tfrac{1-\rho}{2} \, w_i^2 \right)",
        source=Paper(
            "Zou and Hastie",
            2005,
            "Regularization and Variable Selection via the Elastic Net",
            "https://doi.org/10.1111/j.1467-9868.2005.00503.x",
        ),
        differs={
            "Keras": "`L1L2` takes two strengths, its squares without the half.",
            "scikit-learn": "penalty='elasticnet' in SGDClassifier and SGDRegressor; `l1_ratio` is 0.15 unless told.",
        },
    )

    mix: Number = hyper(
        default=0.5,
        at_least=0.0,
        at_most=1.0,
        search=Range(0.0, 1.0),
        doc="Share of L1; the rest is L2 with its factor of a half.",
    )

    def cost(self, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        size = weight * jnp.sign(weight)  # not abs: JAX gives abs the slope 1 at zero, here it is 0
        return jnp.asarray(self.mix * size + (1 - self.mix) * 0.5 * weight**2)
