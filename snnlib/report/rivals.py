"""The rivals beside SNN-AL: which method a row belongs to, and in words which are ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..lab.experiments.prices import PRICES, others
from ..lab.experiments.rivals import NAMES, size_of
from ..lab.experiments.rivals_table import RIVALS_TABLE
from ..peers import PEERS
from . import tables, wording
from .comparable import NEAR, first_large
from .tables import Row, of_network

FLOOR = {"random": "random pruning", "norm": "L2-norm pruning"}
"""Ending of an arm of the plain floor, pruned to SNN-AL's widths, to what it is called."""

OURS = "SNN-AL"


def method_of(row: Row) -> str | None:
    """The method of one of our rows, as pictures and tables call it; None for a row that is not shown with rivals."""
    name, _, ending = row.arm.rpartition("-")
    if row.source != "ours":
        return None
    if rival := next((each for each in (name, row.arm) if each in PEERS), None):
        return NAMES.get(rival, rival)
    if ending in FLOOR:
        return FLOOR[ending]
    return "dense" if row.prunes is None else OURS


def of_profile(profile: str, root: Path) -> list[Row]:
    """The rows of the table of rivals, and of the paper's Table 1 its points."""
    return [*tables.paper_rows("1"), *tables.rows("rivals", profile, root)]


FURTHER = frozenset(arm.name for arm in others())
"""Arms of the table of prices that give a rival of the MLP a further size."""


def further(profile: str, root: Path) -> list[Row]:
    """Their rows; none in a profile that the table of prices does not have.

    They are for pictures and tables of sizes: what the rules compare was fixed before they were there. L0's prices have
    a picture of their own.
    """
    found = tables.our_rows(PRICES, profile, root) if profile in PRICES.arms else []
    return [row for row in found if row.arm in FURTHER]


def of_recipes(root: Path) -> list[Row]:
    """The rows of rivals that were trained as their own authors train them."""
    return tables.our_rows(RIVALS_TABLE, "authors", root)


@dataclass(frozen=True)
class Curve:
    """The rows of one method, the least sparse first."""

    method: str
    prunes: str | None
    rows: tuple[Row, ...]


def curves(rows: Sequence[Row], network: str = "mlp") -> list[Curve]:
    """Our rows of ``network`` that have finished runs, by method: dense, SNN-AL, the plain floor, then the rivals."""
    found: dict[str, list[Row]] = {}
    for row in of_network(rows, network):
        if (method := method_of(row)) is not None and row.acc_mean is not None:
            found.setdefault(method, []).append(row)
    order = dict.fromkeys(["dense", OURS, *FLOOR.values(), *NAMES.values(), *found])
    return [
        Curve(method, found[method][0].prunes, tuple(sorted(found[method], key=lambda row: row.gone_pct)))
        for method in order
        if method in found
    ]


def in_short(rows: Sequence[Row], network: str = "mlp", ours: str = "sparse") -> str:
    """How rivals compare with the arm ``ours`` of SNN-AL, which have finished runs, and which have none, as Markdown.

    Of each rival the least sparse row counts that removes as much in the mean, save :data:`NEAR` points.
    """
    found = {curve.method: curve for curve in curves(rows, network)}
    done = {
        method: f"{method} ({len(curve.rows)} {'size' if len(curve.rows) == 1 else 'sizes'}, up to "
        f"{max(row.n or 0 for row in curve.rows)} runs each)"
        for method, curve in found.items()
        if method in NAMES.values()
    }
    said: list[str] = []
    own = next((row for row in of_network(rows, network) if row.arm == ours and row.acc_mean is not None), None)
    if own is not None and done:
        least = own.gone_pct - NEAR
        able: dict[str, Row] = {}
        for method, curve in found.items():
            by_size = {
                number if (size := size_of(row.arm)) is None else size: row
                for number, row in enumerate(curve.rows)  # the least sparse first
            }
            size = first_large({size: row.gone_pct for size, row in by_size.items()}, least)
            if size is not None and method not in ("dense", OURS):
                able[method] = by_size[size]
        ahead = sorted(able.items(), key=lambda pair: -(pair[1].acc_mean or 0.0))
        names = [f"{method} {row.acc_mean:.2f} at {row.gone_pct:.0f}" for method, row in ahead]
        lost = f" ({own.failed} of {own.failed + (own.n or 0)} runs lost)" if own.failed else ""
        said.append(
            f"* **Accuracy at the percent of weights removed**: {'; '.join(names)}. {own.title}: {own.acc_mean:.2f} at "
            f"{own.gone_pct:.0f}{lost}."
        )
    absent = [method for method in NAMES.values() if method not in found]
    said.append(f"* **Run so far**: {wording.listing(done.values()) or 'none of the rivals'}.")
    return "\n".join([*said, *([f"* **Not run yet**: {wording.listing(absent)}."] if absent else [])])
