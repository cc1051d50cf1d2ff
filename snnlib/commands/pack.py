"""``snn pack``, ``snn unpack`` and ``snn fetch``: records as one file, from one place to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ..lab import archive, published, records
from ..lab.experiments import PROFILES
from ..lab.names import Refused, check_name
from . import PROFILE_HELP, RecordsFolder


def pack(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The archive to write, records.tar.gz for example.")],
    profile: Annotated[
        list[str] | None, typer.Option(help=PROFILE_HELP + " May be repeated. [dim]Default: all[/dim]")
    ] = None,
    weights: Annotated[bool, typer.Option("--weights", help="With the final weights.")] = False,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="With what runs under way resume from.")] = False,
    root: RecordsFolder = None,
) -> None:
    """Write all records into one .tar.gz file."""
    root, profiles = root or records.default_root(), [check_name("profile", each, PROFILES) for each in profile or ()]
    if not any(any(root.glob(f"{each}/*/*/seed-*.json")) for each in profiles or ["*"]):
        of = f" of the profile{'s' if len(profiles) > 1 else ''} {', '.join(profiles)}" if profiles else ""
        raise Refused(f"--records {root}: there are no records{of} there, so {target} was not written")
    names = archive.pack(target, root, profiles, weights, checkpoints)
    count = sum(name.endswith(".json") for name in names)
    typer.echo(
        f"{target}: {count} records" + (f", {len(names) - count} files of weights" if len(names) > count else "")
    )


def unpack(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="An archive that snn pack or snn run --pack wrote.")],
    root: RecordsFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace finished records that differ, too.")] = False,
) -> None:
    """Put the records of an archive into the records folder; a finished one that stands there is kept.

    Exit code: 1 where a record was kept that differs from the archive's.
    """
    _conclude(archive.unpack(source, root or records.default_root(), force))


def fetch(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE|ADDRESS",
            help="Another archive (.tar.gz) of the repository. [dim]Default: GitHub's, of this version[/dim]",
        ),
    ] = None,
    root: RecordsFolder = None,
    force: Annotated[bool, typer.Option("--force", help="Replace finished records that differ, too.")] = False,
) -> None:
    """Get the records that the project has published, where its repository is not at hand.

    Each is compared with its checksum; nothing is written unless all are sound. A finished record that stands in the
    folder is kept.

    Exit code: 1 where a record was kept that differs from the published one.
    """
    source = source or published.address()
    typer.echo(f"fetching {source} ...", err=True)
    _conclude(published.fetch(source, root or records.default_root(), force))


def _conclude(found: archive.Unpacked) -> NoReturn:
    typer.echo(f"{len(found.new)} files new, {len(found.replaced)} replaced, {len(found.same)} the same")
    for name in found.refused:
        typer.echo(f"kept, not replaced without --force: {name}", err=True)
    raise typer.Exit(1 if found.refused else 0)
