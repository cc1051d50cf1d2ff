"""Augmentation of a batch equals torchvision's crop and flip, image by image, bit for bit."""

import pytest
import torch
from torchvision.transforms.v2 import functional as transform

from snnlib.seeds import generator
from snnlib.training import augment


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 10, 17), (1, 5, 5)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_batch_is_what_torchvision_makes_of_each_image(shape, layout):
    images = torch.randint(0, 256, (200, *shape), dtype=torch.uint8, generator=generator(0, "images")).contiguous(
        memory_format=layout
    )
    padding = shape[1] // 8
    chosen = augment.choices(200, padding, generator(0, "augment"))
    before = images.clone()
    found = augment.crop_and_flip(images, chosen, padding)
    for image, (down, right, flip), ours in zip(images, chosen.tolist(), found):
        expected = transform.crop(transform.pad(image, [padding] * 4), down, right, *shape[1:])
        assert torch.equal(ours, transform.horizontal_flip(expected) if flip else expected)
    assert torch.equal(images, before)


def test_every_choice_is_drawn():
    chosen = augment.choices(5000, 4, generator(0, "augment"))
    assert chosen.shape == (5000, 3) and len(chosen.unique(dim=0)) == 9 * 9 * 2
