"""Losses as somebody who knows JAX writes them from memory."""

from benchmarks import formulas
from benchmarks.peer import serve
from benchmarks.workers.in_jax import InJax

if __name__ == "__main__":
    serve(InJax(formulas.plain(), {}))
