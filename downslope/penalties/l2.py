"""L2: half the sum of the squares of all weights."""

from jaxtyping import Array, Float

from downslope.core.about import AboutPart, Paper
from downslope.penalties.base import Penalty


class L2(Penalty):
    """Charges large weights most. Its gradient is `strength` times the weight.

    Use it when features that say the same should share their effect.
    Not with Adam and its kin, where it is weaker where gradients are large: `adamw` decays all weights alike.

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
        differs={
            "PyTorch": "`SGD` and `Adam` add the same gradient as their `weight_decay`, to biases too.",
            "Keras": "`L2` in each layer's `kernel_regularizer`, without the half: give it half the strength.",
            "optax": "`add_decayed_weights` put before the rule adds the same gradient, to biases too unless masked.",
            "scikit-learn": "`alpha` of SGDClassifier and SGDRegressor; that of MLPClassifier is divided by the batch size.",
        },
    )

    def cost(self, weight: Float[Array, "..."]) -> Float[Array, "..."]:
        return 0.5 * weight**2
