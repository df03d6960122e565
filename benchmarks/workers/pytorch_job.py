"""One run of a comparison as a PyTorch loop: same rows, steps, batches, schedule, stopping slice and final judgement."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.peer import serve, versions
from benchmarks.workers.fit import load
from benchmarks.workers.pytorch import loop, network


def optimizer_of(name: str, settings: dict[str, Any], params: list[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """PyTorch's optimizer of that name, fused where it exists."""
    rate = settings["learning_rate"]
    match name:
        case "gradient_descent" | "sgd":
            return torch.optim.SGD(params, lr=rate, fused=True)
        case "momentum":
            return torch.optim.SGD(params, lr=rate, momentum=settings["momentum"], fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(params, lr=rate, alpha=settings["decay"], eps=settings["epsilon"])
        case "adam":
            return torch.optim.Adam(params, lr=rate, betas=(settings["b1"], settings["b2"]), fused=True)
        case "adamw":
            betas = (settings["b1"], settings["b2"])
            return torch.optim.AdamW(params, lr=rate, betas=betas, weight_decay=settings["weight_decay"], fused=True)
    raise ValueError(f"no PyTorch loop for {name}")


def loss_named(name: str, settings: dict[str, Any]) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """PyTorch's loss of that name."""
    match name:
        case "squared_error":
            return torch.nn.MSELoss()
        case "absolute_error":
            return torch.nn.L1Loss()
        case "huber":
            return torch.nn.HuberLoss(delta=settings["delta"])
        case "binary_cross_entropy":
            return torch.nn.BCEWithLogitsLoss()
        case "hinge":
            return lambda raw, y: torch.relu(1 - (2 * y - 1) * raw).mean()
    raise ValueError(f"no PyTorch loss for {name}")


class PyTorchJob:
    """The rows of one fit in tensors."""

    def prepare(self, file: str, widths: Sequence[int]) -> dict:
        """Reads the rows; that is not timed."""
        self.fit, self.widths = load(file), tuple(widths)
        self.rows = {name: torch.from_numpy(getattr(self.fit, name)) for name in ("x", "y", "stop_x", "judge_x")}
        return versions("torch")

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
    ) -> dict:
        """One run from its initial weights to its score on the judged rows."""
        del lanes  # a loop trains one
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        started = time.perf_counter()
        net = network(self.rows["x"].shape[1], self.widths)
        descent = optimizer_of(optimizer, settings, list(net.parameters()))
        rate = settings["learning_rate"]

        def score(x: torch.Tensor, y: np.ndarray) -> float:
            return self.fit.score(net(x).squeeze(1).numpy(), y)

        steps, _ = loop(
            net,
            loss_named(loss, settings),
            descent,
            self.rows["x"],
            self.rows["y"],
            lambda: score(self.rows["stop_x"], self.fit.stop_y),
            epochs,
            batch,
            lambda part: rate * (1 - part),
        )
        with torch.inference_mode():
            judged = score(self.rows["judge_x"], self.fit.judge_y)
        return {"seconds": time.perf_counter() - started, "steps": steps, "score": judged}


if __name__ == "__main__":
    serve(PyTorchJob())
