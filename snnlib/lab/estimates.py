"""How long runs will take, from the seconds that recorded runs of the same network took.

An epoch is measured by its images. Records of another machine or of another method of the same network serve where
there are none of the same kind, and what is said then is marked as rough.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import Arm
from . import records
from .experiments import PROFILES

TRAINING_IMAGES = {"mnist": 60_000, "cifar10": 50_000, "mini_imagenet": 50_000}
"""Of the whole data sets."""

EXAMPLES = 20
"""Records that are read for an estimate, at most: more would not change a median much."""


@dataclass(frozen=True)
class Estimate:
    """``seconds`` of one run, None where no record tells; ``rough`` where the records are not of the same method and
    precision."""

    seconds: float | None
    rough: bool = False


def images_of(arm: Arm) -> int | None:
    """Images that all epochs of ``arm`` train on, both stages; None where the size of the data set is not known
    here."""
    whole = TRAINING_IMAGES.get(arm.dataset)
    if whole is None:
        return None
    images = min(arm.train.train_images or whole, whole - (5000 if arm.train.split == "holdout" else 0))
    return images * (arm.train.epochs + arm.dense_epochs)


def speeds(arm: Arm, root: Path, alike: bool) -> list[float]:
    """Seconds an image in recorded runs of the arm's network and data set; ``alike``: of its method and precision
    alone."""
    found = []
    for profile in PROFILES:
        for path in sorted(Path(root, profile).glob(f"{arm.dataset}-{arm.network}/*/seed-*.json"))[: 10 * EXAMPLES]:
            try:
                record = records.read(path)
                other = records.arm_of(record)
            except records.FileError:
                continue
            same = (other.method, other.train.precision) == (arm.method, arm.train.precision)
            images = images_of(other)
            if record["status"] == "finished" and images and (same or not alike):
                found.append(record["seconds"] / images)
            if len(found) >= EXAMPLES:
                return found
    return found


def estimate(arm: Arm, root: Path) -> Estimate:
    """What a run of ``arm`` will take on a machine like that of the records below ``root``, or of the library's own."""
    images = images_of(arm)
    if images is None:
        return Estimate(None)
    for alike in (True, False):
        for folder in dict.fromkeys((Path(root), records.default_root())):
            if found := speeds(arm, folder, alike):
                return Estimate(statistics.median(found) * images, rough=not alike)
    return Estimate(None)


def said(estimates: Sequence[Estimate]) -> str:
    """The sum of ``estimates`` in words: "3.2 h", "at least 3.2 h" where some are not known, "unknown" where none
    is."""
    known = [each.seconds for each in estimates if each.seconds is not None]
    if not known:
        return "no estimate: no record of this network"
    hours = sum(known) / 3600
    rough = "about " if any(each.rough for each in estimates) else ""
    least = "at least " if len(known) < len(estimates) else ""
    return f"{least}{rough}{hours:.1f} h" if hours >= 0.95 else f"{least}{rough}{max(sum(known) / 60, 1):.0f} min"


def of_arms(arms: Iterable[Arm], root: Path) -> dict[str, Estimate]:
    """Estimates by settings, each computed once."""
    return {key: estimate(arm, root) for key, arm in {arm.settings_hash(): arm for arm in arms}.items()}
