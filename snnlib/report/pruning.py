"""When neurons are pruned: the share that is off after each epoch of a run."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..lab.records import Record
from . import pages
from .style import ARM_COLOURS, ARM_LINES, STYLE

EARLY = 6
"""Epochs after which most of what is pruned may have been decided."""


def pruned_share(record: Record) -> list[float]:
    """Percent of the switched neurons and kernels with factor 0 after each epoch."""
    every = sum(record["result"]["full_widths"])
    return [100 * sum(row["pruned"]) / every for row in record["history"]]


def over_epochs(runs: Mapping[str, Mapping[int, Record]]) -> Figure:
    """A panel for each title that has runs, and in it a line for each seed: percent pruned after each epoch."""
    found = {title: by_seed for title, by_seed in runs.items() if by_seed}
    if not found:
        return pages.nothing()
    with plt.rc_context(STYLE):
        figure, panels = plt.subplots(1, len(found), figsize=(7.2, 3.4), sharey=True, squeeze=False)
        for axes, (title, by_seed) in zip(panels[0], found.items()):
            for place, (seed, record) in enumerate(by_seed.items()):
                shares = pruned_share(record)
                axes.plot(
                    range(1, len(shares) + 1),
                    shares,
                    color=ARM_COLOURS[place % len(ARM_COLOURS)],
                    linestyle=ARM_LINES[place % len(ARM_LINES)],
                    label=f"seed {seed}",
                )
            axes.set(title=title, xlabel="epochs done")
            axes.grid(axis="y")
        panels[0][0].set(ylabel="neurons and kernels off (%)", ylim=(0, None))
        handles = {label: handle for axes in panels[0] for handle, label in zip(*axes.get_legend_handles_labels())}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4)
    return figure


def early_and_late(runs: Mapping[str, Mapping[int, Record]]) -> pd.DataFrame:
    """Percent pruned after the first epoch, after :data:`EARLY` and at the end; means over the runs of each title."""
    rows: dict[str, dict[str, str]] = {}
    for title, by_seed in runs.items():
        shares = [pruned_share(record) for record in by_seed.values()]
        if shares:
            rows[title] = {
                "runs": str(len(shares)),
                "after 1 epoch": f"{np.mean([each[0] for each in shares]):.0f}",
                f"after {EARLY}": f"{np.mean([each[min(EARLY, len(each)) - 1] for each in shares]):.0f}",
                "at the end": f"{np.mean([each[-1] for each in shares]):.0f}",
            }
    return pages.table(rows)
