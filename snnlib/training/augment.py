"""Augmentation of whole batches on the device: random crop of a padded image and random horizontal flip.

It does what torchvision's ``RandomCrop(side, padding)`` and ``RandomHorizontalFlip`` do image by image, by one gather
for a batch. The choices come from (seed, epoch) alone, so that paired arms of a seed see exactly the same images.
"""

from __future__ import annotations

import torch
from torch import Tensor


def choices(images: int, padding: int, generator: torch.Generator) -> Tensor:
    """(images, 3) whole numbers: shift down and right (0 to 2 * padding; ``padding`` is none), and 1 to flip."""
    shifts = torch.randint(0, 2 * padding + 1, (images, 2), generator=generator)
    return torch.cat([shifts, torch.randint(0, 2, (images, 1), generator=generator)], dim=1)


def crop_and_flip(images: Tensor, chosen: Tensor, padding: int) -> Tensor:
    """Shift each of ``images`` (images, channels, height, width) by its row of ``chosen``; black fills the border.

    ``chosen`` (images, 3) is a part of what :func:`choices` drew, on the same device. Returns the same shape and dtype.
    """
    count, channels, height, width = images.shape
    tall, wide = height + 2 * padding, width + 2 * padding
    padded = images.new_zeros(count, tall, wide, channels)
    padded[:, padding : padding + height, padding : padding + width] = images.permute(0, 2, 3, 1)
    # every run of ``width`` pixels is a row of an overlapping view: a crop is gathered in whole rows, not in pixels
    runs = padded.as_strided((count * tall * wide - width + 1, width * channels), (channels, 1))
    corners = (torch.arange(count, device=images.device) * tall + chosen[:, 0]) * wide + chosen[:, 1]
    starts = corners[:, None] + torch.arange(height, device=images.device) * wide  # (images, height)
    rows = runs.index_select(0, starts.flatten()).view(count, height, width, channels)
    flips = chosen[:, 2] == 1
    if images.device.type == "cpu":
        rows[flips] = rows[flips].flip(2)
    else:  # without waiting for the number of flipped images
        rows = torch.where(flips[:, None, None, None], rows.flip(2), rows)
    return rows.permute(0, 3, 1, 2)
