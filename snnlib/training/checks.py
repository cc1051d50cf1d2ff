"""Checks for runs that cannot go on: a loss that is not finite, a dead layer. The error names the place."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..networks import TaskNetwork
from ..switching.switched import dead_layers


class NoTurnError(ValueError):
    """Turns that leave the task network none within the epochs."""


class TrainingError(Exception):
    """A run that cannot go on; ``layer`` names the place, ``epoch`` and ``step`` count from 0."""

    def __init__(self, message: str, epoch: int, step: int, phase: str, layer: str) -> None:
        super().__init__(f"{message} (epoch {epoch}, step {step}, {phase} phase, {layer})")
        self.epoch, self.step, self.phase, self.layer = epoch, step, phase, layer


class DivergenceError(TrainingError):
    """The loss became NaN or infinite."""


class DeadLayerError(TrainingError):
    """All factors of a layer stayed 0, for :data:`PATIENCE` steps or to the end of an epoch: its output is constant."""


PATIENCE = 100
"""Steps that a layer may be dead: momentum, weight decay or rows in a new order can bring it back."""


class Dead:
    """The step of the present epoch since which each dead layer has been dead."""

    def __init__(self) -> None:
        self._since: dict[int, int] = {}

    def for_good(self, gates: list[Tensor], step: int) -> list[int]:
        """Indices of the layers that were dead at every check for :data:`PATIENCE` steps; each epoch starts anew."""
        now = dead_layers(gates)
        self._since = {layer: min(self._since.get(layer, step), step) for layer in now}
        return [layer for layer in now if step - self._since[layer] >= PATIENCE]


def check(
    trained: nn.Module | TaskNetwork,
    gates: list[Tensor] | None,
    loss: Tensor,
    epoch: int,
    step: int,
    phase: str,
    after_step: bool = False,
    dead: Dead | None = None,
) -> None:
    """Raise if the loss is not finite or a layer is dead, and name the first layer where it shows.

    ``after_step`` checks weights and factors too: what the last step of an epoch broke shows in no later loss.
    ``dead`` remembers earlier steps, so that a layer may come back to life; without it a dead layer is an error at
    once. Raises :class:`DivergenceError` or :class:`DeadLayerError`.
    """
    finite = math.isfinite(float(loss))
    if not finite or after_step:
        broken = _first_broken(trained, gates)
        if not finite:
            raise DivergenceError(f"the loss became {float(loss)}", epoch, step, phase, broken or "the outputs")
        if broken:
            raise DivergenceError("the step left NaN or infinity", epoch, step, phase, broken)
    if gates is None:
        return
    for index in dead.for_good(gates, step) if dead is not None else dead_layers(gates):
        raise DeadLayerError(
            "every factor became 0" if dead is None else f"every factor stayed 0 for {PATIENCE} steps",
            epoch,
            step,
            phase,
            f"layer {index}{_name_of(trained, index)}",
        )


def _name_of(trained: nn.Module | TaskNetwork, layer: int) -> str:
    """The name of this layer in brackets, where the network that is trained was not made by this library."""
    names = getattr(getattr(trained, "network", trained), "switched", None)
    return f" ({names[layer]})" if names else ""


def _first_broken(module: nn.Module | TaskNetwork, gates: list[Tensor] | None) -> str | None:
    """Name of the first parameter, else of the first layer's factors, that holds NaN or infinity."""
    named = [
        *module.named_parameters(),
        *((f"factors of layer {index}", gate) for index, gate in enumerate(gates or ())),
    ]
    return next((name for name, value in named if not bool(torch.isfinite(value).all())), None)
