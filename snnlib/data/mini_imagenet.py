"""Mini-ImageNet: 100 classes of 600 images, 500 to train and 100 to test, from one NPZ file or from class folders.

Few-shot learning splits its classes; a classifier splits the images of each class, and the paper does not say how. Our
split is ``mini_imagenet_split.csv`` beside this file: a line for each class, the positions (0 to 599, of the images by
name) of its test images. Class c, in alphabetical order, was drawn as the first 100 numbers of ``torch.randperm(600,
generator=seeds.generator(0, "mini-imagenet split", c))``, sorted.

The NPZ file holds the same 100 classes in the same order, 500 and 100 images each, which is checked. It keeps no file
names, and its images were shuffled and compressed once more, so that the list cannot be compared with it. Results on
the file and on a folder are those of two splits.
"""

from __future__ import annotations

import csv
from pathlib import Path

from .dataset import DataError, Dataset
from .folder import class_folders, images_of, load_folder, split
from .npz import load_npz

SIDE = 84
"""Pixels of an image's side; larger images are brought to it."""
IMAGES = 600
"""Images of a class."""


def test_images() -> dict[str, tuple[int, ...]]:
    """Our split: class to the positions of its 100 test images. Raises :class:`DataError` where the list is missing."""
    path = Path(__file__).with_name("mini_imagenet_split.csv")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return {line["class"]: tuple(map(int, line["test"].split())) for line in csv.DictReader(file)}
    except OSError as error:
        raise DataError(f"{path} is missing: install snnlib again, or restore it with `git checkout`.") from error


def load_mini_imagenet(folder: Path, skip_broken: bool = False) -> Dataset:
    """Mini-ImageNet from mini_imagenet.npz in or beside ``folder``, else from the class folders in it.

    These stand in ``folder`` itself, or split over train/, val/ and test/ as few-shot learning has them. Greyscale
    images are converted, ``skip_broken`` as in :func:`~snnlib.data.folder.load_folder`.
    """
    for npz in (folder / "mini_imagenet.npz", folder.with_suffix(".npz")):
        if npz.exists():
            return _same_classes(load_npz(npz, "mini_imagenet"), npz)
    found = class_folders(folder) if folder.is_dir() else []
    found = [
        inner for each in found for inner in (class_folders(each) if each.name in ("train", "val", "test") else [each])
    ]
    if not found:
        raise DataError(
            f"Mini-ImageNet is not in {folder}. Set SNNLIB_DATA to a folder that holds mini_imagenet.npz, or "
            "mini_imagenet/ with a "
            f"subfolder of {IMAGES} images for each of its 100 classes (n01532829 to n13133613). Nobody may pass it "
            "on freely: it is a part of ImageNet."
        )
    ours = test_images()
    found = sorted(found, key=lambda each: each.name)
    if [each.name for each in found] != list(ours):
        odd = sorted({each.name for each in found} ^ set(ours)) or ["a class"]
        raise DataError(
            f"{folder} does not hold the 100 classes of Mini-ImageNet once each: {odd[0]} is too many or missing. "
            "Name other folders by their path."
        )
    for each in found:
        if len(images_of(each)) != IMAGES:
            raise DataError(
                f"{each} holds {len(images_of(each))} images, not {IMAGES}: our split list does not fit it."
            )
    listed = split(found, lambda place, images: set(ours[found[place].name]))
    return load_folder(folder, "mini_imagenet", listed, size=SIDE, rgb=True, skip_broken=skip_broken)


def _same_classes(dataset: Dataset, npz: Path) -> Dataset:
    """Return ``dataset``; :class:`DataError` where its classes or their sizes are not those of our split."""
    if dataset.classes != tuple(test_images()):
        raise DataError(f"{npz} does not hold the 100 classes of Mini-ImageNet in alphabetical order.")
    for part, labels, images in (("training", dataset.y_train, 500), ("test", dataset.y_test, 100)):
        if not bool((labels.bincount(minlength=100) == images).all()):
            raise DataError(f"{npz} does not hold {images} {part} images of each class.")
    return dataset
