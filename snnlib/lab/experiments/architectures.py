"""Tables 1, 3 and 4: every network of the paper, dense and with its switcher, on MNIST, CIFAR-10 and Mini-ImageNet."""

from __future__ import annotations

from dataclasses import replace

from ...arms import Arm
from ...config import SwitcherConfig, TrainConfig
from . import rivals, tuned, whole
from .ablation import QUICK, QUICK_SWITCHER
from .table import Table

COLOUR = TrainConfig(augment=True, normalize=True)
"""Photographs are cropped, flipped and normalised, as is usual; the paper does not say."""

SEEDS = {"smoke": (0,), "quick": (0, 1, 2), "paper": tuple(range(8))}
FEWER = {"vgg16": 3, "resnet34": 3}
"""The largest networks get three seeds at first; more seeds add to the same records."""

LARGE_QUICK = {"train_images": 1000, "test_images": 1000}
"""What the quick profile leaves the largest networks, so that it can be run on a CPU: there it is only a trial."""


def three(
    dataset: str, network: str, train: TrainConfig, switcher: SwitcherConfig = SwitcherConfig()
) -> tuple[Arm, Arm, Arm]:
    """Dense, SNN-AL, and dense with as many task-network steps as SNN-AL, of one network.

    The first two make ``train.epochs`` passes over the data in all, and so equal total steps.
    """
    dense = tuned.without_switcher(train)
    return (
        Arm("dense", "dense", "dense", dataset, network, dense),
        Arm(
            "snn-al-epoch",
            "alternating",
            "SNN-AL, t counts epochs",
            dataset,
            network,
            replace(train, alternate="epoch"),
            switcher,
        ),
        Arm(
            "dense-equal-steps",
            "dense",
            "dense, as many task-network steps as SNN-AL",
            dataset,
            network,
            replace(dense, epochs=tuned.network_epochs(train)),
        ),
    )


def arms(dataset: str, networks: tuple[str, ...], train: TrainConfig) -> tuple[Arm, ...]:
    """The three arms of all ``networks``."""
    return tuple(arm for network in networks for arm in three(dataset, network, train))


def profiles(
    dataset: str, networks: tuple[str, ...], paper: TrainConfig, images: dict[str, int], tried_on: int | None = None
) -> dict[str, tuple[Arm, ...]]:
    """Arms by profile: the whole protocol ``paper``, and the same reduced to so many ``images`` and few epochs.

    A smoke run is judged on ``tried_on`` test images alone: of large networks these would be most of its time.
    """
    return {
        "smoke": arms(dataset, networks, replace(paper, epochs=2, train_images=images["smoke"], test_images=tried_on)),
        "quick": tuple(
            replace(arm, train=replace(arm.train, **LARGE_QUICK)) if arm.network in FEWER else arm
            for arm in arms(dataset, networks, replace(paper, epochs=6, train_images=images["quick"]))
        ),
        "paper": arms(dataset, networks, paper),
    }


TUNED = tuple(arm for network in ("mlp", "lenet5-caffe") for arm in (*tuned.table_1(network), *rivals.quoted(network)))
MNIST_ARMS = profiles("mnist", ("mlp", "lenet5-caffe"), TrainConfig(epochs=30), {"smoke": 2000, "quick": 20000})
MNIST_ARMS["quick"] = tuple(
    arm for network in ("mlp", "lenet5-caffe") for arm in three("mnist", network, QUICK, QUICK_SWITCHER)
)
MNIST = Table(
    "1",
    "MNIST: the MLP and LeNet5-Caffe",
    MNIST_ARMS | {"paper": MNIST_ARMS["paper"] + TUNED},
    SEEDS | {"smoke": (0, 1)},
    "dense",
    {arm.name: "tuned-dense" for arm in TUNED},
)


def colour(
    name: str,
    title: str,
    dataset: str,
    networks: tuple[str, ...],
    images: dict[str, int],
    tried_on: int,
    fewer_whole: dict[str, int],
) -> Table:
    """Table 3 or 4; the profile ``whole`` is there once its settings are chosen."""
    found = profiles(dataset, networks, replace(COLOUR, epochs=60), images, tried_on)
    whole_arms = whole.arms(dataset, whole.with_reduced(networks) if dataset == "cifar10" else networks)
    return Table(
        name,
        title,
        found | ({"whole": whole_arms} if whole_arms else {}),
        SEEDS | {"whole": whole.SEEDS},
        "dense",
        dict.fromkeys((arm.name for arm in whole_arms), "tuned-dense"),
        dict.fromkeys(found, FEWER) | {"whole": fewer_whole},
    )


CIFAR10 = colour(
    "3",
    "CIFAR-10: VGG-cov2 without and with batch norm, VGG16, ResNet34, MobileNetV1",
    "cifar10",
    ("vgg-cov2", "vgg-cov2-bn", "vgg16", "resnet34", "mobilenet-v1-x0.25", "mobilenet-v1-x1"),
    {"smoke": 512, "quick": 5000},
    500,
    whole.FEWER,
)
MINI_IMAGENET = colour(
    "4",
    "Mini-ImageNet: ResNet34, MobileNetV1",
    "mini_imagenet",
    ("resnet34", "mobilenet-v1-x0.25", "mobilenet-v1-x1"),
    {"smoke": 256, "quick": 5000},
    200,
    whole.FEWER_4,
)
