"""The switcher (SNN): a U-Net over rows that reads packed weights and puts out one factor a row (section 3.1).

Encoder: blocks of convolution, ReLU and 2 x 2 max pooling. A row convolution a level takes the width to 1.
Decoder: transposed convolutions along the rows, each concatenated with the row-convolved feature of its level.
Last, a ReLU. The paper fixes this much; the numbers are settings (:class:`~snnlib.config.SwitcherConfig`).

Activations are laid out channels last: a row convolution, which covers the whole width, is then one matrix
product of (rows, width * channels), and so is a transposed convolution of kernel 2 and stride 2 over rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..config import SwitcherConfig
from ..networks.initial import as_torch, blank, module_list, zero_bias
from ..optional import fused
from .packing import PackedWeights


class Switcher(nn.Module):
    """Maps :class:`~snnlib.switching.packing.PackedWeights` (layers, rows, cols) to factors (layers, rows), all >= 0.

    Any number of rows and columns, odd ones too: pooling rounds up and the decoder crops. Weights are drawn from
    ``generator`` (Kaiming normal, biases 0). Call :meth:`calibrate` once on the initial weights. Raises ``ValueError``
    for an empty size, and where ``config.batch_norm`` would normalise a single number.
    """

    def __init__(
        self, config: SwitcherConfig, layers: int, rows: int, cols: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        if min(layers, rows, cols) < 1:
            raise ValueError(f"packed weights of size {(layers, rows, cols)}: every size must be 1 or more")
        self.config, self.size = config, (layers, rows, cols)
        padding = (config.kernel[0] // 2, config.kernel[1] // 2)
        encoder: list[nn.Conv2d] = []
        norms: list[nn.Module] = []
        row_convolutions: list[nn.Linear] = []
        incoming, width = layers, cols
        for level, channels in enumerate(config.channels):
            encoder.append(blank(nn.Conv2d, incoming, channels, config.kernel, (1, config.width_stride), padding))
            width = (width - 1) // config.width_stride + 1
            if config.batch_norm and width * math.ceil(rows / 2**level) == 1:
                raise ValueError(
                    f"batch_norm: level {level + 1} of the switcher has one number a channel, which has no deviation; "
                    "take fewer channels"
                )
            # there is one matrix and no batch: statistics over rows and columns, the same in training and afterwards
            norms.append(nn.BatchNorm2d(channels, track_running_stats=False) if config.batch_norm else nn.Identity())
            row_convolutions.append(blank(nn.Linear, width * channels, channels))
            incoming, width = channels, math.ceil(width / 2)
        bottom = blank(nn.Linear, width * incoming, incoming)
        decoder: list[nn.Linear] = []
        for channels in reversed(config.channels):
            outputs, inputs = (channels, 3 * incoming) if config.upsample == "resize" else (2 * channels, incoming)
            decoder.append(blank(_OneBias if config.upsample == "one-bias" else nn.Linear, inputs, outputs))
            incoming = 2 * channels  # upsampled and row-convolved features, concatenated
        # in this order: saved momentum buffers count parameters in it
        self.encoder, self.norms = module_list(encoder), module_list(norms)
        self.row_convolutions, self.decoder = module_list(row_convolutions), module_list(decoder)
        self.bottom, self.head = bottom, blank(nn.Linear, incoming, layers)
        self.to(memory_format=torch.channels_last)
        with torch.no_grad():
            for layer in self._layers():
                if config.start == "torch":
                    as_torch(layer, generator)
                else:
                    layer.weight.normal_(0.0, math.sqrt(2 / layer.weight[0].numel()), generator=generator)
                    zero_bias(layer)

    def forward(self, packed: PackedWeights) -> Tensor:
        """Factors (layers, rows): 0 prunes a neuron, below 1 weakens it, 1 and above strengthens it."""
        return torch.relu(self.scores(packed))

    def scores(self, packed: PackedWeights) -> Tensor:
        """The output before its ReLU, (layers, rows)."""
        if packed.size != self.size:
            raise ValueError(f"packed weights of size {packed.size} for a switcher built for {self.size}")
        if (
            fused is not None
            and packed.layers is not None
            and fused.usable(packed.layers, self.config)
            and not self._watched()
        ):
            layers = (weight.t() for weight in packed.layers)
            return fused.Scores.apply(self.config, self.size, *self._in_order(), *layers)
        h = packed.tensor[None]  # (1, layers, rows, cols), channels last as it is packed
        levels: list[Tensor] = []
        for conv, norm, row_convolution in zip(self.encoder, self.norms, self.row_convolutions):
            h = F.relu(norm(conv(h)))  # (1, channels, rows at this level, width)
            levels.append(row_convolution(_as_rows(h)))  # (rows, channels)
            h = F.max_pool2d(h, 2, ceil_mode=True)
        u = self.bottom(_as_rows(h))
        for upsampling, level in zip(self.decoder, reversed(levels)):
            u = F.relu(self._upsample(upsampling, u, len(level)))
            u = torch.cat([u, level], dim=1)  # (rows, 2 * channels)
        return self.head(u).t()  # (layers, rows)

    def _layers(self) -> Iterator[nn.Conv2d | nn.Linear]:
        """Every layer with weights, in the order in which they are drawn."""
        return chain(self.encoder, self.row_convolutions, self.decoder, (self.bottom, self.head))

    def _watched(self) -> bool:
        """Whether a part has a hook: the parts must then be called one by one."""
        return any(module._forward_hooks or module._forward_pre_hooks for module in self.modules())

    def _in_order(self) -> Iterator[Tensor | None]:
        """Weights and biases from the first convolution to the head, as :mod:`snnlib.fast.fused` takes them."""
        blocks = chain.from_iterable(zip(self.encoder, self.row_convolutions))
        for layer in (*blocks, self.bottom, *self.decoder, self.head):
            yield layer.weight
            yield layer.bias.repeat(2) if isinstance(layer, _OneBias) else layer.bias

    def _upsample(self, layer: nn.Linear, u: Tensor, rows: int) -> Tensor:
        """Twice as many rows, cropped to ``rows``: a transposed convolution, or repetition and a convolution.

        The transposed convolution has a bias for each tap, where torch's has one for both: even and odd rows may
        drift apart in training. "one-bias" has torch's, and "resize" no difference between even and odd rows at all.
        """
        if self.config.upsample != "resize":
            return layer(u).reshape(2 * len(u), -1)[:rows]  # kernel 2, stride 2: one product, two rows from each
        u = F.pad(u.repeat_interleave(2, dim=0)[:rows], (0, 0, 1, 1))
        return layer(torch.cat([u[:-2], u[1:-1], u[2:]], dim=1))  # kernel 3 over rows

    @torch.no_grad()
    def calibrate(self, packed: PackedWeights) -> None:
        """Set the start so that each layer's scores on ``packed`` have the mean and spread of the settings.

        Without this whole layers often start at factor 0, and a network with a dead layer gets no gradient at all.
        The head is scaled and shifted; a layer whose scores do not vary (one neuron, say) gets the mean alone.
        With ``scale_inputs`` the first convolution is scaled before, so that each layer's weights arrive with a root
        mean square of 1. Otherwise weights of std 0.01 need a gain of about 100 in the head, and a single step of the
        switcher can then switch a whole layer off.
        """
        if not self.config.calibrate:
            return
        if self.config.scale_inputs:
            for index, weight in enumerate(packed.unpack()):
                size = weight.square().mean().sqrt()
                if size > 1e-8:
                    self.encoder[0].weight[:, index] /= size
        mean, spread = self.config.initial_mean, self.config.initial_spread
        for index, scores in enumerate(packed.split(self.scores(packed))):
            deviation = scores.std(correction=0)
            gain = spread / deviation if deviation > 1e-8 else torch.ones_like(deviation)
            self.head.weight[index] *= gain
            self.head.bias[index] = mean - gain * (scores.mean() - self.head.bias[index])


class _OneBias(nn.Linear):
    """A transposed convolution of kernel 2 and stride 2 along rows as torch has it: both taps share their biases."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.bias = nn.Parameter(torch.empty(outputs // 2))

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, self.weight, self.bias.repeat(2))


def _as_rows(h: Tensor) -> Tensor:
    """(1, channels, rows, width), channels last, to (rows, width * channels) without a copy."""
    return h.permute(0, 2, 3, 1).reshape(h.shape[2], -1)
