"""Errors of every loss in units of the last place, ours beside PyTorch, optax and Keras: `make accuracy`.

The truth is the one of the contract tests: fifty digits and more, at the same kinds of points.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "contract")]

from loss_points import Points, off, points, truths, value_and_gradient  # noqa: E402 - found through the line above

from benchmarks import formulas  # noqa: E402 - after the path, like its neighbour
from downslope.losses import catalogue  # noqa: E402 - after the path, like its neighbour

POINTS = 2000
Answer = tuple[np.ndarray, np.ndarray]


def ours(name: str, where: Points) -> Answer:
    """Our value and gradient."""
    loss = catalogue[name](**{key: jnp.float32(value) for key, value in where.settings.items()})
    value, gradient = value_and_gradient(loss, where.raw, where.target)
    return np.asarray(value), np.asarray(gradient)


def by_jax(formula: Callable[..., Any]) -> Callable[[Points], Answer]:
    """Value and gradient of a formula written in JAX."""

    def answer(where: Points) -> Answer:
        value, back = jax.vjp(lambda raw: formula(raw, where.target, **where.settings), jnp.asarray(where.raw))
        return np.asarray(value), np.asarray(back(jnp.ones_like(value))[0])

    return answer


def by_torch(formula: Callable[..., Any]) -> Callable[[Points], Answer]:
    """Value and gradient of a formula written in PyTorch."""
    torch = importlib.import_module("torch")

    def answer(where: Points) -> Answer:
        raw = torch.tensor(where.raw, requires_grad=True)
        whole = where.target.dtype.kind == "i"
        value = formula(raw, torch.tensor(where.target).long() if whole else torch.tensor(where.target), **where.settings)
        value.sum().backward()
        return value.detach().numpy(), raw.grad.numpy()

    return answer


# Who is compared, the package it needs, its formulas, and how they are differentiated.
PEERS: dict[str, tuple[str, Callable[[], formulas.Formulas], Callable[..., Any]]] = {
    "plain JAX": ("jax", formulas.plain, by_jax),
    "PyTorch": ("torch", formulas.pytorch, by_torch),
    "optax": ("optax", formulas.optax, by_jax),
    "Keras": ("keras", formulas.keras, by_jax),
}


def answers() -> dict[str, dict[str, Callable[[Points], Answer]]]:
    """Each peer's answers by the name of the loss; a peer that is not installed is named and left out."""
    found = {}
    for who, (package, written, differentiated) in PEERS.items():
        if importlib.util.find_spec(package) is None:
            print(f"{who} is not installed: left out")
        else:
            found[who] = {name: differentiated(formula) for name, formula in written().items()}
    return found


def takes(who: str, name: str, at: Points) -> bool:
    """Whether a peer's loss has these settings and labels: few can weigh a class, and divergence needs shares."""
    if who == "downslope":
        return True
    weighed = at.settings.get("positive_weight", 1.0) != 1
    if weighed and who not in ("PyTorch", "plain JAX"):
        return False
    return not (name == "kullback_leibler_divergence" and at.target.ndim == 1)


def errors(
    name: str, who: str, answer: Callable[[Points], Answer], where: list[Points], exact: list[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Units of the last place by which values and gradients are off; infinite for what is not a number."""
    found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for at, true in zip(where, exact, strict=True):
        if not takes(who, name, at):
            continue
        value, gradient = answer(at)
        found[0].append(off(value, true.value, true.value_rest, true.value_size, np.float32))
        found[1].append(off(gradient, true.gradient, true.gradient_rest, true.gradient_size, np.float32))
    value, gradient = (np.nan_to_num(np.concatenate(part), nan=np.inf) for part in found)
    return value, gradient


def report(name: str, who: str, answer: Callable[[Points], Answer], where: list[Points], exact: list[Any]) -> None:
    """One line of the table."""
    cells = [
        f"{found.max():10.3g} {np.median(found):7.2f} {(found > 4).mean():8.2%}"
        for found in errors(name, who, answer, where, exact)
    ]
    print(f"{name:34s} {who:10s} {cells[0]} | {cells[1]}", flush=True)


def main() -> None:
    """Prints the table."""
    peers = answers()
    print("error in units of the last place, float32: largest, median, share above 4 — of the value | of the gradient")
    for name in catalogue.names:
        where = points(catalogue[name], POINTS, np.float32, seed=1)
        exact = [truths(name, at) for at in where]
        report(name, "downslope", lambda at, name=name: ours(name, at), where, exact)
        for who, theirs in peers.items():
            if name in theirs:
                report(name, who, theirs[name], where, exact)


if __name__ == "__main__":
    main()
