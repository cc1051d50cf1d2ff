"""Values of settings, as a space, Optuna and a kept file have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..experiments.spaces import Between, Choices
from ..experiments.study import Study

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distributions(study: Study) -> dict[str, BaseDistribution]:
    """The space of ``study`` as Optuna has it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return {
        name: FloatDistribution(space.low, space.high, log=space.log)
        if isinstance(space, Between)
        else CategoricalDistribution(space)
        for name, space in study.space.items()
    }


def holds(space: Choices, value: Any) -> bool:
    """Whether ``value`` may be drawn from ``space``."""
    if isinstance(space, Between):
        return space.low <= float(value) <= space.high
    return any(_same(choice, value) for choice in space)


def _same(choice: Any, value: Any) -> bool:
    """Whether ``value``, as a file has it, is ``choice``: 1 in JSON may be 1.0 there."""
    return choice == value or str(choice) == str(value)


def drawn(space: Choices, draw: np.random.Generator) -> Any:
    """A value of a setting, drawn uniformly."""
    if not isinstance(space, Between):
        return space[draw.integers(len(space))]
    if space.log:
        return float(np.clip(np.exp(draw.uniform(np.log(space.low), np.log(space.high))), space.low, space.high))
    return float(draw.uniform(space.low, space.high))


def member(distribution: BaseDistribution, value: Any) -> Any:
    """``value`` as the distribution has it: 1 in JSON may be 1.0 there."""
    choices = getattr(distribution, "choices", None)
    if choices is None:
        return float(value)
    return next(choice for choice in choices if _same(choice, value))
