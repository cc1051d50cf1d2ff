"""What hangs together in any module: Torch-Pruning's graph of it, with errors that say what still works."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import nn


class CompactionError(RuntimeError):
    """A module of one's own cannot be made smaller, or what came out differs from it; the message says what works."""


def torch_pruning() -> ModuleType:
    """The package Torch-Pruning; ``ModuleNotFoundError`` says how to get it."""
    try:
        import torch_pruning
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a module of your own is compacted by Torch-Pruning, which is not installed: `pip install torch-pruning`, "
            "or `pip install -e '.[own]'` in the checkout. Until then `fold` gives a module of the full size with the "
            "same logits, and the library's own networks are compacted without it."
        ) from error
    return torch_pruning


def installed() -> bool:
    """Whether Torch-Pruning is there; it is not imported."""
    try:
        return importlib.util.find_spec("torch_pruning") is not None
    except ValueError:  # what stands under its name is no module
        return False


def graph_of(module: nn.Module, image: Sequence[int]) -> Any:
    """Torch-Pruning's dependency graph of ``module``, in evaluation mode, for an ``image`` (channels, height, width).

    Raises :class:`CompactionError` where Torch-Pruning cannot follow the module.
    """
    reference = next(module.parameters())
    images = torch.zeros(2, *image, dtype=reference.dtype, device=reference.device)
    found = torch_pruning().DependencyGraph()
    try:
        with torch.enable_grad():  # Torch-Pruning follows the graph of autograd
            return found.build_dependency(module, (images,), verbose=False)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # it raises whatever its index arithmetic runs into
        raise CompactionError(cannot_follow(module, error)) from error


def cannot_follow(module: nn.Module, error: Exception) -> str:
    """That Torch-Pruning fails on ``module``, and what works all the same."""
    return (
        f"Torch-Pruning cannot follow {type(module).__name__} ({type(error).__name__}: {error}), so that its pruned "
        "kernels and neurons cannot be cut out. snnlib.compaction.fold(model) gives a module of the full size with the "
        "same logits."
    )
