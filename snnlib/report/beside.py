"""The paper's rows beside ours: narrow tables of one network or several, and in a line what came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
from matplotlib.figure import Figure

from ..lab.experiments import TABLES, tuned, whole
from . import pages, printing, tables
from .results import Results
from .tables import Row
from .wording import span, unbroken

NETWORKS = {
    "mlp": "perceptron",
    "lenet5-caffe": "LeNet5-Caffe",
    "vgg-cov2": "VGG-cov2",
    "vgg-cov2-bn": "VGG-cov2 with batch norm",
    "vgg16": "VGG16",
    "vgg16-x0.25": "VGG16 x0.25",
    "resnet34": "ResNet34",
    "resnet34-x0.25": "ResNet34 x0.25",
    "mobilenet-v1-x0.25": "MobileNetV1 x0.25",
    "mobilenet-v1-x1": "MobileNetV1",
    "mobilenetv1 (x0.25)": "MobileNetV1",  # in the paper, which writes x0.25 beside the inputs of the full network
}
"""Networks as pages call them."""

PRINTED = {"mobilenet-v1-x1": "mobilenetv1 (x0.25)", "vgg-cov2-bn": "vgg-cov2"}
"""Networks of ours whose row in the paper has another name."""

SOURCES = {"paper": "ours", "whole": "ours", "quick": "ours, reduced", "smoke": "ours, a trial"}
"""What a row of ours is called, by profile."""


def printed(table: str, network: str, method: str) -> Row | None:
    """The row of ``network`` and ``method`` that the paper prints in ``table``; None where there is none."""
    named = tables.of_network(tables.paper_rows(table), PRINTED.get(network, network))
    return next((row for row in named if row.arm == method), None)


def rows(results: Results, network: str | None = None, regime: str | None = "plain") -> list[Row]:
    """The paper's rows and ours, of one network and one regime of settings, or of all."""
    found = tables.rows(results.table, results.profile, results.root)
    found = found if regime is None else tables.of_regime(found, regime)
    return found if network is None else tables.of_network(found, network)


def source(row: Row) -> str:
    """Whose a row is, in words."""
    if row.source == "paper":
        return "paper, quoted" if row.note else "paper"
    if row.network in whole.REDUCED:
        return SOURCES["quick"]
    return SOURCES.get(row.profile or "", f"ours ({row.profile})")


def label(row: Row, named: bool, beside_others: bool) -> str:
    """Method of a row in words; ``named`` with its network, ``beside_others`` with whose it is."""
    title = row.title.removeprefix("the paper's letter: ")
    network = f"{NETWORKS.get(row.network, row.network)}, " if named else ""
    return f"{source(row)}: {network}{title}" if beside_others else f"{network}{title}"


HEADS = {
    "runs": "n",
    "accuracy (%)": "accuracy %",
    "minus dense [95 %]": "difference [95 %]",
    "widths": "widths",
    "start (%)": "start %",
    "turn 1 (%)": "turn 1 %",
    "removed (%)": "removed %",
    "effective (%)": "effective %",
    "MACs": "MACs",
    "seconds a run": "s a run",
}
"""Headings on a page to those of ``snn table``."""


def table(found: Sequence[Row], heads: Iterable[str]) -> pd.DataFrame:
    """These rows with the columns ``heads`` of :data:`HEADS`, as texts.

    *runs* says of how many, if some died, and how many guess: "6 of 8, 1 at chance". Beside what is removed stand the
    least and the most of single runs. Whose a row is, is said unless all are "ours" alike. A table without a row of
    ours ends with a line that says so.
    """
    several = len({NETWORKS.get(row.network, row.network) for row in found}) > 1
    mixed = {source(row) for row in found} != {"ours"}
    shown: dict[str, dict[str, str]] = {}
    for row in found:
        texts = _texts(row)
        of = f" of {(row.n or 0) + row.failed}" if row.failed else ""
        chance = f", {row.at_chance} at chance" if row.at_chance else ""
        texts["n"] = "" if row.n is None else f"{row.n}{of}{chance}"
        texts["removed %"] += _range(row)
        shown[label(row, several, mixed)] = {head: unbroken(texts[HEADS[head]]) for head in heads}
    if not any(row.source == "ours" for row in found):
        shown["ours: not run yet"] = dict.fromkeys(heads, "")
    return pages.table(shown)


def _texts(row: Row) -> dict[str, str]:
    """The cells of a row by the headings of ``snn table``."""
    return dict(zip(printing.COLUMNS, printing.cells(row)))


def lost(row: Row) -> str:
    """How many runs of a row were lost, as the end of a phrase; nothing where none was."""
    return f", {row.failed} of {row.failed + (row.n or 0)} runs lost" if row.failed else ""


def _range(row: Row) -> str:
    """The least and the most weights that single runs remove, in brackets; nothing where these are alike, rounded."""
    if row.removed_low is None or row.removed_high is None:
        return ""
    low, high = (f"{end:.0f}" for end in (row.removed_low, row.removed_high))
    return "" if low == high else f" ({low} to {high})"


def in_short(results: Results, networks: Iterable[str], arm: str = "snn-al-epoch", dense: str = "dense") -> str:
    """For each network a line, as Markdown: accuracy against the dense network, weights removed, and the paper's."""
    return "\n".join(f"* {_line(results, network, arm, dense)}" for network in networks)


def of_search(results: Results, networks: Iterable[str]) -> str:
    """For each network a line, as Markdown: accuracy of each chosen setting minus that of the tuned dense network, the
    weights that it removes, and how many runs were lost; a network without such runs has no line."""
    lines: list[str] = []
    for network in networks:
        parts: list[str] = []
        for row in rows(results, network, "tuned"):
            if row.arm in tuned.TITLES and row.n:
                difference = unbroken(_texts(row)["difference [95 %]"])
                gone = f"{row.removed_pct:.1f} % of the weights removed"
                parts.append(f"{tuned.TITLES[row.arm]} {difference} points, {gone}{lost(row)}")
        if parts:
            lines.append(f"* **{NETWORKS[network][0].upper()}{NETWORKS[network][1:]}**: {'; '.join(parts)}.")
    return "\n".join(lines) or "No run of such settings yet."


def against_dense(results: Results, networks: Iterable[str], arm: str = "snn-al-epoch") -> Figure:
    """Accuracy of SNN-AL minus that of the dense network, with equal steps in all and with equal task-network steps."""
    return pages.differences(
        {
            f"{NETWORKS[network]}, equal {steps}": results.pair(arm, dense, network=network)
            for network in networks
            for dense, steps in (("dense", "steps in all"), ("dense-equal-steps", "task-network steps"))
        },
        "SNN-AL minus dense (points of accuracy)",
    )


def _line(results: Results, network: str, arm: str, dense: str) -> str:
    several = len(TABLES[results.table].networks) > 1
    found = results.difference(arm, dense, network=network if several else None)
    removed = results.mean(arm, "removed_pct", network if several else None)
    ours, base = (printed(results.table, network, method) for method in ("SNN", "baseline"))
    said = f"**{NETWORKS[network][0].upper()}{NETWORKS[network][1:]}**: "
    if not found.n or removed is None:
        said += "no finished pair of runs yet"
    else:
        pairs = f"{found.n} pairs of runs" if found.n > 1 else "one pair of runs"
        if found.n < 2 or found.low <= 0 <= found.high:
            said += f"with its switcher it is as accurate as the dense network, as far as {pairs} can tell"
        else:
            said += f"with its switcher it is {'more' if found.mean > 0 else 'less'} accurate than the dense network"
        said += f" ({span(found)} points), and {removed:.1f} % of its weights are removed"
    if ours and base and ours.acc_mean is not None and base.acc_mean is not None:
        gain = unbroken(f"{ours.acc_mean - base.acc_mean:+.2f}")
        said += f"; the paper prints {gain} points and {ours.removed_pct:.2f} %"
    return f"{said}."
