"""Rows of a table as text: for the terminal, as Markdown, as a data frame, with the notes that belong below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..lab.experiments import TABLES, Table, own
from . import wording
from .tables import Row

if TYPE_CHECKING:
    import pandas
    import rich.table

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
    if any(row.at_chance for row in table_rows):
        said.append("at chance: less than half as accurate again as guessing; such runs enter the means")
    said += [f"quoted: {row.note}" for row in table_rows if row.source == "paper" and row.note][:1]
    noted: dict[str, list[str]] = {}
    for row in table_rows:
        if row.source == "ours" and row.note:
            noted.setdefault(row.note, []).append(row.title)
    return said + [f"{'; '.join(titles)}: {note}" for note, titles in noted.items()]


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
