"""Train one loss with one optimizer: a comparison of one contender, with the same care and the same folder."""

from typing import Any

from downslope.comparison.compare import compare
from downslope.comparison.result import Result


def train(source: Any, target: str | None = None, *, loss: Any, optimizer: Any, reasons: bool = False, **options: Any) -> Result:
    """Trains a model with this loss and optimizer; options as in `compare`.

    A learning rate that is given is used, otherwise it is tuned. `reasons=True` makes the extra runs
    that `compare` makes.

    >>> import downslope
    >>> result = downslope.train("demo:iris", loss="cross_entropy", optimizer="adam(learning_rate=0.01)", epochs=2, seeds=5)
    >>> result.recommendation["settings"]["learning_rate"]
    0.01
    """
    return compare(source, target, losses=[loss], optimizers=[optimizer], reasons=reasons, **options)
