"""``snn run --data``: what it asks for, what it says of images and network beforehand, and what it shows at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import typer
from rich.console import Console

from ..arms import Source
from ..lab.experiments import Table
from ..lab.experiments.own import OWN, SETTINGS, WAYS, Asked, Start, Way, origin, table
from ..lab.names import Refused, check_name
from ..lab.records import Entry
from . import compact

if TYPE_CHECKING:
    from ..data import Dataset


@dataclass(frozen=True)
class Own:
    """The runs of one command: the ``table`` of its arms, on the images of ``source`` at ``dataset``."""

    dataset: str
    source: Source
    table: Table

    def show(self, root: Path) -> None:
        """Print the table of what is recorded, and where the records stand."""
        from ..report import printing, tables  # here, not above: it imports pandas and scipy

        rows = tables.our_rows(self.table, OWN, root)
        console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width to fold into
        typer.echo(self.table.title)
        console.print(printing.console(rows))
        for note in [*printing.notes(rows, self.table), f"records and weights: {Path(root, OWN)}"]:
            typer.echo(note)

    def write_small(self, made: Sequence[Entry], folder: Path) -> None:
        """Write the smaller network of each finished run with a switcher into ``folder``, which is there."""
        from ..lab import own as images

        finished = [entry for entry in made if entry.state == "recorded" and entry.arm.switcher]
        if not finished:
            typer.echo(f"no finished run with a switcher: nothing was written to {folder}")
        dataset = images.read(self.dataset, self.source) if finished else None
        for entry in finished:
            typer.echo(f"\n{entry.arm.network}, {entry.arm.title}, seed {entry.seed}")
            file = f"{entry.path.parent.parent.name}-{entry.arm.name}-seed-{entry.seed}.safetensors"
            compact.write(entry.path, folder / file, dataset)


def make_folder(out: Path) -> None:
    """Make the folder for smaller networks, before anything is trained for it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise Refused(f"--out {out}: no such folder can be made ({problem.strerror})") from problem


def asked(
    networks: Sequence[str],
    methods: Sequence[str],
    setting: str | None,
    epochs: int | None,
    rate: float | None,
    start: str | None,
) -> Asked:
    """The options of the command, checked; networks are still as they were typed."""
    if not networks:
        raise Refused("--data needs a network: --network mlp:in-64-out, say, or one of `snn networks`")
    for method in methods:
        check_name("method", method, WAYS)
    options: dict[str, Any] = {"epochs": epochs, "rate": rate}
    if methods:
        options["ways"] = tuple(cast("Sequence[Way]", methods))
    if setting is not None:
        options["setting"] = check_name("setting", setting, SETTINGS)
    if start is not None:
        options["start"] = check_name("start", start, get_args(Start))
    return Asked(tuple(networks), **{key: value for key, value in options.items() if value is not None})


def prepare(path: str, wanted: Asked, seeds: Sequence[int], hold_out: float | None, reading: dict[str, Any]) -> Own:
    """Read the images, fit the networks to them, and say what will be trained.

    Raises ``Refused`` or ``DataError`` where data, network and settings make no run.
    """
    if hold_out is not None and not 0.01 <= hold_out <= 0.5:
        raise Refused(f"--hold-out {hold_out}: a share of the training images from 0.01 to 0.5, 0.1 for example")
    from dataclasses import replace

    from ..lab import own as images  # here, not above: it imports torch

    dataset = images.place(path)
    found, source = images.load(dataset, round(1 / hold_out) if hold_out else 0, **reading)
    networks = tuple(images.network_of(name, found) for name in wanted.networks)
    planned = table(dataset, source, replace(wanted, networks=networks), seeds, len(found.x_train))
    for line in _said(found, source, planned, wanted.setting):
        typer.echo(line)
    return Own(dataset, source, planned)


def _said(found: Dataset, source: Source, planned: Table, setting: str) -> list[str]:
    """What is trained on what, and with which settings."""
    shape = " x ".join(map(str, found.image))
    held = f", one in {source.held_out} of each class, held out of the training" if source.held_out else ""
    lines = [
        f"{found.name}: {len(found.x_train)} images to train, {len(found.x_test)} to judge on{held}, each {shape} "
        f"(channels x height x width), {len(found.classes)} classes; SHA-256 {source.digest}..."
    ]
    lines += [f"left out: {image}" for image in found.skipped]
    for network in planned.networks:
        epochs = planned.arms[OWN][0].train.epochs + planned.arms[OWN][0].dense_epochs
        lines.append(f"{network}: {epochs} epochs, {origin(network, setting)}")
    return lines
