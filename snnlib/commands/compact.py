"""``snn compact``: a finished run as a plain smaller network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..lab import records
from ..lab.names import Refused
from . import RecordsFolder

if TYPE_CHECKING:
    from ..data import Dataset, Normalize


def compact(
    record: Annotated[
        str,
        typer.Argument(
            metavar="RECORD", help="A record's file, or PROFILE/DATASET-NETWORK/ARM/seed-N within the records folder."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where the compacted network goes, as safetensors.")
    ],
    root: RecordsFolder = None,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="PATH", help="Where the images of the run are now, if they were moved."),
    ] = None,
) -> None:
    """Fold a run's factors into its weights, cut the pruned neurons out and write the plain network that is left.

    The weights that stand beside the record are needed; the network is written only if its logits agree with those of
    the network with its switcher.
    """
    if not out.parent.is_dir():
        raise Refused(f"--out {out}: {out.parent} is no folder; make it first, or name another")
    path = find(record, root or records.default_root())
    write(path, out, _moved(path, data) if data else None)


def write(path: Path, out: Path, dataset: Dataset | None = None) -> None:
    """Write the smaller network of the record at ``path`` to ``out``, and print what it is.

    ``dataset`` are the images of its arm where they are at hand. Raises ``FileError`` where there is no such network,
    ``Refused`` where ``out`` is a record, or the weights of one.
    """
    _refuse_records(out)
    import torch

    from .. import compaction
    from ..data import DataError, Normalize, scale
    from ..lab import runner, trained
    from ..lab.measuring import CHECKED, TOLERANCE, apart
    from ..networks import count
    from ..peers import Peer

    arm, network, model = trained.load(path)
    if model is None:
        raise records.FileError(f"{path} is of a dense network without switcher: there is nothing to cut")
    if isinstance(model, Peer) and model.KIND == "images":
        raise records.FileError(f"{path} is of a network that uses other neurons for each image: it is no smaller one")
    if dataset is None:
        try:
            dataset = runner.load_data(arm, torch.device("cpu"))
        except DataError as error:
            moved = " If the images were moved, say where they are now: --data PATH." if arm.source else ""
            raise DataError(f"{error}{moved}") from error
    normalize = Normalize(dataset) if arm.train.normalize else None
    network.eval()
    model.eval()
    with torch.no_grad():
        smaller = compaction.compact(network, model.gates())
        images = scale(dataset.x_test[:CHECKED])
        images = normalize(images) if normalize else images
        difference, largest = apart(model(images), smaller(images))
    if not difference <= TOLERANCE * largest:
        raise records.FileError(
            f"{path}: the compacted network does not agree with the switched one (logits differ by {difference:.2g}); "
            "nothing was written"
        )
    compaction.save_compact(smaller, out, normalize)
    classes = len(dataset.classes)
    typer.echo(f"widths  {_chain(network.gate_widths(), classes)} -> {_chain(smaller.gate_widths(), classes)}")
    typer.echo(f"weights {count.weights(network)} -> {count.weights(smaller)} (of switched layers; biases not counted)")
    typer.echo(f"MACs    {count.macs(network)} -> {count.macs(smaller)} for one image")
    typer.echo(
        f"largest difference of logits on {len(images)} test images: {difference:.2g} (largest logit {largest:.1f})"
    )
    typer.echo(f"takes   images from 0 to 1{_less(normalize) if normalize else ''}")
    typer.echo(f"written to {out}; snnlib.load_compact and load_normalize read it")


def _refuse_records(out: Path) -> None:
    """Raise ``Refused`` where writing to ``out`` would take away a record, or the weights or checkpoint of one."""
    if out.is_dir():
        raise Refused(f"--out {out} is a folder: name the file, {out / 'small.safetensors'} for example")
    if out.suffix == ".json":
        raise Refused(f"--out {out}: the network is written as safetensors, and .json are records: name another file")
    record = out.with_name(out.name.removesuffix(".safetensors").removesuffix(".part") + ".json")
    if record.is_file() or out.name.endswith(".part.safetensors"):
        raise Refused(f"--out {out} belongs to the run of {record}: name another file")


def _moved(path: Path, place: str) -> Dataset:
    """The images of the record at ``path``, which are at ``place`` now; ``DataError`` where they are others."""
    from dataclasses import replace

    import torch

    from ..lab import own, runner

    arm = records.arm_of(records.read(path))
    return runner.load_data(replace(arm, dataset=own.place(place)), torch.device("cpu"))


def find(record: str, root: Path) -> Path:
    """The file that ``record`` means: a path, or one within ``root``, with or without .json."""
    given = [Path(record), Path(f"{record}.json"), root / record, root / f"{record}.json"]
    found = next((path for path in given if path.is_file()), given[0])
    if found.is_file() and found.suffix != ".json":
        raise records.FileError(f"{found} is no record of a run: these are JSON, seed-0.json for example")
    return found


def _less(normalize: Normalize) -> str:
    """How the images are normalised, in words."""
    mean, deviation = (
        ", ".join(f"{value:.4f}" for value in part.flatten().tolist()) for part in (normalize.mean, normalize.deviation)
    )
    return f", less {mean} and divided by {deviation}"


def _chain(widths: tuple[int, ...], classes: int) -> str:
    return "-".join(map(str, (*widths, classes)))
