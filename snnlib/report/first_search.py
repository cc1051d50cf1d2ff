"""The search that chose the plain settings, on held-out images: its runs as a table, and what was read off it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..arms import Arm
from ..config import SwitcherConfig, TrainConfig
from ..lab import status
from ..lab.records import Entry
from . import pages
from .wording import unbroken

DEFAULTS: dict[str, dict[str, Any]] = {
    "train": dataclasses.asdict(replace(TrainConfig(), split="holdout", epochs=8)),
    "switcher": dataclasses.asdict(SwitcherConfig()),
}
"""The settings that became the defaults, as the search ran them."""

EPOCHS = 8
LEAST_PCT = 5.0
MOST_PCT = 60.0
"""Percent of the weights that a setting removes which "still prunes", and one that prunes much."""


DEFAULT = "nothing: the default"
"""What is said to differ in the default settings."""


@dataclass(frozen=True)
class Tried:
    """One setting of the search: what was recorded of it. Means over its finished runs; NaN without any."""

    arm: Arm
    runs: int
    failed: int
    accuracy: float
    removed: float
    widths: str
    seconds: float

    @property
    def scaled(self) -> bool:
        """Whether the first convolution is scaled to the weights (``scale_inputs``), as in the third round."""
        return self.arm.switcher is not None and self.arm.switcher.scale_inputs

    @property
    def clipped(self) -> bool:
        """Whether the gradients of both sides are clipped."""
        return self.arm.train.clip_switcher is not None and self.arm.train.clip_network is not None

    @property
    def round(self) -> str:
        """In which round it was tried; "dense" for a network without a switcher."""
        if self.arm.method == "dense":
            return "dense"
        if self.scaled:
            return "3"
        return "2" if self.arm.train.fc_std == 0.01 and self.arm.name.startswith("std") else "1"

    @property
    def differs(self) -> str:
        """What differs from the defaults, in words, apart from what the round says."""
        implied = "scale_inputs" if self.arm.switcher else "clip_switcher"
        found: list[str] = []
        for part, usual in DEFAULTS.items():
            own = getattr(self.arm, part)
            for name, value in dataclasses.asdict(own).items() if own else ():
                if value != usual[name] and name != implied:
                    found.append(f"{name.replace('_', ' ')} {'none' if value is None else value}")
        return ", ".join(found) or (DEFAULT if self.scaled else "nothing else")


def tried(root: Path) -> list[Tried]:
    """Every setting of the search with a record below ``root``, by rounds."""
    arms: dict[Arm, list[Entry]] = {}
    for entry in status.entries("search", "search", root):
        arms.setdefault(entry.arm, []).append(entry)
    found = [_summary(arm, entries) for arm, entries in arms.items()]
    return sorted((each for each in found if each.runs + each.failed), key=lambda each: each.round)


def _summary(arm: Arm, entries: list[Entry]) -> Tried:
    done = [entry.content for entry in entries if entry.state == "recorded"]
    results, nan = [record["result"] for record in done], float("nan")
    return Tried(
        arm,
        len(done),
        sum(entry.state == "failed" for entry in entries),
        float(np.mean([each["accuracy"] for each in results])) if done else nan,
        float(np.mean([each["removed_pct"] for each in results])) if done else nan,
        "-".join(f"{width:.0f}" for width in np.mean([each["widths"] for each in results], axis=0)) if done else "",
        float(np.mean([row["seconds"] for record in done for row in record["history"]])) if done else nan,
    )


def table(root: Path) -> pd.DataFrame:
    """All settings of the search: runs that ended and that failed, held-out accuracy, and what is left."""
    rows = {
        f"{each.round}: {each.differs}": {
            "finished": str(each.runs),
            "failed": str(each.failed),
            "held-out accuracy (%)": _shown(each.accuracy, 2),
            "neurons kept": unbroken(each.widths),
            "weights removed (%)": _shown(each.removed, 1),
            "s an epoch": _shown(each.seconds, 1),
        }
        for each in tried(root)
    }
    return pages.table(rows)


def _shown(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _outcome(each: Tried) -> dict[str, str]:
    return {
        "runs": str(each.runs),
        "held-out accuracy (%)": _shown(each.accuracy, 2),
        "weights removed (%)": _shown(each.removed, 1),
    }


def survivors(root: Path) -> pd.DataFrame:
    """Of the runs with a switcher how many failed, by what keeps their layers alive."""
    switched = [each for each in tried(root) if each.round != "dense"]
    groups = {
        f"{start}, {clip}": [each for each in switched if (each.scaled, each.clipped) == (scaled, clipped)]
        for scaled, start in ((False, "first convolution not scaled"), (True, "scaled"))
        for clipped, clip in ((True, "both sides clipped"), (False, "a side not clipped"))
    }
    return pages.table(
        {
            title: {
                "runs": str(sum(each.runs + each.failed for each in group)),
                "failed": str(sum(each.failed for each in group)),
            }
            for title, group in groups.items()
            if group
        }
    )


def leaders(root: Path, most: int = 5) -> pd.DataFrame:
    """Settings of eight epochs that lost no run, by accuracy: the best that prune, the default, the best of large cuts.

    Those of the first group remove at least 5 % of the weights, those of the last at least 60 %.
    """
    able = [each for each in tried(root) if each.round != "dense" and each.arm.train.epochs == EPOCHS]
    able = sorted((each for each in able if each.runs and not each.failed), key=lambda each: -each.accuracy)
    pruning = [each for each in able if each.removed >= LEAST_PCT][:most]
    much = [each for each in able if each.removed >= MOST_PCT][:1]
    default = [each for each in able if each.scaled and each.differs == DEFAULT]
    chosen = sorted({id(each): each for each in (*pruning, *default, *much)}.values(), key=lambda each: -each.accuracy)
    return pages.table({each.differs + ("" if each.scaled else " (not scaled)"): _outcome(each) for each in chosen})


def lengths(root: Path) -> pd.DataFrame:
    """The default settings trained for several numbers of epochs: held-out accuracy, and weights removed."""
    found = {
        each.arm.train.epochs: each
        for each in tried(root)
        if each.scaled and (each.differs == DEFAULT or each.differs.removeprefix("epochs ").isdecimal())
    }
    return pages.table({f"{epochs} epochs": _outcome(found[epochs]) for epochs in sorted(found)})
