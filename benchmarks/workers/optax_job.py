"""One run of a comparison by hand in JAX: optax in a `lax.scan` over an epoch's batches, one setting at a time."""

import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peer import serve, versions
from benchmarks.workers.fit import load
from benchmarks.workers.optax_loop import scores, start


def method_of(name: str, settings: dict[str, Any]) -> optax.GradientTransformation:
    """optax's optimizer of that name with a rate of 1: each of these is linear in it, so one program serves all rates."""
    match name:
        case "gradient_descent" | "sgd":
            return optax.sgd(1.0)
        case "momentum":
            return optax.sgd(1.0, momentum=settings["momentum"])
        case "rmsprop":
            return optax.rmsprop(1.0, decay=settings["decay"], eps=settings["epsilon"])
        case "adam":
            return optax.adam(1.0, b1=settings["b1"], b2=settings["b2"])
        case "adamw":
            return optax.adamw(1.0, b1=settings["b1"], b2=settings["b2"], weight_decay=settings["weight_decay"])
    raise ValueError(f"no optax loop for {name}")


def loss_named(name: str, settings: dict[str, Any], raw: jax.Array, y: jax.Array) -> jax.Array:
    """The mean loss of that name."""
    match name:
        case "squared_error":
            return jnp.mean((raw - y) ** 2)
        case "absolute_error":
            return jnp.mean(jnp.abs(raw - y))
        case "huber":
            return optax.huber_loss(raw, y, delta=settings["delta"]).mean()
        case "binary_cross_entropy":
            return optax.sigmoid_binary_cross_entropy(raw, y).mean()
        case "hinge":
            return optax.hinge_loss(raw, 2 * y - 1).mean()
    raise ValueError(f"no loss for {name}")


class OptaxJob:
    """The rows of one fit, and a compiled epoch for each contender."""

    def prepare(self, file: str, widths: Sequence[int]) -> dict:
        """Reads the rows; that is not timed."""
        self.fit, self.widths = load(file), tuple(widths)
        self.stop_x, self.judge_x = jnp.asarray(self.fit.stop_x), jnp.asarray(self.fit.judge_x)
        self.compiled: dict[tuple[str, str], Any] = {}
        self.scores = jax.jit(scores)
        return versions("optax", "jax", "jaxlib")

    def batches(self, draw: np.random.Generator, batch: int | None) -> tuple[np.ndarray, np.ndarray]:
        """An epoch's batches; rows that fill no batch are left out."""
        if batch is None:
            return self.fit.x[None], self.fit.y[None]
        order = draw.permutation(len(self.fit.x))[: len(self.fit.x) // batch * batch].reshape(-1, batch)
        return self.fit.x[order], self.fit.y[order]

    def compile(self, loss: str, optimizer: str, settings: dict[str, Any], batch: int | None, lanes: int, **rest: Any) -> dict:
        """Seconds to trace and compile a contender's epoch."""
        del lanes, rest
        method = method_of(optimizer, settings)

        def epoch(carry: Any, rates: jax.Array, x: jax.Array, y: jax.Array, stop_x: jax.Array) -> tuple[Any, jax.Array]:
            def step(inner: Any, given: Any) -> tuple[Any, None]:
                (params, state), (rate, rows, target) = inner, given
                gradient = jax.grad(lambda trial: loss_named(loss, settings, scores(trial, rows), target))(params)
                change, state = method.update(gradient, state, params)
                return (jax.tree.map(lambda p, c: p + rate * c, params, change), state), None

            carry, _ = jax.lax.scan(step, carry, (rates, x, y))
            return carry, scores(carry[0], stop_x)

        started = time.perf_counter()
        x, y = self.batches(np.random.default_rng(0), batch)
        rates = jnp.zeros(len(x))
        lowered = jax.jit(epoch).lower(self.carry(method, 0), rates, x, y, self.stop_x)
        self.compiled[loss, optimizer] = lowered.compile(), method
        return {"seconds": time.perf_counter() - started}

    def carry(self, method: optax.GradientTransformation, seed: int) -> Any:
        """A fresh run."""
        params = start(jax.random.key(seed), self.fit.x.shape[1], self.widths)
        return params, method.init(params)

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
        del threads, lanes
        started = time.perf_counter()
        program, method = self.compiled[loss, optimizer]
        draw, carry = np.random.default_rng(seed), self.carry(method, seed)
        best, kept, made = np.inf, carry[0], 0
        for _ in range(epochs):
            x, y = self.batches(draw, batch)
            steps = made + np.arange(len(x))
            rates = settings["learning_rate"] * (1 - steps / (epochs * len(x)))
            carry, raw = program(carry, rates.astype(np.float32), x, y, self.stop_x)
            made += len(x)
            score = self.fit.score(np.asarray(raw), self.fit.stop_y)
            if score < best:
                best, kept = score, carry[0]
        judged = self.fit.score(np.asarray(self.scores(kept, self.judge_x)), self.fit.judge_y)
        return {"seconds": time.perf_counter() - started, "steps": made, "score": judged}


if __name__ == "__main__":
    serve(OptaxJob())
