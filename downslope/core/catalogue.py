"""Find the files of a package and what is in them; look up and parse `huber(delta=2)`."""

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from downslope.core.errors import DownslopeError, IncompatiblePair, OutOfRange, UnknownName

NOT_ENTRIES = frozenset({"base"})


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
        module = importlib.import_module(f"{self.package}.{name}")
        contract = importlib.import_module(f"{self.package}.base").CONTRACT
        return finished_class(module, contract)

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

    def parse(self, text: str) -> Any:
        """An instance from `huber`, `huber(delta=2)` or `sam(adam(learning_rate=0.01), radius=0.05)`.

        Only names, numbers, strings, lists and nested entries are understood; nothing is evaluated.
        """
        try:
            expression = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise UnknownName(f"{self.what} {text!r} is not of the form name or name(setting=value)") from None
        return self.build(expression, text)

    def make(self, entry: Any) -> Any:
        """An instance from a text, a class or an instance, which must be of the right kind."""
        if isinstance(entry, str):
            return self.parse(entry)
        made = entry() if isinstance(entry, type) else entry
        contract = importlib.import_module(f"{self.package}.base").CONTRACT
        if not isinstance(made, contract):
            kind = contract.__name__
            raise IncompatiblePair(f"expected the name of a known {self.what} or an object of the class {kind}, got {made!r:.60}")
        return made

    def build(self, expression: ast.expr, text: str) -> Any:
        """An instance from a parsed expression."""
        if isinstance(expression, ast.Name):
            return self.find(expression.id)()
        if not (isinstance(expression, ast.Call) and isinstance(expression.func, ast.Name)):
            raise UnknownName(f"{self.what} {text!r} is not of the form name or name(setting=value)")
        entry = self.find(expression.func.id)
        known = list(entry.settings())
        if len(expression.args) > len(known):
            raise OutOfRange(f"{entry.name} takes {len(known)} settings ({', '.join(known)}), got {len(expression.args)}")
        given = {name: self.literal(value, text) for name, value in zip(known, expression.args, strict=False)}
        for keyword in expression.keywords:
            if keyword.arg is None or keyword.arg not in known:
                raise UnknownName.among(f"setting of {entry.name}", str(keyword.arg), known)
            given[keyword.arg] = self.literal(keyword.value, text)
        return entry(**given)

    def literal(self, value: ast.expr, text: str) -> Any:
        """A number, string, tuple of numbers or nested entry."""
        if isinstance(value, ast.Call):
            return self.build(value, text)
        if isinstance(value, ast.Name) and value.id in self.names:
            return self.find(value.id)()
        try:
            plain = ast.literal_eval(value)
        except (ValueError, TypeError):
            raise OutOfRange(f"{ast.unparse(value)!r} in {text!r} is neither a number nor a text in quotes") from None
        return tuple(plain) if isinstance(plain, list) else plain


def finished_class(module: Any, contract: type) -> Any:
    """The one class in a file that fulfils the contract."""
    found = [
        thing
        for thing in vars(module).values()
        if inspect.isclass(thing)
        and issubclass(thing, contract)
        and not inspect.isabstract(thing)
        and thing.__module__ == module.__name__
    ]
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
    if isinstance(value, bool | str | tuple | list):
        return repr(list(value) if isinstance(value, tuple) else value)
    return f"{float(value):.6g}"
