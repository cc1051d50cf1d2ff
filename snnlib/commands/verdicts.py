"""``snn verdicts``: what the records say of each claim of the paper."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console

from ..names import Refused
from ..wording import markdown
from . import RecordsFolder


def verdicts(
    as_json: Annotated[bool, typer.Option("--json", help="A list, one object a claim: claim, rule, evidence, verdict.")] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="Claims and verdicts as a Markdown table.")] = False,
    root: RecordsFolder = None,
) -> None:
    """Judge each claim of the paper by a rule that was written before its runs: confirmed, refuted or undecided.

    Only records of the profile paper count.
    """
    if as_json and as_markdown:
        raise Refused("choose one of --json and --md")
    from ..verdicts import all_verdicts  # here, not above: it imports torch

    found = all_verdicts(root)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(verdict) for verdict in found], indent=1))
        return
    if as_markdown:
        typer.echo(markdown(("claim", "where", "verdict"), [(verdict.claim, verdict.place, verdict.verdict) for verdict in found]))
        return
    console = Console(highlight=False)
    colours = {"confirmed": "green", "refuted": "red", "undecided": "yellow"}
    for verdict in found:
        console.print(f"[bold {colours[verdict.verdict]}]{verdict.verdict}[/]  [bold]{verdict.claim}[/] ({verdict.place})", soft_wrap=True)
        console.print(f"  Rule{', written when records that it rests on stood already' if verdict.known else ''}: {verdict.rule}", soft_wrap=True)
        for line in verdict.evidence:
            console.print(f"  - {line}", soft_wrap=True, markup=False)
        console.print()
