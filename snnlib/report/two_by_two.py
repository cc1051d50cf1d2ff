"""A gain divided between two causes, seed by seed: batch norm and the switcher, each with and without the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..metrics import PairedDifference, paired_difference
from . import pages
from .evidence import ENOUGH, FEW, one
from .results import Results
from .wording import span, unbroken

BySeed = Mapping[int, float]


@dataclass(frozen=True)
class Square:
    """Accuracies by seed of the four ways; the first word is about batch norm, the second about the switcher."""

    without_without: BySeed
    without_with: BySeed
    with_without: BySeed
    with_with: BySeed
    lost: int = 0  # runs that died or diverged, and are in it at the accuracy of guessing

    @property
    def seeds(self) -> list[int]:
        """Seeds that have all four runs."""
        every = (self.without_without, self.without_with, self.with_without, self.with_with)
        return sorted(set.intersection(*map(set, every)))

    def corners(self) -> PairedDifference:
        """What the paper compares: both minus neither. Seeds with these two runs count."""
        return paired_difference(self.with_with, self.without_without)

    def parts(self) -> dict[str, PairedDifference]:
        """The whole gain, and the part of each cause: what it adds, averaged over both states of the other."""
        whole = {seed: self.with_with[seed] - self.without_without[seed] for seed in self.seeds}
        norm = {
            seed: (
                self.with_without[seed] - self.without_without[seed] + self.with_with[seed] - self.without_with[seed]
            )
            / 2
            for seed in self.seeds
        }
        switcher = {seed: whole[seed] - norm[seed] for seed in self.seeds}
        named = {"whole gain": whole, "batch norm's part": norm, "switcher's part": switcher}
        return {name: one(values) for name, values in named.items()}


def of(results: Results, plain: str, normed: str, dense: str = "dense", switched: str = "snn-al-epoch") -> Square:
    """The square of a network without and one with batch norm; a run that died or diverged counts as guessing."""
    ways = [(arm, network) for network in (plain, normed) for arm in (dense, switched)]
    lost = sum(len(results.failed(*way)) for way in ways)
    return Square(*(results.with_dead(*way) for way in ways), lost=lost)


def table(square: Square) -> pd.DataFrame:
    """Mean accuracies of the four ways, and what each cause adds with and without the other, in points."""
    rows = {
        "without batch norm": (square.without_without, square.without_with),
        "with batch norm": (square.with_without, square.with_with),
    }
    found = {
        title: {"dense (%)": _mean(dense), "switcher (%)": _mean(ours), "it adds": span(paired_difference(ours, dense))}
        for title, (dense, ours) in rows.items()
    }
    found["batch norm adds"] = {
        "dense (%)": span(paired_difference(square.with_without, square.without_without)),
        "switcher (%)": span(paired_difference(square.with_with, square.without_with)),
        "it adds": "",
    }
    corners = square.corners()
    if corners.n:
        found["both minus neither"] = {"dense (%)": "", "switcher (%)": "", "it adds": span(corners)}
    return pages.table(found)


def _mean(values: BySeed) -> str:
    every = list(values.values())
    if not every:
        return "no runs"
    return unbroken(
        f"{np.mean(every):.2f}" + (f" ± {np.std(every, ddof=1):.2f}" if len(every) > 1 else "") + f" (n = {len(every)})"
    )


def in_short(square: Square) -> str:
    """What both together are worth, and the parts of it, or why they cannot be told yet, as Markdown."""
    corners, said = square.corners(), []
    if corners.n:
        compared = f"{span(corners)} points (n = {corners.n})"
        said.append(f"What the paper compares, VGG-cov2 with both minus with neither: {compared}.")
    if square.seeds and (len(square.seeds) < FEW or square.parts()["whole gain"].low > 0):
        parts = ", ".join(f"{name} {span(each)}" for name, each in square.parts().items())
        said.append(f"In points, of {len(square.seeds)} {'seed' if len(square.seeds) == 1 else 'seeds'}: {parts}.")
    elif not square.seeds:
        said.append("Whose the gain is **cannot be said yet**: no seed has all four runs, with and without batch norm.")
    if square.lost:
        said.append(f"{square.lost} lost {'run counts' if square.lost == 1 else 'runs count'} as guessing.")
    return " ".join([*said, *([ruled] if (ruled := ruling(square)) else [])])


def ruling(square: Square) -> str:
    """What the rule of the chapter on CIFAR-10 says of whose the gain is; nothing with fewer than :data:`FEW` seeds."""
    if len(square.seeds) < FEW:
        return ""
    parts = square.parts()
    whole = parts["whole gain"]
    half = one(
        {
            seed: (square.with_without[seed] - square.without_with[seed])
            / 2  # batch norm's part minus half of the whole
            for seed in square.seeds
        }
    )
    if not whole.low > 0:
        said = "the whole gain does not lie above 0, so there is nothing to divide"
    elif half.low > 0:
        said = "batch norm owns more than half of the gain"
    elif half.high < 0:
        said = "batch norm owns less than half of the gain"
    else:
        said = "whether batch norm owns more than half of the gain cannot be told"
    return f"By the rule below{'' if len(square.seeds) >= ENOUGH else ', provisionally'}: {said}."


def parts_table(square: Square) -> pd.DataFrame:
    """The whole gain and its two parts, in points; seeds with all four runs count."""
    return pages.table(
        {name: {"n": str(found.n), "points [95 %]": span(found)} for name, found in square.parts().items() if found.n},
        "No seed has all four runs yet.",
    )
