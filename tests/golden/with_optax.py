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
    yield from other_conventions()


def other_conventions():
    """Where optax differs from the rule that is the default here, and the choice that gives its form."""
    settings = {"epsilon": 1e-2, "initial": 0.1, "epsilon_inside": True}
    yield case("adagrad", "logistic", 0.1, settings, optax.adagrad, initial_accumulator_value=0.1, eps=1e-2)
    ours, theirs = {"b1": 0.8, "b2": 0.99, "epsilon": 1e-2}, {"b1": 0.8, "b2": 0.99, "eps": 1e-2}
    yield case("amsgrad", "logistic", 0.05, ours | {"correction": "before"}, optax.amsgrad, **theirs)
    yield case("amsgrad", "logistic", 0.05, ours | {"correction": "none"}, amsgrad_of_the_paper, **theirs)
    radam = ours | {"epsilon_after": True, "threshold": 4}
    yield case("radam", "rosenbrock", 3e-4, radam, optax.radam, threshold=4.0 + 1e-9, **theirs)  # optax: from, paper: above


def amsgrad_of_the_paper(rate, **settings):
    """Reddi, Kale and Kumar's Algorithm 2: no bias correction."""
    rule = optax.scale_by_amsgrad(bias_correction_mu=False, bias_correction_nu=False, **settings)
    return optax.chain(rule, optax.scale(-rate))
