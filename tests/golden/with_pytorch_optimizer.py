"""Reference trajectories from the package pytorch-optimizer, in float64, where it alone has the published rule."""

from functools import partial
from importlib.metadata import version

from case import Case
from pytorch_optimizer import LARS, Adan
from with_torch import Runner

MADE_BY = f"pytorch-optimizer {version('pytorch-optimizer')}"


def case(optimizer, problem, rate, settings, make, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(Runner, partial(make, lr=rate, **theirs)))


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
    for problem, rate, momentum, trust, decay in (
        ("quadratic", 5e-4, 0.9, 0.01, 0.1),
        ("rosenbrock", 3e-4, 0.8, 5.0, 100.0),
        ("logistic", 0.1, 0.95, 0.1, 0.3),
    ):
        settings = {"momentum": momentum, "trust": trust, "weight_decay": decay, "adapted": "weights"}
        yield case("lars", problem, rate, settings, LARS, momentum=momentum, trust_coefficient=trust, weight_decay=decay)
