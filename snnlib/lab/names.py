"""Names: errors for requests that cannot be met, their look-up with a suggestion for an unknown one, lists of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Refused(ValueError):
    """A request that cannot be met; the message says what is possible."""


class UnknownName(Refused):
    """A table, arm, network, profile, data set or device that does not exist; the message suggests the nearest."""


def check_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return ``name`` if it is ``known``.

    Raises :class:`UnknownName` otherwise, which suggests the nearest known name and lists them all.
    """
    known = list(known)
    if name in known:
        return name
    folded = {each.casefold(): each for each in known}
    begun = [each for each in folded if name and each.startswith(name.casefold())]
    near = begun or difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise UnknownName(f"unknown {kind} {name!r}: {hint}known: {', '.join(known)}")


def listing(words: Iterable[str]) -> str:
    """Words as a list in a sentence: a, b and c."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
