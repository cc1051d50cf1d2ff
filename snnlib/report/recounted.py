"""The audit (:mod:`~snnlib.report.audit`) as tables, one figure and sentences: what chapter 15 shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import audit, pages, tables
from .audit import Audited, Gain
from .beside import NETWORKS
from .results import Results
from .style import ARM_COLOURS, STYLE
from .wording import unbroken, unsigned

NAMES = {**NETWORKS, "mobilenetv1 (x0.25)": "MobileNetV1 (x0.25)"}
"""Networks as this page calls them: here the paper's x0.25 matters."""

DATA = {"1": "MNIST", "2": "MNIST", "3": "CIFAR-10", "4": "Mini-ImageNet"}
"""Table of the paper to its data set."""

SNN = "snn-al-epoch"


def name(row: Audited) -> str:
    """Network and method."""
    return f"{NAMES[row.network]}: {row.method}"


def _chain(widths: Sequence[int] | None) -> str:
    return unbroken("-".join(map(str, widths or ())))


def _signed(value: float) -> str:
    return unbroken(f"{round(value, 2) + 0.0:+.2f}")  # no minus before 0.00


def in_short(rows: Sequence[Audited]) -> str:
    """How many percentages are printed and can be recounted, as Markdown."""
    skipped = [row for row in rows if row.recounted is None]
    return (
        f"The four tables print {len(rows)} percentages; {sum(row.quoted for row in rows)} of them stand in rows that "
        f"are quoted from other papers. **{len(rows) - len(skipped)} can be recounted.** "
        + " ".join(f"*{name(row)}* cannot: {row.note}." for row in skipped)
    )


def recountable(rows: Sequence[Audited]) -> list[Audited]:
    """Those of ``rows`` that can be recounted."""
    return [row for row in rows if row.recounted is not None]


def percentages(rows: Sequence[Audited]) -> pd.DataFrame:
    """Each percentage as printed and as recounted, and whether they agree."""
    return _table(
        rows,
        lambda row: {
            "": "✓" if row.agrees else f"✗ {_signed(row.difference or 0.0)}",
            "printed (%)": f"{row.printed:.2f}",
            "recounted (%)": f"{row.recounted:.2f}",
            "widths left": _chain(row.widths),
            "table": row.table,
            "row": "quoted" if row.quoted else "their own",
        },
    )


def agreement(rows: Sequence[Audited]) -> str:
    """How many of the recounted percentages agree, of all and of the quoted ones, as Markdown."""
    agree = [row for row in rows if row.agrees]
    quoted = [row for row in rows if row.quoted]
    return (
        f"**{len(agree)} of {len(rows)} percentages follow from their widths to the last digit**, and of the "
        f"{len(quoted)} quoted ones {sum(row.quoted for row in agree)}. The largest difference is "
        f"{max((abs(row.difference or 0.0) for row in rows), default=0.0):.2f} points."
    )


def explained(rows: Sequence[Audited]) -> pd.DataFrame:
    """Of the percentages that do not follow: what rounded widths would give, and which single width would fit."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.agrees:
            continue
        widths = row.widths or ()
        low, high = (audit.share(row, [width + half for width in widths]) for half in (0.5, -0.5))
        other = [f"{fits} for {widths[layer]}" for layer, fits in audit.misprints(row).items()]
        found[name(row)] = {
            "printed (%)": f"{row.printed:.2f}",
            "rounded widths give (%)": f"{low:.2f} to {high:.2f}",
            "within": "yes" if low <= row.printed <= high else "no",
            "one width that would fit": ", or ".join(other) or "none",
        }
    return pages.table(found, "Every percentage follows from its widths.")


@dataclass(frozen=True)
class Means:
    """Rows of our Table 2 with several runs that pruned, beside the paper's own rows with several layers."""

    ours: tuple[tables.Row, ...]
    paper: tuple[Audited, ...]
    of: Audited  # the paper's row of the same network

    def table(self) -> pd.DataFrame:
        """Our mean of the percentages beside the percentage of our mean widths."""
        return pages.table(
            {
                row.title: {
                    "runs": str(row.n),
                    "mean of the percentages": f"{row.removed_pct:.2f}",
                    "mean widths": _chain(row.widths),
                    "percentage of mean widths": f"{self._of_widths(row):.2f}",
                    "difference": _signed((row.removed_pct or 0.0) - self._of_widths(row)),
                }
                for row in self.ours
            }
        )

    def in_short(self) -> str:
        """In how many rows the printed percentage is that of the rounded mean widths, of the paper and of ours."""
        equal = sum(f"{row.removed_pct:.2f}" == f"{self._of_widths(row):.2f}" for row in self.ours)
        return (
            f"The paper prints {len(self.paper)} networks of its own with more than one counted layer, and in "
            f"{sum(bool(row.agrees) for row in self.paper)} of them the percentage follows from the rounded widths to "
            f"the last digit. Of our {len(self.ours)} rows it does in {equal}."
        )

    def _of_widths(self, row: tables.Row) -> float:
        return audit.share(self.of, row.widths or ())


def means(rows: Sequence[Audited], profile: str, root: Path) -> Means:
    """Our rows of Table 2 in ``profile`` with two runs or more that pruned, and the paper's."""
    ours = [
        row
        for row in tables.rows("2", profile, root)
        if row.source == "ours" and row.n and row.n > 1 and row.removed_pct
    ]
    own = {(row.network, row.widths): row for row in rows if not row.quoted and row.widths and len(row.widths) > 1}
    return Means(tuple(ours), tuple(own.values()), audit.find(rows, "mlp", "SNN", "mnist"))


def _last(row: Audited) -> tuple[int, int, int, int]:
    """Of a row with convolutions: place of its first FC layer, pixels of a map, kernels and inputs that are kept."""
    place = len(audit.COUNTED[row.network][0])
    full, kept = row.full or (), row.widths or ()
    return place, full[place] // full[place - 1], kept[place - 1], kept[place]


def inputs(rows: Sequence[Audited]) -> pd.DataFrame:
    """Of rows with convolutions: inputs that the kept kernels can feed, and inputs counted; what is gone at least.

    The last column is what is gone should the kernels be a mean that was rounded down by half a kernel.
    """

    def cells(row: Audited) -> dict[str, str]:
        place, pixels, kernels, counted = _last(row)
        fed, generous = kernels * pixels, list(row.widths or ())
        generous[place] = min(counted, int((kernels + 0.5) * pixels))
        return {
            "": "✓ enough" if fed >= counted else "✗ too few",
            "kernels × pixels": unbroken(f"{kernels} × {pixels} = {fed:,}"),
            "inputs counted": f"{counted:,}",
            "printed (%)": f"{row.printed:.2f}",
            "gone at least (%)": f"{row.structural:.2f}",
            "if rounded (%)": f"{audit.share(row, generous):.2f}",
        }

    return _table([row for row in rows if audit.COUNTED[row.network][0]], cells)


def _table(rows: Sequence[Audited], cells: Callable[[Audited], dict[str, str]]) -> pd.DataFrame:
    """A table with a row for each of ``rows``; two of them may have one name."""
    return pd.DataFrame([cells(row) for row in rows], index=[name(row) for row in rows])


def shares(rows: Sequence[Audited]) -> Figure:
    """Weights removed in each row: as printed, as recounted, and gone at least where dead inputs are proved."""
    dead = [(place, row) for place, row in enumerate(rows) if row.live_widths != row.widths]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(5.4, 0.8 + 0.28 * len(rows)))
        places, (blue, orange) = np.arange(len(rows)), ARM_COLOURS[:2]
        axes.hlines(places, 0, 100, color="#e8e8e8", linewidth=0.8, zorder=0)
        axes.plot(
            [row.printed for row in rows],
            places,
            "o",
            markersize=10,
            markerfacecolor="none",
            color=blue,
            label="printed",
        )
        axes.plot(
            [row.recounted or 0.0 for row in rows],
            places,
            "o",
            markersize=4,
            color="black",
            label="recounted from the widths",
        )
        axes.plot(
            [row.structural or 0.0 for _, row in dead],
            [place for place, _ in dead],
            "D",
            markersize=8,
            color=orange,
            label="gone at least, dead inputs followed",
        )
        for place, row in enumerate(rows):
            if not row.agrees:
                _beside(axes, row.printed, place, row.difference or 0.0, blue)
        for place, row in dead:
            _beside(axes, row.structural or 0.0, place, (row.structural or 0.0) - (row.recounted or 0.0), orange)
        axes.set(xlabel="weights removed (%)", xlim=(-2, 102), ylim=(len(rows) - 0.4, -0.6))
        axes.set_yticks(places, [f"{row.table}  {name(row).replace(' (x0.25)', '')}" for row in rows])
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1.0, handletextpad=0.3)
    return figure


def _beside(axes: Axes, share: float, place: int, difference: float, colour: str) -> None:
    """Write a difference beside a mark, on the side where there is room."""
    side = -1 if share > 80 else 1
    axes.annotate(
        unsigned(f"{difference:+.2f}"),
        (share, place),
        (side * 9, 0),
        textcoords="offset points",
        va="center",
        ha="right" if side < 0 else "left",
        color=colour,
    )


OURS = {"LeNet5-Caffe": ("1", "lenet5-caffe", "mnist"), "VGG-cov2": ("3", "vgg-cov2", "cifar10")}
"""Networks of ours with convolutions that are counted: table, network and data set."""


def followed(rows: Sequence[Audited], profile: str, root: Path) -> pd.DataFrame:
    """Our runs of the networks with convolutions: weights as counted, and gone with dead ends followed through.

    Means over runs in percent, the largest gap of a run in points, and in how many runs there is one, and in how many
    widths alone prove it.
    """
    found: dict[str, dict[str, str]] = {}
    for title, (table, network, dataset) in OURS.items():
        row = audit.find(rows, network, "SNN", dataset)
        results = [run["result"] for run in Results(table, profile, root).runs(SNN, network).values()]
        if not results:
            continue
        counted, gone = (np.array([each[key] for each in results]) for key in ("removed_pct", "effective_pct"))
        proved = [
            audit.share(row, audit.live_widths(row.full or (), each["widths"], len(audit.COUNTED[network][0])))
            for each in results
        ]
        found[title] = {
            "runs": str(len(results)),
            "counted (%)": f"{counted.mean():.2f}",
            "effective (%)": f"{gone.mean():.2f}",
            "largest gap": f"{(gone - counted).max():.2f}",
            "runs with a gap": str(int((gone - counted > 0.005).sum())),
            "proved by widths": str(int((np.array(proved) - counted > 0.005).sum())),
        }
    return pages.table(found)


def stated(gains: Sequence[Gain]) -> pd.DataFrame:
    """Gains as the text states them and as its tables give them; where they differ, what else has this size."""
    return pd.DataFrame(
        [
            {
                "": "✓" if gain.agrees else "✗",
                "text": _signed(gain.stated),
                "table": _signed(gain.computed),
                "gain of SNN over": gain.over,
                "the text's figure is": ", ".join(gain.same_as),
                "section": gain.place.removeprefix("section "),
            }
            for gain in gains
        ],
        index=[NAMES[gain.network] for gain in gains],
    )


def gains_agree(gains: Sequence[Gain]) -> str:
    """How many of the stated gains agree with their table, as Markdown."""
    agree = sum(gain.agrees for gain in gains)
    return f"**{agree} of {len(gains)} stated gains agree with their table.**"


def more_removed(rows: Sequence[Audited], table: str = "3") -> pd.DataFrame:
    """How many points more of the weights each quoted method of ``table`` removes than SNN on the same network."""
    ours = {row.network: row.printed for row in rows if (row.table, row.method) == (table, "SNN")}
    return pages.table(
        {
            name(row): {"removed (%)": f"{row.printed:.2f}", "minus SNN": _signed(row.printed - ours[row.network])}
            for row in rows
            if row.table == table and row.quoted
        }
    )


def beside_sampling(gains: Sequence[Gain]) -> pd.DataFrame:
    """The gains over a baseline in points and in test images, beside the sampling error of one network."""
    return pages.table(
        {
            f"{DATA[gain.table]}: {NAMES[gain.network]}": {
                "gain (points)": f"{gain.computed:.2f}",
                f"of {audit.TEST_IMAGES:,} images": str(gain.images),
                "sampling error (points)": f"{gain.sampling_error:.3f}",
                "gain / error": f"{gain.computed / gain.sampling_error:.1f}",
            }
            for gain in gains
            if gain.over == "baseline"
        }
    )


def last_layer(rows: Sequence[Audited]) -> pd.DataFrame:
    """Inputs of MobileNetV1's last layer: of ours in two sizes, with their costs on CIFAR-10, and of the paper's."""
    from ..networks.listing import listed  # here, not above: it imports torch

    found: dict[str, dict[str, str]] = {}
    for network, width in audit.last_layers().items():
        built = listed(network, "cifar10")
        found[f"our network, {network.rpartition('-')[2]}"] = {
            "inputs": str(width),
            "multiplications": f"{built.macs:,}",
            "parameters": f"{built.parameters:,}",
        }
    mobile = [row for row in rows if "x0.25" in row.network]
    found["paper, baseline"] = {"inputs": " and ".join(sorted({str((row.full or (0,))[0]) for row in mobile}))}
    for row in mobile:
        found[f"paper, table {row.table}, {row.method}, pruned"] = {"inputs": str((row.widths or (0,))[0])}
    return pages.table(found)
