"""What the peers have under names that mean the same as ours: one loss per example, from raw scores where they take them."""

import importlib
import os
from collections.abc import Callable
from typing import Any

Formulas = dict[str, Callable[..., Any]]


def plain() -> Formulas:
    """What is written from memory in JAX, the last digits left to luck."""
    jax, jnp = importlib.import_module("jax"), importlib.import_module("jax.numpy")

    def huber(raw, target, delta=1.0):
        size = jnp.abs(raw - target)
        return jnp.where(size <= delta, 0.5 * size**2, delta * (size - 0.5 * delta))

    def cross_entropy(raw, target):
        if target.ndim == raw.ndim:
            return -jnp.sum(target * jax.nn.log_softmax(raw), axis=-1)
        return jax.nn.logsumexp(raw, axis=-1) - jnp.take_along_axis(raw, target[:, None], axis=-1)[:, 0]

    def binary_cross_entropy(raw, target, positive_weight=1.0):
        return positive_weight * target * jax.nn.softplus(-raw) + (1 - target) * jax.nn.softplus(raw)

    return {
        "squared_error": lambda raw, target: (raw - target) ** 2,
        "absolute_error": lambda raw, target: jnp.abs(raw - target),
        "huber": huber,
        "smooth_l1": lambda raw, target, beta=1.0: huber(raw, target, beta) / beta,
        "log_cosh": lambda raw, target: jnp.logaddexp(raw - target, target - raw) - jnp.log(2.0).astype(raw.dtype),
        "squared_logarithmic_error": lambda raw, target: (jnp.log1p(raw) - jnp.log1p(target)) ** 2,
        "poisson": lambda raw, target: jnp.exp(raw) - target * raw,
        "hinge": lambda raw, target: jnp.maximum(0, 1 - (2 * target - 1) * raw),
        "perceptron": lambda raw, target: jnp.maximum(0, (1 - 2 * target) * raw),
        "binary_cross_entropy": binary_cross_entropy,
        "cross_entropy": cross_entropy,
    }


def optax() -> Formulas:
    """optax."""
    losses = importlib.import_module("optax").losses

    def cross_entropy(raw, target):
        if target.ndim == raw.ndim:
            return losses.softmax_cross_entropy(raw, target)
        return losses.softmax_cross_entropy_with_integer_labels(raw, target)

    return {
        "squared_error": losses.squared_error,
        "huber": lambda raw, target, delta=1.0: losses.huber_loss(raw, target, delta=delta),
        "log_cosh": losses.log_cosh,
        "hinge": lambda raw, target: losses.hinge_loss(raw, 2 * target - 1),
        "perceptron": lambda raw, target: losses.perceptron_loss(raw, 2 * target - 1),
        "cross_entropy": cross_entropy,
        "crammer_singer_hinge": losses.multiclass_hinge_loss,
        "binary_cross_entropy": lambda raw, target, positive_weight=1.0: losses.sigmoid_binary_cross_entropy(raw, target),
        "binary_focal": lambda raw, target, gamma, positive_weight: losses.sigmoid_focal_loss(raw, target, gamma=gamma),
    }


def pytorch() -> Formulas:
    """PyTorch."""
    torch = importlib.import_module("torch")
    functional = torch.nn.functional
    each: Any = {"reduction": "none"}

    def binary_cross_entropy(raw, target, positive_weight=1.0):
        weight = None if positive_weight == 1.0 else torch.tensor(positive_weight)
        return functional.binary_cross_entropy_with_logits(raw, target, pos_weight=weight, **each)

    return {
        "squared_error": lambda r, t: functional.mse_loss(r, t, **each),
        "absolute_error": lambda r, t: functional.l1_loss(r, t, **each),
        "huber": lambda r, t, delta=1.0: functional.huber_loss(r, t, delta=delta, **each),
        "smooth_l1": lambda r, t, beta=1.0: functional.smooth_l1_loss(r, t, beta=beta, **each),
        "poisson": lambda r, t: functional.poisson_nll_loss(r, t, log_input=True, **each),
        "binary_cross_entropy": binary_cross_entropy,
        "cross_entropy": lambda r, t: functional.cross_entropy(r, t, **each),
        "kullback_leibler_divergence": lambda r, t: functional.kl_div(functional.log_softmax(r, dim=-1), t, **each).sum(dim=-1),
    }


def keras() -> Formulas:
    """Keras, on JAX unless told otherwise."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    losses, nn = importlib.import_module("keras").losses, importlib.import_module("jax.nn")

    def cross_entropy(raw, target):
        if target.ndim == raw.ndim:
            return losses.categorical_crossentropy(target, raw, from_logits=True)
        return losses.sparse_categorical_crossentropy(target, raw, from_logits=True)

    def each(formula: Callable[..., Any]) -> Callable[..., Any]:  # Keras averages over the last axis
        return lambda raw, target, **settings: formula(target[..., None], raw[..., None], **settings)

    return {
        "squared_error": each(losses.mean_squared_error),
        "absolute_error": each(losses.mean_absolute_error),
        "huber": each(losses.huber),
        "log_cosh": each(losses.log_cosh),
        "squared_logarithmic_error": each(losses.mean_squared_logarithmic_error),
        "cross_entropy": cross_entropy,
        "hinge": lambda raw, target: losses.hinge(2 * target[..., None] - 1, raw[..., None]),
        "squared_hinge": lambda raw, target: losses.squared_hinge(2 * target[..., None] - 1, raw[..., None]),
        "binary_cross_entropy": lambda raw, target, positive_weight=1.0: losses.binary_crossentropy(
            target[..., None], raw[..., None], from_logits=True
        ),
        "kullback_leibler_divergence": lambda raw, target: losses.kl_divergence(target, nn.softmax(raw)),
    }
