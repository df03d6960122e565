"""Reference trajectories from PyTorch, in float64."""

from functools import partial

import torch
from case import Case

torch.set_default_dtype(torch.float64)  # NAdam keeps its product of momenta in the default type
MADE_BY = f"torch {torch.__version__}"


class Runner:
    """A torch optimizer on NumPy gradients."""

    def __init__(self, make, params, gradient_of):
        self.tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in params.items()}
        self.optimizer = make(list(self.tensors.values()))
        self.gradient_of = gradient_of

    def params(self):
        return {name: tensor.detach().numpy().copy() for name, tensor in self.tensors.items()}

    def step(self, number, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        _, gradient = self.gradient_of(self.params(), number)
        for name, tensor in self.tensors.items():
            tensor.grad = torch.tensor(gradient[name], dtype=torch.float64)
        self.optimizer.step()


class Searching(Runner):
    """Looks at more than one point in a step."""

    def step(self, number, rate):
        for group in self.optimizer.param_groups:
            group["lr"] = rate

        def closure():
            value, gradient = self.gradient_of(self.params(), number)
            for name, tensor in self.tensors.items():
                tensor.grad = torch.tensor(gradient[name])
            return torch.tensor(value)

        self.optimizer.step(closure)


class Clipping(Runner):
    """Clips the gradient with PyTorch's own functions before its optimizer steps."""

    def __init__(self, clip, make, params, gradient_of):
        super().__init__(make, params, gradient_of)
        step = self.optimizer.step
        self.optimizer.step = lambda: (clip(list(self.tensors.values())), step())


def by_value(limit, tensors):
    torch.nn.utils.clip_grad_value_(tensors, limit)


def by_norm(limit, tensors):
    """PyTorch divides by the length plus 1e-6, which the limit it is given takes back."""
    length = torch.nn.utils.get_total_norm([t.grad for t in tensors])
    torch.nn.utils.clip_grad_norm_(tensors, float(limit * (1 + 1e-6 / length)))


class Averaged(Runner):
    """Keeps an AveragedModel beside the parameters, from the update after `start` on."""

    def __init__(self, start, make, params, gradient_of):
        super().__init__(make, params, gradient_of)
        self.start, self.steps = start, 0
        self.module = torch.nn.ParameterDict({name: torch.nn.Parameter(tensor) for name, tensor in self.tensors.items()})
        self.average = torch.optim.swa_utils.AveragedModel(self.module)

    def step(self, number, rate):
        super().step(number, rate)
        self.steps += 1
        for name, tensor in self.tensors.items():
            self.module[name].data = tensor.detach().clone()
        if self.steps > self.start:
            self.average.update_parameters(self.module)

    def evaluated(self):
        if self.steps <= self.start:
            return self.params()
        return {name: self.average.module[name].detach().numpy().copy() for name in self.tensors}


def case(optimizer, problem, rate, settings, make, runner=Runner, **theirs):
    made_by = f"{MADE_BY}, {make.__name__}({', '.join(f'{k}={v}' for k, v in theirs.items())})"
    return Case(optimizer, problem, rate, settings, made_by, partial(runner, partial(make, lr=rate, **theirs)))


def cases():
    """Everything for which PyTorch has the published rule."""
    optim = torch.optim
    for name in ("gradient_descent", "sgd"):
        yield case(name, "quadratic", 5e-4, {}, optim.SGD)
        yield case(name, "rosenbrock", 3e-4, {}, optim.SGD)
        yield case(name, "logistic", 0.05, {}, optim.SGD)
    for name, nesterov in (("momentum", False), ("nesterov", True)):
        yield case(name, "quadratic", 2e-4, {"momentum": 0.9}, optim.SGD, momentum=0.9, nesterov=nesterov)
        yield case(name, "rosenbrock", 1e-4, {"momentum": 0.8}, optim.SGD, momentum=0.8, nesterov=nesterov)
        yield case(name, "logistic", 0.02, {"momentum": 0.95}, optim.SGD, momentum=0.95, nesterov=nesterov)
    yield from rmsprop(optim)
    for name, make in (("adam", optim.Adam), ("adamw", optim.AdamW)):
        decay = {} if name == "adam" else {"weight_decay": 0.3, "decayed": "everything"}
        theirs = {"weight_decay": 0.0 if name == "adam" else 0.3}
        for problem, rate, b1, b2, epsilon in (
            ("quadratic", 0.05, 0.9, 0.999, 1e-8),
            ("rosenbrock", 0.02, 0.8, 0.99, 1e-3),
            ("logistic", 0.1, 0.95, 0.9, 0.1),
        ):
            settings = {"b1": b1, "b2": b2, "epsilon": epsilon, **decay}
            yield case(name, problem, rate, settings, make, betas=(b1, b2), eps=epsilon, **theirs)
    settings = {"weight_decay": 0.2, "decayed": "weights", "epsilon": 1e-8, "b1": 0.9, "b2": 0.999}
    yield case("adamw", "quadratic", 0.05, settings, weights_only(optim.AdamW), weight_decay=0.2)
    yield from like_adam(optim)
    yield from others(optim)
    yield from wrapped(optim)


def wrapped(optim):
    """Clipping around momentum, and the plain mean of the parameters."""
    for problem, rate, value, whole, momentum, start in (
        ("quadratic", 2e-4, 30.0, 90.0, 0.9, 0),
        ("rosenbrock", 1e-4, 20.0, 40.0, 0.8, 7),
        ("logistic", 0.02, 0.3, 0.5, 0.95, 20),
    ):
        ball = ["momentum", {"momentum": momentum}]
        for name, words, clip, limit in (
            ("clip_by_value", "clip_grad_value_", by_value, value),
            ("clip_by_global_norm", "clip_grad_norm_", by_norm, whole),
        ):
            made_by = f"{MADE_BY}, {words}({limit}) before SGD(momentum={momentum})"
            runner = partial(Clipping, partial(clip, limit), partial(optim.SGD, lr=rate, momentum=momentum))
            yield Case(name, problem, rate, {"optimizer": ball, "limit": limit}, made_by, runner)
        runner = partial(Averaged, start, partial(optim.SGD, lr=rate, momentum=momentum))
        made_by = f"{MADE_BY}, swa_utils.AveragedModel from update {start + 1} on beside SGD(momentum={momentum})"
        yield Case("uniform_averaging", problem, rate, {"optimizer": ball, "start": start}, made_by, runner)


def rmsprop(optim):
    """Plain and centered; the root without epsilon inside."""
    for problem, rate, decay, epsilon, centered in (
        ("quadratic", 0.02, 0.9, 1e-8, False),
        ("rosenbrock", 0.01, 0.99, 1e-2, False),
        ("logistic", 0.05, 0.8, 0.1, False),
        ("logistic", 0.05, 0.9, 0.1, True),
        ("quadratic", 0.02, 0.99, 1e-2, True),
    ):
        settings = {"decay": decay, "epsilon": epsilon, "centered": centered}
        yield case("rmsprop", problem, rate, settings, optim.RMSprop, alpha=decay, eps=epsilon, centered=centered)


def like_adam(optim):
    """The relatives of Adam: two memories and an epsilon, loud enough to be heard in the last case."""
    for problem, rate, b1, b2, epsilon in (
        ("quadratic", 0.05, 0.9, 0.999, 1e-8),
        ("rosenbrock", 0.02, 0.8, 0.99, 1e-3),
        ("logistic", 0.1, 0.95, 0.9, 0.1),
    ):
        settings, theirs = {"b1": b1, "b2": b2, "epsilon": epsilon}, {"betas": (b1, b2), "eps": epsilon}
        yield case("amsgrad", problem, rate, settings, optim.Adam, amsgrad=True, **theirs)
        yield case("adamax", problem, rate, settings, optim.Adamax, **theirs)
        yield case("radam", problem, 0.01 * rate, settings, optim.RAdam, **theirs)
        for psi in (0.004, 0.3):
            yield case("nadam", problem, rate, settings | {"momentum_decay": psi}, optim.NAdam, momentum_decay=psi, **theirs)


def others(optim):
    """Adagrad, Adadelta, RMSprop with momentum, Rprop."""
    for problem, rate, epsilon, initial in (
        ("quadratic", 0.1, 1e-10, 0.0),
        ("rosenbrock", 0.05, 0.1, 0.0),
        ("logistic", 0.3, 0.1, 0.5),
    ):
        settings, theirs = {"epsilon": epsilon, "initial": initial}, {"eps": epsilon, "initial_accumulator_value": initial}
        yield case("adagrad", problem, rate, settings, optim.Adagrad, **theirs)
    for problem, rate, decay, epsilon in (
        ("quadratic", 1.0, 0.9, 1e-6),
        ("rosenbrock", 0.3, 0.95, 1e-4),
        ("logistic", 3.0, 0.8, 1e-2),
    ):
        yield case("adadelta", problem, rate, {"decay": decay, "epsilon": epsilon}, optim.Adadelta, rho=decay, eps=epsilon)
    for problem, rate, decay, momentum, epsilon, centered in (
        ("quadratic", 0.005, 0.9, 0.9, 1e-8, False),
        ("rosenbrock", 0.005, 0.99, 0.8, 1e-2, True),
        ("logistic", 0.01, 0.8, 0.95, 0.1, False),
    ):
        settings = {"decay": decay, "momentum": momentum, "epsilon": epsilon, "centered": centered}
        theirs = {"alpha": decay, "momentum": momentum, "eps": epsilon, "centered": centered}
        yield case("rmsprop_momentum", problem, rate, settings, optim.RMSprop, **theirs)
    for problem, rate, longer, shorter, shortest, longest in (
        ("quadratic", 0.1, 1.2, 0.5, 1e-6, 50.0),
        ("rosenbrock", 0.05, 1.1, 0.3, 1e-2, 0.1),
        ("logistic", 0.02, 1.5, 0.7, 1e-6, 0.06),
    ):
        settings = {"longer": longer, "shorter": shorter, "shortest": shortest, "longest": longest}
        yield case("rprop", problem, rate, settings, optim.Rprop, etas=(shorter, longer), step_sizes=(shortest, longest))

    for problem, rate, memory in (("quadratic", 1.0, 10), ("rosenbrock", 0.3, 5), ("logistic", 1.0, 3)):
        theirs = {"history_size": memory, "line_search_fn": "strong_wolfe", "max_iter": 1, "max_eval": 99, "tolerance_grad": 0.0}
        yield case("lbfgs", problem, rate, {"memory": memory}, optim.LBFGS, Searching, **theirs)
    for problem, rate, power, clip, least in (
        ("quadratic", 0.5, 0.8, 1.0, 1e-3),
        ("rosenbrock", 0.02, 0.7, 1.1, 0.9),
        ("logistic", 0.1, 0.9, 1.0, 0.3),
    ):
        settings = {"forgetting": power, "clip": clip, "least_size": least}
        theirs = {"beta2_decay": -power, "eps": (1e-30, least), "d": clip, "weight_decay": 0.0}
        yield case("adafactor", problem, rate, settings, optim.Adafactor, **theirs)


def weights_only(make):
    """Two groups: the matrix decays, the biases do not."""

    def grouped(tensors, weight_decay, **rest):
        groups = [{"params": [t], "weight_decay": weight_decay if t.ndim > 1 else 0.0} for t in tensors]
        return make(groups, **rest)

    grouped.__name__ = f"{make.__name__} on matrices, weight_decay=0 on vectors"
    return grouped
