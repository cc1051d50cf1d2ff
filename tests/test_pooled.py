"""ReLU and max pooling as one operation: bit by bit what torch's operations give, and a network that uses it."""

import copy

import pytest
import torch
from torch.nn import functional as F

from snnlib.fast import pooled
from snnlib.networks import MLP, ConvNet, lenet5_caffe, vgg_cov2
from snnlib.networks.convnet import Stage
from snnlib.seeds import generator

DTYPES = (torch.float64, torch.float32, torch.bfloat16)


@pytest.fixture(autouse=True)
def compiled():
    if pooled.library(torch.float32) is None:
        pytest.skip("no C compiler here: torch's own operations are used")


def maps(*shape, dtype=torch.float64):
    """Random maps with many equal numbers, zeros and negative ones."""
    x = (2 * torch.randn(shape, generator=generator(0, "maps"), dtype=torch.float64)).round() / 2
    return x.to(dtype).contiguous(memory_format=torch.channels_last)


def theirs(x, flat):
    y = F.max_pool2d(F.relu(x), 2)
    return y.flatten(1) if flat else y


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 16, 2, 2), (2, 17, 5, 4), (3, 50, 8, 9), (1, 64, 33, 7)])
def test_values_and_gradients_are_torch_s_bit_by_bit(shape, dtype, flat):
    first, second = (maps(*shape, dtype=dtype).requires_grad_() for _ in range(2))
    assert pooled.usable(first)
    found, expected = pooled.relu_pooled(first, flat), theirs(second, flat)
    assert torch.equal(found, expected) and found.dtype == dtype
    assert flat or found.is_contiguous(memory_format=torch.channels_last)
    grad = torch.randn(expected.shape, generator=generator(0, "grad"), dtype=torch.float64).to(dtype)
    found.backward(grad)
    expected.backward(grad)
    assert torch.equal(first.grad, second.grad)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_a_number_stays_so(dtype):
    x = maps(2, 16, 4, 4, dtype=dtype)
    x[0, 3, 1, 2], x[1, 0, 0, 0], x[1, 5, 3, 3] = float("nan"), float("inf"), -float("nan")
    for flat in (False, True):
        assert torch.equal(pooled.relu_pooled(x, flat).isnan(), theirs(x, flat).isnan())
        assert torch.equal(pooled.relu_pooled(x, flat).isinf(), theirs(x, flat).isinf())


def test_a_gradient_that_is_stored_otherwise():
    first, second = (maps(2, 16, 4, 4).requires_grad_() for _ in range(2))
    one = torch.ones(1, dtype=torch.float64)
    pooled.relu_pooled(first, True).backward(one.expand(2, 64))
    theirs(second, True).backward(one.expand(2, 64))
    assert torch.equal(first.grad, second.grad)
    first.grad = second.grad = None
    pooled.relu_pooled(first).backward(torch.arange(128.0, dtype=torch.float64).view(2, 16, 2, 2))
    theirs(second, False).backward(torch.arange(128.0, dtype=torch.float64).view(2, 16, 2, 2))
    assert torch.equal(first.grad, second.grad)


@pytest.mark.parametrize(
    "x",
    [
        maps(2, 15, 4, 4, dtype=torch.float32),  # fill no register
        maps(2, 16, 4, 4).contiguous(),  # not channels last
        maps(2, 16, 4, 4).half(),
        maps(2, 16, 1, 4),
        maps(2, 16, 4, 4)[0],
        maps(2, 16, 4, 4).to("meta"),
    ],
    ids=["channels", "layout", "type", "size", "one image", "device"],
)
def test_what_it_was_not_made_for_is_left_to_torch(x):
    assert not pooled.usable(x)


@pytest.mark.parametrize("make, image", [(lenet5_caffe, (1, 28, 28)), (vgg_cov2, (3, 12, 12))])
def test_a_network_computes_what_it_does_with_torch_s_operations(monkeypatch, make, image):
    """With factors, some of them 0, and without: torch's way puts them before the pooling, the other behind it."""
    network = make(image, generator=generator(0, "network")).double()
    draw = generator(0, "factors")
    gates = [torch.relu(torch.randn(width, generator=draw, dtype=torch.float64)) for width in network.gate_widths()]
    x, y = torch.randn(5, *image, generator=draw, dtype=torch.float64), torch.arange(5)
    results = {}
    for name, available in (("ours", pooled), ("theirs", None)):
        monkeypatch.setattr("snnlib.networks.convnet.pooled", available)
        for given in (None, [gate.clone().requires_grad_() for gate in gates]):
            each = copy.deepcopy(network)
            logits = each(x) if given is None else each(x, given)
            F.cross_entropy(logits, y).backward()
            alive = [gate.grad * (gate > 0) for gate in given or []]  # the switcher's ReLU stops the others
            results[name, given is None] = [logits.detach(), *(p.grad for p in each.parameters()), *alive]
    for alone in (True, False):
        for ours, other in zip(results["ours", alone], results["theirs", alone], strict=True):
            assert torch.equal(ours, other) if alone else torch.allclose(ours, other, rtol=1e-9, atol=1e-14)


def test_in_bfloat16_a_network_is_as_near_as_with_torch_s_operations(monkeypatch):
    network, x = vgg_cov2((3, 12, 12), generator=generator(0, "network")), torch.randn(8, 3, 12, 12)
    gates = [torch.rand(width) for width in network.gate_widths()]
    exact = network.double()(x.double(), [gate.double() for gate in gates])
    off = {}
    for name, available in (("ours", pooled), ("theirs", None)):
        monkeypatch.setattr("snnlib.networks.convnet.pooled", available)
        with torch.autocast("cpu", torch.bfloat16):
            off[name] = float((network.float()(x, gates).double() - exact).norm() / exact.norm())
    assert 0 < off["ours"] < 2 * off["theirs"] < 0.1


def test_negative_factors_come_before_the_pooling():
    assert pooled.usable(maps(2, 16, 4, 4), torch.zeros(16))
    assert not pooled.usable(maps(2, 16, 4, 4), torch.eye(16)[0] - 0.5)


@pytest.mark.parametrize("inputs", [None, torch.tensor([0, 5, 17, 30])])
@pytest.mark.parametrize("last_is_pooled", [True, False])
def test_factors_behind_the_pooling_are_those_of_eq_4(last_is_pooled, inputs):
    plan = (Stage(16, 3, 1, True), Stage(20, 3, 0, False), Stage(16, 3, 1, last_is_pooled))
    network = ConvNet(plan, (7,), (2, 13, 11), 4, batch_norm=True, generator=generator(0, "network"))
    if inputs is not None:  # a compacted network's head reads some of the pixels only
        network.head = MLP((len(inputs), 7, 4), 0.1, generator(0, "head"), inputs)
    network, draw = network.double(), generator(1, "factors")
    gates = [torch.relu(torch.randn(width, generator=draw, dtype=torch.float64)) for width in network.gate_widths()]
    assert all((gate == 0).any() for gate in gates[:3])
    h = x = torch.randn(6, 2, 13, 11, generator=draw, dtype=torch.float64)
    for index, stage in enumerate(plan):
        h = F.relu(network.norms[index](network.convolutions[index](h))) * gates[index][:, None, None]
        h = F.max_pool2d(h, 2) if stage.pool else h
    expected = network.head(h.flatten(1), gates[3:])
    assert torch.allclose(network(x, gates), expected, rtol=1e-10, atol=1e-12)
