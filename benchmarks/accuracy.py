"""Errors of every loss in units of the last place, ours beside PyTorch, optax and Keras: `make accuracy`.

The truth is the one of the contract tests: fifty digits and more, at the same kinds of points.
"""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "contract"))

from loss_points import Points, off, points, truths, value_and_gradient  # noqa: E402 - found through the line above

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


def optax_answers() -> dict[str, Callable[[Points], Answer]]:
    """What optax has under a name that means the same."""
    losses = importlib.import_module("optax").losses

    def cross_entropy(raw, target):
        if target.ndim == raw.ndim:
            return losses.softmax_cross_entropy(raw, target)
        return losses.softmax_cross_entropy_with_integer_labels(raw, target)

    return {
        "squared_error": by_jax(losses.squared_error),
        "huber": by_jax(lambda raw, target, delta: losses.huber_loss(raw, target, delta=delta)),
        "log_cosh": by_jax(losses.log_cosh),
        "hinge": by_jax(lambda raw, target: losses.hinge_loss(raw, 2 * target - 1)),
        "perceptron": by_jax(lambda raw, target: losses.perceptron_loss(raw, 2 * target - 1)),
        "cross_entropy": by_jax(cross_entropy),
        "crammer_singer_hinge": by_jax(losses.multiclass_hinge_loss),
        "binary_cross_entropy": by_jax(lambda raw, target, positive_weight: losses.sigmoid_binary_cross_entropy(raw, target)),
        "binary_focal": by_jax(lambda raw, target, gamma, positive_weight: losses.sigmoid_focal_loss(raw, target, gamma=gamma)),
    }


def torch_answers() -> dict[str, Callable[[Points], Answer]]:
    """What PyTorch has under a name that means the same."""
    torch = importlib.import_module("torch")
    functional = torch.nn.functional

    def by_torch(formula: Callable[..., Any]) -> Callable[[Points], Answer]:
        def answer(where: Points) -> Answer:
            raw = torch.tensor(where.raw, requires_grad=True)
            whole = where.target.dtype.kind == "i"
            value = formula(raw, torch.tensor(where.target).long() if whole else torch.tensor(where.target), **where.settings)
            value.sum().backward()
            return value.detach().numpy(), raw.grad.numpy()

        return answer

    plain = {"reduction": "none"}
    return {
        "squared_error": by_torch(lambda r, t: functional.mse_loss(r, t, **plain)),
        "absolute_error": by_torch(lambda r, t: functional.l1_loss(r, t, **plain)),
        "huber": by_torch(lambda r, t, delta: functional.huber_loss(r, t, delta=delta, **plain)),
        "smooth_l1": by_torch(lambda r, t, beta: functional.smooth_l1_loss(r, t, beta=beta, **plain)),
        "poisson": by_torch(lambda r, t: functional.poisson_nll_loss(r, t, log_input=True, **plain)),
        "binary_cross_entropy": by_torch(
            lambda r, t, positive_weight: functional.binary_cross_entropy_with_logits(
                r, t, pos_weight=torch.tensor(positive_weight), **plain
            )
        ),
        "cross_entropy": by_torch(lambda r, t: functional.cross_entropy(r, t, **plain)),
        "kullback_leibler_divergence": by_torch(
            lambda r, t: functional.kl_div(functional.log_softmax(r, dim=-1), t, **plain).sum(dim=-1)
        ),
    }


def keras_answers() -> dict[str, Callable[[Points], Answer]]:
    """What Keras has under a name that means the same, from scores where it takes them."""
    losses = importlib.import_module("keras").losses

    def cross_entropy(raw, target):
        if target.ndim == raw.ndim:
            return losses.categorical_crossentropy(target, raw, from_logits=True)
        return losses.sparse_categorical_crossentropy(target, raw, from_logits=True)

    def each(formula: Callable[..., Any]) -> Callable[..., Any]:  # Keras averages over the last axis
        return lambda raw, target, **settings: formula(target[..., None], raw[..., None], **settings)

    return {
        "squared_error": by_jax(each(losses.mean_squared_error)),
        "absolute_error": by_jax(each(losses.mean_absolute_error)),
        "huber": by_jax(each(losses.huber)),
        "log_cosh": by_jax(each(losses.log_cosh)),
        "squared_logarithmic_error": by_jax(each(losses.mean_squared_logarithmic_error)),
        "cross_entropy": by_jax(cross_entropy),
        "hinge": by_jax(lambda raw, target: losses.hinge(2 * target[..., None] - 1, raw[..., None])),
        "squared_hinge": by_jax(lambda raw, target: losses.squared_hinge(2 * target[..., None] - 1, raw[..., None])),
        "binary_cross_entropy": by_jax(
            lambda raw, target, positive_weight: losses.binary_crossentropy(target[..., None], raw[..., None], from_logits=True)
        ),
        "kullback_leibler_divergence": by_jax(lambda raw, target: losses.kl_divergence(target, jax.nn.softmax(raw))),
    }


def takes(who: str, name: str, at: Points) -> bool:
    """Whether a peer's loss has these settings and labels: weights of a class are PyTorch's alone, divergence needs shares."""
    if who == "downslope":
        return True
    weighed = at.settings.get("positive_weight", 1.0) != 1
    return not (weighed and who != "PyTorch") and not (name == "kullback_leibler_divergence" and at.target.ndim == 1)


def report(name: str, who: str, answer: Callable[[Points], Answer], where: list[Points], exact: list[Any]) -> None:
    """One line of the table."""
    errors: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for at, true in zip(where, exact, strict=True):
        if not takes(who, name, at):
            continue
        value, gradient = answer(at)
        errors[0].append(off(value, true.value, true.value_rest, true.value_size, np.float32))
        errors[1].append(off(gradient, true.gradient, true.gradient_rest, true.gradient_size, np.float32))
    cells = []
    for part in errors:
        found = np.nan_to_num(np.concatenate(part), nan=np.inf)
        cells.append(f"{found.max():10.3g} {np.median(found):7.2f} {(found > 4).mean():8.2%}")
    print(f"{name:34s} {who:10s} {cells[0]} | {cells[1]}", flush=True)


def main() -> None:
    """Prints the table; a peer that is not installed is named and left out."""
    peers: dict[str, dict[str, Callable[[Points], Answer]]] = {}
    for who, module, answers in (
        ("PyTorch", "torch", torch_answers),
        ("optax", "optax", optax_answers),
        ("Keras", "keras", keras_answers),
    ):
        try:
            importlib.import_module(module)
        except ImportError:
            print(f"{who} is not installed: left out")
            continue
        peers[who] = answers()
    print("error in units of the last place, float32: largest, median, share above 4 — of the value | of the gradient")
    for name in catalogue.names:
        where = points(catalogue[name], POINTS, np.float32, seed=1)
        exact = [truths(name, at) for at in where]
        report(name, "downslope", lambda at, name=name: ours(name, at), where, exact)
        for who, answers in peers.items():
            if name in answers:
                report(name, who, answers[name], where, exact)


if __name__ == "__main__":
    main()
