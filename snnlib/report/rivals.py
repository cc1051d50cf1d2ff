"""The rivals beside SNN-AL: which method a row belongs to, one picture of them all, and narrow tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..lab.experiments.rivals import NAMES, RIVALS_TABLE, is_rival
from ..peers import PEERS
from . import pages, tables, wording
from .comparable import NEAR, first_large
from .figures import SINGLE, STYLE, arm_colours
from .printing import short
from .tables import Row, of_network
from .wording import unbroken

FLOOR = {"random": "random pruning", "norm": "L2-norm pruning"}
"""Ending of an arm of the plain floor, pruned to SNN-AL's widths, to what it is called."""

OURS = "SNN-AL"
MARKERS = {"neurons": "o", "neurons, by image": "^", "weights": "s", None: "D"}
"""Marker by what is pruned."""

PUBLISHED = {"BC-GNJ": "bc-gnj-authors", "BC-GHS": "bc-ghs-authors", "L0 (lambda sep.)": None}
"""The paper's name of a rival in Table 1, ours and what comes before a bracket in it, to the arm of its recipe."""

LEFT_OUT = {"L0 (one lambda)": "l0-authors"}
"""A row of the perceptron that the paper leaves out of what it quotes, and the arm of its recipe."""


def method_of(row: Row) -> str | None:
    """The method of one of our rows, as pictures and tables call it; None for a row that is not shown with rivals."""
    name, _, ending = row.arm.rpartition("-")
    if row.source != "ours":
        return None
    if name in PEERS or row.arm in PEERS:
        return NAMES[name if name in PEERS else row.arm]
    if ending in FLOOR:
        return FLOOR[ending]
    return "dense" if row.prunes is None else OURS


def of_profile(profile: str, root: Path) -> list[Row]:
    """The rows of the table of rivals, and of the paper's Table 1 its points."""
    return [*tables.paper_rows("1"), *tables.rows("rivals", profile, root)]


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
    order = ["dense", OURS, *FLOOR.values(), *NAMES.values()]
    return [
        Curve(method, found[method][0].prunes, tuple(sorted(found[method], key=lambda row: row.removed_pct or 0.0)))
        for method in order
        if method in found
    ]


def picture(rows: Sequence[Row], against: Literal["weights", "macs"] = "weights", network: str = "mlp") -> Figure:
    """Accuracy against the share of weights, or of multiplications, that is left: a line a method, bars are deviations.

    The axis is logarithmic, for the methods differ by factors. Filled marks prune neurons, hollow squares single
    weights, triangles other neurons for each image. Stars are the paper's own points, crosses
    its rivals' as it quotes them, the dotted line its dense network.
    Without a finished run it says so.
    """
    found = curves(rows, network)
    if not found:
        return pages.nothing()
    most = max(row.macs for curve in found for row in curve.rows if row.macs is not None)
    published = [row for row in of_network(rows, network) if row.source == "paper" and against == "weights"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(SINGLE, 6.0))
        colours = arm_colours([OURS, *(curve.method for curve in found if curve.method not in (OURS, "dense"))])
        for index, curve in enumerate(found):
            shown = [row for row in curve.rows if _high(row)]
            accuracy = [row.acc_mean or 0.0 for row in shown]
            if curve.method == "dense" and shown:
                axes.axhline(accuracy[0], color="#555555", linewidth=1, linestyle="--", label="dense, tuned")
            elif shown:
                colour = colours[curve.method]
                axes.errorbar(
                    [_left(row, most if against == "macs" else None) for row in shown],
                    accuracy,
                    [row.acc_std or 0.0 for row in shown],
                    color=colour,
                    marker=MARKERS[curve.prunes],
                    markerfacecolor="white" if curve.prunes == "weights" else colour,
                    markersize=8 if curve.method == OURS else 6,
                    linestyle="" if curve.method in (OURS, *FLOOR.values()) else ("-", "--", ":")[index % 3],
                    linewidth=1.2,
                    capsize=2,
                    label=curve.method,
                    zorder=3 if curve.method == OURS else 2,
                )
        for star, mark, label in ((True, "*", "SNN-AL, published"), (False, "x", "rivals, as the paper quotes them")):
            points = [row for row in published if row.removed_pct and row.arm.startswith("SNN") == star]
            if points:
                left, accuracy = [_left(row, None) for row in points], [row.acc_mean or 0.0 for row in points]
                size = 13 if star else 6
                axes.plot(
                    left, accuracy, mark, color="#000000", markersize=size, fillstyle="none", label=label, zorder=4
                )
        for row in published:
            if row.arm == "baseline":
                axes.axhline(row.acc_mean or 0.0, color="#555555", linewidth=1, linestyle=":", label="dense, published")
        if low := [f"{curve.method} ({row.acc_mean:.0f} %)" for curve in found for row in curve.rows if not _high(row)]:
            axes.set_title(f"below {FLOOR_OF_AXIS:g} %, not shown: {', '.join(low)}", fontsize=9, fontweight="normal")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator([0.5, 1, 2, 5, 10, 20, 50, 100]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        what = "weights" if against == "weights" else "multiplications for one image"
        axes.set(xlabel=f"{what} left (%)", ylabel="accuracy on the test images (%)", xlim=(None, 125))
        axes.grid()
        figure.legend(loc="outside lower center", ncols=2)
    return figure


FLOOR_OF_AXIS = 90.0
"""Accuracies below this do not stretch the picture's axis; the table has them."""


def _high(row: Row) -> bool:
    return (row.acc_mean or 0.0) >= FLOOR_OF_AXIS


def _left(row: Row, most: float | None) -> float:
    """What ``row`` leaves in percent: of the weights, or of ``most`` multiplications."""
    return 100 - (row.removed_pct or 0.0) if most is None else 100 * (row.macs or 0.0) / most


def _accuracy(row: Row) -> str:
    deviation = f" ± {row.acc_std:.2f}" if row.acc_std is not None else ""
    return unbroken(f"{row.acc_mean:.2f}{deviation}")


def _runs(row: Row) -> str:
    """How many runs a row's means are of, and how many beside them failed."""
    return f"{row.n}" + (f" (+ {row.failed} failed)" if row.failed else "")


def sizes(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method and size, the least sparse first: what is pruned, how much, and the accuracy in percent."""
    lines = {
        _named(curve, number): {
            "prunes": curve.prunes or "nothing",
            "removed %": f"{row.removed_pct:.1f}",
            "accuracy %": _accuracy(row),
            "runs": _runs(row),
        }
        for curve in curves(rows, network)
        for number, row in enumerate(curve.rows, 1)
    }
    return pages.table(lines)


def _named(curve: Curve, number: int) -> str:
    """What the row ``number``, from 1, of a curve is called: SNN-AL's by setting, a rival's by the size asked for."""
    row = curve.rows[number - 1]
    if curve.method == OURS:
        return row.title
    if is_rival(row.arm):
        return f"{curve.method} ({unbroken(row.arm.rpartition('-')[2] + ' %')})"
    return curve.method + (f", {number}" if len(curve.rows) > 1 else "")


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
        least = (own.removed_pct or 0.0) - NEAR
        able: dict[str, Row] = {}
        for method, curve in found.items():
            by_size = {int(row.arm.rpartition("-")[2]) if is_rival(row.arm) else 0: row for row in curve.rows}
            size = first_large({size: row.removed_pct for size, row in by_size.items()}, least)
            if size is not None and method not in ("dense", OURS):
                able[method] = by_size[size]
        ahead = sorted(able.items(), key=lambda pair: -(pair[1].acc_mean or 0.0))
        names = [f"{method} {row.acc_mean:.2f} at {row.removed_pct:.0f}" for method, row in ahead]
        lost = f" ({own.failed} of {own.failed + (own.n or 0)} runs lost)" if own.failed else ""
        said.append(
            f"* **Accuracy at the percent of weights removed**: {'; '.join(names)}. {own.title}: {own.acc_mean:.2f} at "
            f"{own.removed_pct:.0f}{lost}."
        )
    absent = [method for method in NAMES.values() if method not in found]
    said.append(f"* **Run so far**: {wording.listing(done.values()) or 'none of the rivals'}.")
    return "\n".join([*said, *([f"* **Not run yet**: {wording.listing(absent)}."] if absent else [])])


KINDS = {
    "neurons": "neurons: smaller and faster",
    "weights": "single weights: smaller files",
    "neurons, by image": "others for each image: less work",
}
"""What is pruned, and what it is good for."""

LEAST = 60.0
"""Percent of the weights that :func:`best` asks a method to remove."""


def best(rows: Sequence[Row], network: str = "mlp", least: float = LEAST) -> pd.DataFrame:
    """The methods that remove ``least`` percent of the weights or more, the most accurate first, by what they prune.

    Of each method its most accurate size counts. Runs that died or ended at chance are in the column of runs.
    """
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for kind, title in KINDS.items():
        able = [
            (curve.method, max(large, key=lambda row: row.acc_mean or 0.0))
            for curve in curves(rows, network)
            if curve.prunes == kind and (large := [row for row in curve.rows if (row.removed_pct or 0.0) >= least])
        ]
        for method, row in sorted(able, key=lambda pair: -(pair[1].acc_mean or 0.0)):
            lines[title, method] = {
                "accuracy %": _accuracy(row),
                "removed %": f"{row.removed_pct:.1f}",
                "runs": _runs(row),
            }
    found = pages.table({" | ".join(key): line for key, line in lines.items()})
    if lines:
        found.index = pd.MultiIndex.from_tuples(list(lines), names=["what goes", "method"])
    return found


def cost(rows: Sequence[Row], network: str = "mlp") -> pd.DataFrame:
    """A line a method: multiplications for one image of its smallest network, and seconds of its quickest run."""
    lines = {
        curve.method: {
            "MACs": short(curve.rows[-1].macs),
            "s a run": "" if (quickest := _quickest(curve)) is None else f"{quickest:.0f}",
        }
        for curve in curves(rows, network)
    }
    return pages.table(lines)


def _quickest(curve: Curve) -> float | None:
    """Seconds of the quickest of all runs; means would tell how busy the machine was."""
    return min((row.quickest for row in curve.rows if row.quickest is not None), default=None)


def ours_at(row: Row) -> str:
    """Accuracy of a row at the weights that it removes, in percent."""
    return f"{_accuracy(row)} at {row.removed_pct:.1f}"


def beside_published(rows: Sequence[Row], recipes: Sequence[Row] = (), network: str = "mlp") -> pd.DataFrame:
    """Published points of ``network``, ours of nearly the same size, and one run each by the authors' ``recipes``:
    accuracy at percent removed. Beside those that the paper quotes stand those of :data:`LEFT_OUT`, on the MLP, without
    a published figure."""
    ours = {curve.method: curve for curve in curves(rows, network)}
    theirs = {row.arm: row for row in recipes if row.n}
    points = {
        row.arm: (f"{row.acc_mean:.2f} at {row.removed_pct:.1f}", row.removed_pct or 0.0, PUBLISHED[row.arm])
        for row in of_network(rows, network)
        if row.source == "paper" and row.arm in PUBLISHED
    }
    if network == "mlp":
        points |= {
            name: ("not quoted", (theirs[arm].removed_pct or 0.0) if arm in theirs else 0.0, arm)
            for name, arm in LEFT_OUT.items()
        }
    lines: dict[str, dict[str, str]] = {}
    for name, (published, share, arm) in points.items():
        near = _nearest(ours.get(name.partition(" (")[0]), share)
        recipe = "no recipe of ours" if arm is None else ours_at(theirs[arm]) if arm in theirs else NOT_RUN
        lines[name] = {"published": published, "ours": ours_at(near) if near else NOT_RUN, "their recipe": recipe}
    return pages.table(lines)


NOT_RUN = "not run yet"


def _nearest(curve: Curve | None, share: float) -> Row | None:
    """Of ``curve`` the row whose percent of weights removed is nearest to ``share``."""
    rows = curve.rows if curve else ()
    return min(rows, key=lambda row: abs((row.removed_pct or 0.0) - share), default=None)
