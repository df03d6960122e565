"""What somebody who knows JAX writes by hand: optax in a `lax.scan` over batches that NumPy has put in order, lanes by `vmap`."""

import time
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.peer import serve, versions
from benchmarks.workers.rows import RATE, WIDTHS, rows


def start(key, features, widths):
    """Initial parameters."""
    sizes = list(pairwise((features, *widths, 1)))
    keys = jax.random.split(key, len(sizes))
    return [(jax.random.normal(k, (a, b)) * np.sqrt(2 / a), jnp.zeros(b)) for k, (a, b) in zip(keys, sizes, strict=True)]


def scores(params, x):
    """Raw scores."""
    *hidden, (weight, bias) = params
    for each, offset in hidden:
        x = jax.nn.relu(x @ each + offset)
    return (x @ weight + bias)[:, 0]


def loss_of(params, x, y):
    """Mean loss."""
    return optax.sigmoid_binary_cross_entropy(scores(params, x), y).mean()


def epoch(carry, rate, x, y, stop_x, stop_y):
    """One epoch of one run, with its validation; the best parameters are kept."""
    adam = optax.adam(rate)

    def step(inner, batch):
        params, state = inner
        gradient = jax.grad(loss_of)(params, *batch)
        change, state = adam.update(gradient, state)
        return (optax.apply_updates(params, change), state), None

    params, state, best, kept = carry
    (params, state), _ = jax.lax.scan(step, (params, state), (x, y))
    loss, error = loss_of(params, stop_x, stop_y), jnp.mean((scores(params, stop_x) > 0) != (stop_y == 1))
    kept = jax.tree.map(lambda new, old: jnp.where(error < best, new, old), params, kept)
    return (params, state, jnp.minimum(error, best), kept), loss


class OptaxLoop:
    """The made-up table and the compiled epochs."""

    def prepare(self, count: int, stop: int, columns: int, batch: int, epochs: int) -> dict:
        """Draws the rows."""
        self.x, self.y, stop_x, stop_y = rows(count, stop, columns)
        self.stop = jnp.asarray(stop_x), jnp.asarray(stop_y)
        self.batch, self.epochs = batch, epochs
        self.compiled = {}
        return versions("optax")

    def carry(self, model: str, rates: jax.Array):
        """Fresh runs, one for each rate; a single one has no axis of lanes."""
        params = start(jax.random.key(0), self.x.shape[1], () if model == "linear" else WIDTHS)
        if rates.ndim:
            params = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (len(rates), *leaf.shape)), params)
        init = optax.adam(RATE).init
        state = jax.vmap(init)(params) if rates.ndim else init(params)
        return params, state, jnp.full(rates.shape, jnp.inf), params

    def rates(self, lanes: int) -> jax.Array:
        """Learning rates of the lanes."""
        return jnp.float32(RATE) if lanes == 1 else jnp.float32(RATE * np.geomspace(0.3, 3, lanes))

    def batches(self, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """An epoch's batches; rows that fill no batch are left out."""
        order = draw.permutation(len(self.x))[: len(self.x) // self.batch * self.batch].reshape(-1, self.batch)
        return self.x[order], self.y[order]

    def compile(self, model: str, lanes: int) -> dict:
        """Seconds to trace and compile."""
        started = time.perf_counter()
        one = epoch if lanes == 1 else jax.vmap(epoch, in_axes=(0, 0, None, None, None, None))
        rates = self.rates(lanes)
        arguments = (self.carry(model, rates), rates, *self.batches(np.random.default_rng(0)), *self.stop)
        self.compiled[model, lanes] = jax.jit(one).lower(*arguments).compile()
        return {"seconds": time.perf_counter() - started}

    def run(self, model: str, lanes: int, threads: int) -> dict:
        """A whole loop."""
        del threads
        started = time.perf_counter()
        draw, rates, losses = np.random.default_rng(0), self.rates(lanes), []
        carry = self.carry(model, rates)
        for _ in range(self.epochs):
            carry, loss = self.compiled[model, lanes](carry, rates, *self.batches(draw), *self.stop)
            losses.append(loss)
        losses = np.array(jax.device_get(losses))
        steps = self.epochs * (len(self.x) // self.batch)
        return {"seconds": time.perf_counter() - started, "steps": steps, "validation": float(np.median(losses.min(axis=0)))}


if __name__ == "__main__":
    serve(OptaxLoop())
