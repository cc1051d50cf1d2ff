"""The commands of the command line, and the options that they share.

torch, pandas and scipy are imported inside the functions that need them, so that help and errors come without delay.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RecordsFolder = Annotated[
    Path | None,
    typer.Option("--records", metavar="DIR", help="Folder of the records. [dim]Default: data/records[/dim]"),
]


def tell_if_empty(root: Path, err: bool = True) -> None:
    """Say where records can be had, if ``root`` has none; on standard error unless told otherwise."""
    from ..lab.status import profiles_begun

    if not profiles_begun(root):
        typer.echo(
            f"no records in {root}: `snn fetch` gets the published ones, `snn run 2 --profile smoke` makes a few",
            err=err,
        )


PROFILE_HELP = (
    "smoke (seconds, a trial), quick (minutes, reduced), paper (8 seeds, everything), whole (Tables 3 and 4 on two "
    "cores), or search, authors, map."
)
