"""The switcher: any size gives factors >= 0, calibrated at the start, and the matrix products are convolutions."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from snnlib.config import SwitcherConfig
from snnlib.networks import MLP
from snnlib.seeds import generator
from snnlib.switching.packing import PackedWeights, pack_linear
from snnlib.switching.switched import Switched, dead_layers
from snnlib.switching.switcher import Switcher

VARIANTS = [
    SwitcherConfig(channels=channels, kernel=kernel, width_stride=stride, upsample=upsample)
    for channels, kernel, stride, upsample in itertools.product(
        [(4, 8, 16), (3,)], [(3, 3), (1, 5)], [1, 3], ["transposed", "resize"]
    )
]


def packed_of(*shapes, seed=0, dtype=torch.float64):
    draw = torch.Generator().manual_seed(seed)
    return pack_linear([torch.randn(shape, generator=draw, dtype=dtype) for shape in shapes])


def switcher_for(packed, config=SwitcherConfig(), seed=0, biases=False):
    switcher = Switcher(config, *packed.tensor.shape, generator=torch.Generator().manual_seed(seed)).to(
        packed.tensor.dtype
    )
    if biases:  # nonzero, so that a bias in the wrong place shows
        with torch.no_grad():
            for name, parameter in switcher.named_parameters():
                if name.endswith("bias"):
                    parameter.normal_(generator=torch.Generator().manual_seed(seed + 1))
    return switcher


@settings(deadline=None, max_examples=60)
@given(
    config=st.sampled_from(VARIANTS),
    shapes=st.lists(st.tuples(st.integers(1, 33), st.integers(1, 33)), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_any_size_gives_a_factor_a_row_and_none_is_negative(config, shapes, seed):
    packed = packed_of(*shapes, seed=seed)
    switcher = switcher_for(packed, config, seed)
    factors, scores = switcher(packed), switcher.scores(packed)
    assert factors.shape == packed.tensor.shape[:2] and bool(torch.isfinite(factors).all())
    assert torch.equal(factors, scores.clamp(min=0))
    switcher.calibrate(packed)
    again = packed.split(switcher.scores(packed))
    for scores in again:
        assert abs(scores.mean() - config.initial_mean) < 1e-6


@pytest.mark.parametrize("size", [(1, 1, 1), (1, 1, 9), (2, 7, 1), (3, 28, 300), (1, 2, 2)])
def test_extreme_sizes(size):
    layers, rows, cols = size
    packed = packed_of(*[(rows, cols)] * layers)
    for config in VARIANTS:
        assert switcher_for(packed, config)(packed).shape == (layers, rows)


class Reference(nn.Module):
    """The switcher up to its last ReLU as section 3.1 words it, of torch's own convolutions on (1, channels, rows,
    columns)."""

    def __init__(self, switcher: Switcher) -> None:
        super().__init__()
        config, (layers, _, width) = switcher.config, switcher.size
        self.upsample, incoming = config.upsample, layers
        self.encoder, self.row_convolutions, self.decoder = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for channels in config.channels:
            padding = (config.kernel[0] // 2, config.kernel[1] // 2)
            self.encoder.append(
                nn.Conv2d(incoming, channels, config.kernel, stride=(1, config.width_stride), padding=padding)
            )
            width = (width - 1) // config.width_stride + 1
            self.row_convolutions.append(nn.Conv2d(channels, channels, (1, width)))
            incoming, width = channels, -(-width // 2)
        self.bottom = nn.Conv2d(incoming, incoming, (1, width))
        for channels in reversed(config.channels):
            if self.upsample == "transposed":
                self.decoder.append(nn.ConvTranspose1d(incoming, channels, 2, stride=2))
            else:
                self.decoder.append(nn.Conv1d(incoming, channels, 3, padding=1))
            incoming = 2 * channels
        self.head = nn.Conv1d(incoming, layers, 1)
        self.double()
        with torch.no_grad():
            for ours, theirs in zip(self.encoder, switcher.encoder):
                ours.load_state_dict(theirs.state_dict())
            for ours, theirs in zip(
                [*self.row_convolutions, self.bottom], [*switcher.row_convolutions, switcher.bottom]
            ):
                outputs, inputs, _, columns = ours.weight.shape
                ours.weight.copy_(theirs.weight.reshape(outputs, columns, inputs).permute(0, 2, 1)[:, :, None])
                ours.bias.copy_(theirs.bias)
            for ours, theirs in zip(self.decoder, switcher.decoder):
                if self.upsample == "transposed":
                    inputs, outputs, taps = ours.weight.shape
                    ours.weight.copy_(theirs.weight.reshape(taps, outputs, inputs).permute(2, 1, 0))
                    even, odd = theirs.bias.chunk(2)
                    assert torch.equal(even, odd), "a transposed convolution has one bias a channel"
                    ours.bias.copy_(even)
                else:
                    outputs, inputs, taps = ours.weight.shape
                    ours.weight.copy_(theirs.weight.reshape(outputs, taps, inputs).permute(0, 2, 1))
                    ours.bias.copy_(theirs.bias)
            self.head.weight.copy_(switcher.head.weight[:, :, None])
            self.head.bias.copy_(switcher.head.bias)

    def forward(self, x):
        levels = []
        for conv, row_convolution in zip(self.encoder, self.row_convolutions):
            x = F.relu(conv(x))
            levels.append(row_convolution(x)[..., 0])  # (1, channels, rows)
            x = F.max_pool2d(x, 2, ceil_mode=True)
        u = self.bottom(x)[..., 0]
        for upsampling, level in zip(self.decoder, reversed(levels)):
            if self.upsample == "transposed":
                u = F.relu(upsampling(u)[..., : level.shape[-1]])
            else:
                u = F.relu(upsampling(F.interpolate(u, scale_factor=2)[..., : level.shape[-1]]))
            u = torch.cat([u, level], dim=1)
        return self.head(u)[0]


@pytest.mark.parametrize("config", VARIANTS, ids=lambda c: f"{c.channels}-{c.kernel}-{c.width_stride}-{c.upsample}")
@pytest.mark.parametrize("shapes", [[(16, 16), (16, 8)], [(27, 13), (13, 5), (5, 3)], [(7, 31)], [(1, 1)]])
def test_matrix_products_equal_torchs_convolutions(config, shapes):
    packed = packed_of(*shapes)
    switcher = switcher_for(packed, config, biases=True)
    with torch.no_grad():
        for layer in switcher.decoder if config.upsample == "transposed" else ():
            half = len(layer.bias) // 2
            layer.bias[half:] = layer.bias[:half]
    reference = Reference(switcher)
    ours, theirs = switcher.scores(packed), reference(packed.tensor[None])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-10)
    for mine, its in ((switcher.encoder[0], reference.encoder[0]), (switcher.head, reference.head)):
        got, expected = (
            torch.autograd.grad(out.square().sum(), part.weight, retain_graph=True)[0]
            for out, part in ((ours, mine), (theirs, its))
        )
        torch.testing.assert_close(got, expected.reshape(got.shape), rtol=1e-10, atol=1e-10)
        assert got.any()


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("mean, spread", [(1.0, 1.0), (0.3, 0.6), (1.0, 0.0), (2.0, 0.1)])
def test_calibration_sets_mean_and_spread_of_every_layer(mean, spread, scaled):
    for seed in range(4):
        network = MLP((60, 40, 20, 10), generator=generator(seed, "network")).double()
        packed = pack_linear(network.linear_weights())
        switcher = switcher_for(
            packed, SwitcherConfig(initial_mean=mean, initial_spread=spread, scale_inputs=scaled), seed, biases=True
        )
        switcher.calibrate(packed)
        for scores in packed.split(switcher.scores(packed)):
            assert abs(scores.mean() - mean) < 1e-9
            assert abs(scores.std(correction=0) - spread) < 1e-9


def test_calibration_reads_the_rows_that_are_neurons_alone():
    """A layer's padded rows may put out anything: with the real rows alone the spread is the one asked for."""
    packed = packed_of((40, 9), (6, 3))
    switcher = switcher_for(packed)
    switcher.calibrate(packed)
    scores = switcher.scores(packed)
    assert abs(scores[1, :6].std(correction=0) - 1) < 1e-9
    assert abs(scores[1].std(correction=0) - 1) > 1e-3


def test_scaled_inputs_make_the_start_blind_to_the_size_of_the_weights():
    """Each layer arrives at the first convolution with a root mean square of 1, whatever its own is."""
    weights = packed_of((40, 30), (30, 10)).unpack()
    packed, larger = pack_linear(weights), pack_linear([weights[0] * 0.01, weights[1] * 7])
    for scaled in (True, False):
        one, other = (switcher_for(packed, SwitcherConfig(scale_inputs=scaled)) for _ in range(2))
        one.calibrate(packed)
        other.calibrate(larger)
        apart = (one(packed) - other(larger)).abs().max()
        assert apart < 1e-9 if scaled else apart > 1e-2
    one = switcher_for(packed, SwitcherConfig(scale_inputs=True))
    before = one.encoder[0].weight.detach().clone()
    one.calibrate(packed)
    sizes = torch.stack([weight.square().mean().sqrt() for weight in weights])
    torch.testing.assert_close(one.encoder[0].weight * sizes[:, None, None], before, rtol=1e-12, atol=0)


def test_layer_of_zeros_is_left_unscaled():
    packed = pack_linear([torch.zeros(6, 4), torch.ones(4, 3)])
    switcher = switcher_for(packed)
    switcher.calibrate(packed)
    assert bool(torch.isfinite(switcher(packed)).all())


def test_layer_of_one_neuron_starts_at_the_mean():
    packed = packed_of((5, 1), (1, 3))
    switcher = switcher_for(packed, SwitcherConfig(initial_mean=0.7))
    switcher.calibrate(packed)
    assert abs(switcher(packed)[1, 0] - 0.7) < 1e-9


def test_no_layer_is_dead_at_the_start_but_without_calibration_some_are():
    """The trap of the default start: on several of eight seeds a whole layer has factor 0."""
    killed = 0
    for seed in range(8):
        network = MLP(generator=generator(seed, "network"))
        calibrated = Switched.around(network, SwitcherConfig(), generator(seed, "switcher"))
        assert dead_layers(calibrated.gates()) == []
        assert all((gate > 0).float().mean() > 0.5 for gate in calibrated.gates())
        plain = Switched.around(network, SwitcherConfig(calibrate=False), generator(seed, "switcher"))
        killed += bool(dead_layers(plain.gates()))
    assert killed >= 2


def test_initial_weights_are_kaiming_normal_and_drawn_from_the_generator_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first, second = (Switcher(SwitcherConfig(), 3, 784, 300, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))
    weight = first.row_convolutions[0].weight  # 4 outputs, 100 columns of 4 channels each
    assert weight.shape == (4, 400) and abs(weight.std() - (2 / 400) ** 0.5) < 0.005
    assert not any(value.any() for name, value in first.named_parameters() if name.endswith("bias"))


def test_factors_are_the_same_whatever_the_layout_in_memory():
    packed = packed_of((20, 12), (12, 5))
    plain, packed = (
        PackedWeights(packed.tensor.contiguous(), packed.shapes),
        PackedWeights(packed.tensor, packed.shapes),
    )
    switcher = switcher_for(packed)
    assert packed.tensor.stride() != plain.tensor.stride()
    torch.testing.assert_close(switcher(packed), switcher(plain), rtol=0, atol=1e-12)


def test_packed_weights_of_another_size_are_named():
    switcher = Switcher(SwitcherConfig(), 2, 5, 4)
    with pytest.raises(ValueError, match=r"size \(1, 5, 4\) for a switcher built for \(2, 5, 4\)"):
        switcher(packed_of((5, 4), dtype=torch.float32))
    with pytest.raises(ValueError, match="every size must be 1 or more"):
        Switcher(SwitcherConfig(), 2, 0, 4)


@pytest.mark.parametrize(
    "device",
    [
        pytest.param(
            "cuda",
            marks=[
                pytest.mark.cuda,
                pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
            ],
        )
    ],
)
def test_the_accelerator_gives_the_same_factors(device):
    packed = packed_of((784, 300), (300, 100), (100, 10))
    switcher = switcher_for(packed)
    switcher.calibrate(packed)
    moved = PackedWeights(packed.tensor.to(device), packed.shapes)
    torch.testing.assert_close(switcher.to(device)(moved).cpu(), switcher.cpu()(packed), rtol=0, atol=1e-9)


def test_torch_s_own_start_is_uniform_with_biases_and_drawn_from_the_generator():
    packed = packed_of((40, 30), (30, 10))
    config = SwitcherConfig(channels=(4, 8), start="torch")
    one, same, other = (switcher_for(packed, config, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters())) and not torch.equal(
        one.head.weight, other.head.weight
    )
    for layer in (*one.encoder, *one.row_convolutions, *one.decoder, one.bottom, one.head):
        bound = layer.weight[0].numel() ** -0.5
        assert (
            0.5 * bound < float(layer.weight.detach().abs().max()) <= bound
            and 0 < float(layer.bias.detach().abs().max()) <= bound
        )


def test_batch_norm_normalises_each_channel_by_its_own_rows_and_columns_in_training_and_afterwards():
    packed = packed_of((40, 30), (30, 10))
    switcher, seen = switcher_for(packed, SwitcherConfig(channels=(4, 8), batch_norm=True), biases=True), []
    for norm in switcher.norms:
        norm.register_forward_hook(lambda module, inputs, output: seen.append((inputs[0], output)))
    trained = switcher(packed)
    for taken, found in seen:
        mean, deviation = taken.mean((0, 2, 3), keepdim=True), taken.var((0, 2, 3), unbiased=False, keepdim=True)
        norm = next(norm for norm in switcher.norms if norm.num_features == taken.shape[1])
        expected = (taken - mean) / (deviation + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[
            :, None, None
        ]
        torch.testing.assert_close(found, expected)
    assert torch.equal(switcher.eval()(packed), trained)
    with pytest.raises(ValueError, match="level 2 of the switcher has one number a channel"):
        Switcher(SwitcherConfig(channels=(4, 8), batch_norm=True), 1, 2, 2)
