"""``snn audit``: the paper's printed figures, recounted."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..lab.names import Refused
from ..report.wording import markdown

if TYPE_CHECKING:
    from ..report.audit import Audited, Gain

HEAD = ("table", "network", "method", "widths", "printed %", "recounted %", "difference", "gone at least %", "verdict")
STATED_HEAD = ("place", "network", "SNN's gain over", "stated", "computed", "verdict")


def audit(
    as_json: Annotated[
        bool, typer.Option("--json", help="Percentages and gains as JSON, a list of objects each.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The percentages as CSV.")] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="Both as Markdown tables.")] = False,
) -> None:
    """Recount the paper's percentages from its printed widths, and the gains stated in its text from its tables.

    Gone at least: dead inputs are followed through where the widths prove them.
    """
    if as_json + as_csv + as_markdown > 1:
        raise Refused("choose one of --json, --csv and --md")
    from ..report import audit as recount  # here, not above: it imports scipy

    percentages, gains = recount.percentages(), recount.gains()
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "percentages": [dataclasses.asdict(row) for row in percentages],
                    "gains": [dataclasses.asdict(gain) for gain in gains],
                },
                indent=1,
            )
        )
        return
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(field.name for field in dataclasses.fields(recount.Audited))
        writer.writerows(
            [_chain(value) if isinstance(value, tuple) else value for value in dataclasses.astuple(row)]
            for row in percentages
        )
        return
    parts = ((HEAD, [_cells(row) for row in percentages]), (STATED_HEAD, [_stated_cells(gain) for gain in gains]))
    width = None if sys.stdout.isatty() else 200  # a file has no width to fold into
    console = Console(width=width, highlight=False)
    for head, lines in parts:
        if as_markdown:
            typer.echo(markdown(head, lines) + "\n")
        else:
            console.print(_view(head, lines))
    typer.echo("\n".join(_notes(percentages, gains)))


def _chain(widths: tuple[int, ...]) -> str:
    return "-".join(map(str, widths))


def _verdict(row: Audited) -> str:
    if row.recounted is None:
        return f"not recounted: {row.note}"
    said = "agrees" if row.agrees else "differs"
    return f"{said}, dead inputs counted" if row.structural != row.recounted else said


def _cells(row: Audited) -> tuple[str, ...]:
    figures = (row.recounted, None if row.agrees else row.difference, row.structural)
    texts = ("" if value is None else f"{value:{form}}" for value, form in zip(figures, (".2f", "+.2f", ".2f")))
    return (
        row.table,
        row.network,
        row.method + (" (quoted)" if row.quoted else ""),
        _chain(row.widths or ()),
        f"{row.printed:.2f}",
        *texts,
        _verdict(row),
    )


def _stated_cells(gain: Gain) -> tuple[str, ...]:
    verdict = "agrees" if gain.agrees else "differs" + (f": it is {' and '.join(gain.same_as)}" if gain.same_as else "")
    return (gain.place, gain.network, gain.over, f"{gain.stated:+.2f}", f"{gain.computed:+.2f}", verdict)


def _view(head: tuple[str, ...], lines: list[tuple[str, ...]]) -> Table:
    from rich import box

    view = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in head:
        right = name.endswith("%") or name in ("difference", "stated", "computed")
        view.add_column(name, justify="right" if right else "left", overflow="fold")
    for *line, verdict in lines:
        colour = "green" if verdict == "agrees" else "dim" if verdict.startswith("not ") else "red"
        view.add_row(*(Text(text) for text in line), Text(verdict, style=colour))
    return view


def _notes(percentages: list[Audited], gains: list[Gain]) -> list[str]:
    """The sums of the tables, and notes on dead inputs, the gain on MNIST and the paper's x0.25."""
    from ..report.audit import TEST_IMAGES, last_layers

    recounted = [row for row in percentages if row.recounted is not None]
    said = [
        f"{sum(bool(row.agrees) for row in recounted)} of {len(recounted)} percentages follow from their widths, "
        f"{sum(gain.agrees for gain in gains)} of {len(gains)} stated gains from their table"
    ]
    for row in recounted:
        if row.widths and row.live_widths and row.live_widths != row.widths:
            said.append(
                f"{row.network}, {row.method}: of {_chain(row.widths)} at most {_chain(row.live_widths)} can be "
                f"alive, so {row.structural:.2f} % of the weights are gone at least"
            )
    for gain in gains:
        if gain.network == "mlp":
            said.append(
                f"the gain of the MLP on MNIST is {gain.images} of {TEST_IMAGES:,} test images; one network's "
                f"sampling error there is {gain.sampling_error:.3f} points"
            )
    small, whole = last_layers().values()
    named = sorted({row.full[-1] for row in recounted if row.full and "x0.25" in row.network})
    if named:
        said.append(
            f"MobileNetV1's last layer has {small} inputs at x0.25 and {whole} at x1; the rows named x0.25 are "
            f"counted from {' and '.join(map(str, named))}"
        )
    return said
