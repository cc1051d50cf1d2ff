"""Which layers of any module can be switched: its graph, traced by torch.fx, is followed from each layer to the next.

A factor multiplies what the next layer reads (Eqs. 2 and 4). That is exact, and a pruned kernel can be cut out, where
a convolution's maps go to one layer alone and every operation on the way keeps the channels apart. Whatever differs is
refused by the layer's name, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.utils._pytree import tree_leaves

from .channelwise import mixes, said
from .selected import SelectedLinear


class Path(NamedTuple):
    """The outputs of layer ``source`` go to layer ``reader`` alone, which has ``pixels`` inputs for each of them."""

    source: str
    reader: str
    pixels: int


@dataclass(frozen=True)
class Traced:
    """What was found: names of layers in the order in which they compute.

    ``kernels`` are convolutions that can have a factor a kernel, ``inputs`` Linear layers that can have a factor an
    input, ``paths`` the layers whose outputs can be cut, by name, and ``refused`` says why a layer has no factors.
    """

    kernels: tuple[str, ...]
    inputs: tuple[str, ...]
    paths: dict[str, Path]
    refused: dict[str, str]


class Refused(Exception):
    """A layer cannot be switched; the message says why."""


def trace(module: nn.Module, example: Tensor) -> Traced:
    """Follow the layers of ``module`` on the images ``example`` (images, channels, height, width).

    The module is run, in evaluation mode, and stays as it is. Raises ``ValueError`` where it cannot be run on
    ``example`` or traced.
    """
    calls: dict[str, list[fx.Node]] = {}
    for node in _graph(module, example).nodes:
        if node.op == "call_module":
            calls.setdefault(str(node.target), []).append(node)
    layers = {name: layer for name, layer in module.named_modules() if name and _weighs(layer)}
    unfit = {name: why for name, layer in layers.items() if (why := _unfit(module, name, layer, calls.get(name, [])))}
    refused, paths = dict(unfit), dict[str, Path]()
    kernels: list[str] = []
    inputs: list[str] = []
    for name in calls:  # in the order of computation
        if name not in layers or name in unfit:
            continue
        linear = isinstance(layers[name], nn.Linear)
        if linear:
            inputs.append(name)
        try:
            paths[name] = _path(calls[name][0], layers, unfit)
            if not linear:
                kernels.append(name)
        except Refused as reason:
            if not linear:  # a Linear has its factors at its inputs, wherever its outputs go
                refused[name] = str(reason)
    return Traced(tuple(kernels), tuple(inputs), paths, refused)


def _graph(module: nn.Module, example: Tensor) -> fx.Graph:
    """The graph of ``module``; a node has a ``shape``: of its tensor, None for several, nothing for no tensor."""
    training = {each: each.training for each in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            try:
                output = module(example)
            except (RuntimeError, ValueError, TypeError, IndexError) as error:
                raise ValueError(
                    f"{type(module).__name__} cannot be run on an example of shape {_by(example.shape)} and type "
                    f"{example.dtype} ({error}). Give a batch of images of the data's shape, on the module's device "
                    "and of its type, e.g. torch.zeros(1, *data.image), or snnlib.scale(data.x_train[:1])."
                ) from error
            if not isinstance(output, Tensor):
                raise ValueError(
                    f"{type(module).__name__} returns a {type(output).__name__}: its forward must have one output, the "
                    "logits (images, classes). Wrap it in a module that returns these alone."
                )
            try:
                traced = fx.GraphModule(module, _Tracer().trace(module))
                _Shapes(traced).run(example)
            except Exception as error:  # fx lets through whatever a forward raises on its placeholders
                raise ValueError(
                    f"{type(module).__name__} cannot be traced by torch.fx ({error}). Its forward must be the same for "
                    "every image: no `if` or loop that depends on values of a tensor, one argument, one output. A "
                    "part of it that is so, a Sequential of its layers for example, can be switched alone."
                ) from error
    finally:
        for each, mode in training.items():
            each.training = mode
    return traced.graph


class _Tracer(fx.Tracer):
    """Calls every Linear and Conv2d as a whole, those of a class of one's own too."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, nn.Linear | nn.Conv2d) or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Runs a graph and notes the shape of every tensor."""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if any(isinstance(each, Tensor) for each in tree_leaves(result)):
            n.meta["shape"] = tuple(result.shape) if isinstance(result, Tensor) else None
        return result


def _weighs(layer: nn.Module) -> bool:
    """Whether ``layer`` itself holds a matrix of weights: of these a reader asks why they have no factors."""
    if is_parametrized(layer) or isinstance(layer, nn.Linear | nn.Conv2d):
        return True
    return any(each.ndim > 1 and "weight" in name for name, each in layer.named_parameters(recurse=False))


def _unfit(module: nn.Module, name: str, layer: nn.Module, calls: list[fx.Node]) -> str | None:
    """Why ``layer`` can have no factors, whatever comes behind it; None where nothing speaks against it."""
    if is_parametrized(layer):
        return "its weight is computed by a parametrization"
    if not isinstance(layer, nn.Linear | nn.Conv2d):
        return f"it is of class {type(layer).__name__}, and only Linear and Conv2d layers are switched"
    if not _computes_as(layer):
        return f"its class {type(layer).__name__} has a forward that may do more with its weights than a matrix product"
    if "weight" not in dict(layer.named_parameters(recurse=False)):
        return "its weight is no parameter, as under weight_norm"
    for other, each in module.named_modules(remove_duplicate=False):
        if other != name and getattr(each, "weight", None) is layer.weight:
            return f"it shares its weights with {other}"
    if len(calls) != 1:
        return f"forward calls it {len(calls)} times" if calls else "forward does not call it as a module"
    if isinstance(layer, nn.Conv2d) and layer.groups > 1:
        return f"it is a grouped convolution (groups={layer.groups})"
    read = calls[0].all_input_nodes[0].meta["shape"]
    if isinstance(layer, nn.Linear) and len(read) != 2:
        return f"it reads a tensor of shape {_by(read)}, and not (images, inputs)"
    return None


def _computes_as(layer: nn.Linear | nn.Conv2d) -> bool:
    """Whether the layer, of a subclass perhaps, computes what torch's own layer does: it has no forward of its own."""
    if isinstance(layer, SelectedLinear):
        return True
    if isinstance(layer, nn.Linear):
        return type(layer).forward is nn.Linear.forward
    return all(getattr(type(layer), each) is getattr(nn.Conv2d, each) for each in ("forward", "_conv_forward"))


def _path(start: fx.Node, layers: dict[str, nn.Module], unfit: dict[str, str]) -> Path:
    """Follow the outputs of the layer called at ``start`` to the one layer that reads them."""
    node, source, channels = start, str(start.target), start.meta["shape"][1]
    while True:
        users = [user for user in node.users if user.op == "output" or "shape" in user.meta]  # not x.size(0)
        if len(users) > 1:
            ways = " and to ".join(map(said, users[:2])) + (f" and {len(users) - 2} more" if len(users) > 2 else "")
            raise Refused(f"its output goes {len(users)} ways, as in a skip connection: to {ways}")
        if not users or users[0].op == "output":
            raise Refused("its output is the module's output")
        user = users[0]
        if len([each for each in user.all_input_nodes if "shape" in each.meta]) > 1:
            raise Refused(f"its output meets another path, as in a skip connection, in {said(user)}")
        if user.op == "call_module" and str(user.target) in layers:
            return _read(source, channels, str(user.target), layers, unfit)
        if reason := mixes(user, node, channels):
            raise Refused(reason)
        node = user


def _read(source: str, channels: int, reader: str, layers: dict[str, nn.Module], unfit: dict[str, str]) -> Path:
    """The path that ends in the layer ``reader``; :class:`Refused` where that layer can take no factors."""
    if reader in unfit:
        raise Refused(f"its output is read by {reader}: {unfit[reader]}")
    if isinstance(layers[reader], SelectedLinear):
        raise Refused(f"its output is read by {reader}, which picks some of its values already (SelectedLinear)")
    inputs = dict(layers[reader].named_parameters())["weight"].shape[1]
    return Path(source, reader, inputs // channels)


def _by(shape: tuple[int, ...] | torch.Size) -> str:
    return " x ".join(map(str, shape))
