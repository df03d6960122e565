"""The strongest peer of many small runs: all of them as one batched network in PyTorch, gradients by hand, `torch.compile`."""

import time
from collections.abc import Sequence
from itertools import pairwise

import torch

from benchmarks.peer import cores, serve, versions
from benchmarks.workers.rows import RATE, SIDE, product_rate, rows

B1, B2, EPSILON = 0.9, 0.999, 1e-8


class Ensemble:
    """Networks with two hidden layers, side by side; all see the same batches."""

    def prepare(self, count: int, stop: int, columns: int, batch: int, epochs: int, widths: Sequence[int]) -> dict:
        """Draws the rows."""
        self.x, self.y, self.stop_x, self.stop_y = map(torch.from_numpy, rows(count, stop, columns))
        self.batch, self.epochs, self.widths = batch, epochs, tuple(widths)
        torch.set_num_threads(cores())
        return versions("torch")

    def product(self) -> dict:
        """Operations a second of one large matrix product in float32 on all cores."""
        torch.set_num_threads(cores())
        left, right = torch.rand(SIDE, SIDE), torch.rand(SIDE, SIDE)
        return {"rate": product_rate(lambda: torch.mm(left, right))}

    def start(self, lanes: int) -> list[torch.Tensor]:
        """Weights and constants, layer by layer, with a leading axis of networks."""
        torch.manual_seed(0)
        sizes = [self.x.shape[1], *self.widths, 1]
        found = []
        for inputs, outputs in pairwise(sizes):
            found += [torch.randn(lanes, inputs, outputs) * (2 / inputs) ** 0.5, torch.zeros(lanes, 1, outputs)]
        return found

    def run(self, lanes: int) -> dict:
        """All networks through all epochs, a validation after each; compiled before the clock starts."""
        rates = RATE * torch.logspace(-0.5, 0.5, lanes).reshape(lanes, 1, 1)
        step = torch.compile(update, dynamic=False)
        score = torch.compile(validation, dynamic=False)
        whole = len(self.x) // self.batch * self.batch  # a last batch of another size would be another program
        with torch.inference_mode():
            params = self.start(lanes)
            state = [torch.zeros_like(each) for each in params * 2]
            step(params, state, self.x[: self.batch], self.y[: self.batch, None], rates, torch.tensor(1.0))
            score(params, self.stop_x, self.stop_y[:, None])
            params = self.start(lanes)
            state = [torch.zeros_like(each) for each in params * 2]
            started, made, best = time.perf_counter(), 0, torch.full((lanes,), float("inf"))
            for _ in range(self.epochs):
                order = torch.randperm(len(self.x))[:whole]
                for x, y in zip(self.x[order].split(self.batch), self.y[order, None].split(self.batch), strict=True):
                    made += 1
                    params, state = step(params, state, x, y, rates, torch.tensor(float(made)))
                best = torch.minimum(best, score(params, self.stop_x, self.stop_y[:, None]))
        return {"seconds": time.perf_counter() - started, "steps": made, "validation": best.median().item()}


def forward(params: list[torch.Tensor], x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Both hidden layers and the scores of all networks."""
    first = torch.relu(torch.matmul(x, params[0]) + params[1])
    second = torch.relu(torch.baddbmm(params[3], first, params[2]))
    return first, second, torch.baddbmm(params[5], second, params[4])


def update(
    params: list[torch.Tensor],
    state: list[torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    rates: torch.Tensor,
    step: torch.Tensor,
) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """One step of Adam on binary cross-entropy for all networks."""
    first, second, score = forward(params, x)
    slope = (torch.sigmoid(score) - y) / len(x)
    upper = torch.bmm(slope, params[4].transpose(1, 2)) * (second > 0)
    lower = torch.bmm(upper, params[2].transpose(1, 2)) * (first > 0)
    gradients = [torch.matmul(x.T, lower), lower.sum(1, keepdim=True), torch.bmm(first.transpose(1, 2), upper)]
    gradients += [upper.sum(1, keepdim=True), torch.bmm(second.transpose(1, 2), slope), slope.sum(1, keepdim=True)]
    count = len(params)
    means = [B1 * old + (1 - B1) * new for old, new in zip(state[:count], gradients, strict=True)]
    squares = [B2 * old + (1 - B2) * new * new for old, new in zip(state[count:], gradients, strict=True)]
    root = torch.sqrt(1 - B2**step)
    sizes = rates * root / (1 - B1**step)
    moved = [
        each - sizes * mean / (torch.sqrt(square) + EPSILON * root)
        for each, mean, square in zip(params, means, squares, strict=True)
    ]
    return moved, means + squares


def validation(params: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean loss of each network."""
    _, _, score = forward(params, x)
    return torch.nn.functional.binary_cross_entropy_with_logits(score, y.expand_as(score), reduction="none").mean((1, 2))


if __name__ == "__main__":
    serve(Ensemble())
