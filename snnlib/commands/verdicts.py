"""``snn verdicts``: each claim of the paper judged from records."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console

from ..lab import records
from ..lab.experiments import REGIMES
from ..lab.names import Refused
from ..report.wording import markdown
from . import RecordsFolder, tell_if_empty


def verdicts(
    as_json: Annotated[
        bool, typer.Option("--json", help="A list, one object a claim: claim, rule, evidence, verdict.")
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="Claims and verdicts as a Markdown table.")] = False,
    root: RecordsFolder = None,
) -> None:
    """Judge each claim of the paper by its rule, in each regime of settings: the paper's letter, plain, tuned.

    Only records of the profile paper count, and of the profile whole where a rule says so; fewer than 8 pairs of runs
    decide nothing.
    """
    if as_json and as_markdown:
        raise Refused("choose one of --json and --md")
    from ..report.verdicts import all_verdicts  # here, not above: it imports scipy

    root = root or records.default_root()
    tell_if_empty(root)
    found = all_verdicts(root)
    if as_json:
        typer.echo(
            json.dumps(
                [dataclasses.asdict(verdict) | {"said": str(verdict), "history": verdict.history} for verdict in found],
                indent=1,
            )
        )
        return
    if as_markdown:
        head = ("claim", "where", *REGIMES, "verdict")
        typer.echo(
            markdown(
                head,
                [(found_.claim, found_.place, *map(str, found_.regimes.values()), str(found_)) for found_ in found],
            )
        )
        return
    console = Console(highlight=False)
    colours = {
        "confirmed": "green",
        "refuted": "red",
        "not reproduced": "red",
        "depends": "magenta",
        "undecided": "yellow",
    }
    for verdict in found:
        console.print(
            f"[bold {colours[verdict.verdict]}]{verdict}[/]  [bold]{verdict.claim}[/] ({verdict.place})", soft_wrap=True
        )
        console.print(f"  Rule ({verdict.history}): {verdict.rule}", soft_wrap=True)
        for regime, judged in verdict.regimes.items():
            console.print(f"  {regime}: {judged}", soft_wrap=True)
            for line in judged.evidence if judged.verdict != "no runs" else ():
                console.print(f"    - {line}", soft_wrap=True, markup=False)
        console.print()
