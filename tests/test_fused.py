"""The fast paths against plain PyTorch (benchmarks/plain.py): the same numbers, forward, backward and over 20 steps."""

import copy
import shutil
import sys

import pytest
import torch
from torch.nn import functional as F

from benchmarks.plain import Plain, sgds
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.fast import fused, native, unet
from snnlib.networks import MLP, lenet5_caffe, mlp
from snnlib.networks.gating import gated_linear
from snnlib.seeds import generator
from snnlib.switching.switched import Switched
from snnlib.training.optimizers import optimizer
from snnlib.training.steps import network_step, switcher_step

COMPILED = sys.platform == "linux" or unet.library(torch.float32) is not None
"""On Linux a compiler that cannot compile unet.c is a fault; elsewhere what it makes of the flags is not promised."""

WITH_COMPILER = pytest.mark.skipif(
    not (COMPILED and any(map(shutil.which, ("cc", "gcc", "clang")))), reason="no C compiler, or none for unet.c"
)
PATHS = ["torch", pytest.param("fused", marks=WITH_COMPILER)]
SHAPES = [(784, 300, 100, 10), (33, 50, 20, 10), (7, 5, 3), (16, 17, 15), (1, 1, 2), (40, 1, 3)]
SETTINGS = [
    SwitcherConfig(channels=(4, 8)),
    SwitcherConfig(channels=(3, 5, 2), width_stride=1),
    SwitcherConfig(channels=(2, 4), kernel=(3, 5), width_stride=2),
    SwitcherConfig(channels=(5,), kernel=(3, 1)),
    SwitcherConfig(channels=(4, 4), upsample="resize"),
    SwitcherConfig(channels=(2, 3), kernel=(5, 3)),
    SwitcherConfig(channels=(5, 2, 3), kernel=(7, 3), upsample="resize"),
    SwitcherConfig(channels=(3, 2), kernel=(9, 3), upsample="resize"),
]


@pytest.fixture(params=PATHS)
def path(request, monkeypatch):
    """Both ways to compute the scores: torch's operations, and unet.c where it can be compiled."""
    if request.param == "torch":
        monkeypatch.setattr(fused, "usable", lambda layers, config: False)
    else:
        native.library.cache_clear()
        assert unet.library(torch.float32) is not None, "unet.c did not compile"
    return request.param


def pair(network, config, dtype):
    """The library's model and the plain one, of the same numbers."""
    model = Switched.around(network.to(dtype), config, generator(0, "switcher"))
    return model, Plain(model, copy.deepcopy(model.network))


def gradients(module):
    return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.grad is not None}


def largest_difference(ours, theirs):
    """Largest difference of two lists of tensors, relative to the largest entry of each."""
    return max(
        float((a - b).detach().abs().max() / b.detach().abs().max().clamp_min(1e-30))
        for a, b in zip(ours, theirs, strict=True)
    )


@pytest.mark.parametrize("config", SETTINGS, ids=str)
@pytest.mark.parametrize("widths", SHAPES, ids=str)
def test_factors_and_gradients_are_those_of_plain_pytorch(path, widths, config):
    model, plain = pair(MLP(widths, generator=generator(0, "network")), config, torch.float64)
    ours, theirs = model.gates(), plain.gates()
    assert largest_difference(ours, theirs) < 1e-10
    draw = torch.Generator().manual_seed(1)
    chosen = [torch.randn(gate.shape, generator=draw, dtype=gate.dtype) for gate in ours]
    for gates in (ours, theirs):
        sum((gate * factor).sum() for gate, factor in zip(gates, chosen)).backward()
    assert largest_difference(gradients(model.network).values(), gradients(plain.network).values()) < 1e-10
    # the same gradients, in other shapes: compared by their sorted values
    ours = torch.cat([grad.flatten() for grad in gradients(model.switcher).values()]).sort().values
    theirs = torch.cat([grad.flatten() for grad in gradients(plain.switcher).values()]).sort().values
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-11)


def twenty_steps(build, dtype):
    """Losses and final weights of 20 steps, five of each phase by turns: the library's and plain PyTorch's."""
    model, plain = pair(build(generator=generator(0, "network")), SwitcherConfig(), dtype)
    config = TrainConfig()
    ours = {
        "switcher": optimizer(model.switcher_side().parameters(), config),
        "network": optimizer(model.network.parameters(), config),
    }
    theirs, steps, losses = sgds(plain, config), {"switcher": switcher_step, "network": network_step}, ([], [])
    draw = torch.Generator().manual_seed(2)
    for step in range(20):
        x, y = torch.rand(8, 1, 28, 28, generator=draw).to(dtype), torch.randint(0, 10, (8,), generator=draw)
        phase = ("switcher", "network")[step // 5 % 2]
        losses[0].append(steps[phase](model, ours[phase], x, y, 1.0)[0])
        losses[1].append(plain.step(phase, theirs[phase], x, y, 1.0))
    weights = (
        torch.cat([value.flatten() for value in network.state_dict().values()]).double()
        for network in (model.network, plain.network)
    )
    return [torch.stack(each).double() for each in losses], list(weights)


@pytest.mark.parametrize("build", [mlp, lenet5_caffe])
def test_twenty_steps_agree_with_plain_pytorch(path, build):
    """To 1e-10 in float64, and to 1e-4 in float32, where a maximum of near equals may be another one."""
    (ours, plain), (our_weights, exact) = twenty_steps(build, torch.float64)
    torch.testing.assert_close(ours, plain, rtol=1e-10, atol=1e-10)
    assert largest_difference([our_weights], [exact]) < 1e-10
    (ours, plain), (our_weights, plain_weights) = twenty_steps(build, torch.float32)
    torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-4)
    for expected in (plain_weights, exact):
        assert (our_weights - expected).norm() < 1e-4 * expected.norm()
        torch.testing.assert_close(our_weights, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("asked", ["x", "gate", "weight", "bias", "gate weight bias", "x gate weight bias", "x gate"])
def test_a_gated_layer_has_the_gradients_of_its_formula(asked):
    draw = torch.Generator().manual_seed(3)
    values = {"x": (6, 5), "gate": (5,), "weight": (4, 5), "bias": (4,)}
    values = {name: torch.randn(shape, generator=draw, dtype=torch.float64) for name, shape in values.items()}
    found = []
    for layer in (gated_linear, lambda x, gate, weight, bias: F.linear(x * gate, weight, bias)):
        tensors = {name: value.clone().requires_grad_(name in asked.split()) for name, value in values.items()}
        layer(**tensors).tanh().sum().backward()
        found.append([tensors[name].grad for name in asked.split()])
    for ours, theirs in zip(*found):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


def test_nan_in_a_weight_reaches_the_factors(path):
    model, _ = pair(MLP((20, 12, 3), generator=generator(0, "network")), SwitcherConfig(channels=(2, 4)), torch.float32)
    with torch.no_grad():
        model.network.layers[0].weight[3, 7] = torch.nan
    assert torch.cat(model.gates()).isnan().any()


def test_without_a_compiler_torch_computes(monkeypatch, tmp_path):
    for problem in ({"CC": "/nowhere/cc"}, {"SNNLIB_NATIVE": "0"}, {"CC": "false", "XDG_CACHE_HOME": str(tmp_path)}):
        with monkeypatch.context() as changed:
            for name, value in problem.items():
                changed.setenv(name, value)
            changed.setenv("XDG_CACHE_HOME", str(tmp_path))
            native.library.cache_clear()
            assert unet.library(torch.float32) is None
            model, plain = pair(
                MLP((9, 4, 3), generator=generator(0, "network")), SwitcherConfig(channels=(2,)), torch.float64
            )
            assert largest_difference(model.gates(), plain.gates()) < 1e-12
    native.library.cache_clear()
    assert not list(tmp_path.rglob("*.so"))


@WITH_COMPILER
def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    source = tmp_path / "one.c"
    source.write_text("long one(void) { return 1; }", encoding="utf-8")
    found = native.library(source, torch.float64, "one")
    assert found is not None and found.one() == 1 and list(tmp_path.rglob("*.so"))


def test_torch_func_sees_torch_operations():
    """A batch of networks under vmap: the fused paths step aside, and the factors are those of each network alone."""
    models = [
        Switched.around(
            MLP((12, 9, 3), generator=generator(seed, "network")),
            SwitcherConfig(channels=(2, 4)),
            generator(seed, "switcher"),
        ).double()
        for seed in (0, 1)
    ]
    parameters, buffers = torch.func.stack_module_state(models)

    batched = torch.vmap(lambda values, others: _gates_of(models[0], values, others))(parameters, buffers)
    for index, model in enumerate(models):
        torch.testing.assert_close(batched[index], torch.cat(model.gates()), rtol=0, atol=1e-12)


class _Gates(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self):
        return torch.cat(self.model.gates())


def _gates_of(model, values, buffers):
    named = {f"model.{name}": value for name, value in (values | buffers).items()}
    return torch.func.functional_call(_Gates(model), named, ())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_numbers_that_the_compiled_switcher_does_not_know_are_left_to_torch(dtype):
    """It reads float32 and float64; a network of other numbers once made it read beyond its weights."""
    model = Switched.around(MLP((40, 20, 3)).to(dtype), SwitcherConfig(channels=(4, 8)), generator(0, "switcher"))
    layers = model.network.linear_weights()
    assert not fused.usable(layers, model.switcher.config) and all(each.dtype == dtype for each in layers)
    assert all(bool(gate.isfinite().all()) and gate.dtype == dtype for gate in model.gates())
    mixed = [layers[0].float(), layers[1].double()]
    assert not fused.usable(mixed, model.switcher.config)
