"""How runs are trained: what the paper fixes and what we chose, and in which settings two arms differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pandas as pd

from ..arms import Arm
from . import pages


def choices(arm: Arm, seeds: int, images: int) -> pd.DataFrame:
    """The settings of a run of ``arm``, an arm with a switcher, beside those that the paper prints.

    ``seeds`` is the number of its runs, ``images`` that of all training images.
    """
    train, switcher = arm.train, arm.with_switcher
    open_ = "open"
    rows = (
        ("optimizer, batch", "SGD, 64", f"SGD, {train.batch_size}"),
        ("rate at the start", "0.1", f"{train.rate:g}"),
        ("schedule of the rate", open_, train.schedule),
        ("momentum", open_, f"{train.momentum:g}"),
        ("weight decay", open_, f"{train.weight_decay:g}"),
        ("training images", f"{images:,}", f"{train.train_images or images:,}"),
        ("passes over them in all", open_, str(train.epochs)),
        ("runs", "8", str(seeds)),
        ("accuracy taken from", open_, "last epoch"),
        ("t of Algorithm 1 counts", open_, f"{train.alternate}s"),
        ("clipped norm, network", open_, _norm(train.clip_network)),
        ("clipped norm, switcher", open_, _norm(train.clip_switcher)),
        ("std of the FC weights", "0.01 or 0.1", f"{train.fc_std:g}"),
        ("switcher's channels", open_, "-".join(map(str, switcher.channels))),
        ("first scores: mean, std", open_, f"{switcher.initial_mean:g}, {switcher.initial_spread:g}"),
    )
    return pages.table({name: {"paper": theirs, "ours": ours} for name, theirs, ours in rows})


def _norm(value: float | None) -> str:
    return "no" if value is None else f"{value:g}"


def apart(arms: Iterable[Arm], reference: Arm) -> pd.DataFrame:
    """For each arm the settings in which it differs from ``reference``, as the code writes them."""
    changes = {arm.title or arm.name: _changed(arm, reference) for arm in arms}
    return pages.table(
        {
            title: {"differs in": ", ".join(f"{name}={value!r}" for name, value in changed) or "nothing"}
            for title, changed in changes.items()
        }
    )


def _changed(arm: Arm, reference: Arm) -> Iterable[tuple[str, Any]]:
    """Name and value of each setting of ``arm`` that ``reference`` has otherwise; of a switcher both must have one."""
    if arm.method != reference.method:
        yield "method", arm.method
    if arm.dense_epochs != reference.dense_epochs:
        yield "dense_epochs", arm.dense_epochs
    parts = [(arm.train, reference.train)] + [(arm.switcher, reference.switcher)] * bool(arm.switcher)
    for ours, theirs in parts:
        if ours is None or theirs is None:
            continue
        for field in dataclasses.fields(ours):
            if not arm.switcher and field.name.endswith("_switcher"):
                continue  # without a switcher its settings say nothing
            if getattr(ours, field.name) != getattr(theirs, field.name):
                yield field.name, getattr(ours, field.name)
