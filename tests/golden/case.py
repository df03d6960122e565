"""What a maker of reference trajectories hands over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Case:
    """One trajectory: our name and settings for it, and how to start the other implementation.

    `start(params, gradient_of)` gives a runner with `step(number, rate)` and `params()`.
    """

    optimizer: str
    problem: str
    rate: float
    settings: dict[str, Any]
    made_by: str
    start: Callable[..., Any]
    constant: bool = False  # for an implementation that stores its momentum multiplied by the rate
