"""Batches by index: pairing, resuming, normalisation, data sets too small."""

from dataclasses import replace

import pytest
import torch

from snnlib.config import TrainConfig
from snnlib.data import Dataset, colour_statistics
from snnlib.seeds import generator
from snnlib.training.batches import Batches, order


def dataset(channels=3, images=150):
    x = torch.randint(0, 256, (images, channels, 16, 16), dtype=torch.uint8, generator=generator(0, "images"))
    y = torch.arange(images) % 10
    return Dataset("random", x, y, x[:20], y[:20], tuple("0123456789"))


CONFIG = TrainConfig(augment=True, normalize=True)


@pytest.mark.parametrize("channels", [1, 3])
def test_arms_of_one_seed_see_the_same_images_and_a_resumed_epoch_is_the_same(channels):
    first, other = (Batches(dataset(channels), config, 7) for config in (CONFIG, replace(CONFIG, epochs=9, rate=0.01)))
    whole = [list(first.epoch(epoch)) for epoch in range(3)]
    resumed = list(other.epoch(2))  # without epochs 0 and 1 before it
    assert all(torch.equal(a, b) and torch.equal(c, d) for (a, c), (b, d) in zip(whole[2], resumed, strict=True))
    assert not torch.equal(whole[1][0][0], whole[2][0][0])
    assert not torch.equal(next(Batches(dataset(channels), CONFIG, 8).epoch(2))[0], resumed[0][0])


@pytest.mark.parametrize("channels", [1, 3])
def test_an_epoch_shows_every_image_once_as_its_pixels_by_255(channels):
    data = dataset(channels)
    batches = list(Batches(data, TrainConfig(), 0).epoch(0))
    chosen = order(0, 0, 150)
    assert [len(x) for x, _ in batches] == [64, 64, 22] and sorted(chosen.tolist()) == list(range(150))
    assert torch.equal(torch.cat([x for x, _ in batches]), data.x_train[chosen].float() / 255)
    assert torch.equal(torch.cat([y for _, y in batches]), data.y_train[chosen])


def test_normalisation_is_the_plain_computation_in_float64():
    images = dataset().x_train
    mean, deviation = colour_statistics(images, torch.float64)
    plain = (images.double() / 255).transpose(0, 1).flatten(1)
    assert torch.allclose(mean.flatten(), plain.mean(1), rtol=1e-12) and torch.allclose(
        deviation.flatten(), plain.std(1, correction=0), rtol=1e-12
    )


def test_a_data_set_smaller_than_a_batch_is_refused():
    with pytest.raises(ValueError, match="batch_size=64 is larger than the data set: random has 63 training images"):
        Batches(dataset(images=63), TrainConfig(), 0)
