"""``snn run``: train what has no record yet, of a table or on images of one's own."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ..lab import archive, batch, bundles, records
from ..lab.experiments import PROFILES, TABLES
from ..lab.experiments import own as own_arms
from ..lab.machine import cpu_count, cuda_driver
from ..lab.names import Refused, check_name
from ..lab.workers import end_with_parent
from . import PROFILE_HELP, RecordsFolder, own, said

EXAMPLES = """Examples:

[bold]snn run 2 --profile smoke[/bold]  is everything in place? Seconds.

[bold]snn run 2[/bold]  the quick profile of Table 2: minutes on two cores.

[bold]snn run 2 --profile paper --time-budget 3600[/bold]  an hour of the long runs; repeat it to go on.

[bold]snn run --pending --profile paper --time-budget 1800 --pack records.tar.gz[/bold]  half an hour of all that is missing.

[bold]snn run 2 --arm dense --arm snn-al-epoch --seed 0[/bold]  two runs only.

[bold]snn run --data my/photos --network mlp:in-64-out --out small[/bold]  a network of yours on images of yours, dense and with a switcher."""  # noqa: E501

OWN_PANEL = "Images and network of your own"


def run(
    table: Annotated[
        str | None,
        typer.Argument(help=f"{', '.join(TABLES)}: tables of the paper, and ours; left out with --pending and --data."),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Only this network; may be repeated. With --data: mlp:784-64-10, mlp:in-64-out, or one of `snn "
            "networks`.",
        ),
    ] = None,
    arm: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this arm; may be repeated.")] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(metavar="N", help="Only this seed; may be repeated. [dim]Default with --data: 0[/dim]"),
    ] = None,
    profile: Annotated[str | None, typer.Option(help=PROFILE_HELP + " [dim]Default: quick[/dim]")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N, or auto: CUDA where there is one.")] = "auto",
    time_budget: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Start no further epoch after so long.")
    ] = None,
    pending: Annotated[
        bool,
        typer.Option(
            "--pending", help="Every run that is missing, stale or unreadable; of all tables if none is named."
        ),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Processes that train at once. [dim]Default: one a core, one on CUDA[/dim]"
        ),
    ] = None,
    threads: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, help="CPU threads a run; with another number its last digits differ, so it is recorded."
        ),
    ] = 1,
    together: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Seeds of a small network that train as one batch. [dim]Default: 8 on CUDA, 1 on the CPU[/dim]",
        ),
    ] = None,
    root: RecordsFolder = None,
    pack: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep all records packed in this .tar.gz file, up to date after each run."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be trained, in which order.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Forget what is recorded or failed, and train it again.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Forget what failed, and train it again; what is recorded stays.")
    ] = False,
    accept_failed: Annotated[
        bool,
        typer.Option("--accept-failed", help="Take a run that fails for a result: it does not count as exit code 1."),
    ] = False,
    manifest: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Once all runs stand, write which records these are, with their checksums."),
    ] = None,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="End when the process that started this one has gone.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            rich_help_panel=OWN_PANEL,
            help="Train on these images: a folder (train/ and test/, or a folder a class), an NPZ file, IDX files as "
            "MNIST and Debian's Fashion-MNIST have them, or a name of `snn data`. Needs --network.",
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=OWN_PANEL,
            help="dense, alternating (SNN-AL) or separate (SNN-SL); may be repeated. [dim]Default: dense and "
            "alternating[/dim]",
        ),
    ] = None,
    setting: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=OWN_PANEL,
            help="; ".join(f"{name}: {what}" for name, what in own_arms.SETTINGS.items())
            + ". [dim]Default: accurate[/dim]",
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            rich_help_panel=OWN_PANEL,
            help=f"Passes over the images, both phases counted. [dim]Default: {own_arms.EPOCHS}[/dim]",
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            metavar="R",
            rich_help_panel=OWN_PANEL,
            help="Learning rate of the network; the switcher's stays in proportion. [dim]Default: the setting's[/dim]",
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            rich_help_panel=OWN_PANEL,
            help="How fully connected layers start: normal, kaiming or torch. [dim]Default: the setting's[/dim]",
        ),
    ] = None,
    hold_out: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            rich_help_panel=OWN_PANEL,
            help="Judge on this share of the training images (0.01 to 0.5), held out of the training, and not on the "
            "test images: to choose settings. [dim]A sixth where there are no test images[/dim]",
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PIXELS", min=1, rich_help_panel=OWN_PANEL, help="Bring the images of a folder to this size."
        ),
    ] = None,
    rgb: Annotated[
        bool, typer.Option("--rgb", rich_help_panel=OWN_PANEL, help="Convert every image of a folder to RGB.")
    ] = False,
    skip_broken: Annotated[
        bool,
        typer.Option(
            "--skip-broken", rich_help_panel=OWN_PANEL, help="Leave out images of a folder that cannot be used."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=OWN_PANEL,
            help="Write the smaller network that each run with a switcher leaves into this folder, as `snn compact` "
            "does.",
        ),
    ] = None,
) -> None:
    """Train the runs of a table that have no record yet, or with --data a network on images of your own.

    Finished runs are reused; failed ones (diverged, or a layer died) are tried again only with --force or
    --retry-failed. Ctrl-C is safe: the same command goes on from the last epoch.

    Records of your own images go to runs/own unless --records names another folder.

    Exit code: 0 all is well, also when the time budget ended; 1 a run failed, or would follow one that did; 2 wrong
    arguments, data or records; 130 after Ctrl-C.
    """
    if time_budget is not None and not time_budget > 0:
        raise Refused("--time-budget must be more than 0 seconds")
    options = {"--method": method, "--setting": setting, "--epochs": epochs, "--rate": rate, "--start": start}
    options |= {"--hold-out": hold_out, "--size": size, "--rgb": rgb, "--skip-broken": skip_broken, "--out": out}
    given = [name for name, value in options.items() if value]
    if data is None and given:
        raise Refused(f"{', '.join(given)}: only for images of your own, with --data PATH --network NAME")
    if table is None and data is None and not pending:
        raise Refused(
            f"which table? Known: {', '.join(TABLES)}. Or give --pending for all of them, or --data PATH and --network "
            "NAME for images of your own."
        )
    check_name("device", device.split(":")[0], ("cpu", "cuda", "auto"))
    if with_parent:
        end_with_parent()
    deadline = None if time_budget is None else time.monotonic() + time_budget
    mine: own.Own | None = None
    tables: list[str] = []
    if data is not None:
        for name, value in {"TABLE": table, "--arm": arm, "--profile": profile, "--pending": pending}.items():
            if value:
                raise Refused(f"{name} and --data: either the runs of a table, or images of your own")
        root, profile = root or own_arms.FOLDER, own_arms.OWN
        asked = own.asked(network or (), method or (), setting, epochs, rate, start)
        if out is not None and not dry_run:
            own.make_folder(out)
        reading = {"size": size, "rgb": rgb, "skip_broken": skip_broken}
        mine = own.prepare(data, asked, seed or (0,), hold_out, {key: value for key, value in reading.items() if value})
        todo = batch.of_table(mine.table, profile, root, force, retry_failed, accept_failed)
    else:
        root = root or records.default_root()
        tables, profile = _scope(table, profile)
        todo = batch.plan(
            tables, profile, root, arm or (), seed or (), force, network or (), retry_failed, accept_failed
        )
    where = _device(device) if todo.to_do else device
    console = Console(stderr=True, force_terminal=None if sys.stdout.isatty() else False)
    if mine is None:
        said.say(f"table {', '.join(tables)}, profile {profile} ({PROFILES[profile]})")
    said.standing(todo, accept_failed)
    if dry_run:
        said.listed(todo, root)
        return
    if manifest is not None:
        manifest.unlink(missing_ok=True)  # true again only at the end
    if todo.to_do:
        on_cuda = where.startswith("cuda")
        count = min(workers or (1 if on_cuda else max(1, cpu_count() // threads)), len(todo.to_do))
        if len(tables) > 1:
            said.listed(todo, root)
        said.say(f"{said.runs(len(todo.to_do))} to train on {where}, {count} at once")
        save = None if pack is None else (lambda: archive.pack(pack, root))
        if save is not None:
            save()  # so that a file that cannot be written is reported before hours of training
        try:
            batch.forget(todo)
            batch.carry_out(todo, where, count, console, deadline, together or (8 if on_cuda else 1), save, threads)
        except KeyboardInterrupt:
            if save is not None:
                save()
            said.say(f"Interrupted. Every finished epoch is kept. Go on with: {said.again()}", error=True)
            raise typer.Exit(130) from None
    if pack is not None:
        said.say(f"{pack}: {sum(name.endswith('.json') for name in archive.pack(pack, root))} records")
    if manifest is not None and todo.exit_code == 0 and bundles.complete(standing := todo.entries(), accept_failed):
        bundles.write_manifest(manifest, standing, root)
    said.conclude(todo, tables if manifest is None else (), profile, root, mine, out)


def _scope(table: str | None, profile: str | None) -> tuple[list[str], str]:
    """The tables meant, and the profile: the one given, else quick, else the only one that the table has."""
    if table is None:
        chosen = check_name("profile", profile or "quick", PROFILES)
        return [name for name, each in TABLES.items() if chosen in each.arms], chosen
    arms = TABLES[check_name("table", table, TABLES)].arms
    return [table], check_name(
        f"profile of table {table}", profile or ("quick" if "quick" in arms else next(iter(arms))), arms
    )


def _device(name: str) -> str:
    """The device that ``name`` means here; torch is imported only where the answer depends on it."""
    if name == "cpu" or (name == "auto" and not cuda_driver()):
        return "cpu"
    from ..lab.devices import pick_device

    try:
        return str(pick_device(name))
    except ValueError as problem:
        raise Refused(str(problem)) from problem
