"""optax's losses and optimizers, one piece at a time."""

import optax

from benchmarks import formulas
from benchmarks.peer import serve
from benchmarks.workers.in_jax import InJax

OPTIMIZERS = {
    "adam": optax.adam(1e-3),
    "adamw": optax.adamw(1e-3),
    "momentum": optax.sgd(1e-2, momentum=0.9),
    "sgd": optax.sgd(1e-2),
}

if __name__ == "__main__":
    serve(InJax(formulas.optax(), OPTIMIZERS, "optax"))
