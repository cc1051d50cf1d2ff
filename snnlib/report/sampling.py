"""How finely a test set can tell: the sampling error of an accuracy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from . import pages


def standard_error(accuracy: float, images: int) -> float:
    """Standard error of a network's ``accuracy`` on so many test ``images``, both in percent."""
    share = accuracy / 100
    return 100 * math.sqrt(share * (1 - share) / images)


def errors(accuracies: Mapping[str, float | None], images: int) -> pd.DataFrame:
    """Each accuracy with its standard error, and as a number of test images; those that are None are left out."""
    return pages.table(
        {
            title: {
                "accuracy (%)": f"{accuracy:.2f}",
                "standard error (points)": f"{standard_error(accuracy, images):.3f}",
                "in images": f"{standard_error(accuracy, images) / 100 * images:.0f}",
            }
            for title, accuracy in accuracies.items()
            if accuracy is not None
        }
    )
