"""Reference trajectories from the package pytorch-optimizer, in float64, where it alone has the published rule."""

from functools import partial
from importlib.metadata import version

from case import Case
from pytorch_optimizer import LARS, Adan, Prodigy
from with_torch import Runner, weights_only

MADE_BY = f"pytorch-optimizer {version('pytorch-optimizer')}"


class AsMatrices(Runner):
    """Shows every parameter as a matrix of one row, so that biases are treated like weights."""

    def __init__(self, make, params, gradient_of):
        self.shapes = {name: value.shape for name, value in params.items()}
        super().__init__(make, {name: value.reshape(len(value), -1) for name, value in params.items()}, self.look)
        self.shown = gradient_of

    def look(self, _, number):
        value, gradient = self.shown(self.params(), number)
        return value, {name: slope.reshape(len(slope), -1) for name, slope in gradient.items()}

    def params(self):
        return {name: value.reshape(self.shapes[name]) for name, value in super().params().items()}


def case(optimizer, problem, rate, settings, make, runner=Runner, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(runner, partial(make, lr=rate, **theirs)))


def cases():
    """Adan with the coefficient of its paper, LARS with the sum of lengths, Prodigy without bias correction."""
    for problem, rate, betas, epsilon, decay in (
        ("quadratic", 0.05, (0.98, 0.92, 0.99), 1e-8, 0.1),
        ("rosenbrock", 0.02, (0.9, 0.8, 0.95), 1e-2, 0.3),
        ("logistic", 0.1, (0.95, 0.9, 0.8), 0.1, 0.2),
    ):
        settings = {
            "b1": betas[0],
            "b2": betas[1],
            "b3": betas[2],
            "epsilon": epsilon,
            "weight_decay": decay,
            "decayed": "everything",
        }
        yield case("adan", problem, rate, settings, Adan, betas=betas, eps=epsilon, weight_decay=decay, weight_decouple=False)
    settings = {"b1": 0.9, "b2": 0.8, "b3": 0.9, "epsilon": 0.01, "weight_decay": 0.3, "decayed": "weights"}
    theirs = {"betas": (0.9, 0.8, 0.9), "eps": 0.01, "weight_decouple": False}
    yield case("adan", "rosenbrock", 0.02, settings, weights_only(Adan), weight_decay=0.3, **theirs)
    for problem, rate, momentum, trust, decay in (
        ("quadratic", 5e-4, 0.9, 0.01, 0.1),
        ("rosenbrock", 3e-4, 0.8, 5.0, 100.0),
        ("logistic", 0.1, 0.95, 0.1, 0.3),
    ):
        settings = {"momentum": momentum, "trust": trust, "weight_decay": decay, "adapted": "weights"}
        yield case("lars", problem, rate, settings, LARS, momentum=momentum, trust_coefficient=trust, weight_decay=decay)
    settings = {"momentum": 0.8, "trust": 0.05, "weight_decay": 0.2, "adapted": "everything"}
    yield case("lars", "logistic", 0.2, settings, LARS, AsMatrices, momentum=0.8, trust_coefficient=0.05, weight_decay=0.2)
    for problem, rate, betas, epsilon, first, growth, decay in (
        ("quadratic", 1.0, (0.9, 0.999), 1e-8, 1e-3, 1.0, 0.1),
        ("rosenbrock", 0.7, (0.8, 0.99), 1e-2, 1e-4, 0.7, 0.2),
        ("logistic", 1.0, (0.95, 0.9), 0.1, 1e-2, 1.5, 0.3),
    ):
        settings = {"b1": betas[0], "b2": betas[1], "epsilon": epsilon, "first_distance": first, "growth": growth}
        settings |= {"weight_decay": decay, "decayed": "everything"}
        theirs = {"betas": betas, "eps": epsilon, "d0": first, "d_coef": growth, "weight_decay": decay, "weight_decouple": True}
        yield case("prodigy", problem, rate, settings, Prodigy, bias_correction=False, **theirs)
