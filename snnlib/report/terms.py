"""The second term of Eq. 6: how much of the gradient it is, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from . import style


def share_over_steps(shares: ArrayLike, widths: Sequence[int]) -> Figure:
    """The second term's ``shares`` (steps, layers; from 0 to 1) of the gradient's norm in percent, a line a layer.

    ``widths`` are the task network's, inputs and outputs included. Raises ``ValueError`` where they do not fit.
    """
    found = 100 * np.asarray(shares, float)
    if found.ndim != 2 or found.shape[1] != len(widths) - 1:
        raise ValueError(f"shares has shape {found.shape}: give (steps, {len(widths) - 1}), a column for each layer")
    with plt.rc_context(style.STYLE):
        figure, axes = plt.subplots(figsize=(style.SINGLE, 3.8))
        for layer, line in enumerate(found.T):
            axes.plot(
                1 + np.arange(len(line)),
                line,
                color=style.ARM_COLOURS[layer],
                linestyle=style.ARM_LINES[layer],
                label=f"layer {layer + 1}: {widths[layer]} to {widths[layer + 1]}",
            )
        axes.set(xlabel="step of the task network", ylabel="second term (% of the norm)", ylim=(0, 100))
        axes.grid(axis="y")
        figure.legend(loc="outside lower center", ncols=3)
    return figure
