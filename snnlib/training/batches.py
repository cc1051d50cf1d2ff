"""Batches by index from a whole data set that lies on the device: shuffled, augmented, scaled; no DataLoader.

Everything is drawn on the CPU from (seed, epoch) alone: arms of one seed see exactly the same images in the same
order on every device, and a resumed run needs no generator state.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ..config import TrainConfig
from ..data import Dataset, scale
from ..seeds import generator
from . import augment


def order(seed: int, epoch: int, images: int) -> Tensor:
    """The order (images,) in which epoch ``epoch`` of seed ``seed`` visits the training images."""
    return torch.randperm(images, generator=generator(seed, "order", epoch))


class Batches:
    """The training images of ``data`` as ``config`` says, in numbers of type ``dtype``.

    Raises ``ValueError`` where the data set is smaller than a batch.
    """

    def __init__(self, data: Dataset, config: TrainConfig, seed: int, dtype: torch.dtype = torch.float32) -> None:
        images = len(data.x_train)
        if config.batch_size > images:
            raise ValueError(
                f"batch_size={config.batch_size} is larger than the data set: {data.name} has {images} training "
                "images here"
            )
        self.data, self.config, self.seed, self.dtype = data, config, seed, dtype
        self.padding = data.image[1] // 8  # of the random crop: 4 for 32 x 32 images, as is usual
        self._colours = data.colour_statistics(dtype) if config.normalize else None

    def __len__(self) -> int:
        """Batches an epoch; the last one may be smaller."""
        return math.ceil(len(self.data.x_train) / self.config.batch_size)

    def epoch(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Images (batch, channels, height, width) and labels (batch,) of epoch ``epoch``, all training images once."""
        x, y, images = self.data.x_train, self.data.y_train, len(self.data.x_train)
        chosen = order(self.seed, epoch, images).to(x.device).split(self.config.batch_size)
        moves: tuple[Tensor, ...] | None = None
        if self.config.augment:
            drawn = augment.choices(images, self.padding, generator(self.seed, "augment", epoch))
            moves = drawn.to(x.device).split(self.config.batch_size)
        for index, batch in enumerate(chosen):
            picked = pick(x, batch)
            if moves is not None:
                picked = augment.crop_and_flip(picked, moves[index], self.padding)
            yield self.standard(scale(picked, self.dtype)), y[batch]

    def standard(self, images: Tensor) -> Tensor:
        """Scaled images, training or test ones, normalised if the settings say so."""
        if self._colours is None:
            return images
        mean, deviation = self._colours
        return (images - mean) / deviation


def pick(images: Tensor, chosen: Tensor) -> Tensor:
    """The ``chosen`` (batch,) of ``images``; colour images keep the memory format of data sets, channels last."""
    if images.shape[1] == 1:
        return images.index_select(0, chosen)
    return images.permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)
