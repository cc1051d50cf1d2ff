"""How alike the factors of neighbouring pixels are, in a line of the image and in a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ..metrics import paired_difference
from . import pages
from .contrasts import Runs
from .evidence import one
from .pixels import factors_in_place
from .wording import span


def alike(record: Mapping[str, Any]) -> tuple[float, float]:
    """Correlation of the factors of pixels side by side, and of pixels one above the other, in the original image.

    NaN where all factors are equal.
    """
    factors = factors_in_place(record)
    pairs = ((factors[:, 1:], factors[:, :-1]), (factors[1:], factors[:-1]))
    with np.errstate(invalid="ignore"):
        beside, above = (float(np.corrcoef(first.ravel(), second.ravel())[0, 1]) for first, second in pairs)
    return beside, above


def table(groups: Mapping[str, Runs]) -> pd.DataFrame:
    """One row a title: both correlations in the mean of its runs, and their difference; titles without runs are left
    out, and so are runs whose factors are all equal."""
    rows: dict[str, dict[str, str]] = {}
    for title, runs in groups.items():
        found = {seed: alike(run) for seed, run in runs.items()}
        found = {seed: each for seed, each in found.items() if np.isfinite(each).all()}
        if found:
            beside, above = ({seed: each[side] for seed, each in found.items()} for side in (0, 1))
            rows[title] = {
                "n": str(len(found)),
                "in a line [95 %]": span(one(beside)),
                "in a column [95 %]": span(one(above)),
                "line minus column [95 %]": span(paired_difference(beside, above)),
            }
    return pages.table(rows)
