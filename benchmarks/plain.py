"""The method in plain PyTorch: standard layers, default memory layout, gradients of both sides, a DataLoader.

The yardstick of the benchmarks and the oracle of the tests. It takes its weights from the library's own modules, so
that both start from the same numbers, and it shares no code with the fast paths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from snnlib.config import TrainConfig
from snnlib.switching.switched import Switched
from snnlib.switching.switcher import Switcher


class PlainSwitcher(nn.Module):
    """A :class:`~snnlib.switching.switcher.Switcher` as one would write it first: (1, layers, rows, cols) to (layers,
    rows)."""

    def __init__(self, switcher: Switcher) -> None:
        super().__init__()
        config, (layers, _rows, cols) = switcher.config, switcher.size
        self.transposed = config.upsample == "transposed"
        self.encoder, self.row_convolutions, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.tap_biases = nn.ParameterList()
        width, incoming = cols, layers
        for conv, row_convolution in zip(switcher.encoder, switcher.row_convolutions):
            own = nn.Conv2d(
                incoming, conv.out_channels, config.kernel, stride=(1, config.width_stride), padding=conv.padding
            )
            _copy(own, conv.weight, conv.bias)
            self.encoder.append(own)
            width, incoming = (width - 1) // config.width_stride + 1, conv.out_channels
            self.row_convolutions.append(self._row_convolution(row_convolution, incoming, width))
            width = -(-width // 2)
        self.bottom = self._row_convolution(switcher.bottom, incoming, width)
        for layer in switcher.decoder:
            if self.transposed:
                outputs = layer.out_features // 2
                own = nn.ConvTranspose2d(layer.in_features, outputs, (2, 1), stride=(2, 1), bias=False)
                taps = layer.weight.detach().view(2, outputs, layer.in_features)
                _copy(own, taps.permute(2, 1, 0)[..., None])
                self.tap_biases.append(
                    layer.bias.detach().view(2, outputs).t().clone()
                )  # one for each tap, see Switcher
            else:
                inputs = layer.in_features // 3
                own = nn.Conv2d(inputs, layer.out_features, (3, 1), padding=(1, 0))
                _copy(own, layer.weight.detach().view(-1, 3, inputs).permute(0, 2, 1)[..., None], layer.bias)
            self.decoder.append(own)
        self.head = nn.Conv2d(switcher.head.in_features, layers, 1)
        _copy(self.head, switcher.head.weight[..., None, None], switcher.head.bias)

    @staticmethod
    def _row_convolution(layer: nn.Linear, channels: int, width: int) -> nn.Conv2d:
        own = nn.Conv2d(channels, layer.out_features, (1, width))
        _copy(own, layer.weight.detach().view(-1, width, channels).permute(0, 2, 1)[:, :, None], layer.bias)
        return own

    def forward(self, packed: Tensor) -> Tensor:
        h, levels = packed[None], []
        for conv, row_convolution in zip(self.encoder, self.row_convolutions):
            h = F.relu(conv(h))
            levels.append(row_convolution(h))
            h = F.max_pool2d(h, 2, ceil_mode=True)
        u = self.bottom(h)
        for index, (layer, level) in enumerate(zip(self.decoder, reversed(levels))):
            rows = level.shape[2]
            if self.transposed:
                u = layer(u)
                bias = self.tap_biases[index].repeat(1, u.shape[2] // 2)  # taps by turns along the rows
                u = (u + bias[None, :, :, None])[:, :, :rows]
            else:
                u = layer(u.repeat_interleave(2, dim=2)[:, :, :rows])
            u = torch.cat([F.relu(u), level], dim=1)
        return F.relu(self.head(u))[0, :, :, 0]


def _copy(layer: nn.Module, weight: Tensor, bias: Tensor | None = None) -> None:
    with torch.no_grad():
        layer.to(weight.device, weight.dtype)
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)


class Plain(nn.Module):
    """``model``'s task network with plain switchers around it; the networks themselves are plain modules already."""

    def __init__(self, model: Switched, network: nn.Module) -> None:
        super().__init__()
        self.network, self.switcher, self.readers, self.kernel_switcher = (
            network,
            PlainSwitcher(model.switcher),
            None,
            None,
        )
        if model.kernel_switcher is not None:
            self.readers = nn.ModuleList()
            for reader in model.kernel_switcher.readers:
                own = nn.Conv2d(reader.in_channels, reader.out_channels, reader.kernel_size)
                _copy(own, reader.weight, reader.bias)
                self.readers.append(own)
            self.kernel_switcher = PlainSwitcher(model.kernel_switcher.switcher)

    def switcher_parameters(self) -> list[nn.Parameter]:
        """What a switcher step trains."""
        return [parameter for name, parameter in self.named_parameters() if not name.startswith("network.")]

    def gates(self) -> list[Tensor]:
        """Factors of each gated layer, as :meth:`Switched.gates`."""
        found = []
        if self.readers is not None:
            kernels = self.network.kernel_weights()
            rows = torch.cat([reader(kernel)[:, :, 0, 0] for reader, kernel in zip(self.readers, kernels)])
            found += self.kernel_switcher(rows[None])[0].split([len(kernel) for kernel in kernels])
        weights = self.network.linear_weights()
        height, width = max(w.shape[0] for w in weights), max(w.shape[1] for w in weights)
        packed = torch.stack([F.pad(w, (0, width - w.shape[1], 0, height - w.shape[0])) for w in weights])
        return found + [row[: len(w)] for row, w in zip(self.switcher(packed), weights)]

    def step(self, phase: str, sgd: torch.optim.SGD, x: Tensor, y: Tensor, clip: float | None) -> Tensor:
        """One step of ``phase`` ("switcher" or "network"); gradients of both sides are computed, one side moves."""
        self.zero_grad()
        loss = F.cross_entropy(self.network(x, self.gates()), y)
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(
                self.switcher_parameters() if phase == "switcher" else self.network.parameters(), clip
            )
        sgd.step()
        return loss.detach()


def sgds(model: Plain, config: TrainConfig) -> dict[str, torch.optim.SGD]:
    """One optimizer a phase."""
    options = {"lr": config.rate, "momentum": config.momentum, "weight_decay": config.weight_decay, "foreach": False}
    return {
        "switcher": torch.optim.SGD(model.switcher_parameters(), **options),
        "network": torch.optim.SGD(model.network.parameters(), **options),
    }


def loader(x: Tensor, y: Tensor, batch_size: int, orders: Sequence[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of uint8 images ``x`` through a DataLoader, scaled to 0..1, in the order of ``orders`` (one an epoch)."""
    dataset = TensorDataset(x, y)
    for order in orders:
        for images, labels in DataLoader(dataset, batch_size, sampler=order.tolist()):
            yield images.float() / 255, labels
