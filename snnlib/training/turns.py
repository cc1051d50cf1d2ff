"""When a step is whose, and how large: the turns of Algorithm 1 and the schedules of the learning rate."""

from __future__ import annotations

import math

from ..config import Side, TrainConfig
from .checks import NoTurnError


def rate_at(config: TrainConfig, progress: float, side: Side = "network") -> float:
    """Learning rate of ``side`` after the share ``progress`` (0 to 1) of all steps."""
    rate = config.of(side, "rate")
    if config.schedule == "step":
        return rate * 0.1 ** sum(progress >= milestone for milestone in config.milestones)
    return rate if config.schedule == "constant" else rate * 0.5 * (1 + math.cos(math.pi * progress))


def phase_of(config: TrainConfig, t: int, per_epoch: int) -> Side:
    """Which side step ``t`` of Algorithm 1 trains; an epoch has ``per_epoch`` steps."""
    if t >= config.switcher_until * config.epochs * per_epoch:
        return "network"
    unit = 1 if config.alternate == "step" else per_epoch
    return "switcher" if t // unit % sum(config.turns) < config.turns[0] else "network"


def check_turns(config: TrainConfig) -> None:
    """Raise ``NoTurnError`` where the task network would have no turn."""
    if config.alternate == "epoch" and config.epochs <= config.turns[0] and config.switcher_until == 1:
        raise NoTurnError(
            f"epochs={config.epochs} with turns={config.turns} of epochs: the task network would never be trained; "
            f"give at least {config.turns[0] + 1} epochs"
        )
