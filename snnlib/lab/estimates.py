"""How long runs will take, from the seconds that recorded runs of the same network took.

An epoch is measured by its images. Records of another machine or of another method of the same network are used where
there are none of the same kind; the estimate is then marked as rough.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..arms import Arm
from . import records
from .experiments import PROFILES

TRAINING_IMAGES = {"mnist": 60_000, "cifar10": 50_000, "mini_imagenet": 50_000}
"""Of the whole data sets."""

EXAMPLES = 20
"""Records read for an estimate, at most: more would hardly change it."""


@dataclass(frozen=True)
class Estimate:
    """``seconds`` of one run, None if unknown; ``rough`` where the records are of another method or precision."""

    seconds: float | None
    rough: bool = False


def images_of(arm: Arm) -> int | None:
    """Images that all epochs of ``arm`` train on, both stages; None where the size of the data set is unknown."""
    whole = TRAINING_IMAGES.get(arm.dataset)
    if whole is None:
        return None
    images = min(arm.train.train_images or whole, whole - (5000 if arm.train.split == "holdout" else 0))
    return images * (arm.train.epochs + arm.dense_epochs)


@dataclass(frozen=True)
class Speed:
    """How fast a recorded run was: seconds an image, and what else its speed depends on."""

    kind: tuple[str, str]  # method, or the rival's name, and precision
    seconds: float


def kind_of(arm: Arm) -> tuple[str, str]:
    """What the speed of ``arm`` depends on beside its network."""
    return arm.rival.name if arm.rival else arm.method, arm.train.precision


def speeds(runs_of: str, root: Path) -> list[Speed]:
    """Of finished runs in the folder ``runs_of`` (:func:`.records.folder_of`) of any profile below ``root``."""
    found: list[Speed] = []
    for profile in PROFILES:
        for path in sorted(Path(root, profile).glob(f"{runs_of}/*/seed-*.json"))[: 10 * EXAMPLES]:
            try:
                record = records.read(path)
                arm = records.arm_of(record)
            except records.FileError:
                continue
            if record["status"] == "finished" and (images := images_of(arm)):
                found.append(Speed(kind_of(arm), record["seconds"] / images))
    return found


def estimate(arm: Arm, known: Sequence[Sequence[Speed]]) -> Estimate:
    """The time of a run of ``arm``, from ``known``: :func:`speeds` of folders, the preferred one first."""
    images = images_of(arm)
    if images is None:
        return Estimate(None)
    for alike in (True, False):
        for folder in known:
            kind = kind_of(arm)
            if found := [each.seconds for each in folder if each.kind == kind or not alike]:
                return Estimate(_quick(found[:EXAMPLES]) * images, rough=not alike)
    return Estimate(None)


def _quick(seconds: Sequence[float]) -> float:
    """The lower quartile: what a run takes where the machine has little else to do."""
    return sorted(seconds)[len(seconds) // 4]


def of_arms(arms: Iterable[Arm], root: Path) -> dict[str, Estimate]:
    """Estimates by settings, from the records below ``root``, else from the library's own; each record is read once."""
    folders = dict.fromkeys((Path(root), records.default_root()))
    read = functools.cache(lambda runs_of: [speeds(runs_of, folder) for folder in folders])
    by_hash = {arm.settings_hash(): arm for arm in arms}
    return {
        key: estimate(arm, read(records.folder_of(arm))) if images_of(arm) else Estimate(None)
        for key, arm in by_hash.items()
    }


def said(estimates: Sequence[Estimate]) -> str:
    """The sum of ``estimates`` in words, such as "3.2 h", or "at least 3.2 h" where some are unknown."""
    known = [each.seconds for each in estimates if each.seconds is not None]
    if not known:
        return "no estimate: no record of this network"
    hours = sum(known) / 3600
    rough = "about " if any(each.rough for each in estimates) else ""
    least = "at least " if len(known) < len(estimates) else ""
    return f"{least}{rough}{hours:.1f} h" if hours >= 0.95 else f"{least}{rough}{max(sum(known) / 60, 1):.0f} min"
