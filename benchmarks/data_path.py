"""An epoch of images without a model: ours against torchvision's transforms with a DataLoader.

    python -m benchmarks.data_path [--rounds 3]

The yardstick holds its images in memory and hands them out as PIL images, as torchvision's MNIST and CIFAR10 do; the
faster of no and two workers counts. The limit is the copy bandwidth: each epoch reads every image once as uint8 and
writes it once as float32, five bytes a number.
"""

from __future__ import annotations

import argparse

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as Items
from torchvision.transforms import Compose, RandomCrop, RandomHorizontalFlip, ToTensor

from benchmarks.timing import Row, copy_bandwidth, interleaved
from snnlib import data
from snnlib.config import TrainConfig
from snnlib.lab.machine import keep_memory
from snnlib.training.batches import Batches


class Pictures(Items):
    """The training images of a data set as torchvision's classes hand them out: PIL, transformed one by one."""

    def __init__(self, dataset: data.Dataset) -> None:
        images = dataset.x_train.cpu()
        self.arrays = (images[:, 0] if dataset.image[0] == 1 else images.permute(0, 2, 3, 1)).numpy()
        self.labels = dataset.y_train.tolist()
        self.transform = Compose(
            [RandomCrop(dataset.image[1], padding=dataset.image[1] // 8), RandomHorizontalFlip(), ToTensor()]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(Image.fromarray(self.arrays[index])), self.labels[index]


def random_like_cifar10() -> data.Dataset:
    """Random images of CIFAR-10's shape and number."""
    images, labels = (
        torch.randint(0, 256, (50000, 32, 32, 3), dtype=torch.uint8).permute(0, 3, 1, 2),
        torch.arange(50000) % 10,
    )
    return data.Dataset("cifar10", images, labels, images[:1], labels[:1], tuple("0123456789"))


def rows(rounds: int = 3, device: torch.device = torch.device("cpu")) -> list[Row]:
    """One row for MNIST and one for CIFAR-10, both with random crop and flip."""
    keep_memory()
    found, bandwidth = [], copy_bandwidth(device)
    for name in ("mnist", "cifar10"):
        note = ""
        try:
            dataset = data.load(name)
        except data.DataError:
            dataset, note = random_like_cifar10(), "random images: cifar10 is not here; "
        config = TrainConfig(augment=True)
        batches, pictures = Batches(dataset.to(device), config, 0), Pictures(dataset)
        loaders = {
            f"{workers} workers": DataLoader(pictures, config.batch_size, shuffle=True, num_workers=workers)
            for workers in (0, 2)
        }

        def drain(loader):
            return lambda: sum(len(x.to(device)) for x, _ in loader)

        functions = {"ours": lambda: sum(len(x) for x, _ in batches.epoch(0))} | {
            key: drain(loader) for key, loader in loaders.items()
        }
        times = interleaved(functions, rounds, device, warm_up=1)
        best = min(loaders, key=times.get)
        least = 1000 * 5 * dataset.x_train.numel() / bandwidth
        found.append(
            Row(
                f"epoch of {name}, crop and flip, no model",
                device.type,
                times["ours"],
                times[best],
                times[best] / times["ours"],
                f"copy bandwidth {bandwidth / 1e9:.1f} GB/s, 5 bytes a number",
                least / times["ours"],
                f"{note}DataLoader with {best}",
            )
        )
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    for row in rows(parser.parse_args().rounds):
        print(
            f"{row.name}: ours {row.ours_ms:.0f} ms, plain {row.plain_ms:.0f} ms, ratio {row.ratio:.1f}, "
            f"{row.fraction:.0%} of {row.limit}; {row.note}"
        )
