"""Reference trajectories from optax, in float64, where it has the published rule or the other documented convention."""

from functools import partial

import jax
import numpy as np
import optax
import optax.contrib
from case import Case

jax.config.update("jax_enable_x64", True)
MADE_BY = f"optax {optax.__version__}"


class Runner:
    """An optax optimizer, made anew for each rate: its state does not depend on the rate."""

    def __init__(self, make, params, gradient_of):
        self.make, self.now, self.gradient_of = make, params, gradient_of
        self.state = optax.with_extra_args_support(make(1.0)).init(params)

    def more(self, value, number):
        """What a method asks for beyond the gradient."""
        del number
        return {"value": value}

    def params(self):
        return {name: np.asarray(value) for name, value in self.now.items()}

    def step(self, number, rate):
        value, gradient = self.gradient_of(self.params(), number)
        change, self.state = optax.with_extra_args_support(self.make(rate)).update(
            gradient, self.state, self.now, **self.more(value, number)
        )
        assert all(leaf.dtype == np.float64 for leaf in jax.tree.leaves(change))
        self.now = optax.apply_updates(self.now, change)


def said(value):
    """A setting in words; a function by its name, as its address changes from run to run."""
    if isinstance(value, partial):
        return f"{value.func.__name__}({', '.join(f'{k}={v}' for k, v in value.keywords.items())})"
    return value


def case(optimizer, problem, rate, settings, make, runner=Runner, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={said(v)}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(runner, lambda now: make(now, **theirs)))


def cases():
    """Everything that comes from optax."""
    for problem, rate, decay, epsilon, centered in (
        ("quadratic", 0.02, 0.9, 1e-4, False),
        ("logistic", 0.05, 0.8, 1e-2, True),
    ):
        settings = {"decay": decay, "epsilon": epsilon, "centered": centered, "epsilon_inside": True}
        yield case("rmsprop", problem, rate, settings, optax.rmsprop, decay=decay, eps=epsilon, centered=centered)
    yield from other_conventions()
    yield from newer()


def other_conventions():
    """Where optax differs from the rule that is the default here, and the choice that gives its form."""
    settings = {"epsilon": 1e-2, "initial": 0.1, "epsilon_inside": True}
    yield case("adagrad", "logistic", 0.1, settings, optax.adagrad, initial_accumulator_value=0.1, eps=1e-2)
    ours, theirs = {"b1": 0.8, "b2": 0.99, "epsilon": 1e-2}, {"b1": 0.8, "b2": 0.99, "eps": 1e-2}
    yield case("amsgrad", "logistic", 0.05, ours | {"correction": "before"}, optax.amsgrad, **theirs)
    yield case("amsgrad", "logistic", 0.05, ours | {"correction": "none"}, amsgrad_of_the_paper, **theirs)
    radam = ours | {"epsilon_after": True, "threshold": 4}
    yield case("radam", "rosenbrock", 3e-4, radam, optax.radam, threshold=4.0 + 1e-9, **theirs)  # optax: from, paper: above


PROBLEMS = ("quadratic", "rosenbrock", "logistic")


def newer():
    """Methods that PyTorch does not have."""
    for problem, rate, b1, b2, decay in zip(
        PROBLEMS, (0.02, 0.01, 0.03), (0.9, 0.8, 0.95), (0.99, 0.9, 0.8), (0.1, 0.3, 0.2), strict=True
    ):
        weights = problem == "rosenbrock"
        settings = {"b1": b1, "b2": b2, "weight_decay": decay, "decayed": "weights" if weights else "everything"}
        mask = {"mask": {"weight": True, "bias": False}} if weights else {}
        yield case("lion", problem, rate, settings, optax.lion, b1=b1, b2=b2, weight_decay=decay, **mask)
        yield case("signum", problem, rate, {"momentum": b1}, optax.signum, beta=b1)
    for problem, rate, b1, b2, epsilon in zip(
        PROBLEMS, (0.05, 0.02, 0.1), (0.9, 0.8, 0.95), (0.999, 0.99, 0.9), (1e-16, 1e-3, 0.1), strict=True
    ):
        settings, theirs = {"b1": b1, "b2": b2, "epsilon": epsilon}, {"b1": b1, "b2": b2, "eps": epsilon}
        yield case("adabelief", problem, rate, settings, optax.adabelief, eps_root=epsilon, **theirs)
        initial = {"initial_accumulator_value": 1e-6 if problem == "quadratic" else 0.3}
        ours = settings | {"initial": initial["initial_accumulator_value"], "epsilon": max(epsilon, 1e-3)}
        yield case("yogi", problem, rate, ours, yogi, **initial, **theirs | {"eps": max(epsilon, 1e-3)})
        ours = settings | {"weight_decay": 0.1, "adapted": "everything"}
        yield case("lamb", problem, rate, ours, optax.lamb, weight_decay=0.1, **theirs)
    ours, theirs = {"b1": 0.9, "b2": 0.99, "epsilon": 0.01}, {"b1": 0.9, "b2": 0.99, "eps": 0.01}
    settings = ours | {"weight_decay": 0.3, "adapted": "weights"}
    yield case("lamb", "rosenbrock", 0.02, settings, lamb_on_weights, weight_decay=0.3, **theirs)
    for problem, longest, c, lowest in zip(PROBLEMS, (0.01, 1.0, 0.5), (0.5, 2.0, 1.5), (0.5, 0.1, 0.2), strict=True):
        settings = {"c": c, "lowest": lowest}
        yield case("polyak", problem, longest, settings, polyak, c=c, f_min=lowest)
    yield from wrapped()


class TwoGradients(Runner):
    """Gives SAM its gradients elsewhere."""

    def more(self, value, number):
        del value
        return {"grad_fn": lambda params, _: self.gradient_of(jax.tree.map(np.asarray, params), number)[1]}


class Averaging(Runner):
    """Also tells where to predict."""

    def evaluated(self):
        seen = optax.contrib.schedule_free_eval_params(self.state, self.now)
        return {name: np.asarray(value) for name, value in seen.items()}


class Fading(Runner):
    """Keeps optax.ema of the parameters beside them, corrected for its start at zero."""

    def __init__(self, decay, make, params, gradient_of):
        super().__init__(make, params, gradient_of)
        self.ema = optax.ema(decay, debias=True)
        self.memory = self.ema.init(params)

    def step(self, number, rate):
        super().step(number, rate)
        self.seen, self.memory = self.ema.update(self.now, self.memory)

    def evaluated(self):
        return {name: np.asarray(value) for name, value in self.seen.items()}


def around():
    """Clipping and accumulation around Adam, and a fading mean of its parameters."""
    for problem, rate, limit, steps, decay, b1, b2, epsilon in (
        ("quadratic", 0.05, 300.0, 3, 0.9, 0.9, 0.999, 1e-8),
        ("rosenbrock", 0.02, 50.0, 4, 0.99, 0.8, 0.99, 1e-3),
        ("logistic", 0.1, 0.4, 5, 0.6, 0.95, 0.9, 0.1),
    ):
        ours, theirs = ["adam", {"b1": b1, "b2": b2, "epsilon": epsilon}], {"b1": b1, "b2": b2, "eps": epsilon}
        settings = {"optimizer": ours, "limit": limit}
        yield case("clip_by_global_norm", problem, rate, settings, clipped_adam, clip_by_global_norm=limit, **theirs)
        settings = {"optimizer": ours, "steps": steps}
        yield case("accumulate", problem, rate, settings, joined_adam, every_k_schedule=steps, **theirs)
        words = ", ".join(f"{name}={value}" for name, value in theirs.items())
        made_by = f"{MADE_BY}, ema({decay}, debias=True) of the parameters beside adam({words})"
        start = partial(Fading, decay, lambda now, theirs=theirs: optax.adam(now, **theirs))
        yield Case("exponential_averaging", problem, rate, {"optimizer": ours, "decay": decay}, made_by, start)


def clipped_adam(rate, clip_by_global_norm, **settings):
    return optax.chain(optax.clip_by_global_norm(clip_by_global_norm), optax.adam(rate, **settings))


def joined_adam(rate, every_k_schedule, **settings):
    """Its state is made for the rate it is given; the same rule with another rate has the same state."""
    rule = optax.MultiSteps(optax.adam(rate, **settings), every_k_schedule, accumulator_dtype=np.float64)
    return rule.gradient_transformation()


def free_sgd(rate, b1, weight_decay, mask):
    rule = optax.chain(optax.add_decayed_weights(weight_decay, mask), optax.sgd(rate))
    return optax.contrib.schedule_free(rule, rate, b1=b1)


def free_adamw(rate, b1, b2, eps, weight_decay, mask):
    rule = optax.scale_by_rms(decay=b2, eps=eps, eps_in_sqrt=False, bias_correction=True)
    rule = optax.chain(rule, optax.add_decayed_weights(weight_decay, mask), optax.scale_by_learning_rate(rate))
    return optax.contrib.schedule_free(rule, rate, b1=b1)


def sam(rate, radius, inner):
    """Both gradients within one update."""
    return optax.contrib.sam(inner(rate), optax.chain(optax.contrib.normalize(), optax.sgd(radius)), opaque_mode=True)


def averaging(optimizer, problem, rate, settings, make, **theirs):
    made_by = f"{MADE_BY}, contrib.schedule_free({make.__name__}, {', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(Averaging, lambda now: make(now, **theirs)))


def wrapped():
    """Schedule-free methods, SAM, and Prodigy with bias correction."""
    matrix = {"weight": True, "bias": False}
    for problem, rate, adam, b1, b2, epsilon, decay in zip(
        PROBLEMS,
        (5e-4, 3e-4, 0.3),
        (0.05, 0.02, 0.1),
        (0.9, 0.8, 0.95),
        (0.999, 0.99, 0.9),
        (1e-8, 1e-3, 0.1),
        (0.1, 2.0, 0.2),
        strict=True,
    ):
        which = "weights" if problem == "rosenbrock" else "everything"
        settings, theirs = {"b1": b1, "weight_decay": decay, "decayed": which}, {"b1": b1, "weight_decay": decay}
        theirs["mask"] = matrix if which == "weights" else None
        yield averaging("schedule_free_sgd", problem, rate, settings, free_sgd, **theirs)
        settings, theirs = settings | {"b2": b2, "epsilon": epsilon}, theirs | {"b2": b2, "eps": epsilon}
        yield averaging("schedule_free_adamw", problem, adam, settings, free_adamw, **theirs)
        ball = {"optimizer": ["momentum", {"momentum": b1}], "radius": 0.03 if problem == "quadratic" else 0.1}
        yield case(
            "sam", problem, rate / 5, ball, sam, TwoGradients, radius=ball["radius"], inner=partial(optax.sgd, momentum=b1)
        )
        adam_inside = {"optimizer": ["adam", {"b1": b1, "b2": b2, "epsilon": epsilon}], "radius": 0.2}
        yield case(
            "sam", problem, adam, adam_inside, sam, TwoGradients, radius=0.2, inner=partial(optax.adam, b1=b1, b2=b2, eps=epsilon)
        )
    settings = {"b1": 0.8, "b2": 0.9, "epsilon": 1e-2, "first_distance": 1e-3, "growth": 0.9, "weight_decay": 0.1}
    theirs = {"betas": (0.8, 0.9), "eps": 1e-2, "estim_lr0": 1e-3, "estim_lr_coef": 0.9, "weight_decay": 0.1}
    yield case(
        "prodigy", "logistic", 1.0, settings | {"decayed": "everything", "correction": True}, optax.contrib.prodigy, **theirs
    )
    theirs["weight_decay"] = 0.0
    yield case("prodigy", "quadratic", 1.0, settings | {"weight_decay": 0.0, "correction": True}, optax.contrib.prodigy, **theirs)
    yield from around()


def yogi(rate, **settings):
    """optax.yogi hides where the running means start."""
    return optax.chain(optax.scale_by_yogi(**settings), optax.scale(-rate))


def lamb_on_weights(rate, b1, b2, eps, weight_decay):
    """Adam for the biases."""
    rules = {"weight": optax.lamb(rate, b1, b2, eps, weight_decay=weight_decay), "bias": optax.adam(rate, b1, b2, eps)}
    return optax.partition(rules, {"weight": "weight", "bias": "bias"})


def polyak(rate, c, f_min):
    """optax squares its scaling inside the step, so the caution c and the longest step enter as below."""
    return optax.polyak_sgd(max_learning_rate=rate / c, scaling=c, f_min=f_min, variant="sps+")


def amsgrad_of_the_paper(rate, **settings):
    """Reddi, Kale and Kumar's Algorithm 2: no bias correction."""
    rule = optax.scale_by_amsgrad(bias_correction_mu=False, bias_correction_nu=False, **settings)
    return optax.chain(rule, optax.scale(-rate))
