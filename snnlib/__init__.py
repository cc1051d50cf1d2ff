"""Switcher networks: mining a network's weights to choose its structure.

A switcher reads the weights of a task network and returns one scaling factor a neuron. The method is in ``networks``,
``switching``, ``training`` and ``compaction``, on the data of ``data``. ``fast`` only makes it faster; ``lab`` turns it
into recorded runs, ``report`` records into tables and figures, ``commands`` is the command line ``snn``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.3.0"

if TYPE_CHECKING:
    from .arms import Arm
    from .compaction import compact, load_compact, load_normalize, save_compact
    from .config import SwitcherConfig, TrainConfig
    from .data import Normalize, load, scale
    from .networks import MLP, NETWORKS
    from .seeds import generator
    from .switching import Switched, Switcher, switch
    from .training import train_alternating, train_dense, train_separate

_PUBLIC = {
    "compact": "compaction",
    "load_compact": "compaction",
    "load_normalize": "compaction",
    "save_compact": "compaction",
    "Arm": "arms",
    "SwitcherConfig": "config",
    "TrainConfig": "config",
    "Normalize": "data",
    "load": "data",
    "scale": "data",
    "MLP": "networks",
    "NETWORKS": "networks",
    "Switched": "switching",
    "Switcher": "switching",
    "switch": "switching",
    "generator": "seeds",
    "train_alternating": "training",
    "train_dense": "training",
    "train_separate": "training",
}

__all__ = [
    "MLP",
    "NETWORKS",
    "Arm",
    "Normalize",
    "Switched",
    "Switcher",
    "SwitcherConfig",
    "TrainConfig",
    "__version__",
    "compact",
    "generator",
    "load",
    "load_compact",
    "load_normalize",
    "save_compact",
    "scale",
    "switch",
    "train_alternating",
    "train_dense",
    "train_separate",
]


if not TYPE_CHECKING:  # which has the names from above, and reports others

    def __getattr__(name: str) -> object:
        """Public names, imported at their first use: importing the library takes no time and does nothing."""
        if name not in _PUBLIC:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{_PUBLIC[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
