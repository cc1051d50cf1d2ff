"""Tables of the paper's figures beside ours: pure functions of the files below a records folder.

Nothing here trains or prints. A row's accuracy is the last epoch's, on the images that the profile judges on; its
removed share counts weights as the paper's column Params (%) does.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from ..lab import records
from ..lab.experiments import TABLES, Table, own, regime_of
from ..lab.records import Entry
from ..lab.status import entries
from ..peers import PEERS
from . import wording

if TYPE_CHECKING:
    import pandas
    import rich.table

    from ..config import Arm

PAPER = Path(__file__).with_name("paper.csv")
"""Every figure that the paper's Tables 1 to 4 print, one row of a table a line; part of the package."""

LABELS = {
    "smoke": "ours (smoke, a trial only)",
    "quick": "ours (quick, reduced)",
    "paper": "ours (paper profile)",
    "authors": "ours (authors' recipes)",
    "map": "ours (map, short runs on held-out images)",
    "search": "ours (search, held-out images)",
    own.OWN: "yours",
}
"""Labels of our rows by profile, so that a reduced run is never mistaken for a whole one."""


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
    widths: list[int] | None  # neurons kept in each layer, means rounded
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
    widths = np.mean([result["widths"] for result in found], axis=0) if found else ()
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
        at_chance=sum(
            accuracies[run.seed] < 1.5 * records.guessing(run.content) for run in runs if run.seed in accuracies
        ),
        acc_mean=mean(accuracies.values()),
        acc_std=float(np.std(list(accuracies.values()), ddof=1)) if len(done) > 1 else None,
        widths=[round(float(width)) for width in widths] if found else None,
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
        note="; ".join(_mixtures(done)),
        quickest=min((record["seconds"] for record in done), default=None),
    )


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


def frame(table_rows: Sequence[Row]) -> pandas.DataFrame:
    """The rows as a data frame, one column a field of :class:`Row`; widths as in the paper, 784-300-100."""
    import pandas

    plain = [asdict(row) | {"widths": _widths(row)} for row in table_rows]
    return pandas.DataFrame(plain, columns=list(Row.__annotations__))


COLUMNS = (
    "source",
    "network",
    "n",
    "accuracy %",
    "difference [95 %]",
    "widths",
    "start %",
    "turn 1 %",
    "removed %",
    "effective %",
    "prunes",
    "MACs",
    "s a run",
)
"""Headings of the printed table."""


def cells(row: Row) -> tuple[str, ...]:
    """A row as texts, one for each of :data:`COLUMNS`."""
    accuracy = _text(row.acc_mean) + (f" ± {row.acc_std:.2f}" if row.acc_std is not None else "")
    difference = _text(row.diff_mean, "+.2f")
    if row.diff_low is not None and row.diff_high is not None:
        difference += f" [{row.diff_low:+.2f}, {row.diff_high:+.2f}]"
    runs = "" if row.n is None else str(row.n)
    parts = ([f"{row.at_chance} at chance"] if row.at_chance else []) + (
        [f"+ {row.failed} failed"] if row.failed else []
    )
    runs += f" ({', '.join(parts)})" if parts else ""
    several = row.table == own.OWN or len(TABLES[row.table].networks) > 1
    title = f"{row.network}: {row.title}" if several else row.title
    label = (
        ("paper, quoted" if row.note else "paper")
        if row.source == "paper"
        else LABELS.get(row.profile or "", f"ours ({row.profile})")
    )
    return (
        label,
        title,
        runs,
        accuracy,
        difference,
        _widths(row),
        _text(row.start_pct),
        _text(row.first_pct),
        _text(row.removed_pct),
        _text(row.effective_pct),
        row.prunes or "",
        short(row.macs),
        _text(row.seconds, ".0f"),
    )


def notes(table_rows: Sequence[Row], plan: Table | None = None) -> list[str]:
    """Notes below the table: on differences, quoted rows, and runs of different machines or versions.

    ``plan`` is the table where it is none of :data:`~snnlib.lab.experiments.TABLES`.
    """
    said: list[str] = []
    if any(row.diff_mean is not None for row in table_rows):
        plan = plan or TABLES[table_rows[0].table]
        same = " of the same network" if len(plan.networks) > 1 else ""
        title_of = {row.arm: row.title for row in table_rows}
        references = [plan.reference_of(row.arm) for row in table_rows if row.diff_mean is not None]
        compared = dict.fromkeys(title_of.get(name, name) for name in references)
        titles = " or ".join(f'"{title}"' for title in compared) + (
            ", whichever has the same start and settings" if len(compared) > 1 else ""
        )
        said.append(
            f"difference: accuracy minus that of {titles}{same}, in points, paired by seed, with its 95 % confidence "
            "interval"
        )
    if any(row.start_pct is not None for row in table_rows):
        said.append(
            "start, turn 1, removed: weights whose neurons are off before the first step, after the switcher's first "
            "turn, and at the end; training prunes the difference"
        )
    if any(row.source == "paper" and "x0.25" in row.network for row in table_rows):
        said.append(
            "mobilenetv1 (x0.25): the paper's rows are 1024 wide, as full MobileNetV1 is; at x0.25 the last layer has "
            "256 inputs. Its rows compare with our x1"
        )
    if any(row.prunes == "weights" for row in table_rows):
        said.append(
            "prunes: a method that prunes single weights leaves the shapes and the MACs of its network as they were; "
            "only software that skips zeros is faster by it"
        )
    said += [
        f"{row.title}: {row.failed} of {row.failed + (row.n or 0)} runs died or diverged; with these at the accuracy "
        f"of guessing the difference is {row.all_mean:+.2f} [{row.all_low:+.2f}, {row.all_high:+.2f}]"
        for row in table_rows
        if row.source == "ours" and row.failed and row.all_low is not None
    ]
    said += [f"quoted: {row.note}" for row in table_rows if row.source == "paper" and row.note][:1]
    return said + [f"{row.title}: {row.note}" for row in table_rows if row.source == "ours" and row.note]


def _text(value: float | None, form: str = ".2f") -> str:
    return "" if value is None else format(value, form)


def short(value: float | None) -> str:
    """Multiplications with three digits: 266 k, 38.9 M."""
    if value is None:
        return ""
    size, unit = next(
        (size, unit) for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k"), (1, "")) if value >= size or size == 1
    )
    digits = max(2 - int(math.log10(max(value / size, 1))), 0)
    return f"{value / size:.{digits}f}{unit}"


def _widths(row: Row) -> str:
    return "-".join(str(width) for width in row.widths) if row.widths else ""


def _shown(table_rows: Sequence[Row]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Headings and texts, without empty columns, and without that of what is pruned where it is always neurons."""
    texts = [cells(row) for row in table_rows]
    dull = ("", "neurons")
    keep = [
        index
        for index, name in enumerate(COLUMNS)
        if index < 2 or any(line[index] not in (dull if name == "prunes" else ("",)) for line in texts)
    ]
    return [COLUMNS[index] for index in keep], [tuple(line[index] for index in keep) for line in texts]


def markdown(table_rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    head, lines = _shown(table_rows)
    return wording.markdown(head, lines)


def console(table_rows: Sequence[Row]) -> rich.table.Table:
    """The rows as a table for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    head, lines = _shown(table_rows)
    view = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        view.add_column(name, justify="left" if name in ("source", "network", "widths") else "right", overflow="fold")
    for line in lines:
        view.add_row(*(Text(text) for text in line))
    return view
