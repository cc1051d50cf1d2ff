"""Tables of the paper's figures beside ours: pure functions of the files below a records folder.

Nothing here trains or prints. A row's accuracy is the last epoch's, on the images that the profile judges on; its
removed share counts weights as the paper's column Params (%) does.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from ..lab import records
from ..lab.experiments import TABLES, Table, regime_of
from ..lab.records import Entry
from ..lab.status import entries
from ..peers import PEERS

if TYPE_CHECKING:
    from ..arms import Arm

PAPER = Path(__file__).with_name("paper.csv")
"""Every figure that the paper's Tables 1 to 4 print, one row of a table a line; part of the package."""


@dataclass(frozen=True)
class Row:
    """One row of a table; None stands where a figure does not exist (one seed has no deviation, say).

    Accuracies and differences are in percent and points, shares in percent, seconds are means a run.
    """

    table: str
    dataset: str
    network: str
    arm: str  # the paper's name of the method, or the name of our arm
    title: str
    source: str  # "paper" or "ours"
    profile: str | None
    regime: str | None  # of settings: letter, plain or tuned; None for the paper's rows
    n: int | None  # runs that the figures are means of
    failed: int  # runs that diverged or died; they enter no mean
    at_chance: int  # runs, of these n, that ended at the accuracy of guessing; they enter the means
    acc_mean: float | None
    acc_std: float | None  # with n - 1
    widths: list[int] | None  # neurons kept in each layer, means rounded; None also where runs differ in layers
    start_pct: float | None  # weights removed before the first step, where factors start at 0 by the calibration's draw
    first_pct: float | None  # after the switcher's first turn
    removed_pct: float | None  # at the end
    effective_pct: float | None  # the same with dead ends followed through
    prunes: str | None  # what is pruned: neurons (kernels too), single weights, or other neurons for each image
    diff_mean: float | None  # accuracy minus the reference arm's, paired by seed
    diff_low: float | None  # its 95 % confidence interval
    diff_high: float | None
    # the same difference with failed runs at the accuracy of guessing; None where none failed
    all_mean: float | None
    all_low: float | None
    all_high: float | None
    macs: float | None  # for one image, of the compacted network, all layers counted
    seconds: float | None  # None also where runs of different machines or versions of the program would be averaged
    note: str
    quickest: float | None = None  # seconds of the quickest of the runs, on whichever machine
    # the least and the most that one of the runs removes at the end, in percent
    removed_low: float | None = None
    removed_high: float | None = None

    @property
    def gone_pct(self) -> float:
        """Weights really gone, in percent: with dead ends followed through; by the paper's count where that is all
        there is, 0 where nothing is removed."""
        return (self.removed_pct if self.effective_pct is None else self.effective_pct) or 0.0


def rows(table: str, profile: str, root: Path | None = None) -> list[Row]:
    """The paper's rows, then ours in the order of the arms.

    An arm without one recorded or failed run has no row. ``root`` is the records folder. Raises ``FileError`` where
    the paper's figures are missing.
    """
    plan = TABLES[table]
    ours = our_rows(plan, profile, root or records.default_root())
    return _by_network(paper_rows(table), ours, plan.networks)


def our_rows(plan: Table, profile: str, root: Path) -> list[Row]:
    """The rows of the arms of ``plan``, in their order, without those of the paper; as :func:`rows`."""
    by_arm: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries(plan, profile, root):
        by_arm.setdefault((entry.arm.network, entry.arm.name), []).append(entry)
    ours: list[Row | None] = []
    for (network, name), runs in by_arm.items():
        reference = plan.reference_of(name)
        ours.append(_our_row(plan.name, profile, runs, None if name == reference else by_arm[network, reference]))
    return [row for row in ours if row is not None]


def _by_network(paper: list[Row], ours: list[Row], networks: list[str]) -> list[Row]:
    """Each network's rows of the paper, then ours; a paper's network that we do not have comes last."""

    def place(row: Row) -> tuple[int, bool]:
        plain = [_plain(network) for network in (*networks, row.network)]
        return plain.index(plain[-1]), row.source == "ours"

    return sorted(paper + ours, key=place)


def _plain(network: str) -> str:
    """A network's name without punctuation and spaces, which the paper and we write differently."""
    return "".join(filter(str.isalnum, network))


def of_network(table_rows: Iterable[Row], network: str) -> list[Row]:
    """The rows of one network; punctuation in its name does not count."""
    return [row for row in table_rows if _plain(row.network) == _plain(network)]


def of_regime(table_rows: Iterable[Row], regime: str) -> list[Row]:
    """The paper's rows, and ours of one regime of settings."""
    return [row for row in table_rows if row.regime in (None, regime)]


def paper_rows(table: str) -> list[Row]:
    """The rows that the paper prints in this table (:data:`PAPER`); none for a table of our own."""
    if not PAPER.exists():
        raise records.FileError(
            f"{PAPER} is missing. It is a part of snnlib: install that again, or restore it with `git checkout`."
        )
    with PAPER.open(newline="", encoding="utf-8") as file:
        return [_paper_row(printed) for printed in csv.DictReader(file) if printed["table"] == table]


def _paper_row(printed: dict[str, str]) -> Row:
    quoted = printed["quoted_from"] == "yes"
    return Row(
        table=printed["table"],
        dataset=printed["dataset"].lower(),
        network=printed["network"].lower(),
        arm=printed["method"],
        title=printed["method"],
        source="paper",
        profile=None,
        regime=None,
        n=None if quoted or not printed["acc_std"] else 8,
        failed=0,
        at_chance=0,
        acc_mean=_number(printed["acc"]),
        acc_std=_number(printed["acc_std"]),
        widths=[int(width) for width in printed["widths"].split("-")] if printed["widths"] else None,
        start_pct=None,
        first_pct=None,
        removed_pct=_number(printed["pruned_pct"]),
        effective_pct=None,
        prunes=None,
        diff_mean=None,
        diff_low=None,
        diff_high=None,
        all_mean=None,
        all_low=None,
        all_high=None,
        macs=None,
        seconds=None,
        note="the paper copied this row from another paper" if quoted else "",
    )


def _number(text: str) -> float | None:
    return float(text) if text else None


def _accuracies(runs: Iterable[Entry]) -> dict[int, float]:
    return {run.seed: run.content["result"]["accuracy"] for run in runs if run.state == "recorded"}


def _with_failed(runs: Iterable[Entry]) -> dict[int, float]:
    """Accuracies by seed; runs that died or diverged have the accuracy of guessing."""
    runs = list(runs)
    return _accuracies(runs) | {run.seed: records.guessing(run.content) for run in runs if run.state == "failed"}


def _our_row(table: str, profile: str, runs: Sequence[Entry], reference: Sequence[Entry] | None) -> Row | None:
    """Row of one arm from its runs; ``reference`` holds the runs to compare with."""
    arm, failed = runs[0].arm, sum(run.state == "failed" for run in runs)
    done = [run.content for run in runs if run.state == "recorded"]
    if not done and not failed:
        return None
    accuracies = _accuracies(runs)
    found = [record["result"] for record in done]
    difference = metrics.paired_difference(accuracies, _accuracies(reference)) if reference is not None else None
    whole = None
    if reference is not None and (failed or any(run.state == "failed" for run in reference)):
        whole = metrics.paired_difference(_with_failed(runs), _with_failed(reference))

    def mean(values: Iterable[float | None]) -> float | None:
        given = list(values)
        known = [value for value in given if value is not None]
        return float(np.mean(known)) if known and len(known) == len(given) else None

    return Row(
        table=table,
        dataset=arm.dataset,
        network=arm.network,
        arm=arm.name,
        title=arm.title or arm.name,
        source="ours",
        profile=profile,
        regime=regime_of(arm.name),
        n=len(done),
        failed=failed,
        at_chance=sum(map(records.at_chance, done)),
        acc_mean=mean(accuracies.values()),
        acc_std=float(np.std(list(accuracies.values()), ddof=1)) if len(done) > 1 else None,
        widths=_mean_widths(found),
        start_pct=mean(result.get("start_removed_pct") for result in found),
        first_pct=mean(result.get("first_turn_removed_pct") for result in found),
        removed_pct=mean(removed(result, "removed_pct") for result in found),
        effective_pct=mean(removed(result, "effective_pct") for result in found),
        prunes=_prunes(arm),
        diff_mean=_finite(difference and difference.mean),
        diff_low=_finite(difference and difference.low),
        diff_high=_finite(difference and difference.high),
        all_mean=_finite(whole and whole.mean),
        all_low=_finite(whole and whole.low),
        all_high=_finite(whole and whole.high),
        macs=mean(map(_macs, found)),
        seconds=None if _mixtures(done) else mean(record["seconds"] for record in done),
        note="; ".join([*_mixtures(done), *_depths(found)]),
        quickest=min((record["seconds"] for record in done), default=None),
        removed_low=min(map(removed, found), default=None),
        removed_high=max(map(removed, found), default=None),
    )


def _mean_widths(results: Sequence[Mapping[str, Any]]) -> list[int] | None:
    """Neurons kept in each layer, means over runs; None without a run, or where one has more layers than another."""
    widths = [result["widths"] for result in results]
    if not widths or len(set(map(len, widths))) > 1:
        return None
    return [round(float(width)) for width in np.mean(widths, axis=0)]


def _depths(results: Sequence[Mapping[str, Any]]) -> list[str]:
    """How many runs are left with how many layers, where they differ: a rival may remove whole layers."""
    depths = Counter(len(result["widths"]) for result in results)
    if len(depths) < 2:
        return []
    said = (f"{depth} in {runs} run{'s' * (runs > 1)}" for depth, runs in sorted(depths.items()))
    return ["FC layers left: " + ", ".join(said)]


def removed(result: Mapping[str, Any], key: str = "removed_pct") -> float:
    """Share of weights removed in percent; of a rival, which may prune single weights, whatever its widths are."""
    return 100 - result["left_pct"] if "left_pct" in result else result[key]


def _macs(result: Mapping[str, Any]) -> float | None:
    """Multiplications for one image; the mean over images where each has neurons of its own."""
    return result["macs_left"] if result.get("kind") == "images" else result.get("macs")


def _prunes(arm: Arm) -> str | None:
    """What the method of ``arm`` prunes, in words; None for a dense network."""
    if arm.rival:
        kind = PEERS[arm.rival.name].KIND
        return "neurons, by image" if kind == "images" else kind
    return None if arm.method == "dense" else "neurons"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _mixtures(done: Sequence[records.Record]) -> list[str]:
    """Reasons why times, or last digits, of these records cannot be compared."""
    devices = sorted({record["device"] for record in done})
    versions = sorted({record["versions"]["torch"] for record in done})
    mixed = [f"runs of different devices ({', '.join(devices)})"] if len(devices) > 1 else []
    if len({record.get("code", {}).get("fused_encoder") for record in done}) > 1:
        mixed.append("runs with and without the fused encoder, which agree up to rounding")
    programs = sorted({record["versions"].get("snnlib", "unknown") for record in done})
    if len(programs) > 1:
        mixed.append(f"runs of different versions of this library ({', '.join(programs)})")
    return mixed + ([f"runs of different torch versions ({', '.join(versions)})"] if len(versions) > 1 else [])
