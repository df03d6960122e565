"""Our losses and optimizers, one piece at a time."""

from benchmarks.peer import serve
from benchmarks.workers.in_jax import InJax
from downslope.losses import catalogue as losses
from downslope.optimizers import catalogue as optimizers

STEPS = ("adam", "adamw", "momentum", "sgd")

if __name__ == "__main__":
    serve(InJax({name: losses[name]() for name in losses.names}, {name: optimizers[name]() for name in STEPS}, "downslope"))
