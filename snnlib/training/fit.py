"""Whether network and data fit each other, asked before the first step; and a remark where nothing is learned."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..config import ARM_ALONE, TrainConfig
from ..data import Dataset, check_arrays, scale
from ..networks import MLP, ConvNet, DeepNet, TaskNetwork
from ..switching.switched import Switched

PATIENCE = 4
"""Epochs without learning before it is remarked on: two turns of each side where they take turns by epochs."""


class UntrainedWarning(UserWarning):
    """A network has learned nothing for its first :data:`PATIENCE` epochs."""


def check_fit(network: nn.Module | TaskNetwork, data: Dataset, config: TrainConfig = TrainConfig()) -> None:
    """Raise ``ValueError`` or ``TypeError`` unless ``network`` can be trained on the images of ``data``.

    That is: ``data`` is whole, and in both modes the network makes (images, classes) of its images, also of a last
    batch of one image. The message names what both have and a remedy. The network is asked about two images; nothing of
    it changes.
    """
    if not isinstance(network, nn.Module):
        raise TypeError(f"a {type(network).__name__} is no network: give an nn.Module, made by calling its class")
    check_arrays(data)
    name, images = type(getattr(network, "module", network)).__name__, " x ".join(map(str, data.image))
    parameter = next(network.parameters(), None)
    if parameter is None:
        raise ValueError(f"{name} has no parameters: there is nothing to train")
    if parameter.device != data.x_train.device:
        raise ValueError(
            f"{name} lies on {parameter.device}, {data.name} on {data.x_train.device}: bring both to one device, by "
            "network.to(device) before switch, or by data.to(device)"
        )
    x = scale(data.x_train[:2], parameter.dtype)
    _check_logits(network, x, data, f"{name} cannot be run on the images of {data.name}, {images} (channels x height x "
                  f"width), on {data.x_train.device}", name, training=False)  # fmt: skip
    if len(x) > 1 and not isinstance(network, MLP | ConvNet | DeepNet):  # which put out the same in both modes
        _check_logits(network, x, data, f"{name} cannot be run in training mode", f"{name}, in training mode,", True)
    if len(data.x_train) % config.batch_size == 1:
        try:
            _tried(network, x[:1], training=True)
        except ValueError as error:
            raise ValueError(
                f"{len(data.x_train)} training images in batches of {config.batch_size}: the last batch of an epoch is "
                f"a single image, which {name} cannot be trained on ({error}). Give another batch_size, or "
                f"data.first({len(data.x_train) - 1})."
            ) from error


def _check_logits(network: nn.Module, x: Tensor, data: Dataset, failed: str, name: str, training: bool) -> None:
    """Raise ``ValueError`` unless ``network`` makes (images, classes) of the images ``x`` of ``data``."""
    try:
        logits = _tried(network, x, training)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise ValueError(
            f"{failed}: {error}. {_expected(network)}Bring the images to the network (an image folder: "
            "data.load(path, size=32), rgb=True for three channels; data.to(device)), or build the network for them."
        ) from error
    outputs = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(x):
        aux = (
            " An auxiliary head has no place here: switch it off (torchvision: aux_logits=False), or wrap the network "
            "in a module that returns the first output alone."
            if isinstance(logits, tuple | list | dict)
            else ""
        )
        raise ValueError(
            f"{name} makes {outputs} of {len(x)} images of {data.name}, {' x '.join(map(str, data.image))}: its "
            f"forward must return logits of shape (images, classes), here (images, {len(data.classes)}).{aux}"
        )
    if logits.shape[1] != len(data.classes):
        raise ValueError(
            f"{name} puts out {logits.shape[1]} logits an image, but {data.name} has {len(data.classes)} classes: give "
            f"its last layer {len(data.classes)} outputs"
        )


@torch.no_grad()
def _tried(network: nn.Module, x: Tensor, training: bool) -> Any:
    """What ``network`` makes of ``x`` in this mode; its buffers, modes and torch's generators stay as they are."""
    modes = {each: each.training for each in network.modules()}
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    network.train(training)
    try:
        with torch.random.fork_rng([x.device] if x.device.type == "cuda" else []):
            return functional_call(network, buffers, (x,)) if training else network(x)
    finally:
        for each, mode in modes.items():
            each.training = mode


def check_read(config: TrainConfig, network: nn.Module | TaskNetwork, model: Switched | None = None) -> None:
    """Raise ``ValueError`` where ``config`` sets what training does not read, with what to do instead.

    FC weights of this library's networks may have been drawn by ``config.fc_std``; it stands there for the reader.
    """
    if not isinstance(config, TrainConfig):
        raise TypeError(f"config is a {type(config).__name__}: give a TrainConfig")
    usual, own = config.for_training(), isinstance(network, MLP | ConvNet | DeepNet)
    unread = [
        f"{name}={getattr(config, name)!r} ({instead})"
        for name, instead in ARM_ALONE.items()
        if getattr(config, name) != getattr(usual, name)
        and not (name.startswith("fc_") and own)
        and not (name == "through_switcher" and model is not None and not model.through_switcher)
    ]
    if unread:
        raise ValueError(
            f"training does not read these settings, which an arm of an experiment has for its data and network: "
            f"{'; '.join(unread)}"
        )


@contextlib.contextmanager
def left_as_it_was(trained: nn.Module | TaskNetwork) -> Generator[None, None, None]:
    """Afterwards every parameter of ``trained`` is frozen or not, and every module in the mode, as it was before."""
    assert isinstance(trained, nn.Module)
    learns = {each: each.requires_grad for each in trained.parameters()}
    modes = {each: each.training for each in trained.modules()}
    try:
        yield
    finally:
        for parameter, before in learns.items():
            parameter.requires_grad_(before)
        for module, mode in modes.items():
            module.training = mode


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


def remark(history: Sequence[dict[str, Any]], data: Dataset, switched: bool) -> None:
    """Warn where :func:`untrained` has something to remark of a network, ``switched`` or not."""
    if said := untrained(history, data):
        start = ", or a switcher that starts closer to 1 (SwitcherConfig(initial_spread=0.5))" if switched else ""
        warnings.warn(
            f"{said}. Try another rate (TrainConfig(rate=0.01)), normalize=True, a wider start of the weights, batch "
            f"norm in the network{start}.",
            UntrainedWarning,
            stacklevel=5,  # who called the training function: `remark`, `epochs` and its decorator lie between
        )
