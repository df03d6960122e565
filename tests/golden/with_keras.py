"""Reference trajectories from Keras, in float64, for the rules and conventions that only Keras has."""

from functools import partial
from unittest import mock

import keras
import numpy as np
from case import Case
from with_torch import Runner as TorchRunner
from with_torch import torch

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
    yield from clipped()
    yield from muon()


def clipped():
    """Keras alone shortens each array to exactly the limit."""
    for problem, rate, limit, b1, b2, epsilon in (
        ("quadratic", 0.05, 50.0, 0.9, 0.999, 1e-8),
        ("rosenbrock", 0.02, 60.0, 0.8, 0.99, 1e-3),
        ("logistic", 0.1, 0.25, 0.95, 0.9, 0.1),
    ):
        ours = ["adam", {"b1": b1, "b2": b2, "epsilon": epsilon, "epsilon_hat": True}]
        theirs = {"clipnorm": limit, "beta_1": b1, "beta_2": b2, "epsilon": epsilon}
        yield case("clip_by_norm", problem, rate, {"optimizer": ours, "limit": limit}, keras.optimizers.Adam, **theirs)


def exact_norm(x, axis, keepdims):
    """Keras' own norm rounds to float32 whatever comes, so Muon is given this one, of Keras' own parts."""
    return keras.ops.sqrt(keras.ops.sum(x * x, axis=axis, keepdims=keepdims))


class Muon(keras.optimizers.Muon):
    """Keras' Muon in float64 from end to end."""

    def zeropower_via_newtonschulz5(self, x, steps):
        with mock.patch("keras.src.ops.norm", exact_norm):
            return super().zeropower_via_newtonschulz5(x, steps)

    def lr_adjust(self, x):  # the same for the root of the larger side
        return x if self.rms_rate is None else x * float(np.sqrt(max(x.shape))) * self.rms_rate


class Split:
    """Keras' Muon for the matrix, PyTorch's Adam for the biases."""

    def __init__(self, theirs, adam, params, gradient_of):
        self.parts = {"weight": Runner(partial(Muon, learning_rate=1.0, **theirs), {"weight": params["weight"]}, self.look)}
        self.parts["bias"] = TorchRunner(partial(torch.optim.Adam, lr=1.0, **adam), {"bias": params["bias"]}, self.look)
        self.gradient_of = gradient_of

    def look(self, _, number):
        return self.gradient_of(self.before, number)

    def params(self):
        return {name: runner.params()[name] for name, runner in self.parts.items()}

    def step(self, number, rate):
        self.before = self.params()
        for runner in self.parts.values():
            runner.step(number, rate)


def muon():
    """Steps as large as Adam's, and unscaled, which for a matrix with fewer columns than rows is scaling by shape."""
    for problem, rate, momentum, decay, nesterov, rms, betas, epsilon in (
        ("quadratic", 0.05, 0.95, 0.1, True, 0.2, (0.9, 0.999), 1e-8),
        ("rosenbrock", 0.02, 0.8, 0.3, False, 0.2, (0.8, 0.99), 1e-2),
        ("logistic", 0.06, 0.9, 0.2, True, None, (0.95, 0.9), 0.1),
    ):
        settings = {"momentum": momentum, "weight_decay": decay, "nesterov": nesterov, "scale": "adam" if rms else "shape"}
        settings |= {"b1": betas[0], "b2": betas[1], "epsilon": epsilon}
        theirs = {"momentum": momentum, "weight_decay": decay, "nesterov": nesterov, "rms_rate": rms}
        adam = {"betas": betas, "eps": epsilon}
        made_by = f"{MADE_BY}, Muon({theirs}) on the matrix, torch {torch.__version__}, Adam({adam}) on the biases"
        yield Case("muon", problem, rate, settings, made_by, partial(Split, theirs, adam))
