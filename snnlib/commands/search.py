"""``snn search``: try settings on held-out images, and show the best of them."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..lab.experiments.roles import ROLES
from ..lab.experiments.studies import STUDIES
from ..lab.experiments.study import Study
from ..lab.machine import cpu_count
from ..lab.names import Refused, check_name

if TYPE_CHECKING:
    from ..lab.search import Progress

EXAMPLES = """Examples:

[bold]snn search[/bold]  which searches there are, and how far they are.

[bold]snn search mlp-dense --time-budget 600[/bold]  ten minutes of one; repeat it to go on.

[bold]snn search mlp-snn --show[/bold]  the front: settings that no other beats in accuracy and in weights removed."""


def search(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The search; none lists them all.")] = None,
    time_budget: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Start no further trial after so long.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Trials at once. [dim]Default: one a core[/dim]")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    show: Annotated[bool, typer.Option("--show", help="Only show the front and what matters.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Only show them, as JSON.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="FOLDER", help="Where trials are kept. [dim]Default: data/search[/dim]"),
    ] = None,
    scratch: Annotated[
        Path, typer.Option("--scratch", metavar="FOLDER", help="Where Optuna's journal stands while a search runs.")
    ] = Path("runs") / "search",
) -> None:
    """Search the settings that the paper leaves open, on 5,000 held-out training images, not on the test images.

    Trials are kept one by one: what is interrupted goes on where it stopped. Failed trials count, and are kept.
    """
    from ..lab import search as searching  # here, not above: it imports pandas, which the other commands do not need

    folder = folder or searching.default_folder()
    if time_budget is not None and not time_budget > 0:
        raise Refused("--time-budget must be more than 0 seconds")
    if name is None and (show or as_json):
        raise Refused(f"name the search whose front is meant: {', '.join(STUDIES)}")
    if name is None:
        for study in STUDIES.values():
            typer.echo(f"{study.name:14} {_how_far(study, folder)}  {study.title}")
        return
    study = STUDIES[check_name("search", name, STUDIES)]
    if show or as_json:
        _show(study, folder, as_json)
        return
    _need_optuna()
    deadline = None if time_budget is None else time.monotonic() + time_budget
    typer.echo(f"{study.title}: {_how_far(study, folder)}")
    try:
        searching.search(study, folder, scratch, workers or cpu_count(), device, deadline, _say)
    except KeyboardInterrupt:
        typer.echo("Interrupted. Every finished trial is kept; the same command goes on.", err=True)
        raise typer.Exit(130) from None
    typer.echo(_how_far(study, folder))


def _need_optuna() -> None:
    if importlib.util.find_spec("optuna") is None:
        raise Refused("searching needs Optuna: pip install optuna (or `make environment` in the repository)")


def _say(progress: Progress) -> None:
    row = progress.row
    what = (
        f"{row['accuracy']:.2f} %, {row['removed']:.1f} % removed, {row['widths']}"
        if row["state"] == "finished"
        else f"{row['state']}: {row['error']}"
    )
    typer.echo(
        f"rung {progress.rung}, {progress.done} of {progress.wanted}: trial {row['trial']}: {what} "
        f"({row['seconds']:.0f} s)"
    )


def _how_far(study: Study, folder: Path) -> str:
    from ..lab import search as searching

    trials = searching.read(study, folder)
    parts: list[str] = []
    for number, rung in enumerate(study.stages, 1):
        done = int((trials["rung"] == number).sum()) if len(trials) else 0
        what = "trials" if number <= len(study.rungs) else "fresh seeds"
        parts.append(f"{done} of {max(done, rung.trials)} {what} of {rung.epochs} epochs")
    failed = int(trials["state"].isin(["failed", "cut"]).sum()) if len(trials) else 0
    return ", ".join(parts) + (f" ({failed} failed or cut short)" if failed else "")


def _show(study: Study, folder: Path, as_json: bool) -> None:
    from ..lab import search as searching

    trials = searching.read(study, folder)
    if not len(trials):
        raise Refused(
            f"no trials of {study.name} in {folder}: `snn fetch` gets the published ones, `snn search {study.name}` "
            "makes some"
        )
    best = searching.front(trials, study)
    try:
        taken: dict[str, Any] = {role: _plain(row) for role, row in searching.chosen(study, folder).items()}
    except Refused as problem:
        taken = {"none": str(problem)}
    matters: dict[str, Any] = {}
    for objective in study.objectives:
        try:
            matters[objective] = {
                key: round(value, 3) for key, value in searching.importance(trials, study, objective).items()
            }
        except (Refused, ImportError) as problem:
            matters[objective] = str(problem)
    if as_json:
        rows = [_plain(row) for row in searching.rows_of(best)]
        typer.echo(
            json.dumps(
                {
                    "study": study.name,
                    "trials": len(trials),
                    "front": rows,
                    "chosen": taken,
                    "rule": ROLES,
                    "importance": matters,
                },
                indent=1,
            )
        )
        return
    typer.echo(f"{study.title}: {_how_far(study, folder)}")
    for row in searching.rows_of(best):
        settings = ", ".join(
            f"{key} {row[key]:.3g}" if isinstance(row[key], float) else f"{key} {row[key]}" for key in study.space
        )
        typer.echo(
            f"  trial {row['trial']}: {row['accuracy']:.2f} %, {row['removed']:.1f} % removed, {row['widths']}\n    "
            f"{settings}"
        )
    for role, row in taken.items():
        said = (
            row
            if isinstance(row, str)
            else f"trial {row['trial']}, {row['accuracy']:.2f} %"
            + (f", {row['removed']:.1f} % removed" if "removed" in row else "")
            + (" (means over fresh seeds)" if study.fresh else "")
        )
        typer.echo(f"chosen, {role} ({ROLES[role]}): {said}" if role in ROLES else said)
    for objective, shares in matters.items():
        said = shares if isinstance(shares, str) else ", ".join(f"{key} {value:.2f}" for key, value in shares.items())
        typer.echo(f"what matters for {objective}: {said}")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A trial without empty cells, for JSON."""
    return {key: value for key, value in row.items() if value is not None and value == value}
