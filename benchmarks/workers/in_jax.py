"""Losses and optimizer steps of everything that runs on JAX: ours, formulas from memory, optax, Keras."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peer import versions
from benchmarks.workers.pieces import clock, scores


class InJax:
    """Formulas and optimizers by name; compiled calls are kept until others are wanted."""

    def __init__(self, formulas: dict[str, Callable[..., Any]], optimizers: dict[str, Any], *packages: str) -> None:
        self.formulas, self.optimizers, self.packages = formulas, optimizers, packages
        self.calls: dict[tuple[Any, ...], Callable[[], object]] = {}

    def prepare(self) -> dict:
        """Says which versions these are. Each call waits for its result, so it need not be handed to another thread first."""
        jax.config.update("jax_cpu_enable_async_dispatch", False)
        return versions("jax", "jaxlib", "numpy", *self.packages)

    def keep(self, wanted: tuple[Any, ...], make: Callable[[], Callable[[], object]]) -> Callable[[], object]:
        """The call for what is wanted; the one before is let go with its memory."""
        if wanted not in self.calls:
            self.calls.clear()
            self.calls[wanted] = make()
            self.calls[wanted]()
        return self.calls[wanted]

    def loss(self, name: str, rows: int, classes: int, threads: int) -> dict:
        """Seconds for value and gradient of the mean loss; none where there is no such loss."""
        del threads
        if name not in self.formulas:
            return {"seconds": None}
        formula = self.formulas[name]

        def make() -> Callable[[], object]:
            raw, target = map(jnp.asarray, scores(name, rows, classes))
            slope = jax.jit(jax.value_and_grad(partial(self.mean, formula)))
            return lambda: jax.block_until_ready(slope(raw, target))

        return {"seconds": clock(self.keep((name, rows, classes), make))}

    def mean(self, formula: Callable[..., Any], raw: jax.Array, target: jax.Array) -> jax.Array:
        """The mean loss of all rows."""
        return jnp.mean(formula(raw, target))

    def moved(self, method: Any, params: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
        """Parameters and state after a step, as in a user's loop."""
        change, state = method.update(gradient, state, params)
        return jax.tree.map(jnp.add, params, change), state

    def begun(self, method: Any, params: Any) -> Any:
        """The state before the first step."""
        return jax.jit(method.init)(params)

    def start(self, optimizer: str, arrays: int, size: int) -> tuple[Any, Any, Any]:
        """A compiled step, and what it starts from."""
        method = self.optimizers[optimizer]
        params = [jnp.zeros((size // 100, 100)) for _ in range(arrays)]
        return jax.jit(partial(self.moved, method), donate_argnums=(0, 1)), params, self.begun(method, params)

    def compile(self, optimizer: str, arrays: int, size: int) -> dict:
        """Seconds to trace and compile a step, by the clock and of all cores together."""
        self.calls.clear()
        step, params, state = self.start(optimizer, arrays, size)
        jax.clear_caches()
        started, used = time.perf_counter(), time.process_time()
        step.lower(params, state, params).compile()
        return {"seconds": time.perf_counter() - started, "used": time.process_time() - used}

    def step(self, optimizer: str, arrays: int, size: int, threads: int, idle: bool = False) -> dict:
        """Seconds of a step with donated parameters and state, or of a program that gives these back as they are."""
        del threads

        def make() -> Callable[[], object]:
            step, *held = self.start(optimizer, arrays, size)
            if idle:
                step = jax.jit(lambda params, state, gradient: (params, state), donate_argnums=(0, 1), keep_unused=True)
            gradient = [jnp.full((size // 100, 100), 0.1) for _ in range(arrays)]

            def call() -> None:
                held[:] = step(*held, gradient)
                jax.block_until_ready(held)

            return call

        return {"seconds": clock(self.keep((optimizer, arrays, size, idle), make))}

    def copy(self, numbers: int) -> dict:
        """Seconds for NumPy to copy so many float32 numbers."""
        self.calls.clear()
        source, place = np.ones(numbers, np.float32), np.zeros(numbers, np.float32)
        np.copyto(place, source)
        return {"seconds": clock(lambda: np.copyto(place, source))}
