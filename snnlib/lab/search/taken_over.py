"""What a search takes over from that of another network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..experiments.studies import STUDIES
from ..experiments.study import Study
from .choice import by_role, chosen, confirmed
from .trials import read, rows_of
from .values import holds

CARRIED = 5
"""Settings that a search takes over from another network's, at most."""


def carried(study: Study, folder: Path) -> list[dict[str, Any]]:
    """Settings that ``study`` tries first: those that the search of another network chose, then others it confirmed.

    The most accurate first, each once, :data:`CARRIED` at most; none if there is no such search. A value that is not in
    the space of ``study`` is left to its sampler. Raises ``Refused`` where that search has chosen nothing yet.
    """
    if not study.carries:
        return []
    other = STUDIES[study.carries]
    found: list[dict[str, Any]] = []
    others = confirmed(read(other, folder), other)
    for row in (*chosen(other, folder).values(), *rows_of(by_role(others, "dense", None))):
        settings = {name: row[name] for name, space in study.space.items() if holds(space, row[name])}
        if settings not in found:
            found.append(settings)
    return found[:CARRIED]
