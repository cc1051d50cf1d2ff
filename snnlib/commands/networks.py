"""``snn networks``: the task networks and what they cost."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

NOTES = """weights: of switched layers, biases not counted, as the paper counts them: all layers, or the fully
connected ones (fc)
MACs: multiply-accumulate operations for one image, every layer; parameters: all that is trained"""


def networks(
    as_json: Annotated[
        bool, typer.Option("--json", help="A list, one object a network and data set, as JSON.")
    ] = False,
) -> None:
    """List the task networks with the data sets they are for: switched widths, weights by the paper's count, MACs."""
    from ..networks import USES
    from ..networks.listing import listed

    rows = [listed(*use) for use in USES]
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
        return
    table = Table("network", "data set", "image", "classes", "switched widths", "counted")
    for heading in ("weights", "MACs", "parameters"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = (f"{number:,}" for number in (row.weights, row.macs, row.parameters))
        table.add_row(
            row.network,
            row.dataset,
            " x ".join(map(str, row.image)),
            str(row.classes),
            "-".join(map(str, row.gated_widths)),
            row.counted,
            *numbers,
        )
    console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width to fold into
    console.print(table)
    typer.echo(NOTES)
