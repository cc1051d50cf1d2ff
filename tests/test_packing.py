"""Packing: an exact inverse, rows that know their owner, and padding that is data but no neuron."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snnlib.config import SwitcherConfig
from snnlib.networks import MLP
from snnlib.switching.packing import PackedWeights, pack_linear, packed_size
from snnlib.switching.switcher import Switcher

SHAPES = st.lists(st.tuples(st.integers(1, 15), st.integers(1, 15)), min_size=1, max_size=5)


def weights_of(shapes, seed=0, dtype=torch.float32):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=draw, dtype=dtype) for shape in shapes]


@settings(deadline=None, max_examples=50)
@given(shapes=SHAPES, dtype=st.sampled_from([torch.float32, torch.float64]))
def test_unpacking_gives_back_every_bit(shapes, dtype):
    weights = weights_of(shapes, dtype=dtype)
    weights[0][0, 0] = -0.0  # a sign that a sum with padding would lose
    packed = pack_linear(weights)
    assert packed.tensor.shape == packed_size(shapes) and packed.tensor.dtype == dtype
    for weight, again in zip(weights, packed.unpack(), strict=True):
        fresh = again.clone(
            memory_format=torch.contiguous_format
        )  # contiguous() leaves the stride of a single number as it is
        assert torch.equal(weight.view(torch.uint8), fresh.view(torch.uint8))


def test_values_that_are_no_numbers_survive_too():
    weight = torch.tensor([[float("nan"), float("inf")], [-float("inf"), 1e-45]])
    again = pack_linear([torch.ones(5, 1), weight]).unpack()[1]
    assert torch.equal(weight.view(torch.int32), again.contiguous().view(torch.int32))


@settings(deadline=None, max_examples=30)
@given(shapes=SHAPES)
def test_owner_and_mask_mark_exactly_the_neurons(shapes):
    packed = pack_linear(weights_of(shapes))
    layers, rows, _ = packed.tensor.shape
    for layer in range(layers):
        for row in range(rows):
            neuron = row < shapes[layer][0]
            assert bool(packed.mask[layer, row]) == neuron
            assert int(packed.owner[layer, row]) == (layer if neuron else -1)


@settings(deadline=None, max_examples=30)
@given(shapes=SHAPES)
def test_everything_that_is_no_weight_is_zero(shapes):
    weights = [torch.ones(shape) for shape in shapes]
    assert pack_linear(weights).tensor.sum() == sum(rows * cols for rows, cols in shapes)


@settings(deadline=None, max_examples=30)
@given(shapes=SHAPES)
def test_padded_rows_give_no_factor(shapes):
    packed = pack_linear(weights_of(shapes))
    layers, rows, _ = packed.tensor.shape
    factors = torch.arange(layers * rows, dtype=torch.float32).reshape(layers, rows)
    gates = packed.split(factors)
    assert [len(gate) for gate in gates] == [inputs for inputs, _ in shapes]
    assert torch.equal(torch.cat(gates), factors[packed.mask])


def test_rows_of_an_mlp_are_its_neurons():
    network = MLP((4, 7, 2))  # a layer wider than the first
    packed = pack_linear(network.linear_weights())
    assert packed.tensor.shape == (2, 7, 7) and packed.shapes == ((4, 7), (7, 2))
    assert torch.equal(packed.tensor[0, 3], network.layers[0].weight[:, 3])  # row 3: the weights that leave neuron 3
    assert torch.equal(packed.tensor[1, 6, :2], network.layers[1].weight[:, 6])
    assert [len(gate) for gate in packed.split(torch.ones(2, 7))] == list(network.gate_widths())


def test_the_published_mlp_has_784_300_and_100_factors():
    packed = pack_linear(MLP().linear_weights())
    assert packed.tensor.shape == (3, 784, 300)
    assert packed.mask.sum(1).tolist() == [784, 300, 100]


def test_gradient_reaches_weights_and_stops_at_padding_and_detach():
    weights = [weight.requires_grad_() for weight in weights_of([(3, 2), (5, 4)], dtype=torch.float64)]
    packed = pack_linear(weights)
    coefficients = torch.randn(packed.tensor.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (packed.tensor * coefficients).sum().backward()
    assert torch.equal(weights[0].grad, coefficients[0, :3, :2]) and torch.equal(
        weights[1].grad, coefficients[1, :5, :4]
    )
    detached = packed.detach()
    assert (
        not detached.tensor.requires_grad
        and detached.shapes == packed.shapes
        and torch.equal(detached.tensor, packed.tensor)
    )


def test_padding_gets_no_factor_but_is_data_to_the_convolutions():
    """The zeros beside a narrow layer are read with everything else: other values there would change real factors."""
    shapes = [(9, 6), (4, 3)]
    packed = pack_linear(weights_of(shapes, dtype=torch.float64))
    switcher = Switcher(SwitcherConfig(width_stride=1), *packed.tensor.shape, torch.Generator().manual_seed(0)).double()
    before = torch.cat(packed.split(switcher.scores(packed)))
    matrix = packed.tensor.clone()
    matrix[1, 4:, :] = 1.0
    after = torch.cat(packed.split(switcher.scores(PackedWeights(matrix, shapes))))
    assert (before - after).abs().max() > 1e-3


@pytest.mark.parametrize(
    "weights, problem",
    [
        ([], "no weights to pack"),
        ([torch.ones(2, 2), torch.ones(3)], r"layer 1 has shape \(3,\)"),
        ([torch.ones(0, 2)], r"layer 0 has shape \(0, 2\)"),
        ([torch.ones(1, 2, 3)], r"layer 0 has shape \(1, 2, 3\)"),
    ],
)
def test_what_cannot_be_packed_is_named(weights, problem):
    with pytest.raises(ValueError, match=problem):
        pack_linear(weights)
