"""A whole data set as uint8 tensors on one device, and checks of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ..config import Pixels

EVERY = 6
"""One training image of a class in so many is a test image, where a data set has no test images of its own."""


class DataError(Exception):
    """A data set is missing or damaged; the message names the file and the remedy."""


@dataclass(frozen=True)
class Dataset:
    """Images ``x_*`` (images, channels, height, width) uint8 and labels ``y_*`` (images,) int64, on one device.

    Where the images come from a folder, ``skipped`` names those that were left out.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Its name, how many images there are and of which shape, and the classes: not the images."""
        shown = ", ".join(self.classes[:10]) + (", ..." if len(self.classes) > 10 else "")
        return (
            f"Dataset({self.name!r}: {len(self.x_train)} images to train, {len(self.x_test)} to judge on, each "
            f"{' x '.join(map(str, self.x_train.shape[1:]))}; {len(self.classes)} classes: {shown})"
        )

    @property
    def image(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        _, channels, height, width = self.x_train.shape
        return channels, height, width

    def colour_statistics(self, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation (channels, 1, 1) of each colour of the training images, scaled to 0 to 1.

        With ``TrainConfig(normalize=True)`` a network is trained and judged on images less this mean, divided by this
        deviation; :class:`Normalize` does the same to what a trained network is given.
        """
        return colour_statistics(self.x_train, dtype)

    def to(self, device: str | torch.device) -> Dataset:
        """The same data set on another device."""
        fields = {key: getattr(self, key).to(device) for key in ("x_train", "y_train", "x_test", "y_test")}
        return replace(self, **fields)

    def first(self, count: int | None) -> Dataset:
        """The first ``count`` training images (all of them if None); the test images stay.

        Raises ``ValueError`` for a count below 1.
        """
        if count is not None and count < 1:
            raise ValueError(f"first({count}): {self.name} has {len(self.x_train)} training images; 1 or more of them")
        return replace(self, x_train=self.x_train[:count], y_train=self.y_train[:count])

    def holdout(self, count: int = 5000) -> Dataset:
        """Hold out the last ``count`` training images: they become the test images, for every choice of a setting."""
        if not 0 < count < len(self.x_train):
            raise ValueError(f"holdout of {count} images: {self.name} has {len(self.x_train)} training images")
        x, y = self.x_train, self.y_train
        return replace(self, x_train=x[:-count], y_train=y[:-count], x_test=x[-count:], y_test=y[-count:])

    def apart(self, every: int = EVERY) -> Dataset:
        """Every ``every``-th training image of each class becomes a test image, in place of those there are.

        It needs no seed, and the order of the images may be any: of a class of fewer images its last is taken. Raises
        :class:`DataError` where a class has a single image.
        """
        if every < 2:
            raise ValueError(f"every={every}: 2 or more, so that images are left to train")
        held = torch.zeros(len(self.y_train), dtype=torch.bool, device=self.y_train.device)
        for label, name in enumerate(self.classes):
            places = (self.y_train == label).nonzero()[:, 0]
            if len(places) == 1:
                raise DataError(f"{self.name}: {name} has one training image, and none could be held out to judge on.")
            held[places[every - 1 :: every] if len(places) >= every else places[-1:]] = True
        x, y = self.x_train, self.y_train
        return replace(self, x_train=x[~held], y_train=y[~held], x_test=x[held], y_test=y[held])

    def arranged(self, pixels: Pixels) -> Dataset:
        """The images "transposed", or with their pixels "shuffled" by :func:`pixel_order`; "raster" leaves them."""
        if pixels == "raster":
            return self
        _, height, width = self.image
        order = pixel_order(pixels, (height, width)).to(self.x_train.device)
        if pixels == "transposed":
            height, width = width, height
        changed = {
            key: getattr(self, key).flatten(2)[:, :, order].unflatten(2, (height, width))
            for key in ("x_train", "x_test")
        }
        return replace(self, **changed)

    def checksum(self) -> str:
        """SHA-256 over the images (channels, then rows, then columns) and labels, training before test.

        It is the same for the same images in the same order, from whichever files they were read.
        """
        found = hashlib.sha256()
        for part in (self.x_train, self.y_train, self.x_test, self.y_test):
            for block in part.split(1024):  # a copy of a whole data set would be large
                found.update(block.cpu().contiguous().numpy().data)
        return found.hexdigest()


def pixel_order(pixels: Pixels, size: tuple[int, int]) -> Tensor:
    """Where each pixel of an arranged image comes from: indices (height * width,) into the raster of the given image.

    "shuffled" is one random permutation, the same for all images and seeds. Raises ``ValueError`` for another word.
    """
    raster = torch.arange(size[0] * size[1])
    if pixels == "raster":
        return raster
    if pixels == "transposed":
        return raster.view(size).t().flatten()
    if pixels == "shuffled":
        return torch.randperm(len(raster), generator=torch.Generator().manual_seed(0))
    raise ValueError(f"pixels={pixels!r}: choose 'raster', 'transposed' or 'shuffled'")


def scale(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 images to numbers from 0 to 1, same shape."""
    return images.to(dtype) / 255


def colour_statistics(images: Tensor, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (channels, 1, 1) of each colour of uint8 ``images`` on the scale from 0 to 1."""
    counts = torch.stack([channel.flatten().bincount(minlength=256) for channel in images.transpose(0, 1)]).double()
    shares = counts / counts.sum(1, keepdim=True)
    values = torch.arange(256, device=images.device, dtype=torch.float64) / 255
    mean = shares @ values
    deviation = (shares @ values.square() - mean.square()).clamp_min(1e-12).sqrt()
    return mean[:, None, None].to(dtype), deviation[:, None, None].to(dtype)


class Normalize(nn.Module):
    """What ``TrainConfig(normalize=True)`` does to scaled images (images, channels, height, width).

    ``nn.Sequential(data.Normalize(dataset), small)`` takes the output of :func:`scale` and carries mean and deviation
    of the training images of ``dataset`` with it, into an exported file too.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dataset: Dataset | tuple[Tensor, Tensor]) -> None:
        """``dataset``: training images, or mean and deviation (channels, 1, 1) of each colour."""
        super().__init__()
        mean, deviation = dataset.colour_statistics() if isinstance(dataset, Dataset) else dataset
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)

    def forward(self, images: Tensor) -> Tensor:
        """The images less the mean of each colour, divided by its deviation."""
        return (images - self.mean) / self.deviation


def check_arrays(dataset: Dataset) -> None:
    """Raise ``TypeError`` or ``ValueError`` where images, labels or classes are not as :class:`Dataset` says.

    For data sets that were not read by a loader; the message names the part and the remedy.
    """
    if not isinstance(dataset, Dataset):
        raise TypeError(
            f"data is a {type(dataset).__name__}: give a snnlib.data.Dataset, e.g. snnlib.load(path) of an image "
            "folder, or Dataset(name, x_train, y_train, x_test, y_test, classes) of uint8 images (images, channels, "
            "height, width) and int64 labels. A DataLoader is for a training loop of your own."
        )
    name, classes = dataset.name, dataset.classes
    if not isinstance(classes, tuple | list) or len(classes) < 2:
        raise ValueError(f"{name}: classes={classes!r}: give a tuple of the names of two classes at least")
    for part in ("train", "test"):
        images, labels = getattr(dataset, f"x_{part}"), getattr(dataset, f"y_{part}")
        for array, held in ((f"x_{part}", images), (f"y_{part}", labels)):
            if not isinstance(held, Tensor):
                raise TypeError(f"{name}: {array} is a {type(held).__name__}: give a tensor (torch.from_numpy)")
        if images.dtype != torch.uint8 or images.ndim != 4:
            raise ValueError(
                f"{name}: x_{part} has shape {tuple(images.shape)} and type {images.dtype}: give uint8 images (images, "
                "channels, height, width) from 0 to 255; numbers from 0 to 1 by (255 * x).round().to(torch.uint8). "
                "Training divides them by 255, and normalises them with TrainConfig(normalize=True)."
            )
        if labels.dtype != torch.int64 or labels.ndim != 1:
            raise ValueError(
                f"{name}: y_{part} has shape {tuple(labels.shape)} and type {labels.dtype}: give one whole number for "
                f"each image, y.long(); one-hot labels by y.argmax(1)"
            )
        if len(images) != len(labels) or not len(labels):
            raise ValueError(
                f"{name}: {len(images)} images x_{part}, but {len(labels)} labels y_{part}: give one for each image"
            )
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(classes):
            raise ValueError(
                f"{name}: labels y_{part} run from {low} to {high}, but there are {len(classes)} classes: number them "
                f"from 0 to {len(classes) - 1}, or name all classes"
            )
    if dataset.x_train.shape[1:] != dataset.x_test.shape[1:]:
        raise ValueError(
            f"{name}: images x_train are {tuple(dataset.x_train.shape[1:])}, x_test {tuple(dataset.x_test.shape[1:])}: "
            "give all the same (channels, height, width)"
        )


def checked(dataset: Dataset, source: Path, no_test: bool = False) -> Dataset:
    """Return ``dataset``, which was read from ``source``; with ``no_test`` it has no test images yet.

    Raises :class:`DataError` for fewer than two classes, a part without images, parts of different shape, or labels
    outside their range.
    """
    classes = len(dataset.classes)
    if classes < 2:
        raise DataError(
            f"{source}: {classes} class ({', '.join(dataset.classes)}); a classification needs two at least."
        )
    for part, images, labels in (
        ("training", dataset.x_train, dataset.y_train),
        ("test", dataset.x_test, dataset.y_test),
    ):
        if len(images) != len(labels):
            raise DataError(f"{source}: {len(images)} {part} images but {len(labels)} labels.")
        if part == "test" and no_test:
            continue
        if not len(labels):
            raise DataError(f"{source}: there are no {part} images.")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            raise DataError(
                f"{source}: {part} labels run from {low} to {high}, but there are {classes} classes, 0 to "
                f"{classes - 1}."
            )
    if dataset.x_test.shape[1:] != dataset.x_train.shape[1:]:
        shapes = [" x ".join(map(str, x.shape[1:])) for x in (dataset.x_train, dataset.x_test)]
        raise DataError(
            f"{source}: training images are {shapes[0]} (channels x height x width), test images {shapes[1]}."
        )
    return dataset
