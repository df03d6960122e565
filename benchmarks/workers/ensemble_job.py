"""The runs of a contender as one batched network in PyTorch: gradients and optimizers by hand, `torch.compile`."""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch

from benchmarks.peer import cores, serve, versions
from benchmarks.workers.fit import load
from benchmarks.workers.pytorch_ensemble import forward

Tensors = list[torch.Tensor]


def slope(loss: str, settings: dict[str, Any], raw: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The gradient of a loss by the score."""
    match loss:
        case "squared_error":
            return 2 * (raw - y)
        case "absolute_error":
            return torch.sign(raw - y)
        case "huber":
            return torch.clamp(raw - y, -settings["delta"], settings["delta"])
        case "binary_cross_entropy":
            return torch.sigmoid(raw) - y
        case "hinge":
            side = 2 * y - 1
            return -side * (side * raw < 1)
    raise ValueError(f"no gradient of {loss}")


def gradients(params: Tensors, x: torch.Tensor, y: torch.Tensor, slope_of: Callable[..., torch.Tensor]) -> Tensors:
    """Of all networks, by hand, layer by layer."""
    first, second, score = forward(params, x)
    top = slope_of(score, y) / x.shape[0]
    upper = torch.bmm(top, params[4].transpose(1, 2)) * (second > 0)
    lower = torch.bmm(upper, params[2].transpose(1, 2)) * (first > 0)
    found = [torch.matmul(x.T, lower), lower.sum(1, keepdim=True), torch.bmm(first.transpose(1, 2), upper)]
    return [*found, upper.sum(1, keepdim=True), torch.bmm(second.transpose(1, 2), top), top.sum(1, keepdim=True)]


def move(
    name: str, settings: dict[str, Any], params: Tensors, state: Tensors, slopes: Tensors, rates: torch.Tensor, step: torch.Tensor
) -> tuple[Tensors, Tensors]:
    """One update of an optimizer."""
    if name in ("gradient_descent", "sgd"):
        return [p - rates * g for p, g in zip(params, slopes, strict=True)], state
    if name == "momentum":
        state = [settings["momentum"] * m + g for m, g in zip(state[: len(params)], slopes, strict=True)]
        return [p - rates * m for p, m in zip(params, state, strict=True)], state
    if name == "rmsprop":
        decay, epsilon = settings["decay"], settings["epsilon"]
        state = [decay * v + (1 - decay) * g * g for v, g in zip(state[: len(params)], slopes, strict=True)]
        steps = [g / (torch.sqrt(v) + epsilon) for v, g in zip(state, slopes, strict=True)]
        return [p - rates * s for p, s in zip(params, steps, strict=True)], state
    if name not in ("adam", "adamw"):
        raise ValueError(f"no ensemble for {name}")
    b1, b2, decay = settings["b1"], settings["b2"], settings.get("weight_decay") or 0.0
    means = [b1 * m + (1 - b1) * g for m, g in zip(state[: len(params)], slopes, strict=True)]
    squares = [b2 * v + (1 - b2) * g * g for v, g in zip(state[len(params) :], slopes, strict=True)]
    root = torch.sqrt(1 - b2**step)
    size = rates * root / (1 - b1**step)
    moved = zip(params, means, squares, strict=True)
    return [p - rates * decay * p - size * m / (torch.sqrt(v) + 1e-8 * root) for p, m, v in moved], means + squares


class EnsembleJob:
    """The rows of one fit, and a compiled step for each contender."""

    def prepare(self, file: str, widths: Sequence[int]) -> dict:
        """Reads the rows; that is not timed."""
        self.fit, self.widths = load(file), tuple(widths)
        self.rows = {name: torch.from_numpy(getattr(self.fit, name)) for name in ("x", "y", "stop_x", "judge_x")}
        self.steps: dict[tuple[str, str], Any] = {}
        self.scores = torch.compile(lambda params, x: forward(params, x)[2].squeeze(2), dynamic=False)
        torch.set_num_threads(cores())
        torch._dynamo.config.recompile_limit = 200  # each contender has a step of its own
        return versions("torch")

    def start(self, lanes: int, seed: int) -> tuple[Tensors, Tensors]:
        """Weights with a leading axis of networks, and room for two numbers beside each."""
        torch.manual_seed(seed)
        params: Tensors = []
        for inputs, outputs in pairwise([self.fit.x.shape[1], *self.widths, 1]):
            params += [torch.randn(lanes, inputs, outputs) * (2 / inputs) ** 0.5, torch.zeros(lanes, 1, outputs)]
        return params, [torch.zeros_like(each) for each in params * 2]

    def compile(self, **request: Any) -> dict:
        """Seconds to compile a contender's step, and the scores where they are new."""
        loss, optimizer, settings = request["loss"], request["optimizer"], request["settings"]

        def step(params: Tensors, state: Tensors, x: torch.Tensor, y: torch.Tensor, rates: torch.Tensor, number: torch.Tensor):
            slopes = gradients(params, x, y, lambda raw, truth: slope(loss, settings, raw, truth))
            return move(optimizer, settings, params, state, slopes, rates, number)

        started = time.perf_counter()
        self.steps[loss, optimizer] = torch.compile(step, dynamic=False)
        self.run(**request | {"epochs": 1, "seed": 0, "threads": 0}, most=2)
        return {"seconds": time.perf_counter() - started}

    def run(
        self,
        loss: str,
        optimizer: str,
        settings: dict[str, Any],
        batch: int | None,
        epochs: int,
        seed: int,
        threads: int,
        lanes: int,
        most: int | None = None,
    ) -> dict:
        """So many runs at once, to their scores on the judged rows; the seconds are those of one of them."""
        del threads
        step, size = self.steps[loss, optimizer], batch or len(self.fit.x)
        whole = len(self.fit.x) // size * size  # a last batch of another size would be another program
        total, made, best = epochs * (whole // size), 0, np.full(lanes, np.inf)
        rates = (settings["learning_rate"] * torch.logspace(-0.5, 0.5, lanes)).reshape(lanes, 1, 1)
        with torch.inference_mode():
            started = time.perf_counter()
            params, state = self.start(lanes, seed)
            kept = params
            for _ in range(epochs):
                order = torch.arange(whole) if batch is None else torch.randperm(len(self.fit.x))[:whole]
                parts = zip(self.rows["x"][order].split(size), self.rows["y"][order, None].split(size), strict=True)
                for x, y in list(parts)[:most]:
                    made += 1
                    now = rates * (1 - (made - 1) / total)
                    params, state = step(params, state, x, y, now, torch.tensor(float(made)))
                raw = self.scores(params, self.rows["stop_x"]).numpy()
                score = np.array([self.fit.score(each, self.fit.stop_y) for each in raw])
                better = torch.from_numpy(score < best).reshape(lanes, 1, 1)
                kept = [torch.where(better, new, old) for new, old in zip(params, kept, strict=True)]
                best = np.minimum(best, score)
            raw = self.scores(kept, self.rows["judge_x"]).numpy()
            judged = min(self.fit.score(each, self.fit.judge_y) for each in raw)
            return {"seconds": (time.perf_counter() - started) / lanes, "steps": made, "score": judged}


if __name__ == "__main__":
    serve(EnsembleJob())
