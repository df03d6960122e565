"""The contenders: which loss with which optimizer, in which batches, over which learning rates."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from downslope import losses as all_losses
from downslope import optimizers as all_optimizers
from downslope.core.about import Range, Task
from downslope.core.catalogue import Catalogue, spell_value
from downslope.core.errors import IncompatiblePair, OutOfRange
from downslope.core.own import without_paths
from downslope.losses.base import Loss
from downslope.optimizers.base import Optimizer, learning_rate, rated, takes_all_rows, with_learning_rate

DRAWS = 7
TWIN = " (twin)"
BESIDE = " | "  # between a contender and what differs in some of its runs
JOINING = "accumulate"
GIVEN = re.compile(r"learning_rate|\(\s*[-+.\d]")  # a rate that is typed is meant, also where it is the default
BATCH = re.compile(r"(.*)@((?:(?!\.py)[^@/])*)", re.DOTALL)  # an @ inside a path is none
Choice = str | Any | Iterable[str | Any] | None
Accepts = Callable[[Any], bool]


class Named(NamedTuple):
    """A thing to compare and what it is to be called."""

    name: str
    thing: Any


@dataclass(frozen=True)
class Contender:
    """One line of the ranking: a loss with an optimizer in batches of `batch` rows (`None`: all rows at once).

    `rates` is its first grid of learning rates; `ratio` is the step of that grid, 1 where the user fixed the rates.
    `reason` says why it cannot run, where it cannot. A twin is the same contender with its own seeds.
    """

    id: str
    loss: Loss
    optimizer: Optimizer
    batch: int | None
    rates: tuple[float, ...]
    ratio: float
    reason: str = ""
    twin_of: str | None = None

    def loss_setting(self, name: str) -> str:
        """How a setting of the loss is called beside those of an optimizer that has one of that name too."""
        return f"{self.loss.name}.{name}" if name in self.optimizer.values() else name

    def settings(self, learning_rate: float | None) -> dict[str, Any]:
        """All settings of loss and optimizer by name, with the given learning rate, also where it lies deeper."""
        optimizer = self.optimizer if learning_rate is None else with_learning_rate(self.optimizer, learning_rate)
        rate = {} if learning_rate is None else {"learning_rate": learning_rate}
        loss = {self.loss_setting(name): value for name, value in self.loss.values().items()}
        mine = {**rate, **loss, **optimizer.values()}
        return {name: plain(value) for name, value in mine.items() if learning_rate is not None or name != "learning_rate"}


def plain(value: Any) -> Any:
    """A setting as JSON can hold it."""
    if isinstance(value, bool | str) or value is None:
        return value
    if hasattr(value, "settings"):
        return {"name": value.name, **{name: plain(inner) for name, inner in value.values().items()}}
    if callable(value):
        return spell_value(value)
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return float(value)


def contenders(losses: Choice, optimizers: Choice, *, task: Task, batch: int, draws: int = DRAWS) -> list[Contender]:
    """Every loss with every optimizer. A pair that makes no sense stays in the list with its reason."""

    def fits(entry: Any) -> bool:
        return entry.about.task == task

    chosen_losses = chosen(losses, all_losses.catalogue, lambda entry: entry.about.default and fits(entry), fits)
    found = [
        contender(loss, optimizer, size, task=task, batch=batch, draws=draws)
        for loss in chosen_losses
        for optimizer, size in with_batches(optimizers, batch)
    ]
    ids = [one.id for one in found]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise IncompatiblePair(f"{twice} is named twice; leave one out")
    if not any(not one.reason for one in found):
        raise IncompatiblePair(found[0].reason if found else "there is no loss or no optimizer to compare")
    return found


def contender(loss: Loss, optimizer: Optimizer, size: int | None, *, task: Task, batch: int, draws: int) -> Contender:
    """One pair with its grid."""
    rates, ratio = grid(optimizer, draws)
    own = np.ndim(learning_rate(optimizer)) > 0
    optimizer = with_learning_rate(optimizer, rates[0]) if own else optimizer
    for record in (loss, optimizer):
        refuse_arrays(record)
    suffix = f"@{size}" if size is not None and size != batch else ""
    rate = ("learning_rate",)
    tuned = len(rates) > 1
    name = f"{short(loss)} × {short(optimizer, hide=rate if tuned else (), show=rate if own and not tuned else ())}{suffix}"
    reason = ""
    if loss.about.task != task:
        reason = f"{loss.name} is a loss for {loss.about.task} targets, and this one is {task}"
        reason += f"; if it is meant for these, let it say task = '{task}'" if hasattr(loss, "formula") else ""
    return Contender(name, loss, optimizer, size, rates, ratio, reason)


def refuse_arrays(record: Any) -> None:
    """An error where a setting other than the learning rate has several values."""
    for name, setting in record.settings().items():
        value = getattr(record, name)
        if setting.kind == "hyper" and np.ndim(value) > 0:
            values = ", ".join(f"{each:g}" for each in np.ravel(value))
            raise OutOfRange(f"{record.name}: {name} must be one number, got {values}; name {record.name} once for each of them")


def twin(of: Contender) -> Contender:
    """The same contender entered a second time; run with its own seeds, it must come out tied."""
    return Contender(of.id + TWIN, of.loss, of.optimizer, of.batch, of.rates, of.ratio, "", of.id)


def chosen(wanted: Choice, catalogue: Catalogue, default: Accepts, every: Accepts) -> list[Any]:
    """Instances of all that is wanted; for `all` what `every` accepts, the default entries for `None`."""
    if wanted is None:
        return [catalogue[name]() for name in catalogue.names if default(catalogue[name])]
    if isinstance(wanted, str) and wanted.strip().lower() == "all":
        return [catalogue[name]() for name in catalogue.names if every(catalogue[name])]
    return [named(catalogue, entry) for entry in entries(wanted)]


def entries(wanted: Any) -> list[Any]:
    """What is wanted, one by one: names separated by commas, classes, objects, functions; a mapping gives names to its values."""
    if isinstance(wanted, str):
        return list(split_names(wanted))
    if isinstance(wanted, Mapping):
        return [Named(str(name), thing) for name, thing in wanted.items()]
    # A pair of a function and its learning rates is one entry, and so is an object that can be iterated by accident.
    alone = isinstance(wanted, type) or hasattr(wanted, "settings") or hasattr(wanted, "init") or is_pair(wanted)
    if alone or not isinstance(wanted, Iterable):
        return [wanted]
    return [one for each in wanted for one in (entries(each) if isinstance(each, Mapping) else [each])]


def is_pair(wanted: Any) -> bool:
    """Whether this is one function with its learning rates and not two entries."""
    return isinstance(wanted, tuple) and len(wanted) == 2 and isinstance(wanted[1], Range | float | int | np.ndarray)


def named(catalogue: Catalogue, entry: Any) -> Any:
    """The instance of one entry, by the name that a mapping gives it."""
    if not isinstance(entry, Named):
        return catalogue.make(entry)
    made = catalogue.make(entry.thing, entry.name)
    if made.name not in (entry.name, catalogue.free(entry.name)) and catalogue.aliases.get(entry.name) != made.name:
        raise IncompatiblePair(f"{short(made)} is called {made.name} and not {entry.name!r}; only a function needs a name")
    return made


def with_batches(wanted: Choice, batch: int) -> list[tuple[Optimizer, int | None]]:
    """Optimizers, each with the rows of its batches: `sgd@1` has its own, full-batch methods take all."""
    if wanted is None or (isinstance(wanted, str) and wanted.strip().lower() == "all"):
        found: Sequence[Any] = chosen(
            wanted, all_optimizers.catalogue, lambda entry: entry.about.default, lambda entry: entry.about.alone
        )
    else:
        found = entries(wanted)
    return [method(entry, batch) for entry in found]


def method(entry: Any, batch: int) -> tuple[Optimizer, int | None]:
    """One optimizer with its batch."""
    size: int | None = batch
    text = entry.thing if isinstance(entry, Named) else entry
    if isinstance(text, str) and (at := BATCH.fullmatch(text)):
        if not at[2].strip().isdigit() or int(at[2]) < 1:
            raise OutOfRange(f"the batch in {text} must be a whole number of rows, at least 1, got {at[2]!r}")
        text, size = at[1], int(at[2])
    optimizer = named(all_optimizers.catalogue, entry._replace(thing=text) if isinstance(entry, Named) else text)
    if isinstance(text, str) and GIVEN.search(without_paths(text)):
        optimizer = with_learning_rate(optimizer, np.atleast_1d(np.asarray(learning_rate(optimizer), float)))
    if any(each.name == JOINING for each in optimizer.chain()):
        raise IncompatiblePair(f"{JOINING} joins batches, which a comparison does by their size: name the optimizer@{2 * batch}")
    return optimizer, None if takes_all_rows(optimizer) else size


def split_names(text: str) -> list[str]:
    """Names separated by commas that stand outside parentheses and quotes.

    >>> split_names("mse, huber(delta=2), sam(adam(b1=0.8, b2=0.9), radius=0.1), 'a, b.py'")
    ['mse', 'huber(delta=2)', 'sam(adam(b1=0.8, b2=0.9), radius=0.1)', "'a, b.py'"]
    """
    names, depth, quote = [""], 0, ""
    for sign in text:
        if quote or sign in "'\"":
            quote = "" if sign == quote else quote or sign
        else:
            depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0 and not quote:
            names.append("")
        else:
            names[-1] += sign
    return [name.strip() for name in names if name.strip()]


def grid(optimizer: Optimizer, draws: int) -> tuple[tuple[float, ...], float]:
    """The learning rates to try and the ratio of neighbours.

    A rate that differs from the class's default was set by the user and is not tuned; an array is the user's own grid, also
    one of a single number.
    """
    rate = learning_rate(optimizer)
    own = np.unique(np.asarray(rate))
    if np.ndim(rate) > 0 or own[0] != default_rate(optimizer):
        return tuple(float(str(each)) for each in own), 1.0  # 0.1 in float32 is meant as 0.1
    where: Range = rated(optimizer).settings()["learning_rate"].search or Range(1e-4, 1.0, "log")
    if draws < 2:
        return (float(np.sqrt(where.low * where.high)),), 1.0
    return tuple(float(f"{rate:.4g}") for rate in np.geomspace(where.low, where.high, draws)), (where.high / where.low) ** (
        1 / (draws - 1)
    )


def default_rate(optimizer: Optimizer) -> float:
    """The learning rate that the class itself proposes."""
    return float(learning_rate(type(rated(optimizer))()))


def short(record: Any, hide: Sequence[str] = (), show: Sequence[str] = ()) -> str:
    """The record as one types it, with the settings that differ from their defaults, and those that are to be shown anyway."""
    defaults: Mapping[str, Any] = type(record)().values()
    told = {
        name: value
        for name, value in record.values().items()
        if name not in hide and (name in show or not same(value, defaults[name]))
    }
    return f"{record.name}({', '.join(f'{name}={spell_value(value)}' for name, value in told.items())})" if told else record.name


def same(left: Any, right: Any) -> bool:
    """Whether two settings are equal, arrays included."""
    return type(left) is type(right) and bool(np.all(left == right)) if not np.isscalar(left) else bool(left == right)
