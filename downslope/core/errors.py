"""The errors a user can meet. Each message says what was expected, what came, where, and what to do."""

import difflib
from collections.abc import Iterable


class DownslopeError(Exception):
    """Anything that the user, not a programmer, can put right. Its text is one line."""


class UnknownName(DownslopeError):
    """A loss, optimizer, column, metric or option that does not exist."""

    @classmethod
    def among(cls, what: str, name: str, known: Iterable[str], where: str = "") -> "UnknownName":
        """The error for `name`, with the nearest of the `known` names.

        >>> str(UnknownName.among("loss", "hubber", ["huber", "hinge"]))
        "unknown loss 'hubber'; did you mean 'huber'? Known: hinge, huber"
        """
        names = sorted(known)
        near = difflib.get_close_matches(name.lower(), [n.lower() for n in names], n=3, cutoff=0.5)
        back = {n.lower(): n for n in names}
        guess = f"did you mean {' or '.join(repr(back[n]) for n in near)}? Known" if near else "known"
        listing = ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")
        return cls(f"unknown {what} {name!r}{where}; {guess}: {listing}")


class OutOfRange(DownslopeError):
    """A setting outside the range in which its formula has a meaning."""


class BadShape(DownslopeError):
    """Arrays that would have to be broadcast against each other."""


class BadData(DownslopeError):
    """A file, table or array that cannot be learned from, with the place where it goes wrong."""


class IncompatiblePair(DownslopeError):
    """A loss, optimizer, metric or model that does not fit the task."""


class Diverged(DownslopeError):
    """Every run left the finite numbers, so there is no model to give."""
