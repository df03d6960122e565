"""Our losses and optimizers, one piece at a time."""

from typing import Any

from benchmarks.peer import serve
from benchmarks.workers.in_jax import InJax
from downslope.losses import catalogue as losses
from downslope.optimizers import catalogue as optimizers
from downslope.optimizers import packed

STEPS = ("adam", "adamw", "momentum", "sgd")


class Ours(InJax):
    """Means and steps are those of the library; what an optimizer remembers of many arrays lies in one, as the guide advises."""

    def mean(self, formula: Any, raw: Any, target: Any) -> Any:
        """The mean loss of all rows."""
        return formula.reduce(raw, target)

    def begun(self, method: Any, params: Any) -> Any:
        """The state before the first step."""
        state = super().begun(method, params)
        return packed(state) if len(params) > 1 else state

    def moved(self, method: Any, params: Any, state: Any, gradient: Any) -> tuple[Any, Any]:
        """Parameters and state after a step."""
        return method.step(gradient, state, params)


if __name__ == "__main__":
    serve(Ours({name: losses[name]() for name in losses.names}, {name: optimizers[name]() for name in STEPS}, "downslope"))
