"""Reference trajectories from optax, in float64, where it has the published rule or the other documented convention."""

from functools import partial

import jax
import numpy as np
import optax
from case import Case

jax.config.update("jax_enable_x64", True)
MADE_BY = f"optax {optax.__version__}"


class Runner:
    """An optax optimizer, made anew for each rate: its state does not depend on the rate."""

    def __init__(self, make, params, gradient_of):
        self.make, self.now, self.gradient_of = make, params, gradient_of
        self.state = make(1.0).init(params)

    def params(self):
        return {name: np.asarray(value) for name, value in self.now.items()}

    def step(self, number, rate):
        _, gradient = self.gradient_of(self.params(), number)
        change, self.state = self.make(rate).update(gradient, self.state, self.now)
        assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(change))
        self.now = optax.apply_updates(self.now, change)


def case(optimizer, problem, rate, settings, make, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(Runner, lambda now: make(now, **theirs)))


def cases():
    """Everything that comes from optax."""
    for problem, rate, decay, epsilon, centered in (
        ("quadratic", 0.02, 0.9, 1e-4, False),
        ("logistic", 0.05, 0.8, 1e-2, True),
    ):
        settings = {"decay": decay, "epsilon": epsilon, "centered": centered, "epsilon_inside": True}
        yield case("rmsprop", problem, rate, settings, optax.rmsprop, decay=decay, eps=epsilon, centered=centered)
