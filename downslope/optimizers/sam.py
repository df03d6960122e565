"""SAM: takes the gradient at the worst point nearby and lets another optimizer step with it."""

import jax.numpy as jnp

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import hyper, part
from downslope.core.types import Number, Params
from downslope.optimizers import catalogue
from downslope.optimizers.base import Here, Optimizer, Wrapped, Wrapper, required


class Sam(Wrapper):
    """Climbs a little, by `radius`, takes the gradient there, and steps with it from where it stood: it looks for flat
    valleys that generalise better. Any optimizer that needs one gradient can stand inside.

    Use it when a model overfits and its cost may double.
    Not on a tight budget: each update costs two gradients, so under an equal budget it takes half the updates.

    >>> from downslope.optimizers import Sgd
    >>> import jax
    >>> params, look = jnp.array([1.0]), jax.value_and_grad(lambda p: jnp.sum(p**2))
    >>> loss, gradient = look(params)
    >>> sam = Sam(Sgd(learning_rate=0.25), radius=0.5)
    >>> sam.update(gradient, sam.init(params), params, Here(loss, jax.random.key(0), look))[0]
    Array([-0.75], dtype=float32)
    """

    about = AboutOptimizer(
        title="Sharpness-aware minimisation (SAM)",
        equation=r"""\hat\theta_t = \theta_{t-1} + \rho \, \frac{g_t}{\lVert g_t \rVert},\quad \Delta_t =
                     \operatorname{inner}\big( \nabla f_t(\hat\theta_t) \big)""",
        source=Paper(
            "Foret, Kleiner, Mobahi and Neyshabur",
            2021,
            "Sharpness-Aware Minimization for Efficiently Improving Generalization",
            "https://arxiv.org/abs/2010.01412",
        ),
        gradients_per_step=2,
        differs={"optax": "counts each of the two gradients as a step of its own unless opaque_mode is chosen."},
    )

    optimizer: Optimizer = part(default_factory=lambda: catalogue["momentum"](), doc="The optimizer that steps.")
    radius: Number = hyper(default=0.05, above=0.0, search=Range(0.005, 0.5, "log"), doc="How far to climb.")

    def update(
        self, gradient: Params, state: Wrapped, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, Wrapped]:
        params, here = required(params, "params", self.name), required(here, "here", self.name)
        gradient = tree.widen(gradient)
        length = tree.norm(gradient)
        climb = self.radius / jnp.where(length > 0, length, 1)
        above = tree.typed_as(params, tree.map(lambda p, g: p + climb * g, params, gradient))
        loss, sharp = here.loss_and_gradient(above)
        change, inner = self.optimizer.update(sharp, state.inner, params, here._replace(loss=loss))
        return change, Wrapped(inner)
