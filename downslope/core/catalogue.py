"""Find the files of a package and what is in them; look up and parse `huber(delta=2)`."""

import ast
import importlib
import importlib.util
import inspect
import os
import pkgutil
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from downslope.core import own
from downslope.core.errors import DownslopeError, IncompatiblePair, OutOfRange, UnknownName

NOT_ENTRIES = frozenset({"base", "own"})
OWN = " (own)"
NAME = re.compile(r"\w[\w .+-]*")


class Catalogue(Mapping[str, type]):
    """The entries of a package: one file, one finished class. The folder is the list; nothing is registered by hand.

    Names are file names. Listing them imports nothing; a file is imported when its entry is asked for.
    """

    def __init__(self, package: str, what: str) -> None:
        self.package = package
        self.what = what

    @cached_property
    def names(self) -> tuple[str, ...]:
        """File names, sorted."""
        path = importlib.import_module(self.package).__path__
        return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if m.name not in NOT_ENTRIES))

    @cached_property
    def aliases(self) -> dict[str, str]:
        """The short names people type, each with the name it stands for."""
        return {alias: name for name in self.names for alias in self[name].about.aliases}

    def __getitem__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        return finished_class(importlib.import_module(f"{self.package}.{name}"), self.contract)

    @property
    def contract(self) -> type:
        """What every entry fulfils."""
        return importlib.import_module(f"{self.package}.base").CONTRACT

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, name: str) -> Any:
        """The class called `name`, or by an alias of it; `UnknownName` with the nearest match otherwise."""
        plain = name.strip().lower().replace("-", "_").replace(" ", "_")
        if plain in self.names:
            return self[plain]
        if plain in self.aliases:
            return self[self.aliases[plain]]
        raise UnknownName.among(self.what, name, [*self.names, *self.aliases])

    def attribute(self, name: str) -> Any:
        """The class called `Huber`, for the package's own `__getattr__`."""
        for file in self.names:
            if file.replace("_", "") == name.lower() and not name.islower():
                return self[file]
        raise AttributeError(f"module {self.package!r} has no attribute {name!r}")

    def classes(self) -> list[str]:
        """Names of all classes, for the package's own `__dir__`."""
        return sorted(self[name].__name__ for name in self.names)

    def parse(self, text: str, files: bool = False) -> Any:
        """An instance from `huber`, `huber(delta=2)` or `sam(adam(learning_rate=0.01), radius=0.05)`.

        Only names, numbers, strings, lists and nested entries are understood; nothing is evaluated. With `files` a path to a
        Python file may stand for a name, and that file is run: for texts that the user has typed, and for no others.
        """
        try:
            expression = ast.parse(own.quoted(text.strip()), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UnknownName(f"{self.what} {text!r} is not of the form name or name(setting=value)") from None
        return self.build(expression, text, files)

    def make(self, entry: Any, name: str | None = None) -> Any:
        """An instance from what a user gave: a text, the path of a file, a class, an instance or a plain function.

        `name` is what a plain function is to be called; one of ours has a name and keeps it.
        """
        made = self.ready(entry)
        if made is None and not hasattr(entry, "settings") and (adapter := self.adapter()) is not None:
            made = adapter.of_object(entry, lambda own_name: self.free(name or own_name))
        if not isinstance(made, self.contract):
            kind = self.contract.__name__
            advice = self.advice(entry)
            raise IncompatiblePair(
                f"expected the name of a known {self.what} or an object of the class {kind}, got {entry!r:.60}{advice}"
            )
        return made

    def advice(self, entry: Any) -> str:
        """What to do where a plain function stands for a kind that takes none: what it is called with would be a guess."""
        if not callable(entry) or isinstance(entry, type):
            return ""
        methods = " and ".join(sorted(getattr(self.contract, "__abstractmethods__", ())))
        contract = f"{self.contract.__module__}.{self.contract.__name__}"
        return f"; a {self.what} of your own is a class: derive it from {contract}, with {methods}"

    def ready(self, entry: Any) -> Any:
        """An instance from a text, a path, a class or an instance of the contract; `None` for anything else."""
        if isinstance(entry, str):
            return self.parse(entry, files=True)
        if isinstance(entry, os.PathLike):
            return self.own(entry)()
        if isinstance(entry, type) and issubclass(entry, self.contract):
            return entry()
        return entry if isinstance(entry, self.contract) else None

    def free(self, name: str) -> str:
        """The name for an entry of the user's own: never one of ours, whose paper would be taken for its own."""
        if not NAME.fullmatch(name):
            raise IncompatiblePair(
                f"the {self.what} of your own needs a name of letters and digits, got {name!r}; give it one: {{'mine': …}}"
            )
        return f"{name}{OWN}" if name in self.names or name in self.aliases else name

    def own(self, path: str | os.PathLike[str]) -> Any:
        """The class in a file of the user's own, which is run: its one finished class, or what its plain functions make."""
        module = own.load(path)
        file = own.FILES[module.__name__]
        classes = [c for c in defined(module, self.contract) if not inspect.isabstract(c)]
        adapter = self.adapter()
        if not classes and adapter is not None and (made := adapter.of_module(module, file)) is not None:
            return made
        if len(classes) == 1:
            found = classes[0]
            if not hasattr(found, "about"):
                raise own.OwnFileError(f"{own.at(found)}: class {found.__name__} says nothing about itself; it needs `about`")
            found.name = file.name
            return found
        wanted = f"one finished class of {self.contract.__name__}" + (f", or {adapter.WANTED}" if adapter else "")
        raise own.OwnFileError(f"{file.path}: expected {wanted}; {holdings(module, self.contract)}")

    def fits(self, module: Any) -> bool:
        """Whether a file of the user's own holds something for this catalogue, finished or not."""
        adapter = self.adapter()
        named = adapter is not None and adapter.of_module(module, own.FILES[module.__name__]) is not None
        return named or bool(defined(module, self.contract))

    def adapter(self) -> Any:
        """The module that makes entries from plain functions, `None` where a kind has none."""
        known = importlib.util.find_spec(f"{self.package}.own")
        return None if known is None else importlib.import_module(f"{self.package}.own")

    def build(self, expression: ast.expr, text: str, files: bool) -> Any:
        """An instance from a parsed expression."""
        called = isinstance(expression, ast.Call)
        entry = self.entry(expression.func if called else expression, text, files)
        if not called:
            return entry()
        known = list(entry.settings())
        if len(expression.args) > len(known):
            raise OutOfRange(f"{entry.name} takes {len(known)} settings ({', '.join(known)}), got {len(expression.args)}")
        given = {name: self.literal(value, text, files) for name, value in zip(known, expression.args, strict=False)}
        for keyword in expression.keywords:
            if keyword.arg is None or keyword.arg not in known:
                raise UnknownName.among(f"setting of {entry.name}", str(keyword.arg), known)
            given[keyword.arg] = self.literal(keyword.value, text, files)
        return entry(**given)

    def entry(self, expression: ast.expr, text: str, files: bool) -> Any:
        """The class that a name or a path stands for."""
        if isinstance(expression, ast.Name):
            return self.find(expression.id)
        if files and is_path(expression):
            return self.own(ast.literal_eval(expression))
        raise UnknownName(f"{self.what} {text!r} is not of the form name or name(setting=value)")

    def literal(self, value: ast.expr, text: str, files: bool) -> Any:
        """A number, string, tuple of numbers or nested entry."""
        if isinstance(value, ast.Call) or is_path(value) or (isinstance(value, ast.Name) and value.id in self.names):
            return self.build(value, text, files)
        try:
            plain = ast.literal_eval(value)
        except (ValueError, TypeError):
            raise OutOfRange(f"{ast.unparse(value)!r} in {text!r} is neither a number nor a text in quotes") from None
        return tuple(plain) if isinstance(plain, list) else plain


def is_path(expression: ast.expr) -> bool:
    """Whether an expression is a path in quotes."""
    return isinstance(expression, ast.Constant) and str(expression.value).endswith(own.ENDING)


def defined(module: Any, contract: type) -> list[type]:
    """The classes of a contract that a file itself defines."""
    return [
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, contract) and thing.__module__ == module.__name__
    ]


def holdings(module: Any, contract: type) -> str:
    """What a user's file holds in place of one finished class, in words."""
    classes = defined(module, contract)
    unfinished = [c for c in classes if inspect.isabstract(c)]
    if len(classes) > len(unfinished):
        places = ", ".join(f"{c.__name__} ({own.at(c)})" for c in classes if c not in unfinished)
        return f"it holds {len(classes) - len(unfinished)}: {places}; keep one in each file"
    if unfinished:
        lacking: set[str] = getattr(unfinished[0], "__abstractmethods__", set())
        return f"{unfinished[0].__name__} ({own.at(unfinished[0])}) lacks {' and '.join(sorted(lacking))}"
    return "it holds neither"


def finished_class(module: Any, contract: type) -> Any:
    """The one class in a file that fulfils the contract."""
    found = [each for each in defined(module, contract) if not inspect.isabstract(each)]
    if len(found) != 1:
        raise DownslopeError(f"{module.__file__} must hold exactly one finished {contract.__name__}, it holds {len(found)}")
    return found[0]


def spell(record: Any) -> str:
    """The record as one types it, every setting written out.

    >>> from downslope.losses import Huber
    >>> spell(Huber(delta=0.5))
    'huber(delta=0.5)'
    """
    inside = ", ".join(f"{name}={spell_value(value)}" for name, value in record.values().items())
    return f"{record.name}({inside})" if inside else record.name


def spell_value(value: Any) -> str:
    """One setting as one types it."""
    if hasattr(value, "settings"):
        return spell(value)
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if value is None or isinstance(value, bool | str | tuple | list):
        return repr(list(value) if isinstance(value, tuple) else value)
    return f"{float(value):.6g}"
