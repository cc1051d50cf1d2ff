"""Convolution, batch norm and ReLU as one operation: against torch's operations in float64, float32 and bfloat16."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from snnlib.fast import native, separable
from snnlib.networks.deep import mobilenet_v1

LAYERS = [
    # inputs, outputs, side of the kernel, stride, side of the maps
    (8, 8, 3, 1, 32),
    (8, 16, 1, 1, 32),
    (16, 16, 3, 2, 32),
    (32, 32, 3, 1, 16),
    (64, 64, 3, 2, 8),
    (128, 128, 3, 2, 4),
    (256, 256, 3, 1, 2),
    (16, 16, 3, 2, 21),
    (16, 16, 3, 1, 3),
    (3, 8, 3, 1, 16),
]


@pytest.fixture(autouse=True)
def compiled():
    if separable.library(torch.float32) is None:
        pytest.skip("no C compiler here: torch's own operations are used")


def layer(inputs, outputs, side, stride, dtype, depthwise=True):
    groups = inputs if depthwise and side == 3 and inputs == outputs else 1
    module = (
        nn.Sequential(
            nn.Conv2d(inputs, outputs, side, stride, side // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )
        .to(dtype)
        .to(memory_format=torch.channels_last)
    )
    with torch.no_grad():
        module[1].weight.uniform_(0.5, 1.5)
        module[1].bias.normal_()
        module[1].running_mean.normal_()
    return module


def images(count, channels, side, dtype):
    return (2 * torch.randn(count, channels, side, side, dtype=dtype) + 1).contiguous(memory_format=torch.channels_last)


def farthest(first, second):
    return float((first - second).detach().abs().max() / first.detach().abs().max().clamp_min(1e-30))


@pytest.mark.parametrize("dtype, within", [(torch.float64, 1e-13), (torch.float32, 2e-5)])
@pytest.mark.parametrize("inputs, outputs, side, stride, size", LAYERS)
def test_values_gradients_and_running_statistics_are_torch_s(inputs, outputs, side, stride, size, dtype, within):
    torch.manual_seed(0)
    ours = layer(inputs, outputs, side, stride, dtype)
    theirs, x = copy.deepcopy(ours), images(8, inputs, size, dtype)
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    assert separable.usable(ours, first)
    found, expected = separable.block(ours, first), theirs(second)
    grad = torch.randn_like(expected)
    found.backward(grad)
    expected.backward(grad)
    assert farthest(expected, found) < within and farthest(second.grad, first.grad) < within
    for (name, a), b in zip(theirs.named_parameters(), ours.parameters()):
        assert farthest(a.grad, b.grad) < within, name
    for (name, a), b in zip(theirs.named_buffers(), ours.buffers()):
        assert farthest(a.double(), b.double()) < within, name
    ours.eval()
    theirs.eval()
    with torch.no_grad():
        assert farthest(theirs(x), separable.block(ours, x)) < within


def test_gradients_by_finite_differences():
    torch.manual_seed(0)
    module, x = layer(8, 8, 3, 1, torch.float64), images(2, 8, 4, torch.float64).requires_grad_()
    assert separable.kind(module[0], x) == "depthwise"
    assert torch.autograd.gradcheck(
        lambda x, weight: separable.block(nn.Sequential(_with(module[0], weight), module[1], module[2]), x).square(),
        (x, module[0].weight.detach().clone().requires_grad_()),
    )


def _with(convolution, weight):
    """The convolution with another weight, through which a gradient flows."""
    other = copy.copy(convolution)
    other._parameters = dict(convolution._parameters)
    del other._parameters["weight"]
    other.weight = weight
    return other


def test_what_is_frozen_gets_no_gradient():
    module, x = layer(16, 16, 3, 1, torch.float32), images(4, 16, 8, torch.float32)
    module[0].weight.requires_grad_(False)
    separable.block(module, x).sum().backward()
    assert module[0].weight.grad is None and module[1].weight.grad is not None and x.grad is None
    module.eval()
    with pytest.raises(RuntimeError, match="call train\\(\\) on the network before a step"):
        separable.block(module, x.requires_grad_()).sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda module, x: (module, x.contiguous()),  # not channels last
        lambda module, x: (module, x.half()),
        lambda module, x: (nn.Sequential(*module, nn.ReLU()), x),
        lambda module, x: (nn.Sequential(module[0], module[1], nn.ReLU6()), x),
        lambda module, x: (nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), *module[1:]), x),  # a bias
        lambda module, x: (
            nn.Sequential(nn.Conv2d(16, 24, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU()),
            x,
        ),  # 24 channels fill no register evenly
        lambda module, x: (nn.Sequential(module[0], nn.BatchNorm2d(16, track_running_stats=False), nn.ReLU()), x),
    ],
)
def test_what_it_was_not_made_for_is_left_to_torch(change):
    module, x = change(layer(16, 16, 3, 1, torch.float32), images(4, 16, 8, torch.float32))
    assert not separable.usable(module, x)


def test_a_whole_network_trains_as_with_torch_s_operations(monkeypatch):
    torch.manual_seed(0)
    network = mobilenet_v1(width=0.25).double()
    x, y = images(6, 3, 32, torch.float64), torch.randint(0, 10, (6,))
    found = {}
    for name in ("ours", "theirs"):
        if name == "theirs":
            monkeypatch.setattr(separable, "usable", lambda *_: False)
        each = copy.deepcopy(network)
        F.cross_entropy(each(x), y).backward()
        found[name] = torch.cat([parameter.grad.flatten() for parameter in each.parameters()])
    assert float((found["ours"] - found["theirs"]).norm() / found["theirs"].norm()) < 1e-9


def test_in_bfloat16_it_is_as_near_as_torch_is():
    """Under autocast maps are rounded to eight bits: both ways lie within a few of these of float64."""
    torch.manual_seed(0)
    for inputs, outputs, side, stride, size in ((16, 16, 3, 1, 16), (16, 16, 3, 2, 16), (16, 32, 1, 1, 16)):
        exact = layer(inputs, outputs, side, stride, torch.float64)
        x = images(8, inputs, size, torch.float64).bfloat16()
        ours, theirs, grad = copy.deepcopy(exact).float(), copy.deepcopy(exact).float(), None
        results = {}
        for name, module, call in (
            ("exact", exact, lambda module, x: module(x)),
            ("ours", ours, separable.block),
            ("theirs", theirs, lambda module, x: module(x)),
        ):
            own = x.to(torch.float64 if name == "exact" else torch.bfloat16).requires_grad_()
            with torch.autocast("cpu", torch.bfloat16, enabled=name != "exact"):
                assert name != "ours" or (
                    separable.usable(module, own) and separable.kind(module[0], own) in ("depthwise", "pointwise")
                )
                out = call(module, own)
            grad = torch.randn(out.shape, dtype=torch.float64) if grad is None else grad
            out.backward(grad.to(out.dtype))
            results[name] = [out, own.grad, *(parameter.grad for parameter in module.parameters())]
        for exactly, a, b in zip(results["exact"], results["ours"], results["theirs"]):
            mine, torchs = (
                float((each.double() - exactly).detach().norm() / exactly.detach().norm()) for each in (a, b)
            )
            assert mine < max(2 * torchs, 0.01), (side, stride, mine, torchs)


def test_no_number_in_bfloat16_is_lost(tmp_path):
    """NaN and infinity stay what they are; the nearest number, and of two the even one, is stored."""
    module, x = (
        layer(16, 16, 1, 1, torch.float32),
        torch.zeros(2, 16, 4, 4).contiguous(memory_format=torch.channels_last).bfloat16(),
    )
    with torch.no_grad():
        x[0, 0, 0, 0] = float("nan")
        with torch.autocast("cpu", torch.bfloat16):
            assert not separable.block(module, x).isfinite().all()


def test_without_a_compiler_torch_does_the_same(monkeypatch):
    monkeypatch.setenv("SNNLIB_NATIVE", "0")
    native.library.cache_clear()
    try:
        assert not separable.usable(layer(16, 16, 3, 1, torch.float32), images(4, 16, 8, torch.float32))
    finally:
        monkeypatch.undo()
        native.library.cache_clear()
