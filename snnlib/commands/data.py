"""``snn data``: what a data set holds, and how to get one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..lab.names import Refused, check_name

if TYPE_CHECKING:
    from ..data import Dataset

EXAMPLES = (
    "Examples: [bold]snn data mnist[/bold], [bold]snn data cifar10 --download[/bold], "
    "[bold]snn data my/photos --size 64 --rgb --npz photos.npz[/bold]; then [bold]photos.npz[/bold] is a data set's "
    "name"
)
SHOWN = 20
"""Classes whose images are counted one by one; of more, the fewest and most images a class are given."""


def data(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|PATH",
            help="mnist, cifar10, fashion-mnist, mini_imagenet; or an image folder, an NPZ file, or a folder of IDX "
            "files with MNIST's names.",
        ),
    ],
    download: Annotated[
        bool, typer.Option("--download", help="Get it first, where it is not there (cifar10, fashion-mnist).")
    ] = False,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out images of a folder that cannot be used, and name them.")
    ] = False,
    rgb: Annotated[bool, typer.Option("--rgb", help="Convert every image of a folder to RGB.")] = False,
    size: Annotated[int | None, typer.Option(min=1, help="Bring the images of a folder to SIZE x SIZE pixels.")] = None,
    npz: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npz", help="Write what was read to a file, which loads at once and has a path for a name."
        ),
    ] = None,
) -> None:
    """Check a data set's files, by their checksums where these are known, and describe what they hold."""
    from .. import data as sets

    given: dict[str, Any] = {"skip_broken": skip_broken, "rgb": rgb, "size": size}
    options = {key: value for key, value in given.items() if value}
    if not sets.is_path(name):
        check_name("data set", name, sets.LOADERS)
    is_folder = (name == "mini_imagenet" and not rgb and not size) or (sets.is_path(name) and not name.endswith(".npz"))
    if options and not is_folder:
        raise Refused(
            f"{name}: --skip-broken, --rgb and --size are for image folders (mini_imagenet: --skip-broken only)"
        )
    if npz and npz.suffix != ".npz":
        raise Refused(f"--npz {npz}: the file's name must end in .npz")
    if download:
        if sets.is_path(name):
            raise Refused(f"{name}: a path cannot be downloaded; these can: {', '.join(sets.DOWNLOADS)}")
        sets.download(name, sets.folder_of(name))
    dataset = sets.load(name, **options)
    if npz:
        try:
            sets.save_npz(dataset, npz)
        except OSError as error:
            raise Refused(f"--npz {npz}: it cannot be written ({error})") from error
    describe(dataset, name, "" if sets.is_path(name) else f", in {sets.folder_of(name)}")
    for file, checksum in sets.CHECKSUMS.get(name, {}).items():
        typer.echo(f"SHA-256 {checksum}  {file}")
    typer.echo(f"SHA-256 {dataset.checksum()}  of all images and labels")
    if npz:
        typer.echo(f"written to {npz}")


def describe(dataset: Dataset, name: str, place: str) -> None:
    """Print what ``dataset`` holds, and what was left out of it."""
    shape = " x ".join(map(str, dataset.image))
    typer.echo(f"{name}: sound{place}")
    typer.echo(
        f"images: {len(dataset.x_train)} to train, {len(dataset.x_test)} to test, each {shape} (channels x height x "
        "width), values 0 to 255"
    )
    for part, labels in (("training", dataset.y_train), ("test", dataset.y_test)):
        counts = labels.bincount(minlength=len(dataset.classes)).tolist()
        if len(counts) <= SHOWN:
            typer.echo(
                f"{part} images a class: "
                + ", ".join(f"{label}: {count}" for label, count in zip(dataset.classes, counts))
            )
        else:
            each = str(min(counts)) if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
            typer.echo(
                f"{part} images a class: {each}, in {len(counts)} classes ({dataset.classes[0]} to "
                f"{dataset.classes[-1]})"
            )
    for image in dataset.skipped:
        typer.echo(f"left out: {image}")
