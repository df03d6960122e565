"""L2: half the sum of the squares of all weights."""

from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper
from downslope.penalties.base import Penalty


class L2(Penalty):
    """Charges large weights most, so effects are shared among features that say the same. Its gradient is `strength` times
    the weight. With Adam and its kin it is weaker where gradients are large: `adamw` decays all weights alike.

    >>> import jax.numpy as jnp
    >>> float(L2(strength=0.5)({"weight": jnp.array([[1.0, -2.0]]), "bias": jnp.array([5.0])}))
    1.25
    """

    about = AboutPart(
        title="L2 penalty",
        equation=r"\tfrac{\lambda}{2} \sum_i w_i^2",
        source=Paper(
            "Hoerl and Kennard",
            1970,
            "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
            "https://doi.org/10.1080/00401706.1970.10488634",
        ),
        aliases=("ridge",),
    )

    def cost(self, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        return 0.5 * weight**2
