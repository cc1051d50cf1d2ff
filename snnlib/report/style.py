"""Colours, lines and style of every figure.

Three classes have three colours throughout, told apart by hue and by lightness, so that they survive colour
blindness and a grey printer: pruned (0) dark, weakened (below 1) blue, strengthened (1 and above) orange.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import BoundaryNorm, Colormap, LinearSegmentedColormap, ListedColormap

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

CLASS_COLOURS = {"pruned": "#2b2b2b", "weakened": "#5b9bd1", "strengthened": "#f2a03d"}
"""Colour of each of section 3.2's three cases."""

ARM_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#7a7a7a")
"""Colours of arms, in the order given: the palette of Okabe and Ito for colour-blind readers, its yellow grey."""

OURS = "#0072b2"
"""SNN-AL, wherever it stands beside others."""

KNOWN = {
    "dense": "#000000",
    "dense, FC std 0.1, not clipped": "#7a7a7a",
    "dense, as many task-network steps as SNN-AL": "#cc79a7",
    "SNN-SL": "#009e73",
    "SNN-AL": OURS,
    "SNN-AL, t counts epochs": OURS,
    "SNN-AL, t counts steps": "#56b4e9",
    "SNN-AL, second term of Eq. 6 cut": "#e69f00",
    "SNN-AL, FC std 0.1": "#d55e00",
}
"""The arms that come again and again have one colour through the book."""

ARM_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 3)), (0, (1, 1)), (0, (8, 2, 2, 2)))
"""Line styles of arms, so that colour is never the only sign."""


def arm_colours(labels: Iterable[str]) -> dict[str, str]:
    """A colour for each arm: its own where it has one (:data:`KNOWN`), else the next that no other arm has."""
    every = list(labels)
    taken = {KNOWN[label] for label in every if label in KNOWN}
    free = [colour for colour in ARM_COLOURS if colour not in taken] or list(ARM_COLOURS)
    others = [label for label in every if label not in KNOWN]
    return {label: KNOWN[label] if label in KNOWN else free[others.index(label) % len(free)] for label in every}


WEAK = LinearSegmentedColormap.from_list("weak", ["#1c5fa8", "#5b9bd1", "#bfdcf0"])
STRONG = LinearSegmentedColormap.from_list("strong", ["#fde3b4", "#f29a33", "#a33d00"])
STEPS = 64  # shades on either side of 1

STYLE: dict[RcKeyType, Any] = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
    "font.size": 10.5,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "legend.fontsize": 9.5,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
}
"""A white background with some margin: readable on a light page and on a dark one."""

SINGLE = 5.8
"""Inches across of a picture with one panel: where a page is as narrow as a phone its words are still read."""


def factor_colours(largest: float) -> tuple[Colormap, BoundaryNorm]:
    """Colours for factors from 0 to ``largest``: one for exactly 0, shades of blue to 1, of orange above.

    The scale jumps at 0 and at 1, so that the shade shows the value and the hue the class.
    """
    top = max(float(largest), 1.0) + 1e-3
    shades = ListedColormap(np.vstack([WEAK(np.linspace(0, 1, STEPS)), STRONG(np.linspace(0, 1, STEPS))]))
    colours = shades.with_extremes(under=CLASS_COLOURS["pruned"])
    edges = np.concatenate([np.linspace(0, 1, STEPS + 1), np.linspace(1, top, STEPS + 1)[1:]])
    edges[0] = np.nextafter(0.0, 1.0)  # 0 itself lies below the scale: pruned
    return colours, BoundaryNorm(edges, colours.N)
