"""RAdam: Adam that waits until its divisor can be trusted."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from downslope.core import tree
from downslope.core.about import AboutOptimizer, Paper, Range
from downslope.core.record import choice, hyper
from downslope.core.types import Number, Params
from downslope.optimizers.base import Here, Optimizer, filled


class State(NamedTuple):
    """Updates so far, running mean of the gradient, running mean of its square."""

    step: Int[Array, ""]
    mean: PyTree
    square: PyTree


class Radam(Optimizer):
    """Adam that moves by its mean alone while the mean square rests on too few gradients, then divides, at first cautiously.

    Use it in place of Adam with a warm-up, whose work it does itself.
    Not where gradients begin huge: the first few steps are as long as the gradients are.

    >>> radam = Radam(learning_rate=0.1)
    >>> change, _ = radam.update(jnp.array([3.0]), radam.init(jnp.array([0.0])))
    >>> change.round(6)
    Array([-0.3], dtype=float32)
    """

    about = AboutOptimizer(
        title="RAdam",
        family="adaptive",
        equation=r"""\rho_\infty = \tfrac{2}{1-\beta_2} - 1,\quad \rho_t = \rho_\infty - \tfrac{2 t
                     \beta_2^t}{1-\beta_2^t},\quad r_t =
                     \sqrt{\tfrac{(\rho_t-4)(\rho_t-2)\rho_\infty}{(\rho_\infty-4)(\rho_\infty-2)\rho_t}},\quad \Delta_t =
                     -\alpha \, \hat m_t \begin{cases} r_t \sqrt{1-\beta_2^t} / (\sqrt{v_t} + \epsilon) & \rho_t > 5 \\ 1 &
                     \text{else} \end{cases}""",
        source=Paper(
            "Liu, Jiang, He, Chen, Liu, Gao and Han",
            2020,
            "On the Variance of the Adaptive Learning Rate and Beyond",
            "https://arxiv.org/abs/1908.03265",
        ),
        differs={
            "PyTorch": "`RAdam` has the same rule.",
            "Paper": "divides once the count exceeds 4, the authors' code and all frameworks at 5: choose threshold=4.",
            "optax": "adds epsilon after the bias correction: choose epsilon_after.",
        },
    )

    learning_rate: Number = hyper(default=1e-3, above=0.0, search=Range(1e-4, 1e-1, "log"), doc="Step size.")
    b1: Number = hyper(default=0.9, at_least=0.0, below=1.0, search=Range(0.8, 0.99), doc="Memory of the mean.")
    b2: Number = hyper(default=0.999, above=0.6, below=1.0, search=Range(0.9, 0.9999), doc="Memory of the square.")
    epsilon: Number = hyper(default=1e-8, above=0.0, doc="Keeps the division finite.")
    threshold: int = choice(default=5, options=(5, 4), doc="Divide once the mean square counts for more gradients than this.")
    epsilon_after: bool = choice(
        default=False, options=(False, True), doc="Add epsilon after the bias correction, not before it."
    )

    def init(self, params: Params) -> State:
        return State(jnp.zeros((), jnp.int32), tree.zeros_like(params), tree.zeros_like(params))

    def update(
        self, gradient: Params, state: State, params: Params | None = None, here: Here | None = None
    ) -> tuple[Params, State]:
        del params, here
        gradient = tree.widen(gradient)
        step = state.step + 1
        mean = tree.blend(state.mean, gradient, keep=self.b1)
        square = tree.blend(state.square, tree.map(jnp.square, gradient), keep=self.b2)
        square_filled = filled(self.b2, step)
        longest = 2 / (1 - self.b2) - 1
        length = longest - 2 * step * (1 - square_filled) / square_filled
        trusted = length > self.threshold
        safe = jnp.where(trusted, length, longest)  # the root below must not see a negative number, not even unused
        caution = jnp.sqrt((safe - 4) * (safe - 2) * longest / ((longest - 4) * (longest - 2) * safe))
        rate = self.learning_rate / filled(self.b1, step)
        epsilon = self.epsilon if self.epsilon_after else self.epsilon / jnp.sqrt(square_filled)

        def change(m: Array, v: Array) -> Number:
            return -rate * m * jnp.where(trusted, caution / (jnp.sqrt(v / square_filled) + epsilon), 1.0)

        return tree.typed_as(mean, tree.map(change, mean, square)), State(step, mean, square)
