"""The task network: Eq. 2's factors, its initial weights, its widths."""

import pytest
import torch
from torch.nn import functional as F

from snnlib.networks import MLP


def test_forward_is_equation_2():
    network = MLP((5, 4, 3), generator=torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        for layer in network.layers:
            layer.bias.normal_()
    draw = torch.Generator().manual_seed(1)
    X = torch.randn(6, 5, generator=draw, dtype=torch.float64)
    g1, g2 = torch.rand(5, generator=draw, dtype=torch.float64), torch.rand(4, generator=draw, dtype=torch.float64)
    W1, W2 = network.linear_weights()
    b1, b2 = (layer.bias for layer in network.layers)
    expected = (F.relu((X * g1) @ W1 + b1) * g2) @ W2 + b2
    torch.testing.assert_close(network(X, [g1, g2]), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(network(X, [torch.ones(5), torch.ones(4)]), network(X), rtol=0, atol=0)


def test_images_are_flattened_and_chosen_pixels_read():
    network = MLP((2, 3), inputs=torch.tensor([5, 0]))
    images = torch.rand(4, 1, 2, 3)
    assert torch.equal(network(images), network.layers[0](images.flatten(1)[:, [5, 0]]))


def test_weights_are_a_zero_mean_normal_and_biases_zero():
    network = MLP(fc_std=0.1, generator=torch.Generator().manual_seed(0))
    weight = network.layers[0].weight
    assert network.widths == (784, 300, 100, 10) and network.gate_widths() == (784, 300, 100)
    assert abs(weight.mean()) < 1e-3 and abs(weight.std() - 0.1) < 1e-3
    assert not any(layer.bias.any() for layer in network.layers)
    assert [tuple(w.shape) for w in network.linear_weights()] == [(784, 300), (300, 100), (100, 10)]


def test_the_generator_alone_decides_the_weights():
    torch.manual_seed(0)
    first = MLP((6, 5, 4), generator=torch.Generator().manual_seed(7))
    state = torch.get_rng_state()
    second = MLP((6, 5, 4), generator=torch.Generator().manual_seed(7))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))
    other = MLP((6, 5, 4), generator=torch.Generator().manual_seed(8))
    assert not torch.equal(first.layers[0].weight, other.layers[0].weight)


@pytest.mark.parametrize("widths", [(), (5,), (5, 0), (5, 0, 3), (-1, 3)])
def test_impossible_widths_are_named(widths):
    with pytest.raises(ValueError, match="give at least an input and an output width"):
        MLP(widths)


def test_gates_of_the_wrong_number_are_named():
    with pytest.raises(ValueError, match=r"1 gates for 2 layers.*\(5, 4\)"):
        MLP((5, 4, 3))(torch.rand(2, 5), [torch.ones(5)])
