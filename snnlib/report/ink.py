"""Where digits have ink, and whether the factors of pixels follow it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..lab.records import Record
from . import pages, pixels
from .evidence import one
from .pixels import EDGE
from .wording import span


def lit(images: Dataset) -> NDArray[np.float64]:
    """The share of training images that light each pixel (height, width)."""
    return (images.x_train > 0).double().mean(0)[0].numpy()


def regions(shares: NDArray[np.float64]) -> pd.DataFrame:
    """Ink at the top and bottom, at the sides and between, without corners; ``shares`` is what :func:`lit` returns."""
    inner, outer = slice(EDGE, -EDGE), np.r_[0:EDGE, -EDGE:0]
    parts = {
        "top and bottom": shares[outer][:, inner],
        "left and right": shares[inner][:, outer],
        "between": shares[inner][:, inner],
    }
    return pages.table(
        {
            title: {
                "pixels": str(region.size),
                "never lit (%)": f"{100 * (region == 0).mean():.0f}",
                "rarely (%)": f"{100 * (region < 0.01).mean():.0f}",
                "lit on average (%)": f"{100 * region.mean():.2f}",
            }
            for title, region in parts.items()
        }
    )


def followed(groups: Mapping[str, Mapping[int, Record]], shares: NDArray[np.float64]) -> pd.DataFrame:
    """Rank correlation of ink and factor over the pixels, mean and interval over the runs of each title."""
    from scipy.stats import rankdata  # here, not above: it takes a second to import

    rows: dict[str, dict[str, str]] = {}
    ranks = rankdata(shares)
    for title, runs in groups.items():
        found = {
            seed: float(np.corrcoef(ranks.ravel(), rankdata(pixels.factors_in_place(run)).ravel())[0, 1])
            for seed, run in runs.items()
        }
        if found:
            rows[title] = {"n": str(len(found)), "correlation [95 %]": span(one(found))}
    return pages.table(rows)
