"""What a person asks for and cannot have; names that they type are looked up, with a suggestion for an unknown one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class Refused(ValueError):
    """Something that cannot be done as it was asked for; the message says what can."""


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
    near = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean {folded[near[0]]!r}? " if near else ""
    raise UnknownName(f"unknown {kind} {name!r}: {hint}known: {', '.join(known)}")
