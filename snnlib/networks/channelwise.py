"""Operations that keep channels apart: what they put out in a channel depends on that channel of their input alone.

Between a layer and the one that reads it these may stand; a channel can then be left out all along the way.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F

ACTIVATIONS = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish,
    nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Hardshrink, nn.Softplus, nn.Softsign,
    nn.Softshrink, nn.Tanhshrink, nn.LogSigmoid, nn.Threshold, nn.Identity,
)  # fmt: skip
POOLS = (
    nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d, nn.Upsample, nn.ZeroPad2d,
    nn.ReflectionPad2d, nn.ReplicationPad2d,
)  # fmt: skip
DROPOUTS = (nn.Dropout, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
MODULES: set[Any] = {*ACTIVATIONS, *POOLS, *DROPOUTS, *NORMS}
"""Modules that keep channels apart; other norms take means over several of them."""

FUNCTIONS: set[Any] = {
    F.relu, F.relu_, F.relu6, F.leaky_relu, F.elu, F.selu, F.celu, F.gelu, F.silu, F.mish, F.hardtanh, F.hardswish,
    F.hardsigmoid, F.softplus, F.softsign, F.logsigmoid, F.sigmoid, F.tanh, torch.relu, torch.relu_, torch.sigmoid,
    torch.tanh, torch.abs, torch.square, torch.clamp, torch.max_pool2d,
    F.max_pool2d, F.avg_pool2d, F.adaptive_max_pool2d, F.adaptive_avg_pool2d,
    F.dropout, F.dropout2d, F.alpha_dropout, F.interpolate,
    operator.add, operator.iadd, operator.sub, operator.isub, operator.mul, operator.imul, operator.truediv,
    operator.itruediv, operator.neg,
}  # fmt: skip
"""Functions that do, the arithmetic with a number included."""

METHODS: set[Any] = {
    "relu", "relu_", "sigmoid", "sigmoid_", "tanh", "tanh_", "abs", "square", "neg", "add", "add_", "sub", "mul",
    "mul_", "div", "clamp", "clamp_", "float", "double", "contiguous", "clone",
}  # fmt: skip
"""Methods of a tensor that do."""

RESHAPES: set[Any] = {torch.flatten, torch.squeeze, torch.reshape, "flatten", "view", "reshape", "squeeze", nn.Flatten}
SIZED: set[Any] = {torch.reshape, "view", "reshape"}
"""Those of them that are told a size."""
MEANS: set[Any] = {torch.mean, "mean"}


def mixes(node: fx.Node, before: fx.Node, channels: int) -> str | None:
    """Why the operation ``node`` on the output of ``before`` does not keep the ``channels`` apart; None if it does."""
    kind, old, new = _kind(node), before.meta["shape"], node.meta["shape"]
    if new is None:
        return f"its output is taken apart by {said(node)}"
    if kind in RESHAPES:  # a flattening, or none at all: (images, channels, ...) to (images, channels * pixels)
        whole = new[:1] == old[:1] and math.prod(new) == math.prod(old)
        if whole and new == old and new[1:] != (channels,) and _kind(node) in SIZED:
            return (
                f"its output passes through {said(node)}, which changes nothing, but which Torch-Pruning cannot follow"
            )
        if whole and (new == old or (len(new) == 2 and new[1] % channels == 0)):
            fixed = _fixed(node)
            return (
                None
                if fixed is None
                else (
                    f"its output is reshaped by {said(node)} to a fixed number ({fixed}) that holds its channels, "
                    "which no longer fits once a channel is cut out: write x.flatten(1), or x.size(1) in its place"
                )
            )
        return f"its output is reshaped from {old} to {new} by {said(node)}, which is no flattening of each image"
    if kind in MEANS:
        dims = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        dims = dims if isinstance(dims, tuple | list) else (dims,)
        over_pixels = len(old) == 4 and all(isinstance(dim, int) and dim % 4 in (2, 3) for dim in dims)
        return None if over_pixels else f"its output is averaged over its channels by {said(node)}"
    if not (kind in MODULES or kind in FUNCTIONS or kind in METHODS):
        remedy = "" if node.op == "call_module" else ": if it does not, write it as a layer or a function of torch.nn"
        return f"its output passes through {said(node)}, which may mix channels{remedy}"
    return None if new[:2] == old[:2] else f"its output is changed from {old} to {new} by {said(node)}"


def _fixed(node: fx.Node) -> int | None:
    """The number that a view or reshape sets the channels' dimension to; None where it follows from the tensor."""
    if _kind(node) not in SIZED:
        return None
    sizes = node.args[1:] or node.kwargs.get("shape") or node.kwargs.get("size")
    if isinstance(sizes, tuple | list) and len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        sizes = sizes[0]
    size = sizes[1] if isinstance(sizes, tuple | list) and len(sizes) > 1 else None
    return size if isinstance(size, int) and size != -1 else None


def _kind(node: fx.Node) -> Any:
    """The class of the module that ``node`` calls, the function, or the name of the method."""
    if node.op == "call_module":
        root = node.graph.owning_module
        assert root is not None
        return type(root.get_submodule(str(node.target)))
    return node.target


def said(node: fx.Node) -> str:
    """What ``node`` does, in a few words: a module by its name and class, anything else as torch calls it."""
    if node.op == "call_module":
        return f"{node.target} ({_kind(node).__name__})"
    if node.op == "output":
        return "the module's output"
    return node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
