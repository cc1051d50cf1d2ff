"""Modules whose weights come from a given generator alone: the global random state is neither read nor changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ParamSpec, TypeVar, cast

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)
Settings = ParamSpec("Settings")


def module_list(modules: Iterable[Module]) -> Sequence[Module]:
    """An ``nn.ModuleList``, which type checkers see as a sequence of its own kind of module."""
    return cast("Sequence[Module]", nn.ModuleList(modules))


def blank(build: Callable[Settings, Module], *arguments: Settings.args, **settings: Settings.kwargs) -> Module:
    """``build(*arguments, **settings)`` with its weights unset, on the CPU.

    A seed draws the same numbers there on every machine. Layers draw their own weights from the global generator when
    they are made; on the meta device they draw nothing. Within ``torch.device("meta")`` the module stays there and
    takes no memory.
    """
    with torch.device("meta"):
        module = build(*arguments, **settings)
    return module if torch.get_default_device().type == "meta" else module.to_empty(device="cpu")


@torch.no_grad()
def zero_bias(layer: nn.Linear | nn.Conv2d) -> None:
    """Set the biases of ``layer`` to 0, where it has any."""
    for name, values in layer.named_parameters(recurse=False):
        if name == "bias":
            values.zero_()


@torch.no_grad()
def draw(module: nn.Module, generator: torch.Generator | None = None) -> None:
    """Draw all convolutions of ``module`` Kaiming normal with bias 0 (section 4); batch norm starts as the identity."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.normal_(0.0, (2 / layer.weight[0].numel()) ** 0.5, generator=generator)
            zero_bias(layer)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()


@torch.no_grad()
def start_linear(module: nn.Module, how: str, generator: torch.Generator | None = None, fc_std: float = 0.01) -> None:
    """Draw every FC layer of ``module``: ``how`` is "normal", as section 4 says, "kaiming" or "torch".

    "normal" has the standard deviation ``fc_std``, "kaiming" that of Kaiming normal; biases are 0. "torch" is torch's
    own start, see :func:`as_torch`.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            if how == "torch":
                as_torch(layer, generator)
                continue
            deviation = fc_std if how == "normal" else (2 / layer.in_features) ** 0.5
            layer.weight.normal_(0.0, deviation, generator=generator)
            zero_bias(layer)


@torch.no_grad()
def as_torch(layer: nn.Linear | nn.Conv2d, generator: torch.Generator | None = None) -> None:
    """Draw one layer as torch itself does, from ``generator``: uniform within ± 1 / sqrt(inputs), the biases too."""
    bound = layer.weight[0].numel() ** -0.5
    for values in layer.parameters(recurse=False):  # weight, then bias
        values.uniform_(-bound, bound, generator=generator)
