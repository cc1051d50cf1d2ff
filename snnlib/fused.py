"""The switcher's scores on the CPU as one operation: fused encoder blocks, then the decoder with its own backward pass.

The decoder's matrices are small, so that in autograd its cost is that of keeping books, not of computing. Here the few
products are written out forward and backward. :meth:`snnlib.switcher.Switcher.scores` says what is computed; tests hold
the two against each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from . import encoder
from .config import SwitcherConfig


def usable(layers: Sequence[Tensor], config: SwitcherConfig) -> bool:
    """Whether these weights can be read here: on the CPU, with a C compiler at hand, kernels 3, 5 or 7 rows high."""
    first = layers[0]
    if first.device.type != "cpu" or config.kernel[0] not in encoder.HEIGHTS or config.batch_norm or torch.compiler.is_compiling():
        return False
    if any(torch._C._functorch.is_functorch_wrapped_tensor(layer) for layer in layers):
        return False  # torch.func looks into operations of torch only
    return encoder.library(first.dtype) is not None


def three_rows(u: Tensor) -> Tensor:
    """Each row with its neighbours, zeros at both ends: (rows, channels) to (rows, 3 * channels)."""
    padded = F.pad(u, (0, 0, 1, 1))
    return torch.cat([padded[:-2], padded[1:-1], padded[2:]], dim=1)


def three_rows_back(grad: Tensor) -> Tensor:
    """Gradient (rows, channels) of the input of :func:`three_rows` from that of its output."""
    above, here, below = grad.chunk(3, dim=1)
    found = here.clone()
    found[:-1] += above[1:]
    found[1:] += below[:-1]
    return found


def twice(grad: Tensor, rows: int) -> Tensor:
    """Gradient (rows, channels) of rows that were repeated twice, the last one perhaps cut off."""
    return F.pad(grad, (0, 0, 0, 2 * rows - len(grad))).view(rows, 2, -1).sum(1)


class Scores(torch.autograd.Function):
    """Scores (layers, rows) before the switcher's last ReLU.

    ``config`` and ``size`` are the switcher's. ``parameters``: weight and bias of each convolution and row convolution
    by turns, of the bottom, of each decoder level and of the head; then the layers' weights (outputs, inputs).
    """

    @staticmethod
    def forward(ctx, config: SwitcherConfig, size: tuple[int, int, int], *parameters: Tensor) -> Tensor:
        depth = len(config.channels)
        own, layers = [each.contiguous() for each in parameters[: 6 * depth + 4]], parameters[6 * depth + 4 :]
        (_, rows, width), stacks = size, [layer.contiguous()[None] for layer in layers]
        blocks, levels = [], []
        for level in range(depth):
            width = (width - 1) // config.width_stride + 1
            blocks.append(encoder.Block(stacks, *own[4 * level : 4 * level + 4], rows, width, config.width_stride))
            features, pooled = blocks[-1].forward()
            levels.append(features)
            stacks, rows, width = [pooled], (rows + 1) // 2, (width + 1) // 2
        rest = own[4 * depth :]
        flat = pooled.permute(2, 1, 0).reshape(rows, -1)
        inputs, u = [flat], torch.addmm(rest[1], flat, rest[0].t())
        for level in range(depth):
            inputs.append(u)
            features, weight, bias = levels[-1 - level], rest[2 + 2 * level], rest[3 + 2 * level]
            if config.upsample == "resize":
                up = torch.addmm(bias, three_rows(u.repeat_interleave(2, dim=0)[: features.shape[1]]), weight.t()).relu_()
            else:
                up = torch.addmm(bias, u, weight.t()).relu_().view(2 * len(u), -1)[: features.shape[1]]
            u = torch.cat([up, features.t()], dim=1)
        ctx.blocks, ctx.own, ctx.depth, ctx.resize = blocks, own, depth, config.upsample == "resize"
        ctx.save_for_backward(*inputs, u, *layers)  # versions of the weights are watched by autograd
        return torch.addmm(rest[-1], u, rest[-2].t()).t()

    @staticmethod
    @once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        depth, blocks, rest = ctx.depth, ctx.blocks, ctx.own[4 * ctx.depth :]
        flat, *inputs = ctx.saved_tensors[: depth + 2]
        needed = ctx.needs_input_grad[2:]
        ours, others = any(needed[: 6 * depth + 4]), needed[6 * depth + 4 :]
        grads: list[Tensor | None] = [None] * (6 * depth + 4)

        def linear(at: int, x: Tensor, g: Tensor) -> Tensor:
            """Gradient of the input ``x`` of the linear map at ``at``; keeps those of its weight and bias."""
            if ours:
                grads[4 * depth + at], grads[4 * depth + at + 1] = g.t() @ x, g.sum(0)
            return g @ rest[at]

        g, features = linear(2 * depth + 2, inputs[-1], grad.t()), []
        for level in reversed(range(depth)):
            u, joined = inputs[level], inputs[level + 1]
            channels = g.shape[1] // 2
            features.append(g[:, channels:].t())  # finest level first
            if ctx.resize:
                up = three_rows(u.repeat_interleave(2, dim=0)[: len(g)])
                g = twice(three_rows_back(linear(2 + 2 * level, up, g[:, :channels] * (joined[:, :channels] > 0))), len(u))
                continue
            up = g.new_zeros(2 * len(u), channels)
            torch.mul(g[:, :channels], joined[:, :channels] > 0, out=up[: len(g)])
            g = linear(2 + 2 * level, u, up.view(len(u), -1))
        last = blocks[-1]
        pooled = linear(0, flat, g).view(len(g), -1, len(last.weight)).permute(2, 1, 0)
        for level in reversed(range(depth)):
            wanted = others if level == 0 else [True]
            grads[4 * level : 4 * level + 4], inner = blocks[level].backward(features[level], pooled, ours, wanted)
            pooled = inner[0]
        return (None, None, *grads, *(None if each is None else each[0] for each in inner))
