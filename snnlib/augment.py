"""Augmentation of whole batches on the device: random crop of a padded image and random horizontal flip.

What torchvision's ``RandomCrop(side, padding)`` and ``RandomHorizontalFlip`` do image by image, done by one gather for
a batch. The choices come from (seed, epoch) alone, so that paired arms of a seed see exactly the same images.
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

    ``chosen`` (images, 3) is a part of what :func:`choices` drew, on the same device. Same shape and dtype come out.
    """
    count, channels, height, width = images.shape
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    rows = chosen[:, 0, None] + torch.arange(height, device=images.device)  # (images, height)
    across = torch.arange(width, device=images.device)
    flipped = torch.where(chosen[:, 2, None] == 1, across.flip(0), across)
    cols = chosen[:, 1, None] + flipped  # (images, width)
    picked = torch.arange(count, device=images.device)[:, None, None]
    # channels last for the gather: one index for a pixel, all its channels together
    return padded.permute(0, 2, 3, 1)[picked, rows[:, :, None], cols[:, None, :]].permute(0, 3, 1, 2)
