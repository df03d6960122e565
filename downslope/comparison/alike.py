"""What is done alike to every contender: how its settings change over a run, clipping, averaging."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope import optimizers, schedules
from downslope.comparison.contender import Contender, short, split_names
from downslope.core.errors import IncompatiblePair, OutOfRange, UnknownName
from downslope.core.types import Mask
from downslope.optimizers.base import Optimizer, around
from downslope.penalties.base import Penalty
from downslope.schedules.base import Schedule

RATE = "learning_rate"
NAMED = re.compile(r"\s*(\w+)\s*=(.*)", re.DOTALL)
AVERAGING = "_averaging"
WHO = {"weights": "matrices of weights alone, not biases", "everything": "all parameters, biases too"}
OWN = "what its own mask says"


@dataclass(frozen=True)
class Alike:
    """Schedules by the name of the setting they multiply, the greatest length of a gradient, the average that predicts."""

    schedules: Mapping[str, Schedule]
    clip_norm: float | None = None
    average: Optimizer | None = None

    def schedule(self, own: Optimizer) -> dict[str, Schedule]:
        """The schedules of those settings that an optimizer has."""
        return {name: each for name, each in self.schedules.items() if has(own, name)}

    def optimizer(self, own: Optimizer, updates: int) -> Optimizer:
        """A contender's optimizer with what stands around it: clipping directly around the one that steps, averaging outermost.

        A `start` of the average below 1 is a share of the run's `updates`.
        """
        out = own
        if self.clip_norm is not None:
            out = around(out, lambda inner: optimizers.catalogue["clip_by_global_norm"](inner, limit=self.clip_norm))
        if self.average is None:
            return out
        start = self.average.values().get("start", 0.0)
        late = {"start": float(math.floor(start * updates))} if 0 < start < 1 else {}
        return self.average.replace(optimizer=out, **late)

    def facts(self) -> dict[str, Any]:
        """What a run's identity remembers, and its result: only what was asked for."""
        words = {"schedule": spelled(self.schedules)}
        words |= {} if self.clip_norm is None else {"clip_norm": self.clip_norm}
        return words | ({} if self.average is None else {"average": short(self.average, hide=("optimizer",))})

    def fitted(self, field: Sequence[Contender], updates: int) -> list[Contender]:
        """The contenders, those that cannot be treated alike with their reason. Raises if a scheduled setting is nobody's."""
        known = {name for one in field for each in one.optimizer.chain() for name in each.settings()}
        for name in self.schedules:
            if name not in known:
                raise UnknownName.among("setting to schedule", name, known)
        out = [replace(one, reason=one.reason or self.reason(one, updates)) for one in field]
        if all(one.reason for one in out):
            raise IncompatiblePair(out[0].reason)
        return out

    def reason(self, one: Contender, updates: int) -> str:
        """Why a contender cannot be treated like the others; nothing if it can."""
        try:
            self.optimizer(one.optimizer, updates)
            for name, each in self.schedule(one.optimizer).items():
                if name != RATE:  # it has no lower bound but 0, which no factor reaches
                    for factor in extremes(each, updates):
                        one.optimizer.scaled(**{name: factor})
                one.optimizer.scaled(**{name: 1.0})
        except (IncompatiblePair, OutOfRange) as problem:
            return str(problem)
        return ""

    def words(self, field: Sequence[Contender], penalty: Penalty | None = None) -> list[str]:
        """The plan's sentences about it, and about what decays or pays."""
        ready = [one.optimizer for one in field if not one.reason]
        out = []
        if set(self.schedules) != {RATE}:
            users = {name: sorted({own.name for own in ready if has(own, name)}) for name in self.schedules}
            parts = [f"{name} {short(each)} ({', '.join(users[name])})" for name, each in self.schedules.items() if users[name]]
            out.append(f"schedules: {'; '.join(parts)}")
        if self.clip_norm is not None:
            out.append(f"every gradient longer than {self.clip_norm:g} is shortened to that length, all arrays taken together")
        if self.average is not None:
            out.append(f"predictions come from averaged parameters: {self.facts()['average']}")
        if penalty is not None:
            out.append(f"penalty {short(penalty)} charges {meant(penalty.charged)}")
        return out + decay(ready)


def decay(ready: Sequence[Optimizer]) -> list[str]:
    """What shrinks in the optimizers whose weights decay: biases do not unless they are told to."""
    known: dict[str, set[str]] = {}
    for each in [each for own in ready for each in own.chain()]:
        values = each.values()
        if np.max(values.get("weight_decay", 0.0)) > 0:
            which = values.get("decayed", values.get("adapted", "weights"))
            share = f"{each.name} (weight_decay {values['weight_decay']:g})"
            known.setdefault(meant(which), set()).add(share)
    return [f"decay shrinks {who}: {', '.join(sorted(names))}" for who, names in known.items()]


def meant(which: Mask) -> str:
    """Who decays or pays, in words."""
    return OWN if callable(which) else WHO[which]


def has(optimizer: Optimizer, name: str) -> bool:
    """Whether an optimizer, or one inside it, has a setting of this name."""
    return any(name in each.settings() for each in optimizer.chain())


def extremes(schedule: Schedule, updates: int) -> tuple[float, float]:
    """The smallest and the largest factor of a run."""
    factors = jax.vmap(lambda step: schedule(step, updates))(jnp.arange(updates))
    return float(jnp.min(factors)), float(jnp.max(factors))


def alike(schedule: Any = None, clip_norm: float | None = None, average: Any = None) -> Alike:
    """What the user asked for, understood and checked.

    >>> alike("learning_rate=cosine, momentum=linear(end=0.5)", clip_norm=1).facts()
    {'schedule': 'learning_rate=cosine, momentum=linear(end=0.5)', 'clip_norm': 1.0}
    >>> alike(average="uniform(start=0.5)").facts()
    {'schedule': 'linear', 'average': 'uniform_averaging(start=0.5)'}
    """
    if clip_norm is not None and not (math.isfinite(clip_norm) and clip_norm > 0):
        raise OutOfRange(f"clip_norm must be above 0, got {clip_norm}")
    return Alike(scheduled(schedule), None if clip_norm is None else float(clip_norm), averaged(average))


def scheduled(given: Any) -> dict[str, Schedule]:
    """Schedules by setting, from one for the learning rate, a mapping, or a text like `momentum=cosine, b1=linear`.

    The learning rate falls linearly where nothing else is said of it.
    """
    if isinstance(given, str):
        pairs = [NAMED.fullmatch(part) for part in split_names(given)]
        if any(pairs):
            if not all(pairs):
                raise UnknownName(f"schedule {given!r} is neither a schedule nor of the form setting=schedule, setting=schedule")
            given = {pair[1]: pair[2].strip() for pair in pairs if pair}
    if not isinstance(given, Mapping):
        given = {RATE: given or "linear"}
    made = {RATE: schedules.catalogue.make(given.get(RATE, "linear"))}
    return made | {str(name): schedules.catalogue.make(each) for name, each in given.items() if name != RATE}


def spelled(named: Mapping[str, Schedule]) -> str:
    """Schedules as one types them; that of the learning rate alone needs no name."""
    if set(named) == {RATE}:
        return short(named[RATE])
    return ", ".join(f"{name}={short(each)}" for name, each in named.items())


def averaged(given: Any) -> Optimizer | None:
    """The average, from `uniform`, `exponential(decay=0.9)`, a full name, or an object."""
    if given is None:
        return None
    known = [name.removesuffix(AVERAGING) for name in optimizers.catalogue.names if name.endswith(AVERAGING)]
    if isinstance(given, str):
        name, opened, rest = given.strip().partition("(")
        given = name.strip() + (AVERAGING if name.strip().lower() in known else "") + opened + rest
    try:
        made = optimizers.catalogue.make(given)
    except UnknownName:
        raise UnknownName.among("average", str(given), known) from None
    if not made.name.endswith(AVERAGING):
        raise UnknownName.among("average", made.name, known)
    return made
