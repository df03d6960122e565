"""A Python file of the user's own: run because somebody typed its path, never because something read it."""

import hashlib
import importlib.abc
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from downslope.core.errors import BadData, DownslopeError

ENDING = ".py"
# A path where the name of an entry may stand: from a delimiter to `.py`, blanks inside allowed.
PATH = re.compile(r"""(?:^|(?<=[(,=\[]))\s*([^"'(),=\[\]]+?\.py)(?=\s*(?:[(),\]@]|$))""")
QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
LONGEST = 300


class OwnFileError(DownslopeError):
    """What a file of the user's own does wrong, with its line."""


@dataclass(frozen=True)
class Own:
    """A file that was run: its path as it was typed, its name, the hash of the bytes that were run."""

    path: str
    name: str
    sha256: str


FILES: dict[str, Own] = {}
"""The files run in this process, by the name of their module."""


class Given(importlib.abc.InspectLoader):
    """Runs exactly the bytes that were hashed, and leaves no compiled file beside the user's."""

    def __init__(self, data: bytes, place: str) -> None:
        self.data, self.place = data, place

    def get_source(self, fullname: str) -> str:
        """The text, for whoever shows a traceback."""
        return importlib.util.decode_source(self.data)

    def get_code(self, fullname: str) -> CodeType | None:
        """The bytes as code that knows where it comes from."""
        return self.source_to_code(self.data, self.place)


def load(path: str | os.PathLike[str]) -> ModuleType:
    """The module in a file, run once for each content. `OwnFileError` with the line where it fails, `BadData` without a file."""
    place = Path(path).expanduser()
    try:
        data = place.read_bytes()
    except OSError as problem:
        raise BadData(f"cannot read {path}: {problem.strerror or problem}; a Python file of your own is expected") from None
    digest = hashlib.sha256(data).hexdigest()
    where = str(place.resolve())
    name = f"own_{hashlib.sha256(where.encode()).hexdigest()[:8]}_{digest[:16]}"
    FILES[name] = Own(os.fspath(path), place.name, digest)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, where, loader=Given(data, where))
    if spec is None or spec.loader is None:
        raise BadData(f"cannot run {path}; a Python file of your own is expected")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and annotations look for it there
    try:
        with blamed():
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def file_of(thing: Any) -> Own | None:
    """The user's file that a class, a function or an object's class was loaded from; `None` for all others."""
    kind = thing if inspect.isclass(thing) or inspect.isfunction(thing) else type(thing)
    return FILES.get(kind.__module__)


def is_own(record: Any) -> bool:
    """Whether a record's class is not one of ours, wherever it comes from."""
    return not type(record).__module__.startswith("downslope.")


def at(thing: Any) -> str:
    """Where a class or a function is defined, to begin a message with: `mine.py, line 3`, or its name alone."""
    file = file_of(thing)
    if file is None:
        return str(getattr(thing, "__name__", thing))
    try:
        return f"{file.path}, line {inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return file.path


@contextmanager
def blamed() -> Iterator[None]:
    """What goes wrong inside a file of the user's own becomes one line with the file and the line; all else passes."""
    try:
        yield
    except DownslopeError:
        raise
    except (Exception, SystemExit) as error:
        line = line_of(error)
        if line is None:
            raise
        told = " ".join((str(error).strip().splitlines() or [""])[0].split())[:LONGEST]
        what = f"{error.msg}" if isinstance(error, SyntaxError) else f"{type(error).__name__}: {told}".rstrip(": ")
        raise OwnFileError(f"{line}: {what}") from error


def line_of(error: BaseException) -> str | None:
    """The innermost line of a user's file that an error went through, `None` if it went through none."""
    places = {module.__file__: FILES[name].path for name, module in list(sys.modules.items()) if name in FILES}
    if isinstance(error, SyntaxError) and error.filename in places:
        return f"{places[error.filename]}, line {error.lineno}"
    found, step = None, error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file in places:
            found = f"{places[file]}, line {step.tb_lineno}"
        step = step.tb_next
    return found


def quoted(text: str) -> str:
    """The text with every path in it in quotes, as `ast` can read it.

    >>> quoted("sam(./mine.py(rate=2), radius=0.1)")
    "sam('./mine.py'(rate=2), radius=0.1)"
    """
    return PATH.sub(lambda found: repr(found[1].strip()), text)


def without_paths(text: str) -> str:
    """The text with all paths and other quoted texts cut out.

    >>> without_paths("./learning_rate/mine.py(b1=0.9)")
    "''(b1=0.9)"
    """
    return QUOTED.sub("''", quoted(text))
