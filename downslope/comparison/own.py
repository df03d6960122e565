"""What is the user's own in a comparison: what it is recognised by, and how it is written down to be used again."""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from downslope.comparison import trial
from downslope.comparison.contender import Contender, short
from downslope.comparison.problem import Problem
from downslope.comparison.protocol import Protocol
from downslope.core import own
from downslope.core.catalogue import OWN
from downslope.optimizers.base import learning_rate, with_learning_rate

ADDRESS = re.compile(r"0x[0-9a-f]+")
PLAIN_PATH = re.compile(r"[^\s\"'(),=\[\]@]+")
ROWS = 64


def examined(problem: Problem, field: Iterable[Contender], rules: Protocol) -> dict[str, str]:
    """Everything of the user's own by its name, with what it is recognised by; each was tried on some rows of the table.

    An `OwnFileError` of one line where something would go wrong later, when programs are compiled and runs have begun.
    """
    found: dict[str, str] = {}
    ready = [one for one in field if not one.reason and one.twin_of is None]
    classes = len(problem.dataset.classes) if problem.dataset.classes else None
    features, model = problem.features, rules.model
    if is_own(model):
        for outputs in sorted({one.loss.outputs(classes) for one in ready}):
            trial.try_model(model, features, outputs)
        found[model.name] = fingerprint(model, trial.first_scores(model, features))
    for schedule in rules.alike.schedules.values():
        if is_own(schedule):
            found[short(schedule)] = fingerprint(schedule, schedule, 1.0, 9.0)
    for one in ready:
        outputs = one.loss.outputs(classes)
        if is_own(one.loss) and short(one.loss) not in found:
            target = problem.target(0, one.loss, problem.fits[0].train[:ROWS])
            trial.try_loss(one.loss, target, classes)
            raw = jnp.zeros((len(target),) if outputs == 1 else (len(target), outputs))
            found[short(one.loss)] = fingerprint(one.loss, one.loss, raw, target)
        name = short(one.optimizer, hide=("learning_rate",))
        if is_own(one.optimizer) and name not in found:
            params = model.init(jax.random.key(0), features, outputs)
            trial.try_optimizer(one.optimizer, params, one.rates[len(one.rates) // 2])
            found[name] = fingerprint(one.optimizer, trial.first_step(one.optimizer), params, learning_rate(one.optimizer))
        if is_own(rules.penalty) and rules.penalty is not None and rules.penalty.name not in found:
            params = model.init(jax.random.key(0), features, outputs)
            found[rules.penalty.name] = fingerprint(rules.penalty, rules.penalty, params)
    return found


def is_own(record: Any) -> bool:
    """Whether a record, or one inside it, is the user's own."""
    return record is not None and any(own.is_own(part) for part in record.chain())


def fingerprint(record: Any, function: Callable[..., Any], *arguments: Any) -> str:
    """What a record of the user's own is recognised by: the bytes of its files, otherwise the program that JAX makes of it."""
    files = [own.file_of(part) for part in record.chain() if own.is_own(part)]
    if None not in files:
        return " ".join(file.sha256 for file in files if file is not None)
    program = jax.make_jaxpr(function)(*arguments)
    digest = hashlib.sha256(ADDRESS.sub("", str(program.jaxpr)).encode())
    for constant in program.consts:
        digest.update(np.asarray(constant).tobytes())
    return digest.hexdigest()


def code(record: Any, rate: float | None = None) -> str | None:
    """The user's own as it is written in a call from Python: the text with the path of a file, or the object by its name.

    `None` for what is ours: its name says all.
    """
    if not is_own(record):
        return None
    rated = record if rate is None else with_learning_rate(record, rate)
    text = short(rated, show=() if rate is None else ("learning_rate",))
    file = own.file_of(record)
    if file is not None:
        return repr((file.path if PLAIN_PATH.fullmatch(file.path) else repr(file.path)) + text.removeprefix(record.name))
    function = getattr(record, "formula", None) or getattr(record, "factory", None)
    if function is None:
        return text
    name = getattr(function, "__name__", "")
    name = name if name.isidentifier() else "mine"
    key = repr(record.name.removesuffix(OWN))
    return f"{{{key}: {name}}}" if rate is None else f"{{{key}: ({name}, {rate!r})}}"


def written(rules: Protocol) -> dict[str, dict[str, str | None]]:
    """What everyone shares of the user's own: its code, and the path of its file if it has one."""
    found = codes(model=(rules.model, None), penalty=(rules.penalty, None))
    schedules = rules.alike.schedules
    if any(map(is_own, schedules.values())):
        pairs = ", ".join(f"{name!r}: {code(each) or repr(short(each))}" for name, each in schedules.items())
        found["schedule"] = {"code": f"{{{pairs}}}", "path": None}
    return found


def codes(**records: tuple[Any, float | None]) -> dict[str, dict[str, str | None]]:
    """For each record with its learning rate that is the user's own: its `code`, and the path of its file if it has one."""
    out = {}
    for what, (record, rate) in records.items():
        if (found := code(record, rate)) is not None:
            file = own.file_of(record)
            out[what] = {"code": found, "path": None if file is None else file.path}
    return out
