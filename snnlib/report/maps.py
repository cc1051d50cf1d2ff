"""Maps from records: which settings train at all, and which pixels are pruned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from ..lab.records import Entry
from .style import STYLE

CHANCE = 15.0
"""Accuracy in percent below which a run of ten classes has learned nothing."""


@dataclass(frozen=True)
class Cell:
    """The runs of one setting: shares in percent of ``runs``, means over those that finished (NaN if none did)."""

    runs: int
    diverged: float  # the loss became NaN
    dead: float  # a whole layer was pruned
    untrained: float  # finished, but no better than chance
    left: float  # neurons left, in percent
    accuracy: float  # in percent


def cell(entries: Sequence[Entry]) -> Cell:
    """Measure one setting from the entries of its runs; those without a record are left out."""
    records = [entry.content for entry in entries if entry.stands]
    errors = [(record["error"] or {}).get("type") for record in records]
    done = [record["result"] for record in records if record["status"] != "failed"]

    def share(count: int) -> float:
        return 100 * count / len(records) if records else np.nan

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else np.nan

    return Cell(
        runs=len(records),
        diverged=share(errors.count("DivergenceError")),
        dead=share(errors.count("DeadLayerError")),
        untrained=share(sum(result["accuracy"] < CHANCE for result in done)),
        left=mean([100 * sum(result["widths"]) / sum(result["full_widths"]) for result in done]),
        accuracy=mean([result["accuracy"] for result in done]),
    )


PANELS = {
    "diverged": ("diverged (% of runs)", "Reds", 0, 100, ".0f"),
    "dead": ("a layer died (% of runs)", "Purples", 0, 100, ".0f"),
    "left": ("neurons left (%)", "YlGnBu", 0, 100, ".0f"),
    "accuracy": ("held-out accuracy (%)", "viridis", 80, 98, ".1f"),
}
"""A field of :class:`Cell` to its panel: title, colours, lowest and highest value of the scale, format of a number."""


def settings_map(cells: Mapping[tuple[str, str, str], Cell], rows: str, columns: str) -> Figure:
    """Heat maps of settings: a line of panels for each group, a panel for each of :data:`PANELS`.

    ``cells`` maps (group, row, column) to a measured cell; ``rows`` and ``columns`` label the axes. Hatched: no run has
    finished. Raises ``ValueError`` where no cell has a run.
    """
    if not any(each.runs for each in cells.values()):
        raise ValueError("none of these settings has a record: nothing to draw")
    groups, down, across = (list(dict.fromkeys(key[part] for key in cells)) for part in range(3))
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(
            len(groups),
            len(PANELS),
            figsize=(10.4, len(groups) * (1.35 + 0.34 * len(down))),
            squeeze=False,
            sharex=True,
            sharey=True,
        )
        for first, line, group in zip((True, *[False] * len(groups)), panels, groups):
            for axes, (field, (title, colours, low, high, form)) in zip(line, PANELS.items()):
                values = np.array([[getattr(cells[group, row, column], field) for column in across] for row in down])
                axes.set_facecolor("#ececec")
                axes.add_patch(
                    Rectangle(
                        (-0.5, -0.5), len(across), len(down), fill=False, hatch="////", edgecolor="#c4c4c4", linewidth=0
                    )
                )
                shown = axes.imshow(
                    np.ma.masked_invalid(values), cmap=colours, vmin=low, vmax=high, aspect="auto", zorder=2
                )
                for (row, column), value in np.ndenumerate(values):
                    if np.isfinite(value):
                        red, green, blue, _ = shown.cmap(shown.norm(value))
                        light = 0.3 * red + 0.59 * green + 0.11 * blue > 0.55
                        axes.text(
                            column,
                            row,
                            format(value, form),
                            ha="center",
                            va="center",
                            fontsize=8.5,
                            color="black" if light else "white",
                            zorder=3,
                        )
                axes.set(title=title if first else "", xticks=range(len(across)), yticks=range(len(down)))
                axes.set_xticklabels(across)
                axes.set_yticklabels(down)
                axes.title.set_fontsize(9.5)
                axes.tick_params(length=0, labelsize=9)
                axes.spines[:].set_visible(False)
            line[0].set_ylabel(f"{group}\n{rows}")
        figure.supxlabel(columns, fontsize=10.5)
    return figure


def pruned_shares(factors: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Percent of runs that prune each pixel; ``factors`` (height, width) of each run."""
    return 100 * np.mean([np.asarray(each) == 0 for each in factors], axis=0)


def strengthened_shares(factors: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Percent of runs that strengthen each pixel (factor 1 and above); ``factors`` (height, width) of each run."""
    return 100 * np.mean([np.asarray(each) >= 1 for each in factors], axis=0)


def pixel_shares(shares: Mapping[str, NDArray[np.float64]], what: str = "pruned") -> Figure:
    """Share of runs that prune each pixel (or do ``what``), one panel a title, with the means of each row and column.

    ``shares`` maps a title to (height, width) in percent. The four edges, 4 pixels wide, are marked.
    """
    colours = ListedColormap(plt.get_cmap("magma")(np.linspace(0.05, 0.98, 256)))
    count, top = len(shares), max(max(float(each.max()) for each in shares.values()), 1.0)
    profile = max(max(float(each.mean(axis).max()) for each in shares.values() for axis in (0, 1)), 1.0) * 1.05
    across = min(count, 2)
    with plt.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        down = -(-count // across)
        side, gap = 3.1, 0.32  # of a panel in inches, and between panels in parts of it: panels are square
        size = [side * (many + gap * (many - 1)) for many in (across, down)]
        around = (size[0] / 0.8, size[1] + 0.9)
        figure = plt.figure(figsize=around)
        grid = figure.add_gridspec(
            down,
            across,
            wspace=gap,
            hspace=gap,
            left=0.08,
            right=0.88,
            top=1 - 0.35 / around[1],
            bottom=0.55 / around[1],
        )
        for index, (title, share) in enumerate(shares.items()):
            inner = grid[index // across, index % across].subgridspec(
                2, 2, width_ratios=(4, 1), height_ratios=(1, 4), wspace=0.06, hspace=0.06
            )
            image, by_column, by_row = (figure.add_subplot(inner[place]) for place in ((1, 0), (0, 0), (1, 1)))
            image.imshow(share, cmap=colours, vmin=0, vmax=top, interpolation="nearest", aspect="auto")
            height, width = share.shape
            for edge in (3.5, height - 4.5):
                image.axhline(edge, color="white", linewidth=0.7, linestyle=":")
            for edge in (3.5, width - 4.5):
                image.axvline(edge, color="white", linewidth=0.7, linestyle=":")
            by_column.bar(range(width), share.mean(0), 1.0, color="#0072b2")
            by_row.barh(range(height), share.mean(1), 1.0, color="#d55e00")
            by_column.set(xlim=(-0.5, width - 0.5), ylim=(0, profile), xticks=[], title=title)
            by_column.title.set_fontsize(10)
            by_row.set(ylim=(height - 0.5, -0.5), xlim=(0, profile), yticks=[])
            image.set(xlabel="column of pixels", ylabel="row of pixels")
            for axes in (image, by_column, by_row):
                axes.tick_params(labelsize=8)
        bar = figure.add_axes((0.91, 0.25, 0.02, 0.5))
        figure.colorbar(ScalarMappable(Normalize(0, top), colours), cax=bar, label=f"{what} (% of runs)")
    return figure
