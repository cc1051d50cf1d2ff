"""Task networks: plain modules with ``forward(x, gates=None)`` that know nothing of switchers."""

from .mlp import MLP

NETWORKS = {"mlp": MLP}

__all__ = ["MLP", "NETWORKS"]
