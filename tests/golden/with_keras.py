"""Reference trajectories from Keras, in float64, for the conventions that only Keras has."""

from functools import partial

import keras
import numpy as np
from case import Case

keras.config.set_floatx("float64")
MADE_BY = f"keras {keras.__version__}"


class Runner:
    """A Keras optimizer on NumPy gradients."""

    def __init__(self, make, params, gradient_of):
        self.variables = {name: keras.Variable(value, dtype="float64", name=name) for name, value in params.items()}
        self.optimizer = make()
        self.optimizer.build(list(self.variables.values()))
        self.gradient_of = gradient_of

    def params(self):
        return {name: np.array(keras.ops.convert_to_numpy(variable)) for name, variable in self.variables.items()}

    def step(self, number, rate):
        self.optimizer.learning_rate = rate
        _, gradient = self.gradient_of(self.params(), number)
        pairs = [(keras.ops.convert_to_tensor(gradient[name], dtype="float64"), v) for name, v in self.variables.items()]
        self.optimizer.apply(*map(list, zip(*pairs, strict=True)))


def case(optimizer, problem, rate, settings, make, constant=False, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(
        optimizer, problem, rate, settings, made_by, partial(Runner, partial(make, learning_rate=rate, **theirs)), constant
    )


def cases():
    """Adam's epsilon before the bias correction."""
    settings = {"b1": 0.8, "b2": 0.99, "epsilon": 1e-2, "epsilon_hat": True}
    theirs = {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-2}
    yield case("adam", "logistic", 0.05, settings, keras.optimizers.Adam, **theirs)
    settings = settings | {"weight_decay": 0.2, "decayed": "everything"}
    yield case("adamw", "logistic", 0.05, settings, keras.optimizers.AdamW, weight_decay=0.2, **theirs)
    settings = {"b1": 0.8, "b2": 0.99, "epsilon": 1e-2, "epsilon_after": True}
    yield case("adamax", "logistic", 0.05, settings, keras.optimizers.Adamax, **theirs)
    settings = {"decay": 0.8, "momentum": 0.7, "epsilon": 1e-2, "centered": True, "epsilon_inside": True}
    theirs = {"rho": 0.8, "momentum": 0.7, "epsilon": 1e-2, "centered": True}
    yield case("rmsprop_momentum", "logistic", 0.01, settings, keras.optimizers.RMSprop, constant=True, **theirs)
