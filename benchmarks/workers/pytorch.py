"""A plain PyTorch loop, eager, with fused optimizers, validation after each epoch and the best epoch kept."""

import time
from collections.abc import Callable, Sequence

import torch

from benchmarks.peer import serve, versions
from benchmarks.workers.rows import RATE, WIDTHS, rows

Scores = torch.Tensor


def network(features: int, widths: Sequence[int]) -> torch.nn.Sequential:
    """A multilayer perceptron; without hidden layers a linear model."""
    layers: list[torch.nn.Module] = []
    for width in widths:
        layers += [torch.nn.Linear(features, width), torch.nn.ReLU()]
        features = width
    return torch.nn.Sequential(*layers, torch.nn.Linear(features, 1))


def loop(
    model: torch.nn.Module,
    loss_of: Callable[[Scores, torch.Tensor], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    validate: Callable[[], float],
    epochs: int,
    batch: int | None,
    rate: Callable[[float], float] | None = None,
) -> tuple[int, float]:
    """Trains; the number of steps and the best validation. Rows are put in order once an epoch: the fastest way we know.

    `rate` gives the learning rate from the part of the run that is done; without a `batch` every step takes all rows.
    """
    steps, best, kept = 0, float("inf"), None
    total = epochs * (1 if batch is None else -(-len(x) // batch))
    for _ in range(epochs):
        if batch is None:
            batches = [(x, y)]
        else:
            order = torch.randperm(len(x))
            batches = zip(x[order].split(batch), y[order].split(batch), strict=True)
        for rows_x, rows_y in batches:
            if rate is not None:
                for group in optimizer.param_groups:
                    group["lr"] = rate(steps / total)
            optimizer.zero_grad()
            loss_of(model(rows_x).squeeze(1), rows_y).backward()
            optimizer.step()
            steps += 1
        with torch.inference_mode():
            score = validate()
        if score < best:
            best, kept = score, [each.detach().clone() for each in model.parameters()]
    if kept is not None:
        with torch.no_grad():
            for each, value in zip(model.parameters(), kept, strict=True):
                each.copy_(value)
    return steps, best


class PyTorch:
    """The made-up table in tensors."""

    def prepare(self, count: int, stop: int, columns: int, batch: int, epochs: int) -> dict:
        """Draws the rows."""
        self.x, self.y, self.stop_x, self.stop_y = map(torch.from_numpy, rows(count, stop, columns))
        self.batch, self.epochs = batch, epochs
        return versions("torch")

    def run(self, model: str, lanes: int, threads: int) -> dict:
        """A whole loop of one run."""
        assert lanes == 1
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        started = time.perf_counter()
        net = network(self.x.shape[1], () if model == "linear" else WIDTHS)
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
        loss_of = torch.nn.BCEWithLogitsLoss()
        losses: list[float] = []

        def validate() -> float:
            raw = net(self.stop_x).squeeze(1)
            losses.append(loss_of(raw, self.stop_y).item())
            return ((raw > 0) != (self.stop_y == 1)).float().mean().item()

        steps, _ = loop(net, loss_of, optimizer, self.x, self.y, validate, self.epochs, self.batch)
        return {"seconds": time.perf_counter() - started, "steps": steps, "validation": min(losses)}


if __name__ == "__main__":
    serve(PyTorch())
