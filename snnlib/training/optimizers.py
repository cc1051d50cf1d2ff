"""SGD of both sides, as in section 4: fused where torch can be trusted with it, and what a resumed run needs of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..config import Side, TrainConfig


def optimizer(parameters: Iterable[Tensor], config: TrainConfig, side: Side = "network") -> torch.optim.SGD:
    """SGD as in section 4 for ``side``; :func:`set_rate` comes before each step."""
    parameters, rate = list(parameters), config.of(side, "rate")
    on_cuda = parameters[0].is_cuda  # there the rate is a tensor, which a CUDA graph can read
    return sgd_of(
        [{"params": parameters}],
        torch.tensor(rate, device=parameters[0].device) if on_cuda else rate,
        config.of(side, "momentum"),
        config.of(side, "weight_decay"),
    )


def sgd_of(
    groups: Sequence[Mapping[str, Any]], rate: float | Tensor, momentum: float, weight_decay: float
) -> torch.optim.SGD:
    """SGD over ``groups`` of parameters, fused where that is right (:func:`fused_where_right`)."""
    made = torch.optim.SGD(fused_where_right(groups), lr=rate, momentum=momentum, weight_decay=weight_decay)
    for group in made.param_groups if momentum else ():
        for parameter in group["params"] if group["fused"] else ():
            # zeros change nothing, and the fused step cannot take some parameters with momentum and some without:
            # those of a network of the reader's may get their first gradient late
            made.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter, requires_grad=False)
    return made


def fused_where_right(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each of ``groups`` of parameters as up to two: those of convolutions, and the others.

    On CUDA all take torch's fused optimizers. On the CPU these need a third of the time too, but are wrong, without an
    error, where the strides of a parameter differ from those of its gradient or its momentum, as a convolution's may.
    ``places`` holds the number of each parameter among all that were given.
    """
    made: list[dict[str, Any]] = []
    places = itertools.count()
    for group in groups:
        numbered = [(next(places), each) for each in group["params"]]
        for flat in (False, True):
            chosen = [each for each in numbered if (each[1].dim() < 3 and each[1].is_contiguous()) == flat]
            if chosen:
                device = chosen[0][1].device.type
                fused = device == "cuda" or (flat and device == "cpu")
                made.append(
                    {
                        **group,
                        "params": [parameter for _, parameter in chosen],
                        "places": [place for place, _ in chosen],
                        "fused": fused or None,
                    }
                )
    return made


def in_order(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    """The parameters of ``optimizer`` in the order in which they were given, which is the same on every device."""
    found: dict[int, Tensor] = {}
    for group in optimizer.param_groups:
        found.update(zip(group.get("places") or itertools.count(len(found)), group["params"]))
    return [found[place] for place in sorted(found)]


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of the next step, times the ``factor`` of a group of parameters that has one."""
    for group in optimizer.param_groups:
        own = rate * group.get("factor", 1.0)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(own)
        else:
            group["lr"] = own


def laid_out_as(parameter: Tensor, buffer: Tensor) -> Tensor:
    """A momentum buffer with the strides of its parameter, as the fused optimizer needs it: files keep none."""
    return torch.empty_like(parameter, requires_grad=False).copy_(buffer)


def restore_velocity(side: Side, optimizer: torch.optim.Optimizer, velocity: dict[str, Tensor]) -> None:
    """Give ``optimizer``, which trains ``side``, its buffers of ``velocity`` (see :class:`.State`)."""
    parameters = in_order(optimizer)
    for key, buffer in velocity.items():
        owner, index, *name = key.split(".")
        if owner == side:
            parameter = parameters[int(index)]
            fits = laid_out_as(parameter, buffer) if buffer.shape == parameter.shape else buffer.clone()
            optimizer.state[parameter]["".join(name) or "momentum_buffer"] = fits


def velocity_of(optimizers: Mapping[Side, torch.optim.Optimizer]) -> dict[str, Tensor]:
    """The buffers that a resumed run needs, those of momentum for example; none for plain SGD."""
    found: dict[str, Tensor] = {}
    for side, optimizer in optimizers.items():
        for index, parameter in enumerate(in_order(optimizer)):
            for name, buffer in optimizer.state[parameter].items() if parameter in optimizer.state else ():
                if isinstance(buffer, Tensor):
                    found[f"{side}.{index}" + (f".{name}" if name != "momentum_buffer" else "")] = buffer
    return found
