"""Keras's losses on JAX, one piece at a time."""

from benchmarks import formulas
from benchmarks.peer import serve
from benchmarks.workers.in_jax import InJax

if __name__ == "__main__":
    serve(InJax(formulas.keras(), {}, "keras"))
