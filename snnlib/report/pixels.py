"""Which pixels a switcher prunes: the factors of the input neurons, put back into the image as it was.

Shares are in percent. An image here is 28 x 28, MNIST's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..data.dataset import pixel_order

EDGE = 4
"""Width of an edge in pixels: MNIST's digits were fitted into 20 x 20 of the 28 x 28 pixels."""


def factors_in_place(record: Mapping[str, Any]) -> NDArray[np.float64]:
    """The factors (height, width) of a run's input neurons, each at the place of its pixel in the original image.

    Raises ``ValueError`` for a run without factors, or one whose first gated layer does not read the image.
    """
    result, settings = record["result"], record["settings"]
    _, height, width = record["images"].get("shape", (1, 28, 28))
    if not result or not result["gates"]:
        raise ValueError(
            f"the run of {record['arm']!r}, seed {record['seed']}, has no factors: choose a finished run with a "
            "switcher"
        )
    gates = np.asarray(result["gates"][0], float)
    if gates.size != height * width:
        raise ValueError(
            f"the run of {record['arm']!r} has {gates.size} factors in its first layer, its images have {height} x "
            f"{width} pixels"
        )
    found = np.empty(gates.size)
    found[pixel_order(settings["train"].get("pixels", "raster"), (height, width)).numpy()] = gates
    return found.reshape(height, width)


def edge_contrast(record: Mapping[str, Any]) -> float:
    """Percent of pruned pixels in the top and bottom edge minus that in the left and right one, without corners.

    From -100, only columns at the sides are pruned, to 100, only rows at the top and bottom.
    """
    rows, columns = edge_shares(record)
    return rows - columns


def edge_shares(record: Mapping[str, Any]) -> tuple[float, float]:
    """Percent of pruned pixels in the top and bottom edge, and in the left and right edge, without corners."""
    pruned = factors_in_place(record) == 0
    inner, outer = slice(EDGE, -EDGE), np.r_[0:EDGE, -EDGE:0]
    return 100 * float(pruned[outer][:, inner].mean()), 100 * float(pruned[inner][:, outer].mean())


def centre_contrast(record: Mapping[str, Any]) -> float:
    """Percent of strengthened pixels (factor 1 and above) in the central quarter of the image minus that elsewhere."""
    strong = factors_in_place(record) >= 1
    inside = np.zeros_like(strong)
    height, width = strong.shape
    inside[height // 4 : -(height // 4), width // 4 : -(width // 4)] = True
    return 100 * float(strong[inside].mean() - strong[~inside].mean())


def parity_contrast(factors: ArrayLike) -> float:
    """Percent of pruned neurons in odd rows of the packed weights minus that in even rows; ``factors`` (neurons,).

    A decoder of stride 2 treats even and odd rows differently; without a reason in the weights this is 0 on average.
    """
    pruned = np.asarray(factors) == 0
    return 100 * float(pruned[1::2].mean() - pruned[0::2].mean())
