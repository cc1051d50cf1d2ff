"""The paper's printed figures recounted: percentages from widths, stated gains from tables (Tables 1 to 4, section 4).

Pure functions of the paper's tables (:data:`.tables.PAPER`). No records are needed, and only :func:`last_layers` needs
torch.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from .. import metrics
from ..lab import records
from . import tables

COUNTED = {
    "mlp": ((), 1),
    "lenet5-caffe": ((25, 25), 1),
    "vgg-cov2": ((9, 9), 3),
    "vgg16": ((), 1),
    "resnet34": ((), 1),
    "mobilenetv1 (x0.25)": ((), 1),
}
"""Network to (pixels of each counted convolution's kernels, channels of the images). Without convolutions, fully
connected layers alone are counted: the MLP has no others, and in the last three no others are switched (section 4)."""

CLASSES = {"mnist": 10, "cifar10": 10, "mini-imagenet": 100}


@dataclass(frozen=True)
class Audited:
    """One printed percentage beside its recount; None where it cannot be recounted, and ``note`` then says why.

    Shares are in percent of the network's counted weights, rounded to the two decimals that the paper prints.
    """

    table: str
    dataset: str
    network: str
    method: str
    quoted: bool  # the paper copied the row from another paper
    widths: tuple[int, ...] | None
    printed: float
    full: tuple[int, ...] | None = None  # widths of the network's baseline row
    recounted: float | None = None  # from the widths, as the paper counts
    difference: float | None = None  # printed less recounted
    agrees: bool | None = None
    live_widths: tuple[int, ...] | None = None  # neurons that can be alive, at most
    structural: float | None = None  # share removed at least, dead inputs followed through
    note: str = ""


def live_widths(full: Sequence[int], kept: Sequence[int], convolutions: int) -> tuple[int, ...]:
    """The largest numbers of the ``kept`` that can be alive, as far as widths alone prove dead ends.

    A kernel of the last of ``convolutions`` makes one map, and its pixels are inputs of the first fully connected layer
    (256 each in VGG-cov2). A pruned kernel's map is 0 (Eq. 4), so that at most the inputs that kept kernels feed are
    alive; and at most as many kernels matter as there are inputs to read them.
    """
    if not convolutions:
        return tuple(kept)
    last = convolutions - 1
    kernels, inputs, pixels = kept[last], kept[last + 1], full[last + 1] // full[last]
    alive = min(kernels, inputs), min(inputs, kernels * pixels)
    return (*kept[:last], *alive, *kept[last + 2 :])


def percentages() -> list[Audited]:
    """Every percentage that Tables 1 to 4 print, recounted against the widths of its network's baseline row.

    Raises ``FileError`` where the tables are missing or the widths of a row contradict each other.
    """
    rows = _rows()
    full = {(row.table, row.dataset, row.network): row.widths for row in rows if row.arm == "baseline"}
    return [
        _audited(row, row.removed_pct, full.get((row.table, row.dataset, row.network)))
        for row in rows
        if row.removed_pct is not None
    ]


def _audited(row: tables.Row, printed: float, full: list[int] | None) -> Audited:
    widths = tuple(row.widths) if row.widths else None
    head = (row.table, row.dataset, row.network, row.arm, bool(row.note), widths, printed)
    if not row.widths:
        return Audited(*head, note="no widths are printed")
    if not full:
        return Audited(*head, note="no baseline of this network has widths")
    if row.network not in COUNTED or row.dataset not in CLASSES:
        return Audited(*head, note="this network's layers, or this data set's classes, are not known")
    areas, channels = COUNTED[row.network]

    def share(kept: Sequence[int]) -> float:
        return round(metrics.removed_pct(full, kept, CLASSES[row.dataset], areas, channels), 2)

    try:
        recounted, live = share(row.widths), live_widths(full, row.widths, len(areas))
    except (ValueError, ZeroDivisionError) as problem:
        raise _error(f", table {row.table}, {row.network}, {row.arm}: {problem}") from problem
    difference = round(printed - recounted, 2)
    return Audited(*head, tuple(full), recounted, difference, difference == 0, live, share(live))


def find(rows: Iterable[Audited], network: str, method: str, dataset: str) -> Audited:
    """The one of ``rows`` that is of this network, method and data set. Raises ``KeyError`` where none is."""
    for row in rows:
        if (row.network, row.method, row.dataset) == (network, method, dataset):
            return row
    raise KeyError(f"the paper prints no percentage of {method} on {network}, {dataset}")


def share(row: Audited, kept: Sequence[float]) -> float:
    """Weights removed in percent, not rounded, if the network of ``row`` kept these widths.

    Raises ``ValueError`` for a row that cannot be recounted.
    """
    if row.full is None:
        raise ValueError(f"{row.network}, {row.method} cannot be recounted: {row.note}")
    areas, channels = COUNTED[row.network]
    left, every = (
        metrics.weight_count(cast("Sequence[int]", widths), CLASSES[row.dataset], areas, channels)  # halves count too
        for widths in (kept, row.full)
    )
    return 100 * (1 - left / every)


def misprints(row: Audited) -> dict[int, int]:
    """The smallest change of a single width that gives the printed percentage: layer to that width, where one does."""
    found: dict[int, int] = {}
    widths, full = row.widths or (), row.full or ()
    for layer, width in enumerate(widths):
        fits = [
            value
            for value in range(1, full[layer] + 1)
            if f"{share(row, (*widths[:layer], value, *widths[layer + 1 :])):.2f}" == f"{row.printed:.2f}"
        ]
        if fits:
            found[layer] = min(fits, key=lambda value: abs(value - width))
    return found


def _rows() -> list[tables.Row]:
    """All rows that the paper prints; an error names the row that cannot be read."""
    try:
        return [row for table in "1234" for row in tables.paper_rows(table)]
    except (AttributeError, KeyError, ValueError) as problem:
        raise _error(
            _unreadable(tables.PAPER) or f": a row is not whole, or a figure of it no number ({problem})"
        ) from problem


def _error(what: str) -> records.FileError:
    return records.FileError(
        f"{tables.PAPER}{what}. Mend the row, or restore the file: with `git checkout`, or by installing snnlib again."
    )


def _unreadable(path: Path) -> str:
    """Names the first row whose widths are no whole numbers; empty where there is none."""
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            if not re.fullmatch(r"(\d+(-\d+)*)?", row.get("widths") or ""):
                place = f", line {line} ({row.get('network')}, {row.get('method')})"
                return f"{place}: widths {row['widths']!r} are not whole numbers joined by hyphens"
    return ""


TEST_IMAGES = 10_000
"""Of MNIST, of CIFAR-10, and of Mini-ImageNet as the paper divides it."""

STATED = (
    ("section 4.1.1", "1", "mlp", "baseline", "0.05"),
    ("section 4.1.1", "1", "lenet5-caffe", "baseline", "0.07"),
    ("section 4.2.1", "3", "vgg-cov2", "baseline", "6.23"),
    ("section 4.2.2", "3", "resnet34", "N2N", "0.29"),
    ("section 4.2.2", "3", "mobilenetv1 (x0.25)", "baseline", "4.7"),
    ("section 4.2.2", "3", "mobilenetv1 (x0.25)", "Lottery Ticket", "1.6"),
    ("section 4.2.2", "3", "mobilenetv1 (x0.25)", "DNW (x0.225)", "3.4"),
    ("section 4.2.3", "4", "resnet34", "baseline", "0.79"),
    ("section 4.2.3", "4", "mobilenetv1 (x0.25)", "baseline", "2.5"),
)
"""Every gain in accuracy that section 4 gives in figures: its place, the table and network, the row that SNN is
compared with, and the points as printed. For VGG-cov2 the text names no such row; the baseline's fits."""


@dataclass(frozen=True)
class Gain:
    """A gain that the text states beside what its table gives, in points of accuracy."""

    place: str
    table: str
    network: str
    over: str  # the row that SNN is compared with
    stated: float
    computed: float
    agrees: bool  # to the decimals that the text prints
    same_as: tuple[str, ...]  # where it does not agree: differences of this network's rows that do
    images: int  # of the test set that the computed points are
    sampling_error: float  # of SNN's accuracy alone, in points


def gains() -> list[Gain]:
    """Each of :data:`STATED` beside the difference of its two rows."""
    printed = _rows()
    found: list[Gain] = []
    for place, table, network, over, stated in STATED:
        accuracy = {
            row.arm: row.acc_mean
            for row in printed
            if (row.table, row.network) == (table, network) and row.acc_mean is not None
        }
        if missing := {"SNN", over} - set(accuracy):
            raise _error(f", table {table}, {network}: no accuracy of {' and '.join(sorted(missing))}")
        digits = len(stated.partition(".")[2])
        points = {(a, b): round(accuracy[a] - accuracy[b], 2) for a in accuracy for b in accuracy if a != b}
        equal = [pair for pair, difference in points.items() if f"{difference:.{digits}f}" == stated]
        computed, agrees = points["SNN", over], ("SNN", over) in equal
        same_as = () if agrees else tuple(f"{a} minus {b}" for a, b in equal)
        images, error = round(computed / 100 * TEST_IMAGES), sampling_error(accuracy["SNN"])
        found.append(Gain(place, table, network, over, float(stated), computed, agrees, same_as, images, error))
    return found


def sampling_error(percent: float, images: int = TEST_IMAGES) -> float:
    """Standard error, in points, of one network's accuracy: a share of the test images."""
    share = percent / 100
    return 100 * math.sqrt(share * (1 - share) / images)


def last_layers() -> dict[str, int]:
    """Inputs of MobileNetV1's last layer by our network's name, at two widths: to compare with the paper's x0.25."""
    from ..networks.listing import listed  # here, not above: it imports torch

    return {name: listed(name, "cifar10").gated_widths[0] for name in ("mobilenet-v1-x0.25", "mobilenet-v1-x1")}
