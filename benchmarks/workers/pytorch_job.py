"""One run of a comparison as a PyTorch loop: same rows, steps, batches, schedule, stopping slice and final judgement."""

import time
from typing import Any

import numpy as np
import torch

from benchmarks.peer import serve, versions
from benchmarks.workers.pytorch import loop, network
from benchmarks.workers.rows import WIDTHS


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


def loss_named(name: str, settings: dict[str, Any]) -> torch.nn.Module:
    """PyTorch's loss of that name."""
    match name:
        case "squared_error":
            return torch.nn.MSELoss()
        case "absolute_error":
            return torch.nn.L1Loss()
        case "huber":
            return torch.nn.HuberLoss(delta=settings["delta"])
    raise ValueError(f"no PyTorch loss for {name}")


class PyTorchJob:
    """The rows of one fit in tensors."""

    def prepare(self, file: str) -> dict:
        """Reads the rows; that is not timed."""
        with np.load(file) as arrays:
            self.rows = {name: torch.from_numpy(arrays[name].astype(np.float32)) for name in ("x", "y", "stop_x", "judge_x")}
            self.stop_y, self.judge_y = arrays["stop_y"], arrays["judge_y"]
            self.centre, self.scale = arrays["scale"].tolist()
        return versions("torch")

    def run(
        self, loss: str, optimizer: str, settings: dict[str, Any], batch: int | None, epochs: int, seed: int, threads: int
    ) -> dict:
        """One run from its initial weights to its score on the judged rows."""
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        started = time.perf_counter()
        net = network(self.rows["x"].shape[1], WIDTHS)
        descent = optimizer_of(optimizer, settings, list(net.parameters()))
        rate = settings["learning_rate"]

        def rmse(x: torch.Tensor, y: np.ndarray) -> float:
            prediction = net(x).squeeze(1).numpy() * self.scale + self.centre
            return float(np.sqrt(np.mean((prediction - y) ** 2)))

        steps, _ = loop(
            net,
            loss_named(loss, settings),
            descent,
            self.rows["x"],
            self.rows["y"],
            lambda: rmse(self.rows["stop_x"], self.stop_y),
            epochs,
            batch,
            lambda part: rate * (1 - part),
        )
        with torch.inference_mode():
            score = rmse(self.rows["judge_x"], self.judge_y)
        return {"seconds": time.perf_counter() - started, "steps": steps, "score": score}


if __name__ == "__main__":
    serve(PyTorchJob())
