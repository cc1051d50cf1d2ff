"""Are the strengthened pixels those of the centre? Factors of input neurons as images (Fig. 4, left) and as numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..lab.records import Record
from . import maps, pages, pixels
from .evidence import one
from .wording import span

Groups = Mapping[str, Mapping[int, Record]]
"""A title to records of runs with a switcher, by seed."""


def strengthened(groups: Groups) -> Figure:
    """The share of runs that strengthen each pixel, a panel for each title that has runs."""
    shares = {
        title: maps.strengthened_shares([pixels.factors_in_place(run) for run in runs.values()])
        for title, runs in groups.items()
        if runs
    }
    return maps.pixel_shares(shares, "strengthened") if shares else pages.nothing()


def table(groups: Groups) -> pd.DataFrame:
    """Pixels strengthened and pruned in percent, and strengthened ones of the centre less those of the rest."""
    rows: dict[str, dict[str, str]] = {}
    for title, runs in groups.items():
        if runs:
            factors = [pixels.factors_in_place(run) for run in runs.values()]
            rows[title] = {
                "runs": str(len(runs)),
                "strengthened (%)": f"{np.mean([100 * (each >= 1).mean() for each in factors]):.1f}",
                "pruned (%)": f"{np.mean([100 * (each == 0).mean() for each in factors]):.1f}",
                "centre minus rest [95 %]": span(one(map(pixels.centre_contrast, runs.values())), 1),
            }
    return pages.table(rows)
