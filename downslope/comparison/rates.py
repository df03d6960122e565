"""Which learning rates to try, and which of those tried to take."""

from collections.abc import Mapping, Sequence

import numpy as np

EXTENSIONS = 2
EXTRA_RATES = 2
COARSEST = 10**0.5  # between a rate and the next beyond the grid, however wide the grid's own steps


def steady(scores: Mapping[float, float], margin: float, constant: float) -> float | None:
    """The middle of the learning rates that are as good as the best, the lower one of two; `None` where all diverged.

    As good is what lies within the practical margin, a share of the way from the best to the constant predictor, without a
    gap. The best rate alone is often the last before the cliff, where two tuning seeds went well and the next one does not.

    >>> steady({0.01: 9.0, 0.1: 5.1, 1.0: 5.0, 10.0: float("inf")}, margin=0.01, constant=25.0)
    0.1
    """
    rates = sorted(scores)
    best = min(rates, key=lambda rate: scores[rate])
    if not np.isfinite(scores[best]):
        return None
    reach = scores[best] + (margin * abs(constant - scores[best]) if np.isfinite(constant) else 0.0)
    low = high = rates.index(best)
    while low > 0 and scores[rates[low - 1]] <= reach:
        low -= 1
    while high < len(rates) - 1 and scores[rates[high + 1]] <= reach:
        high += 1
    return rates[(low + high) // 2]


def beyond(rates: Sequence[float], chosen: float | None, ratio: float) -> list[float]:
    """Further learning rates when the chosen one lies on the border of those tried, else none.

    >>> beyond([0.1, 0.2, 0.4], 0.4, ratio=2)
    [0.8, 1.6]
    >>> beyond([0.1, 0.2, 0.4], 0.2, ratio=2)
    []
    """
    rates = sorted(rates)
    if len(rates) < 2 or chosen is None or chosen not in (rates[0], rates[-1]):
        return []
    ratio = min(ratio, COARSEST)
    steps = [chosen / ratio**power if chosen == rates[0] else chosen * ratio**power for power in range(1, EXTRA_RATES + 1)]
    return [float(f"{rate:.4g}") for rate in steps]
