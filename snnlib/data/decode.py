"""Image files to uint8 tensors: which files can be used, their kind of image, and their pixels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

CHANNELS = {"RGB": 3, "L": 1}
"""Kinds of image that are taken as they are, by PIL's names (L is greyscale); every other can be converted to RGB."""

DEEP = ("I", "F")
"""Kinds whose pixels are 32-bit numbers of no known range, so that they cannot be converted."""

UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What PIL raises for a file that is cut off, damaged or no image."""


@dataclass(frozen=True)
class Kind:
    """The ``mode`` ("RGB" or "L") of the images of a folder, and the size (width, height) of each."""

    mode: str
    sizes: dict[Path, tuple[int, int]]


def survey(paths: list[Path], rgb: bool) -> tuple[Kind, dict[Path, str]]:
    """Read the headers of all images: the kind of most of them, and why each of the others cannot be used.

    With ``rgb`` the kind is always RGB, and only images of 32-bit numbers cannot be used.
    """
    heads: dict[Path, tuple[str, tuple[int, int]]] = {}
    problems: dict[Path, str] = {}
    for path in paths:
        try:
            with Image.open(path) as image:
                heads[path] = (image.mode, image.size)
        except UNREADABLE as error:
            problems[path] = reason(error)
    counts = Counter(mode for mode, _ in heads.values() if mode in CHANNELS)
    usual = "RGB" if rgb or not counts else counts.most_common(1)[0][0]
    if rgb:
        problems |= {
            path: "its pixels are 32-bit numbers: bring them to 8 bits"
            for path, (mode, _) in heads.items()
            if mode in DEEP
        }
    else:
        problems |= {path: f"its kind is {mode}, not {usual}" for path, (mode, _) in heads.items() if mode != usual}
    return Kind(usual, {path: size for path, (_, size) in heads.items()}), problems


def decode(
    images: list[tuple[Path, int]], mode: str, size: int | None, problems: dict[Path, str]
) -> tuple[Tensor, Tensor]:
    """Pixels (images, channels, height, width) and labels (images,) of the images that have no problem.

    Those that turn out to be damaged are added to ``problems``. ``size``: see :func:`~snnlib.data.folder.load_folder`.
    """
    from torchvision.transforms.v2 import functional as transform

    arrays: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    for path, label in images:
        if path in problems:
            continue
        try:
            with Image.open(path) as image:
                picture = in_eight_bits(image).convert(mode)
        except UNREADABLE as error:
            problems[path] = reason(error)
            continue
        if size and picture.size != (size, size):
            fitted = transform.resize(cast(Any, picture), [size])  # typed for tensors alone
            picture = cast(Image.Image, transform.center_crop(fitted, [size, size]))
        arrays.append(np.asarray(picture).reshape(picture.height, picture.width, CHANNELS[mode]))
        labels.append(label)
    stacked = np.stack(arrays) if arrays else np.zeros((0, 1, 1, CHANNELS[mode]), np.uint8)
    return torch.from_numpy(stacked).permute(0, 3, 1, 2), torch.tensor(labels, dtype=torch.int64)


def in_eight_bits(image: Image.Image) -> Image.Image:
    """``image``, but one of 16 bits a pixel in 8: PIL's own conversion makes all above 255 white."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) / 257).round().astype(np.uint8))


def reason(error: Exception) -> str:
    """Why an image cannot be read, in a few words."""
    return "no image that can be read" if isinstance(error, Image.UnidentifiedImageError) else str(error)
