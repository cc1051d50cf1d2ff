"""The versions of the open question: images and rows in four orders, under several settings; which runs are of each."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from ..lab.experiments import TABLES
from . import contrasts, maps, pages, pixels
from .contrasts import Runs
from .results import Results
from .wording import span, unsigned

ORDERS = {
    "images as they are": ("snn-al", "pattern"),
    "images transposed": ("transposed", "pattern-transposed"),
    "pixels shuffled": ("pixels-shuffled", "pattern-pixels-shuffled"),
    "rows reordered": ("rows-reordered", "pattern-rows-reordered"),
}
"""Order to its arms, under the plain settings and in those that show the pattern best."""

LEVELS = {"8 levels, images as they are": "deep-std-0.1", "8 levels, images transposed": "deep-transposed-std-0.1"}
"""A switcher of 8 levels, which sees the whole image."""


def plain(results: Results, std: str = "0.1") -> dict[str, Runs]:
    """Runs of the plain settings by order; ``std`` is that of the initial weights, "0.1" or "0.01"."""

    def arm(kind: str) -> str:
        return f"{kind}-std-0.1" if std == "0.1" else "snn-al-epoch" if kind == "snn-al" else kind

    return {order: results.runs(arm(kind)) for order, (kind, _) in ORDERS.items()}


def deep(results: Results) -> dict[str, Runs]:
    """Runs of the switcher of 8 levels."""
    return {title: results.runs(arm) for title, arm in LEVELS.items()}


def pattern(results: Results) -> dict[str, Runs]:
    """Runs of the settings in which the pattern shows best, by order."""
    return {order: results.runs(arm) for order, (_, arm) in ORDERS.items()}


def turned(results: Results) -> dict[str, tuple[Runs, Runs]]:
    """Runs on images as they are and transposed, under the plain settings and for the switcher of 8 levels."""
    large, small, levels = (list(found.values()) for found in (plain(results), plain(results, "0.01"), deep(results)))
    return {
        "initial std 0.1": (large[0], large[1]),
        "initial std 0.1, 8 levels": (levels[0], levels[1]),
        "initial std 0.01": (small[0], small[1]),
    }


def varied(results: Results) -> dict[str, tuple[Runs, Runs]]:
    """The same for the settings that show the pattern, first as they are, then with one thing changed in each."""
    titles = {arm.name: arm.title for arm in TABLES["question"].arms["paper"] if arm.name.startswith("pattern")}
    return {
        title.split(": ")[0].removeprefix("where the pattern shows").lstrip(", ") or "nothing changed": (
            results.runs(name),
            results.runs(f"{name}-transposed"),
        )
        for name, title in titles.items()
        if f"{name}-transposed" in titles
    }


def in_short(results: Results) -> str:
    """The contrast of rows and columns, and its parts, under plain settings and where it shows best, as Markdown."""
    lines: list[str] = []
    for title, runs, pair in (
        ("Plain settings", plain(results), turned(results)["initial std 0.1"]),
        ("Where the pattern shows best", pattern(results), varied(results)["nothing changed"]),
    ):
        found, parts = contrasts.contrast(runs["images as they are"]), contrasts.parts(*pair)
        said = f"* **{title}**: "
        if not found.n or not parts["raster"].n:
            lines.append(f"{said}no finished runs yet.")
            continue
        lines.append(
            f"{said}the top and bottom are pruned more often than the sides by {span(found, 1)} points. Of this "
            f"{span(parts['raster'], 1)} belongs to the place in the raster, {span(parts['digits'], 1)} to the digits."
        )
    return "\n".join(lines)


def pruned(groups: dict[str, Runs]) -> Figure:
    """The share of runs that prune each pixel, a panel for each title that has runs."""
    shares = {
        title: maps.pruned_shares([pixels.factors_in_place(run) for run in runs.values()])
        for title, runs in groups.items()
        if runs
    }
    return maps.pixel_shares(shares) if shares else pages.nothing()


def candidates(results: Results) -> pd.DataFrame:
    """Contrasts of the settings that may show the pattern, on seeds other than those in which they had shown it."""
    titles = {name: arm.title.removeprefix("pattern ").capitalize() for (_, name), arm in results.arms.items()}
    return contrasts.contrast_table({title: results.runs(name) for name, title in titles.items()})


def of_trials(trials: pd.DataFrame, lowest: float = 97.0) -> pd.DataFrame:
    """The range of contrasts of a search's short trials that reach ``lowest`` percent on held-out images."""
    useful = trials[(trials["state"] == "finished") & (trials["rung"] == 1)]
    useful = useful[useful["accuracy"].astype(float) >= lowest]
    gaps = useful["rows_off"].astype(float) - useful["columns_off"].astype(float)
    if not len(gaps):
        return pages.table({}, "No trials yet.")
    found = {"lowest": gaps.min(), "mean": gaps.mean(), "highest": gaps.max()}
    return pages.table(
        {"short trials": {"trials": str(len(gaps))} | {head: unsigned(f"{gap:+.1f}") for head, gap in found.items()}}
    )
