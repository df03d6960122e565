"""PyTorch's losses, eager and compiled, and its fused optimizers, one piece at a time."""

from collections.abc import Callable
from typing import Any

import torch

from benchmarks import formulas
from benchmarks.peer import serve, versions
from benchmarks.workers.pieces import clock, scores

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": lambda params: torch.optim.Adam(params, lr=1e-3, fused=True),
    "adamw": lambda params: torch.optim.AdamW(params, lr=1e-3, fused=True),
    "momentum": lambda params: torch.optim.SGD(params, lr=1e-2, momentum=0.9, fused=True),
    "sgd": lambda params: torch.optim.SGD(params, lr=1e-2, fused=True),
}


class Pieces:
    """The calls; those of the last size are kept, whatever their number of threads."""

    def __init__(self, compiled: bool = False) -> None:
        self.formulas, self.compiled = formulas.pytorch(), compiled
        self.calls: dict[tuple[Any, ...], Callable[[], object]] = {}

    def prepare(self) -> dict:
        """Says which version this is."""
        return versions("torch")

    def keep(self, wanted: tuple[Any, ...], make: Callable[[], Callable[[], object]]) -> Callable[[], object]:
        """The call for what is wanted; the one before is let go with its memory."""
        if wanted not in self.calls:
            self.calls.clear()
            self.calls[wanted] = make()
            self.calls[wanted]()
        return self.calls[wanted]

    def loss(self, name: str, rows: int, classes: int, threads: int) -> dict:
        """Seconds for value and gradient of the mean loss; none where there is no such loss."""
        if name not in self.formulas:
            return {"seconds": None}
        torch.set_num_threads(threads)

        def make() -> Callable[[], object]:
            raw, target = map(torch.from_numpy, scores(name, rows, classes))
            raw, target = raw.requires_grad_(), target.long() if classes else target

            def mean(raw: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
                return self.formulas[name](raw, target).mean()

            # Forgotten before each: after eight versions of one function PyTorch stops compiling it, without a word.
            torch.compiler.reset()
            forward = torch.compile(mean, dynamic=False, fullgraph=True) if self.compiled else mean

            def call() -> None:
                raw.grad = None
                forward(raw, target).backward()

            return call

        return {"seconds": clock(self.keep((name, rows, classes, threads if self.compiled else 0), make))}

    def step(self, optimizer: str, arrays: int, size: int, threads: int) -> dict:
        """Seconds of a fused step."""
        torch.set_num_threads(threads)

        def make() -> Callable[[], object]:
            params = [torch.nn.Parameter(torch.zeros(size // 100, 100)) for _ in range(arrays)]
            for each in params:
                each.grad = torch.full_like(each, 0.1)
            return OPTIMIZERS[optimizer](params).step

        return {"seconds": clock(self.keep((optimizer, arrays, size), make))}


if __name__ == "__main__":
    serve(Pieces())
