"""Whether network and data fit each other, asked before the first step; and a remark where nothing is learned."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Dataset, scale
from ..networks import TaskNetwork
from ..switching.switched import Switched

PATIENCE = 4
"""Epochs without learning before it is remarked on: two turns of each side where they take turns by epochs."""


class UntrainedWarning(UserWarning):
    """A network has learned nothing for its first :data:`PATIENCE` epochs."""


@torch.no_grad()
def check_fit(network: nn.Module | TaskNetwork, data: Dataset) -> None:
    """Raise ``ValueError`` unless ``network`` makes (images, classes) of the images of ``data``.

    The message names what both have and a remedy. The network is asked about two images, in evaluation mode: nothing
    of it changes.
    """
    name, images = type(getattr(network, "module", network)).__name__, " x ".join(map(str, data.image))
    parameter = next(network.parameters())
    training = network.training
    network.train(False)
    try:
        logits = network(scale(data.x_train[:2], parameter.dtype))
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{name} cannot be run on the images of {data.name}, {images} (channels x height x width), on "
            f"{data.x_train.device}: {error}. {_expected(network)}Bring the images to the network (an image folder: "
            "data.load(path, size=32), rgb=True for three channels; data.to(device)), or build the network for them."
        ) from error
    finally:
        network.train(training)
    outputs = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != min(2, len(data.x_train)):
        raise ValueError(
            f"{name} makes {outputs} of {min(2, len(data.x_train))} images of {data.name}, {images}: its forward must "
            f"return logits of shape (images, classes), here (images, {len(data.classes)})"
        )
    if logits.shape[1] != len(data.classes):
        raise ValueError(
            f"{name} puts out {logits.shape[1]} logits an image, but {data.name} has {len(data.classes)} classes: give "
            f"its last layer {len(data.classes)} outputs"
        )


def check_switched(model: Switched) -> Switched:
    """Return ``model``; ``TypeError`` where it is a network without a switcher."""
    if not isinstance(model, Switched):
        raise TypeError(
            f"a {type(model).__name__} has no switcher to train by turns with: give the model that "
            "snnlib.switch(module, example_input) returns, or train the module alone with train_dense"
        )
    return model


def _expected(network: nn.Module | TaskNetwork) -> str:
    """What the network was built for, as far as it says so: a sentence, or nothing."""
    image: Any = getattr(network, "image", None)
    if image is not None:
        return f"It is built for images of {' x '.join(map(str, image))}. "
    for part in network.modules() if isinstance(network, nn.Module) else ():
        if isinstance(part, nn.Linear):
            return f"Its first layer takes {part.in_features} numbers. "
        if isinstance(part, nn.Conv2d):
            return f"Its first layer takes {part.in_channels} channels. "
    return ""


@contextlib.contextmanager
def unremarked() -> Generator[None, None, None]:
    """Within it no :class:`UntrainedWarning` is given: for runs whose records are judged as records."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UntrainedWarning)
        yield


def untrained(history: Sequence[dict[str, Any]], data: Dataset) -> str | None:
    """What to remark, once in a run, where its first :data:`PATIENCE` epochs did no better than a constant guess.

    That is: no epoch's loss is below 99 % of the labels' entropy, which a network reaches that knows only how frequent
    each class is, and no accuracy is two standard deviations above the share of the most frequent class.
    """
    if len(history) != PATIENCE:
        return None
    shares = data.y_train.bincount().double() / len(data.y_train)
    entropy = float(-(shares * shares.clamp_min(1e-12).log()).sum())
    frequent = float(data.y_test.bincount().max()) / len(data.y_test)
    chance = frequent + 2 * math.sqrt(frequent * (1 - frequent) / len(data.y_test))
    if any(row["loss"] < 0.99 * entropy or row["accuracy"] > chance for row in history):
        return None
    return (
        f"nothing has been learned in {PATIENCE} epochs: the loss is {history[-1]['loss']:.3g}, that of a guess "
        f"{entropy:.3g}"
    )


def remark(history: Sequence[dict[str, Any]], data: Dataset) -> None:
    """Warn where :func:`untrained` has something to remark."""
    if said := untrained(history, data):
        warnings.warn(
            f"{said}. Try another rate (TrainConfig(rate=0.01)), normalize=True, a wider start of the weights, "
            "batch norm in the network, or a switcher that starts closer to 1 (SwitcherConfig(initial_spread=0.5)).",
            UntrainedWarning,
            stacklevel=4,
        )
