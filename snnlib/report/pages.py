"""What a page shows whatever is recorded: a table or a figure, and where there is nothing, one that says so."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from . import figures, style

NO_RUNS = "No finished runs yet."


def table(rows: Mapping[str, Mapping[str, object]], missing: str = NO_RUNS) -> pd.DataFrame:
    """A table with a row for each title, in texts; with no rows its one cell says what is ``missing``.

    An interval, or a deviation, may stand below its mean where a phone is too narrow for both.
    """
    if not rows:
        return pd.DataFrame({"": [missing]}, index=[""])
    texts = {
        title: {head: re.sub(r"\N{NO-BREAK SPACE}(?=[\[±])", " ", str(cell)) for head, cell in row.items()}
        for title, row in rows.items()
    }
    return pd.DataFrame.from_dict(texts, orient="index").fillna("")


def nothing(text: str = NO_RUNS) -> Figure:
    """A figure that says in words why there is nothing to draw."""
    with plt.rc_context(style.STYLE):
        figure, axes = plt.subplots(figsize=(7.2, 1.2))
        axes.set_axis_off()
        axes.text(0.5, 0.5, text, ha="center", va="center", color="#555555")
    return figure


def differences(pairs: Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]], unit: str) -> Figure:
    """Paired differences (:func:`~snnlib.report.figures.paired_differences`) of all pairs that share a seed."""
    shared = {title: pair for title, pair in pairs.items() if set(pair[0]) & set(pair[1])}
    if not shared:
        return nothing("No two of these share a finished seed yet.")
    return figures.paired_differences(shared, unit)


def curves(runs: Mapping[str, Mapping[int, Mapping[str, object]]]) -> Figure:
    """Accuracy over epochs of each title that has runs; ``runs`` maps a title to records by seed."""
    found = {title: list(by_seed.values()) for title, by_seed in runs.items() if by_seed}
    return figures.accuracy_over_epochs(found) if found else nothing()


def classes(runs: Mapping[int, Mapping[str, object]], names: Sequence[str] = ()) -> Figure:
    """Pruned, weakened and strengthened neurons of each layer, in ``names``, over the epochs of the lowest seed."""
    return figures.counts_over_epochs(runs[min(runs)], names) if runs else nothing()


def pixels(groups: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> Figure:
    """The factors of the input pixels as images: of each title that has runs the run of the lowest seed."""
    first = {f"{title}, seed {min(runs)}": runs[min(runs)] for title, runs in groups.items() if runs}
    return (
        figures.pixel_factors({title: run["result"]["gates"][0] for title, run in first.items()})
        if first
        else nothing()
    )
