"""Tables of the open question: rows against columns, run by run, and what turns with the raster."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..lab.records import Record
from ..metrics import PairedDifference, paired_difference
from . import pages, pixels
from .evidence import ENOUGH, Sign, one, sides
from .wording import listing, span

Runs = Mapping[int, Record]
"""Records by seed."""


def contrast(runs: Runs) -> PairedDifference:
    """Mean and interval of :func:`~snnlib.report.pixels.edge_contrast` over runs, in percent."""
    return one({seed: pixels.edge_contrast(run) for seed, run in runs.items()})


def parts(straight: Runs, turned: Runs) -> dict[str, PairedDifference]:
    """The part of the contrast that stays with the digits when images are transposed, and the part of the raster.

    Half the sum and half the difference of the contrasts of both, paired by seed, in percent; only seeds with both
    count.
    """
    return {"digits": one(_part(straight, turned, 1)), "raster": one(_part(straight, turned, -1))}


def _part(straight: Runs, turned: Runs, sign: int) -> dict[int, float]:
    """Half the sum (``sign`` 1) or half the difference (-1) of the contrasts of each pair of runs, by seed."""
    return {
        seed: (pixels.edge_contrast(straight[seed]) + sign * pixels.edge_contrast(turned[seed])) / 2
        for seed in sorted(set(straight) & set(turned))
    }


def contrast_table(groups: Mapping[str, Runs]) -> pd.DataFrame:
    """One row a title: how much of each edge is pruned, and the contrast; titles without runs are left out."""
    rows: dict[str, dict[str, str]] = {}
    for title, runs in groups.items():
        if runs:
            shares = np.array([pixels.edge_shares(run) for run in runs.values()])
            rows[title] = {
                "n": str(len(runs)),
                "removed (%)": f"{np.mean([run['result']['removed_pct'] for run in runs.values()]):.1f}",
                "top, bottom (%)": f"{shares[:, 0].mean():.1f}",
                "sides (%)": f"{shares[:, 1].mean():.1f}",
                "contrast [95 %]": span(contrast(runs), 1),
            }
    return pages.table(rows)


def origin(found: Mapping[str, PairedDifference]) -> str:
    """Where the pattern comes from, in words, from what :func:`parts` returns; both intervals are corrected (Holm)."""
    if not found["raster"].n:
        return "No pairs of runs yet, so nothing is decided."
    digits, raster = sides([Sign("digits", found["digits"]), Sign("raster", found["raster"])])
    said = f"part of the raster {span(found['raster'], 1)}, part of the digits {span(found['digits'], 1)}"
    if found["raster"].n < ENOUGH:
        pairs = found["raster"].n
        return f"{pairs} pairs of runs so far, and fewer than {ENOUGH} decide nothing ({said})."
    if raster > 0 > digits:
        return (
            "**The place in the raster has the top and bottom pruned; what the pixels show works against it** "
            f"({said})."
        )
    if raster > 0 >= digits:
        return (
            f"**The pattern comes from where the pixels stand in the weight matrix, not from what they show** ({said})."
        )
    if digits > 0 >= raster:
        return f"**The pattern comes from what the pixels show, not from where they stand in the matrix** ({said})."
    if digits > 0 and raster > 0:
        return f"**The pattern comes from both, from what the pixels show and from where they stand** ({said})."
    return f"Neither part lies above 0: these runs do not tell where the pattern comes from ({said})."


def parts_table(pairs: Mapping[str, tuple[Runs, Runs]], against_first: bool = False) -> pd.DataFrame:
    """One row a title: the parts of the digits and of the raster, from runs on images as they are and transposed.

    ``against_first`` adds the raster's part minus that of the first row, paired by seed.
    """
    less = _less_first(pairs) if against_first else {}
    rows: dict[str, dict[str, str]] = {}
    for title, (straight, turned) in pairs.items():
        found = parts(straight, turned)
        if found["raster"].n:
            rows[title] = {
                "n": str(found["raster"].n),
                "digits [95 %]": span(found["digits"], 1),
                "raster [95 %]": span(found["raster"], 1),
            }
            if against_first:
                rows[title]["raster minus first row"] = span(less[title], 1) if title in less else ""
    return pages.table(rows)


def _less_first(pairs: Mapping[str, tuple[Runs, Runs]]) -> dict[str, PairedDifference]:
    """By title, but for the first, the raster's part minus that of the first title."""
    (_, first), *others = pairs.items()
    return {title: paired_difference(_part(*runs, -1), _part(*first, -1)) for title, runs in others}


def changed(pairs: Mapping[str, tuple[Runs, Runs]]) -> str:
    """Which changes make the raster's part another than it is in the first row, in words; corrected (Holm).

    Changes with fewer pairs of runs than decide anything are named.
    """
    less = _less_first(pairs)
    asked = {title: found for title, found in less.items() if found.n >= ENOUGH}
    side = dict(zip(asked, sides([Sign(title, found) for title, found in asked.items()])))
    words = {1: "larger", -1: "smaller"}
    told = [f"{words[sign]} with *{title}*" for title, sign in side.items() if sign]
    level = [f"*{title}*" for title, sign in side.items() if not sign]
    said = [f"The raster's part is {listing(told)}."] if told else []
    if level:
        said.append(f"No difference to it can be shown of {listing(level)}.")
    if few := [f"*{title}*" for title in less if title not in asked]:
        said.append(f"Too few pairs of runs yet: {listing(few)}.")
    return " ".join(said)
