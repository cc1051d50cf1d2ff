"""Compacted networks as safetensors files, which hold all that is needed to build them again; nothing is pickled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..data import Normalize
from ..files import FileError, load_tensors, save_tensors
from ..networks import MLP, NETWORKS, ConvNet, DeepNet, Network
from ..networks.convnet import Stage
from ..networks.residual import Residual
from .convolution import empty_convnet
from .mlp import empty_mlp


def save_compact(network: Network, path: str | Path, normalize: Normalize | None = None) -> None:
    """Write ``network`` as one file: its tensors, class, plan, widths, image and classes.

    ``normalize`` is what scaled images go through first, where the network was trained with
    ``TrainConfig(normalize=True)``; :func:`load_normalize` reads it again. Raises ``FileError`` on a full disk,
    ``TypeError`` for a module of another's making and for a model with its switcher.
    """
    if isinstance(network, str | Path):
        raise TypeError("save_compact(network, path): the network comes first, as in torch.save")
    if hasattr(network, "switcher_side"):
        raise TypeError(f"a {type(network).__name__} has its switcher still: save_compact(compact(model), path)")
    if type(network).__name__ not in BUILD:
        raise TypeError(
            f"a {type(network).__name__} cannot be built again from its tensors: only {', '.join(BUILD)} can. Save a "
            "module of your own, in evaluation mode, with torch.export.save(torch.export.export(module, (images,), "
            'dynamic_shapes=({0: torch.export.Dim("batch")},)), path), where images holds two images or more'
        )
    head = network if isinstance(network, MLP) else network.head
    described: dict[str, Any] = {
        "kind": "compact",
        "class": type(network).__name__,
        "widths": list(head.widths),
        "classes": head.widths[-1],
    }
    if not isinstance(network, MLP):
        described["image"] = list(network.image)
    if isinstance(network, ConvNet):
        described["plan"] = [list(stage) for stage in network.plan]
    if isinstance(network, DeepNet):
        described["network"] = network.name
    if normalize is not None:
        described["mean"], described["deviation"] = (
            part.flatten().tolist() for part in (normalize.mean, normalize.deviation)
        )
    save_tensors(Path(path), network.state_dict(), described)


def load_normalize(path: str | Path) -> nn.Module:
    """What scaled images go through before the network that :func:`save_compact` wrote: a
    :class:`~snnlib.data.Normalize`, or ``nn.Identity`` for one that takes them as they are.

    ``load_compact(path)(load_normalize(path)(scale(images)))`` are the logits of uint8 ``images``. Raises ``FileError``
    as :func:`load_compact`.
    """
    _, described = _read(path)
    if "mean" not in described:
        return nn.Identity()
    mean, deviation = (torch.tensor(described[part])[:, None, None] for part in ("mean", "deviation"))
    return Normalize((mean, deviation))


def _read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if Path(path).suffix == ".pt2":
        raise FileError(f"{path} is an exported module: read it with torch.export.load(path).module()")
    tensors, described = load_tensors(Path(path), "name one that save_compact or `snn compact` wrote")
    if described.get("kind") != "compact":
        raise FileError(f"{path} holds no compact network. Write one with `snn compact`.")
    return tensors, described


def load_compact(path: str | Path) -> Network:
    """Read what :func:`save_compact` wrote, on the CPU, in evaluation mode.

    A network that was trained on normalised images takes what :func:`load_normalize` makes of scaled ones. Raises
    ``FileError`` where the file is missing, cut off, of another version or holds something else.
    """
    tensors, described = _read(path)
    kind = described.get("class", "MLP")  # the first files of this kind held an MLP and did not say so
    try:
        network = BUILD[kind](described, tensors)
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise FileError(
            f"{path} describes a {kind} that this library cannot build ({error}). Write it again with `snn compact`."
        ) from error
    return network.eval()


def _mlp(described: dict[str, Any], tensors: dict[str, Tensor], prefix: str = "") -> MLP:
    return empty_mlp(described["widths"], tensors.get(f"{prefix}inputs")).to(tensors[f"{prefix}layers.0.weight"].dtype)


def _convnet(described: dict[str, Any], tensors: dict[str, Tensor]) -> ConvNet:
    plan, head = [Stage(*stage) for stage in described["plan"]], _mlp(described, tensors, "head.")
    biases = [f"convolutions.{index}.bias" in tensors for index in range(len(plan))]
    norms = [
        nn.BatchNorm2d(stage.kernels) if f"norms.{index}.weight" in tensors else nn.Identity()
        for index, stage in enumerate(plan)
    ]
    channels, height, width = described["image"]
    return empty_convnet(plan, (channels, height, width), biases, norms, head).to(head.layers[0].weight.dtype)


def _deep(described: dict[str, Any], tensors: dict[str, Tensor]) -> DeepNet:
    with torch.device("meta"):
        whole = NETWORKS[described["network"]](tuple(described["image"]), described["classes"])
    head = _mlp(described, tensors, "head.")
    if not isinstance(whole, DeepNet):
        raise ValueError(f"{described['network']} is no network of which only the head is switched")
    features = whole.features
    if isinstance(features, Residual):
        with torch.device("meta"):
            features = features.narrow_as(tensors, "features.")
    features = features.to(head.layers[0].weight.dtype).to_empty(device="cpu")
    return DeepNet(whole.name, whole.image, features, head)


BUILD: dict[str, Callable[[dict[str, Any], dict[str, Tensor]], Network]] = {
    "MLP": _mlp,
    "ConvNet": _convnet,
    "DeepNet": _deep,
}
