"""A folder of images, one subfolder for each class, as torchvision's ``ImageFolder`` has it: a data set of your own.

A folder holds either train/ and test/ (val/ where there is no test/), each with the same classes, or the classes
themselves; then every sixth image of a class by name is a test image, which needs no seed and leaves five sixths to
train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .dataset import EVERY, DataError, Dataset, checked

PARTS = ("train", "training", "test", "testing", "val", "valid", "validation")
"""What folders of parts are called; folders of these names alone are no classes."""

Chosen = Callable[[int, int], set[int]]
"""(place of the class, how many images it has) to the positions of its test images, by name."""


@dataclass(frozen=True)
class Listed:
    """The images of each part: ``train[c]`` and ``test[c]`` are the paths of class ``c``."""

    classes: tuple[str, ...]
    train: list[list[Path]]
    test: list[list[Path]]


def class_folders(folder: Path) -> list[Path]:
    """The subfolders of ``folder`` by name, hidden ones left out."""
    return sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def images_of(folder: Path) -> list[Path]:
    """The image files in and below ``folder`` by name, hidden files and folders left out.

    Raises :class:`DataError` if there are none.
    """
    from torchvision.datasets.folder import IMG_EXTENSIONS

    found = sorted(
        file
        for file in folder.rglob("*")
        if file.suffix.lower() in IMG_EXTENSIONS
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    )
    if not found:
        raise DataError(f"{folder} holds no image ({', '.join(IMG_EXTENSIONS)}): fill it, or delete it.")
    return found


def every_sixth(place: int, images: int) -> set[int]:
    """Positions of the test images among the ``images`` images of a class: every sixth, of fewer than six the last."""
    return set(range(EVERY - 1, images, EVERY)) or {images - 1}


def split(folders: list[Path], chosen: Chosen = every_sixth) -> Listed:
    """Split the images of each class folder in two. Raises :class:`DataError` for a class of a single image."""
    listed = Listed(tuple(each.name for each in folders), [], [])
    for place, each in enumerate(folders):
        images = images_of(each)
        if len(images) < 2:
            raise DataError(f"{each} holds one image: a class needs one to train and one to test at least.")
        test = chosen(place, len(images))
        listed.train.append([path for index, path in enumerate(images) if index not in test])
        listed.test.append([path for index, path in enumerate(images) if index in test])
    return listed


def list_images(folder: Path) -> Listed:
    """The images of ``folder``. Raises :class:`DataError` where it is not laid out as this module's docstring says."""
    if not folder.is_dir():
        raise DataError(
            f"{folder} is no folder. Name one that holds a subfolder of images for each class, or IDX files "
            "as MNIST has them, or an NPZ file."
        )
    found = class_folders(folder)
    if folder / "train" not in found or not class_folders(folder / "train"):
        if not found:
            raise DataError(
                f"{folder} holds no subfolder: it needs one for each class, or train/ and test/ with one for each "
                "class; or IDX files with MNIST's names (train-images-idx3-ubyte.gz and so on)."
            )
        if all(each.name.casefold() in PARTS for each in found):
            here = ", ".join(f"{each.name}/" for each in found)
            raise DataError(
                f"{folder} holds {here}, which are parts, not classes. It needs train/ and test/ (or val/), called so, "
                "each with a subfolder of images for each class."
            )
        return split(found)
    test = next((folder / name for name in ("test", "val") if folder / name in found), None)
    if test is None:
        raise DataError(f"{folder} holds train/ but neither test/ nor val/.")
    sides = [class_folders(folder / "train"), class_folders(test)]
    names = [tuple(each.name for each in side) for side in sides]
    if names[0] != names[1]:
        raise DataError(
            f"{folder}: train/ and {test.name}/ hold different classes: {few(sorted(set(names[0]) ^ set(names[1])))} "
            "in one of them only."
        )
    return Listed(names[0], *([images_of(each) for each in side] for side in sides))


def load_folder(
    folder: Path,
    name: str | None = None,
    listed: Listed | None = None,
    size: int | None = None,
    rgb: bool = False,
    skip_broken: bool = False,
) -> Dataset:
    """The images below ``folder`` as a data set; ``listed`` says which, by default :func:`list_images`.

    ``size`` brings the shorter side to so many pixels and cuts out the middle square; without it all images must have
    one size. ``rgb`` converts greyscale, transparent and other images to RGB; without it all must be RGB, or all
    greyscale. ``skip_broken`` leaves out images that cannot be read and those that would need converting, and names
    them in ``skipped``. Raises :class:`DataError` for any other image that does not fit, and names it.

    Images are dealt out class by class in proportion, so that the first and the last n of a part are fair samples.
    """
    from .decode import decode, survey  # here, not above: only image folders need PIL

    listed = listed or list_images(folder)
    if len(listed.classes) < 2:
        raise DataError(f"{folder}: one class ({', '.join(listed.classes)}); a classification needs two at least.")
    paths = [path for part in (listed.train, listed.test) for images in part for path in images]
    kind, problems = survey(paths, rgb)
    kept = [] if size else [path for path in paths if path not in problems]
    one_size(folder, {path: kind.sizes[path] for path in kept})
    (x_train, y_train), (x_test, y_test) = (
        decode(dealt(part), kind.mode, size, problems) for part in (listed.train, listed.test)
    )
    if problems and not skip_broken:
        raise DataError(
            f"{folder}: {len(problems)} of {len(paths)} images cannot be used: "
            f"{few([f'{path} ({why})' for path, why in problems.items()])}. "
            "Mend or delete them, or leave them out with --skip-broken (skip_broken=True)"
            + ("." if rgb else "; images that are only of another kind can be converted with --rgb (rgb=True).")
        )
    for part, labels in (("training", y_train), ("test", y_test)):
        missing = set(range(len(listed.classes))) - set(labels.tolist())
        if missing:
            raise DataError(
                f"{folder}: no {part} image of {few([listed.classes[index] for index in sorted(missing)])} can be used."
            )
    skipped = tuple(map(str, problems))
    found = Dataset(name or folder.name, x_train, y_train, x_test, y_test, listed.classes, skipped)
    return checked(found, folder)


def one_size(folder: Path, sizes: dict[Path, tuple[int, int]]) -> None:
    """Raise :class:`DataError` where the ``sizes`` (width, height) of images differ; it names those of another size."""
    if not sizes:
        return
    usual = max(Counter(sizes.values()).items(), key=lambda each: each[1])[0]
    odd = [f"{path} ({size[0]} x {size[1]})" for path, size in sizes.items() if size != usual]
    if odd:
        raise DataError(
            f"{folder}: images differ in size (width x height). Most are {usual[0]} x {usual[1]}, but not {few(odd)}. "
            "Bring all to one with --size 64 (size=64)."
        )


def dealt(images: list[list[Path]]) -> list[tuple[Path, int]]:
    """(image, class) in a fixed order in which every stretch holds the classes in proportion."""
    places = [
        ((index + 0.5) / len(paths), label, path)
        for label, paths in enumerate(images)
        for index, path in enumerate(paths)
    ]
    return [(path, label) for _, label, path in sorted(places)]


def few(names: list[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
