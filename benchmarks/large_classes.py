"""Cross-entropy over very many classes beside the plain composition, ours for ours: memory and time. `make bench-losses`.

Both are compiled ahead, value and gradients in features, weights and bias, and run in turns in one process. Memory is what the
compiler says a program needs: arguments, results and what it holds in between.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from downslope.losses import CrossEntropy, linear_cross_entropy

MOST_MEMORY, MOST_TIME = 0.25, 1.3


def plain(features: jax.Array, weights: jax.Array, bias: jax.Array, labels: jax.Array) -> jax.Array:
    """What everybody writes."""
    return CrossEntropy().reduce(features @ weights + bias[None], labels)


def plainest(features: jax.Array, weights: jax.Array, bias: jax.Array, labels: jax.Array) -> jax.Array:
    """The shortest formula, which loses the last digits."""
    scores = features @ weights + bias[None]
    return jnp.mean(jax.nn.logsumexp(scores, axis=-1) - jnp.take_along_axis(scores, labels[:, None], axis=-1)[:, 0])


def ours(features: jax.Array, weights: jax.Array, bias: jax.Array, labels: jax.Array) -> jax.Array:
    """In bounded memory."""
    return linear_cross_entropy(features, weights, labels, bias=bias)


def compiled(formula: Callable[..., Any], arguments: tuple[jax.Array, ...]) -> tuple[Any, float]:
    """The program for value and gradients, and the bytes it needs."""
    program = jax.jit(jax.value_and_grad(formula, (0, 1, 2))).lower(*arguments).compile()
    needs = program.memory_analysis()
    return program, needs.argument_size_in_bytes + needs.output_size_in_bytes + needs.temp_size_in_bytes


def main(given: list[str] | None = None) -> None:
    """Prints one line for each formula, and both ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8192)
    parser.add_argument("--inputs", type=int, default=512)
    parser.add_argument("--classes", type=int, default=50_000)
    parser.add_argument("--turns", type=int, default=5)
    size = parser.parse_args(given)
    keys = jax.random.split(jax.random.key(0), 4)
    arguments = (
        jax.random.normal(keys[0], (size.rows, size.inputs)),
        jax.random.normal(keys[1], (size.inputs, size.classes)) * 0.05,
        jax.random.normal(keys[2], (size.classes,)),
        jax.random.randint(keys[3], (size.rows,), 0, size.classes),
    )
    formulas = {"in bounded memory": ours, "plain composition": plain, "shortest formula": plainest}
    programs = {name: compiled(formula, arguments) for name, formula in formulas.items()}
    seconds: dict[str, list[float]] = {name: [] for name in formulas}
    for _ in range(size.turns):
        for name, (program, _) in programs.items():
            start = time.perf_counter()
            jax.block_until_ready(program(*arguments))
            seconds[name].append(time.perf_counter() - start)
    print(f"cross-entropy, {size.rows} × {size.inputs} features, {size.classes} classes, float32: value and gradients")
    for name, (_, needed) in programs.items():
        print(f"{name:18s} {needed / 1e6:8.0f} MB {statistics.median(seconds[name]):8.2f} s (median of {size.turns} turns)")
    mine, memory = seconds["in bounded memory"], programs["in bounded memory"][1]
    for name in list(formulas)[1:]:
        less, ratio = memory / programs[name][1], statistics.median(a / b for a, b in zip(mine, seconds[name], strict=True))
        verdict = "met" if less <= MOST_MEMORY and ratio <= MOST_TIME else "NOT MET"
        print(
            f"beside the {name}: memory × {less:.2f} (at most {MOST_MEMORY}), time × {ratio:.2f} (at most {MOST_TIME}): {verdict}"
        )


if __name__ == "__main__":
    main()
