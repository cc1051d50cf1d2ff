"""``snn table`` and ``snn status``: tables from records, and which records there are."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..lab import records
from ..lab import status as on_disk
from ..lab.experiments import PROFILES, REGIMES, TABLES
from ..lab.names import Refused, check_name
from . import PROFILE_HELP, RecordsFolder, tell_if_empty

TABLE_EXAMPLES = (
    "Examples: [bold]snn table 2[/bold], [bold]snn table 2 --profile quick --json[/bold], "
    "[bold]snn table 2 --regime tuned[/bold]"
)


def table(
    name: Annotated[str, typer.Argument(metavar="TABLE", help=f"{', '.join(TABLES)}: tables of the paper, and ours.")],
    profile: Annotated[
        str | None, typer.Option(help=PROFILE_HELP + " [dim]Default: the fullest one that has records[/dim]")
    ] = None,
    regime: Annotated[
        str | None,
        typer.Option(
            help=f"Only rows of these settings, and the paper's: {', '.join(REGIMES)}. [dim]Default: all[/dim]"
        ),
    ] = None,
    network: Annotated[
        str | None, typer.Option(help="Only rows of this network. [dim]Default: all of the table[/dim]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A list of rows as JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Rows as CSV.")] = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="A Markdown table.")] = False,
    root: RecordsFolder = None,
) -> None:
    """Print a table: the paper's rows beside ours, from records alone.

    Means over seeds; differences are paired by seed, with a 95 % confidence interval. Runs that are missing, stale,
    failed or unreadable are named below it (on standard error for --json and --csv).
    """
    if as_json + as_csv + as_markdown > 1:
        raise Refused("choose one of --json, --csv and --md")
    root = root or records.default_root()
    plan = TABLES[check_name("table", name, TABLES)]
    if profile is None:
        profile = on_disk.profile_to_show(name, root)
    check_name(f"profile of table {name}", profile, plan.arms)
    tell_if_empty(root)
    if regime is not None:
        check_name("regime", regime, REGIMES)
    if network is not None:
        check_name(f"network of table {name}", network, plan.networks)
    form = "json" if as_json else "csv" if as_csv else "md" if as_markdown else "console"
    print_table(name, profile, root, form, regime, network)


def print_table(
    name: str, profile: str, root: Path, form: str = "console", regime: str | None = None, network: str | None = None
) -> None:
    """Print rows, of one regime or network if it is named, then the runs that they lack; ``form`` is console, json, csv
    or md."""
    # here, not above: it imports pandas and scipy, which the other commands do not need
    from ..report import printing, tables

    rows = tables.rows(name, profile, root)
    if regime is not None:
        rows = tables.of_regime(rows, regime)
    if network is not None:
        rows = tables.of_network(rows, network)
    if form == "json":
        typer.echo(json.dumps([dataclasses.asdict(row) for row in rows], indent=1))
    elif form == "csv":
        typer.echo(printing.frame(rows).to_csv(index=False), nl=False)
    elif form == "md":
        typer.echo(printing.markdown(rows))
    else:
        console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width to fold into
        typer.echo(f"Table {name}. {TABLES[name].title}")
        console.print(printing.console(rows))
    if form in ("console", "md"):
        mark = "* " if form == "md" else ""
        typer.echo("".join(f"\n{mark}{note}" for note in printing.notes(rows)).rstrip())
    for line in on_disk.problems(name, profile, root, regime, network):
        if form != "md" or not line.startswith("failed"):  # on a page the notes above say how many failed
            typer.echo(line, err=form in ("json", "csv"))


def status(
    as_json: Annotated[bool, typer.Option("--json", help="A list, one object a table and profile, as JSON.")] = False,
    profile: Annotated[
        str | None, typer.Option(help=PROFILE_HELP + " [dim]Default: all that have records[/dim]")
    ] = None,
    root: RecordsFolder = None,
) -> None:
    """Count and list the runs by state.

    recorded, missing, stale (settings changed), failed, barred (it would follow a failed run), broken (unreadable or
    altered).

    Exit code: 0, or 1 if a record is broken.
    """
    root = root or records.default_root()
    profiles = [check_name("profile", profile, PROFILES)] if profile else on_disk.profiles_begun(root)
    found = on_disk.summary(profiles, root)
    read = {run["path"] for part in found for state in on_disk.STATES for run in part[state]}
    others = [] if profile else on_disk.broken_beside(read, root)
    code = 1 if others or any(part["broken"] for part in found) else 0
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        for problem in others:
            typer.echo(problem, err=True)
        raise typer.Exit(code)
    of_own = {} if profile else on_disk.own_runs(root)
    if not profiles and not of_own:
        tell_if_empty(root, err=False)
    for part in found:
        counts = ", ".join(f"{count} {state}" for state, count in part["counts"].items() if count)
        typer.echo(f"table {part['table']}, profile {part['profile']}, {part['runs']} runs: {counts}")
        for line in on_disk.problems(part["table"], part["profile"], root):
            typer.echo(f"  {line}")
    for name, states in of_own.items():
        typer.echo(f"own data, {name}: {', '.join(f'{count} {state}' for state, count in states.items())}")
    for problem in others:
        typer.echo(f"broken, and in no table: {problem}")
    raise typer.Exit(code)
