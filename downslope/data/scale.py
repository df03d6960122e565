"""Train on a target of ordinary size, report in the target's own units."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from downslope.core import links

LOWEST = -1 + 1e-9
NORMAL_IQR = 1.349  # the distance between the quartiles of a normal distribution with standard deviation 1


@dataclass(frozen=True)
class TargetScale:
    """Centre and scale of a regression target, learned on the training rows.

    The median and the distance of the quartiles, for a few wild targets would otherwise set the unit in which
    Huber's `delta` is measured. Where the quartiles coincide, the standard deviation.
    """

    centre: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, y: np.ndarray, weight: np.ndarray | None = None, how: str = "shift_and_scale") -> "TargetScale":
        """The scale of these values; `how` is what the loss declares: `shift_and_scale`, `scale` (only divides) or `none`.

        >>> TargetScale.fit(np.array([0.0, 1.0, 2.0, 3.0, 4.0])).centre
        2.0
        """
        if how == "none":
            return cls()
        if how not in ("scale", "shift_and_scale"):
            raise ValueError(f"how must be shift_and_scale, scale or none, got {how!r}")
        y = np.asarray(y, np.float64)
        weight = np.ones(len(y)) if weight is None or not np.sum(weight) > 0 else np.asarray(weight, np.float64)
        low, middle, high = weighted_quantiles(y, weight, (0.25, 0.5, 0.75))
        spread = (high - low) / NORMAL_IQR
        if not spread > 0:
            mean = np.average(y, weights=weight)
            spread = float(np.sqrt(np.average((y - mean) ** 2, weights=weight)))
        if not (np.isfinite(spread) and spread > 1e-12 * abs(middle)):
            spread = 1.0
        return cls(0.0 if how == "scale" else middle, float(spread))

    def inward(self, y: np.ndarray) -> np.ndarray:
        """The target as the model sees it."""
        return (y - self.centre) / self.scale

    def score(self, raw: Any, link: str = "identity") -> np.ndarray:
        """The raw score that a model of the unscaled target would give."""
        raw = np.asarray(raw, np.float64)
        if link == "identity":
            return raw * self.scale + self.centre
        if self.centre:
            raise ValueError(f"a target behind the link {link} may be scaled, not shifted")
        if link == "exp":
            return raw + np.log(self.scale)
        if link == "expm1":
            # log1p(scale · expm1(raw)), which would overflow for scores that are still harmless. Nothing is predicted below -1:
            # the logarithm that this link undoes ends there.
            large = np.maximum(raw, 1.0)
            far = large + np.log(self.scale - (self.scale - 1) * np.exp(-large))
            near = np.maximum(self.scale * np.expm1(np.minimum(raw, 1.0)), LOWEST)
            return np.where(raw > 1.0, far, np.log1p(near))
        return raw

    def outward(self, raw: Any, link: str = "identity") -> np.ndarray:
        """The prediction in the target's units that belongs to a raw score."""
        return links.apply(link, self.score(raw, link))


def weighted_quantiles(values: np.ndarray, weight: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Quantiles in which a row of weight two counts as two rows; with equal weights those of NumPy.

    >>> weighted_quantiles(np.array([1.0, 2.0, 4.0]), np.ones(3), (0.5, 0.75))
    [2.0, 3.0]
    """
    if (weight == weight[0]).all():
        return [float(q) for q in np.quantile(values, shares)]
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0]
    if len(order) == 1:
        return [float(values[order[0]])] * len(shares)
    heights = np.cumsum(weight[order]) - weight[order] / 2
    heights = (heights - heights[0]) / (heights[-1] - heights[0])
    return [float(q) for q in np.interp(shares, heights, values[order])]
