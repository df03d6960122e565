"""What a catalogue entry says of itself: only what cannot be computed from its code."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


class Task(enum.StrEnum):
    """The three questions a table can be asked."""

    REGRESSION = "regression"
    BINARY = "binary"
    MULTICLASS = "multiclass"


Family = Literal["plain", "momentum", "adaptive", "sign", "layerwise", "curvature", "averaging"]
"""What optimizers have in common: steps along the gradient, sums of past gradients, a step size for each parameter, the sign
alone, the layer as a whole, learnt curvature, predictions by an average of the way."""


@dataclass(frozen=True)
class Paper:
    """Where an equation comes from."""

    authors: str
    year: int
    title: str
    url: str

    def __str__(self) -> str:
        return f"{self.authors} ({self.year}). {self.title}. {self.url}"


@dataclass(frozen=True)
class Range:
    """Where a search looks for a setting, both ends included."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"


@dataclass(frozen=True)
class AboutLoss:
    """Facts about a loss that its code cannot tell.

    `equation` is LaTeX; it and the source are missing only where an entry is a user's own. `link` names an entry of
    `core.links`: the way from a raw score to a prediction.
    `target` says in words which targets are allowed, for the message when one is not; `lowest` and `highest` are the same as
    numbers (inclusive unless `open_ends`). `target_scale` says what may be done to a regression target before training.
    `probabilities` is whether the link of the raw score is a calibrated probability by construction.
    `differs` maps a framework's name to how the same name differs there, in one sentence.
    `soft_labels`: a target may also lie between the labels: a probability, or one share for each class. `perfect` is the
    loss of a perfect prediction, `None` where that depends on the target. `convex` speaks of the raw score. `ulp` is the
    largest error in float32, in units of the last place, that value and gradient may show.
    """

    title: str
    equation: str
    source: Paper | None
    task: Task
    link: str = "identity"
    target: str = "any real number"
    lowest: float = float("-inf")
    highest: float = float("inf")
    open_ends: bool = False
    target_scale: Literal["shift_and_scale", "scale", "none"] = "shift_and_scale"
    probabilities: bool = False
    soft_labels: bool = False
    perfect: float | None = 0.0
    convex: bool = True
    ulp: int = 4
    aims_at: str = ""
    aliases: tuple[str, ...] = ()
    default: bool = False
    differs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AboutOptimizer:
    """Facts about an optimizer that its code cannot tell.

    `batch` is "full" for methods that need the gradient of all rows at once. `gradients_per_step` is the number of
    gradient evaluations one update costs, `None` when it depends on the data: then its state counts them as `evaluations`,
    and updates as `step`.
    `default` puts it into every comparison; `alone` is False for what only makes sense around an optimizer that somebody
    chose, so that "all" leaves it out.
    `family` says by what it improves on a plain step; an optimizer that holds another one is a wrapper without saying so.
    """

    title: str
    equation: str
    source: Paper | None
    family: Family | None = None
    batch: Literal["mini", "full"] = "mini"
    gradients_per_step: int | None = 1
    aliases: tuple[str, ...] = ()
    default: bool = False
    alone: bool = True
    differs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AboutPart:
    """Facts about a schedule, a penalty or a model."""

    title: str
    equation: str = ""
    source: Paper | None = None
    aliases: tuple[str, ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)
