"""Compaction: gated, folded and compacted networks compute the same logits, and only what is dead is cut."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from snnlib import files, metrics
from snnlib.compaction import compact, fold, load_compact, save_compact
from snnlib.compaction.layers import Layer, absorb, connections, cut, scale
from snnlib.config import SwitcherConfig
from snnlib.lab import records
from snnlib.networks import MLP, NETWORKS, ConvNet, DeepNet, count
from snnlib.networks.convnet import Stage
from snnlib.switching.switched import Switched

WIDTHS = st.lists(st.integers(1, 12), min_size=2, max_size=5)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.cuda,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
        ],
    ),
]


def network_of(widths, seed=0, dtype=torch.float64, zeros=0.0):
    """A network with random weights and biases, of which the share ``zeros`` of the weights is exactly 0."""
    draw = torch.Generator().manual_seed(seed)
    network = MLP(widths, fc_std=0.3, generator=draw).to(dtype)
    with torch.no_grad():
        for layer in network.layers:
            layer.weight.mul_(torch.rand(layer.weight.shape, generator=draw) >= zeros)
            layer.bias.normal_(0.0, 0.3, generator=draw)
    return network


def gates_of(network, seed=0, pruned=0.5):
    """Factors from 0 to 2, of which about the share ``pruned`` is exactly 0."""
    draw = torch.Generator().manual_seed(seed + 1)
    dtype = network.layers[0].weight.dtype
    return [
        2 * torch.rand(width, generator=draw, dtype=dtype) * (torch.rand(width, generator=draw) >= pruned)
        for width in network.gate_widths()
    ]


def images_for(network, count=7):
    """Random images as wide as the whole data set is, pruned pixels included."""
    width = network.widths[0] if network.inputs is None else int(network.inputs.max()) + 1
    return torch.rand(count, width, generator=torch.Generator().manual_seed(9), dtype=network.layers[0].weight.dtype)


def effective(network, gates):
    return metrics.effective_widths(
        [gate.numpy() for gate in gates], [weight.detach().numpy() for weight in network.linear_weights()]
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(deadline=None, max_examples=40)
@given(
    widths=WIDTHS,
    seed=st.integers(0, 99),
    pruned=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    zeros=st.sampled_from([0.0, 0.6]),
)
def test_gated_folded_and_compacted_logits_agree(dtype, widths, seed, pruned, zeros):
    network = network_of(widths, seed, dtype, zeros)
    gates, x = gates_of(network, seed, pruned), images_for(network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    expected, folded, small = network(x, gates), fold(network, gates), compact(network, gates)
    assert folded.widths == network.widths
    assert small.widths == (*effective(network, gates), widths[-1]) or (
        small.widths == (0, widths[-1]) and sum(effective(network, gates)) == 0
    )
    for other in (folded, small):
        assert type(other) is MLP
        torch.testing.assert_close(other(x), expected, rtol=0, atol=TOLERANCE[dtype])
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("device", DEVICES)
def test_real_size_network_with_its_switcher(device):
    draw = torch.Generator().manual_seed(3)
    switched = Switched.around(MLP(generator=draw), SwitcherConfig(initial_mean=0.3), draw).to(device)
    with torch.no_grad():
        for layer in switched.network.layers:
            layer.bias.normal_(0.0, 0.1)
    x = torch.rand(50, 1, 28, 28, generator=draw).to(device)
    for dtype, tolerance in TOLERANCE.items():
        switched, x = switched.to(dtype), x.to(dtype)
        gates = switched.gates()
        small = compact(switched.network, gates)
        assert small.inputs.device.type == device and small.layers[0].weight.dtype == dtype
        assert all(0 < kept < full for kept, full in zip(small.widths, (784, 300, 100)))
        torch.testing.assert_close(fold(switched.network, gates)(x), switched(x), rtol=0, atol=tolerance)
        torch.testing.assert_close(small(x), switched(x), rtol=0, atol=tolerance)


def test_factor_i_multiplies_column_i_of_the_linear_layer():
    network = network_of((3, 2))
    folded = fold(network, [torch.tensor([2.0, 0.0, 1.0], dtype=torch.float64)])
    was, now = network.layers[0], folded.layers[0]
    assert torch.equal(now.weight[:, 0], 2 * was.weight[:, 0]) and not now.weight[:, 1].any()
    assert torch.equal(now.weight[:, 2], was.weight[:, 2]) and torch.equal(now.bias, was.bias)


def test_neuron_that_nothing_alive_feeds_leaves_its_constant_in_the_next_biases():
    network = MLP((2, 2, 1)).double()
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.tensor([[0.0, 3.0], [1.0, 0.0]]))  # hidden neuron 0 reads pixel 1 alone
        network.layers[0].bias.copy_(torch.tensor([0.5, 0.0]))
        network.layers[1].weight.copy_(torch.tensor([[4.0, 1.0]]))
        network.layers[1].bias.fill_(0.25)
    small = compact(network, [torch.tensor([1.0, 0.0]), torch.tensor([2.0, 1.0])])  # pixel 1 is pruned
    assert small.widths == (1, 1, 1) and small.inputs.tolist() == [0]
    assert small.layers[1].bias.item() == 0.25 + 4.0 * 2.0 * 0.5


def test_constant_that_relu_stops_leaves_nothing():
    network = network_of((2, 1, 2, 1))
    with torch.no_grad():
        network.layers[0].bias.fill_(-1.0)
    gates = [torch.zeros(2), torch.ones(1), torch.ones(2)]
    expected = network.layers[2](torch.relu(network.layers[1].bias))
    torch.testing.assert_close(compact(network, gates).layers[0].bias, expected.detach(), rtol=0, atol=1e-12)


def test_constants_pass_through_several_layers():
    """An isolated chain of hidden neurons beside a living one is a constant of the last layer."""
    network = MLP((1, 2, 2, 1)).double()
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.tensor([[1.0], [0.0]]))
        network.layers[0].bias.copy_(torch.tensor([0.0, 2.0]))
        network.layers[1].weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
        network.layers[2].weight.copy_(torch.tensor([[1.0, 5.0]]))
    small = compact(network, [torch.ones(1), torch.ones(2), torch.ones(2)])
    assert small.widths == (1, 1, 1, 1) and small.layers[2].bias.item() == 5 * 3 * 2


def test_neuron_that_feeds_nothing_alive_is_cut_with_its_pixel():
    network = MLP((2, 2, 2, 1)).double()
    with torch.no_grad():
        for layer in network.layers[:2]:
            layer.weight.copy_(torch.eye(2))
        network.layers[2].weight.fill_(1.0)
    small = compact(network, [torch.ones(2), torch.ones(2), torch.tensor([0.0, 1.0])])
    assert small.widths == (1, 1, 1, 1) and small.inputs.tolist() == [1]


@pytest.mark.parametrize("dead", [0, 1, 2])
def test_whole_layer_pruned_leaves_constant_logits(dead):
    network = network_of((6, 5, 4, 3))
    gates = gates_of(network, pruned=0.2)
    gates[dead] = torch.zeros_like(gates[dead])
    small, x = compact(network, gates), images_for(network)
    assert small.widths == (0, 3) and len(small.inputs) == 0
    torch.testing.assert_close(small(x), network(x, gates), rtol=0, atol=1e-10)
    assert torch.equal(small(x), small(x[:1]).expand(len(x), -1))


def test_class_without_any_weight_keeps_its_bias_as_logit():
    network = network_of((4, 3, 3))
    with torch.no_grad():
        network.layers[1].weight[1] = 0
    gates, x = gates_of(network, pruned=0.0), images_for(network)
    small = compact(network, gates)
    assert small.widths[-1] == 3
    assert torch.equal(small(x)[:, 1], network.layers[1].bias[1].expand(len(x)))


def test_nothing_pruned_leaves_the_network_as_it_is():
    network = network_of((5, 4, 3))
    small = compact(network, [torch.ones(5), torch.ones(4)])
    assert small.widths == network.widths and small.inputs is None
    assert all(torch.equal(a, b) for a, b in zip(small.parameters(), network.parameters()))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 999))
def test_compacting_again_composes_the_pixels(seed):
    network = network_of((20, 8, 6, 3), seed)
    first, x = gates_of(network, seed, pruned=0.4), images_for(network)
    once = compact(network, first)
    second = gates_of(once, seed + 1, pruned=0.3)
    twice = compact(once, second)
    assert set(twice.inputs.tolist()) <= set(once.inputs.tolist()) and twice.widths <= once.widths
    torch.testing.assert_close(fold(once, second)(x), once(x, second), rtol=0, atol=1e-10)
    torch.testing.assert_close(twice(x), once(x, second), rtol=0, atol=1e-10)
    again = compact(once, [torch.ones(width) for width in once.gate_widths()])
    assert again.widths == once.widths
    torch.testing.assert_close(again(x), once(x), rtol=0, atol=1e-10)


def test_result_is_a_trainable_network_of_its_own():
    """Nothing is shared with the original, which may be frozen, and no random numbers are drawn."""
    network = network_of((5, 4, 3)).requires_grad_(False)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    gates = gates_of(network, pruned=0.3)
    small, folded = compact(network, gates), fold(network, gates)
    assert torch.equal(torch.get_rng_state(), state)
    before = network(images_for(network))
    for other in (small, folded):
        assert all(parameter.requires_grad and parameter.is_leaf for parameter in other.parameters())
        nn.init.zeros_(other.layers[0].weight)
        nn.init.zeros_(other.layers[-1].bias)
    assert torch.equal(network(images_for(network)), before)


@settings(deadline=None, max_examples=15)
@given(widths=WIDTHS, seed=st.integers(0, 99), pruned=st.sampled_from([0.0, 0.5, 1.0]))
def test_macs_are_counted_right(widths, seed, pruned):
    network = network_of(widths, seed)
    small = compact(network, gates_of(network, seed, pruned))
    x = images_for(network, count=5)
    with FlopCounterMode(display=False) as counter:
        small(x)
    assert counter.get_total_flops() == 2 * len(x) * metrics.weight_count(small.widths[:-1], small.widths[-1])
    assert metrics.weight_count(small.widths[:-1], small.widths[-1]) == sum(
        layer.weight.numel() for layer in small.layers
    )


@pytest.mark.parametrize(
    "gates", [[torch.ones(4)], [torch.ones(5), torch.ones(5)], [torch.ones(5, 1), torch.ones(4)], []]
)
@pytest.mark.parametrize("operation", [fold, compact])
def test_gates_that_do_not_fit_are_named(operation, gates):
    with pytest.raises(ValueError, match=r"for layers of widths \(5, 4\)"):
        operation(MLP((5, 4, 3)), gates)


def test_operations_on_one_layer():
    layer = Layer(torch.tensor([[1.0, 0.0], [2.0, 3.0]]), torch.tensor([0.5, -0.5]))
    assert scale(layer, torch.tensor([2.0, 10.0])).weight.tolist() == [[2.0, 0.0], [4.0, 30.0]]
    assert connections(layer).tolist() == [[True, False], [True, True]]
    assert absorb(layer, torch.tensor([0.0, 2.0])).bias.tolist() == [0.5, 5.5]
    smaller = cut(layer, inputs=torch.tensor([False, True]), outputs=torch.tensor([False, True]))
    assert smaller.weight.tolist() == [[3.0]] and smaller.bias.tolist() == [-0.5]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("pruned", [0.0, 0.4, 1.0])
def test_saved_and_loaded_networks_are_the_same_bits(tmp_path, dtype, pruned):
    network = network_of((9, 7, 3), dtype=dtype)
    small = compact(network, gates_of(network, pruned=pruned))
    save_compact(small, tmp_path / "small.safetensors")
    loaded = load_compact(tmp_path / "small.safetensors")
    assert loaded.widths == small.widths and (loaded.inputs is None) == (small.inputs is None)
    assert loaded.state_dict().keys() == small.state_dict().keys()
    for name, value in small.state_dict().items():
        assert loaded.state_dict()[name].dtype == value.dtype and torch.equal(loaded.state_dict()[name], value)
    torch.testing.assert_close(loaded(images_for(network)), small(images_for(network)), rtol=0, atol=TOLERANCE[dtype])


def test_files_that_hold_no_compact_network_are_refused(tmp_path):
    path = tmp_path / "small.safetensors"
    with pytest.raises(records.FileError, match="no such file"):
        load_compact(path)
    files.save_tensors(path, MLP((3, 2)).state_dict(), {"seed": 0})
    with pytest.raises(records.FileError, match="holds no compact network"):
        load_compact(path)
    save_compact(MLP((3, 2)), path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(records.FileError, match="cut off"):
        load_compact(path)
    torch.save(MLP((3, 2)).state_dict(), path)
    with pytest.raises(records.FileError, match="pickled"):
        load_compact(path)


def test_layers_wider_than_the_first_and_of_one_neuron_compact_exactly():
    for widths in [(3, 50, 2), (1, 1), (1, 1, 1), (4, 1, 30, 3)]:
        network = network_of(widths, seed=5)
        switched = Switched.around(network, SwitcherConfig(initial_mean=0.5), torch.Generator().manual_seed(2))
        small, x = compact(network, switched.gates()), images_for(network)
        torch.testing.assert_close(small(x), switched(x), rtol=0, atol=1e-10)


STAGES = st.lists(
    st.builds(
        Stage,
        kernels=st.integers(1, 5),
        side=st.sampled_from([1, 2, 3]),
        padding=st.sampled_from([0, 1]),
        pool=st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


def convnet_of(
    plan, seed=0, dtype=torch.float64, zeros=0.0, batch_norm=False, bias=True, image=(2, 22, 23), hidden=(6,), classes=3
):
    """A network with random biases, batch norm and running statistics; of its kernels' slices the share ``zeros`` is
    exactly 0."""
    draw = torch.Generator().manual_seed(seed)
    network = ConvNet(plan, hidden, image, classes, bias=bias, batch_norm=batch_norm, fc_std=0.3, generator=draw).to(
        dtype
    )
    with torch.no_grad():
        for conv in network.convolutions:
            conv.weight.mul_(torch.rand((*conv.weight.shape[:2], 1, 1), generator=draw) >= zeros)
        for layer in network.head.layers:
            layer.weight.mul_(torch.rand(layer.weight.shape, generator=draw) >= zeros)
        for name, value in network.state_dict().items():
            if name.endswith(("bias", "running_mean")):
                value.normal_(0.0, 0.3, generator=draw)
            elif name.endswith("running_var") or (name.startswith("norms") and name.endswith("weight")):
                value.uniform_(0.5, 2.0, generator=draw)
    return network.eval()


def factors_of(network, seed=0, pruned=0.5):
    """Factors from 0 to 2, of which about the share ``pruned`` is exactly 0."""
    draw = torch.Generator().manual_seed(seed + 1)
    dtype = network.linear_weights()[0].dtype
    return [
        2 * torch.rand(width, generator=draw, dtype=dtype) * (torch.rand(width, generator=draw) >= pruned)
        for width in network.gate_widths()
    ]


def pictures(network, count=3):
    return torch.rand(
        count, *network.image, generator=torch.Generator().manual_seed(9), dtype=network.linear_weights()[0].dtype
    )


def assert_same_logits(network, gates, *others):
    """The logits agree to 1e-5 of the largest in float32, to 1e-10 in float64."""
    x = pictures(network)
    expected = network(x, gates)
    for other in others:
        tolerance = TOLERANCE[x.dtype] * max(1.0, float(expected.detach().abs().max()))
        torch.testing.assert_close(other(x), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@settings(deadline=None, max_examples=40)
@given(
    plan=STAGES,
    seed=st.integers(0, 99),
    pruned=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    zeros=st.sampled_from([0.0, 0.6]),
    batch_norm=st.booleans(),
    bias=st.booleans(),
)
def test_gated_folded_and_compacted_convolutions_agree(dtype, plan, seed, pruned, zeros, batch_norm, bias):
    network = convnet_of(plan, seed, dtype, zeros, batch_norm, bias)
    gates = factors_of(network, seed, pruned)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    folded, small = fold(network, gates), compact(network, gates)
    assert type(folded) is ConvNet and type(small) is ConvNet and folded.gate_widths() == network.gate_widths()
    assert_same_logits(network, gates, folded, small)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert count.macs(small) <= count.macs(network)
    for kept, gate in zip(small.plan, gates):
        assert kept.kernels <= int((gate > 0).sum())


@settings(deadline=None, max_examples=40)
@given(plan=STAGES, seed=st.integers(0, 99), pruned=st.sampled_from([0.0, 0.3, 0.6]), zeros=st.sampled_from([0.0, 0.6]))
def test_without_constants_what_is_left_are_the_effective_widths(plan, seed, pruned, zeros):
    """Without biases every constant map and neuron is 0: exactly what feeds nothing, or is fed by nothing, goes."""
    network = convnet_of(plan, seed, zeros=zeros, bias=False)
    with torch.no_grad():
        for layer in network.head.layers:
            assert layer.bias is None
    gates = factors_of(network, seed, pruned)
    small = compact(network, gates)
    kernels = [kernel.detach().numpy() for kernel in network.kernel_weights()]
    expected = metrics.effective_widths(
        [gate.numpy() for gate in gates], [w.detach().numpy() for w in network.linear_weights()], kernels
    )
    assert small.gate_widths() == tuple(expected) or (not any(expected) and small.gate_widths() == (0,))


@settings(deadline=None, max_examples=20)
@given(plan=STAGES, seed=st.integers(0, 999), batch_norm=st.booleans())
def test_compacting_convolutions_again_composes(plan, seed, batch_norm):
    network = convnet_of(plan, seed, batch_norm=batch_norm)
    once = compact(network, factors_of(network, seed, pruned=0.3))
    second = factors_of(once, seed + 1, pruned=0.3)
    assert_same_logits(once, second, fold(once, second), compact(once, second))
    again = compact(once, [torch.ones(width) for width in once.gate_widths()])
    assert again.gate_widths() == once.gate_widths()
    assert_same_logits(again, None, once)


def test_nothing_pruned_leaves_convolutions_as_they_are():
    network = convnet_of((Stage(4, 3, 1, True), Stage(5, 3, 0, False)), batch_norm=True)
    small = compact(network, [torch.ones(width) for width in network.gate_widths()])
    assert small.plan == network.plan and small.head.inputs is None and not small.training
    assert all(
        torch.equal(value, small.state_dict()[name])
        for name, value in network.state_dict().items()
        if name in small.state_dict()
    )
    assert_same_logits(network, None, small)


def test_all_but_one_kernel_and_neuron_pruned():
    network = convnet_of((Stage(4, 3, 1, True), Stage(5, 3, 1, False)), seed=1)
    gates = factors_of(network, pruned=0.0)
    with torch.no_grad():  # both kernels that stay are active
        network.convolutions[0].bias[2] = network.convolutions[1].bias[3] = 1.0
    for gate, stays in zip(gates, (2, 3, 3 * network.map_pixels + 7, 1)):
        gate[torch.arange(len(gate)) != stays] = 0
    small = compact(network, gates)
    assert small.gate_widths() == (1, 1, 1, 1) and small.head.inputs.tolist() == [7]
    assert_same_logits(network, gates, small)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dead", [0, 1, 2, 3, 4])
def test_whole_layer_of_a_convolutional_network_pruned_leaves_constant_logits(dead, batch_norm):
    """After convolution 0 the padded convolutions 1 and 2 see the edges of constant maps: still the same for every
    image."""
    network = convnet_of((Stage(3, 3, 1, False), Stage(4, 3, 1, True), Stage(2, 3, 1, False)), batch_norm=batch_norm)
    gates = factors_of(network, pruned=0.2)
    gates[dead] = torch.zeros_like(gates[dead])
    small = compact(network, gates)
    assert small.plan == () and small.head.widths == (0, 3) and count.macs(small) == 0
    assert_same_logits(network, gates, small)
    assert torch.equal(small(pictures(network)), small(pictures(network)[:1]).expand(3, -1))
    assert_same_logits(small, [torch.ones(0)], compact(small, [torch.ones(0)]))


def constant_kernel(padding, batch_norm=False, value=0.5):
    """Kernel 0 of the first convolution has no weights and the bias ``value``; the second convolution reads it."""
    network = convnet_of(
        (Stage(2, 3, 1, False), Stage(3, 3, padding, False)), batch_norm=batch_norm, bias=not batch_norm
    )
    with torch.no_grad():
        network.convolutions[0].weight[0] = 0
        if batch_norm:
            network.norms[0].bias[0], network.norms[0].running_mean[0] = value, 0.0
        else:
            network.convolutions[0].bias[0] = value
    return network, [torch.full((width,), 1.5) for width in network.gate_widths()]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("padding, value, kernels", [(0, 0.5, 1), (1, 0.5, 2), (1, -0.5, 1), (0, -0.5, 1)])
def test_constant_map_is_cut_only_where_that_is_exact(padding, value, kernels, batch_norm):
    """A padded convolution sees the edge of a constant map, unless the constant is 0: then the kernel stays."""
    network, gates = constant_kernel(padding, batch_norm, value)
    small = compact(network, gates)
    assert small.plan[0].kernels == kernels
    assert_same_logits(network, gates, small)


def test_constant_map_behind_the_last_convolution_goes_into_the_head():
    network = convnet_of((Stage(2, 3, 1, True),))
    with torch.no_grad():
        network.convolutions[0].weight[0], network.convolutions[0].bias[0] = 0, 0.5
    gates = [torch.full((width,), 1.5) for width in network.gate_widths()]
    small = compact(network, gates)
    assert small.plan[0].kernels == 1 and small.head.inputs is None and small.map_pixels == network.map_pixels
    shift = 0.5 * 1.5 * 1.5 * network.head.layers[0].weight[:, : network.map_pixels].sum(1)
    torch.testing.assert_close(small.head.layers[0].bias, network.head.layers[0].bias + shift, rtol=0, atol=1e-12)
    assert_same_logits(network, gates, small)


def test_negative_factors_of_kernels_are_refused():
    network = convnet_of((Stage(2, 3, 1, True), Stage(2, 3, 1, True)))
    gates = factors_of(network)
    gates[1][0] = -1
    with pytest.raises(ValueError, match="gates of convolution 1 hold a negative factor"):
        compact(network, gates)


@pytest.mark.parametrize("operation", [fold, compact])
def test_gates_that_do_not_fit_a_convolution_are_named(operation):
    network = convnet_of((Stage(2, 3, 1, True), Stage(3, 3, 1, True)))
    gates = factors_of(network)
    with pytest.raises(ValueError, match="gates of convolution 1 have shape"):
        operation(network, [gates[0], gates[1][:2], *gates[2:]])
    with pytest.raises(ValueError, match="3 gates for 4 layers"):
        operation(network, gates[:3])


@pytest.mark.parametrize("operation", [fold, compact])
def test_what_is_no_task_network_is_refused(operation):
    with pytest.raises(TypeError, match="a Linear cannot be compacted"):
        operation(nn.Linear(4, 3), [torch.ones(4)])


@pytest.mark.parametrize("operation", [fold, compact])
def test_a_model_with_its_switcher_needs_no_gates(operation):
    model = Switched.around(MLP((9, 7, 3)), SwitcherConfig(channels=(2,)), torch.Generator().manual_seed(0))
    x = torch.rand(4, 1, 3, 3)
    torch.testing.assert_close(operation(model)(x), model(x))
    assert torch.equal(operation(model)(x), operation(model.network, model.gates())(x))
    with pytest.raises(ValueError, match=r"no gates: give model.gates\(\)"):
        operation(model.network)
    with pytest.raises(ValueError, match="gates of layer 1 hold NaN or infinity"):
        operation(model.network, [model.gates()[0], model.gates()[1] * float("nan")])


REAL = [
    ("lenet5-caffe", (1, 28, 28)),
    ("vgg-cov2", (3, 32, 32)),
    ("vgg-cov2-bn", (3, 32, 32)),
    ("mobilenet-v1-x0.25", (3, 16, 16)),
    ("resnet34", (3, 16, 16)),
]


def real(name, image, dtype=torch.float32):
    draw = torch.Generator().manual_seed(5)
    network = NETWORKS[name](image, 10, fc_std=0.05, generator=draw).to(dtype)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith(("bias", "running_mean")):
                value.normal_(0.0, 0.1, generator=draw)
            elif key.endswith("running_var"):
                value.uniform_(0.5, 2.0, generator=draw)
    return network.eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name, image", REAL)
def test_networks_of_the_paper_compact_exactly(name, image, dtype):
    network = real(name, image, dtype)
    gates = factors_of(network, pruned=0.4)
    small = compact(network, gates)
    assert_same_logits(network, gates, fold(network, gates), small)
    assert count.weights(small) < 0.7 * count.weights(network) and type(small) is type(network)
    if isinstance(network, DeepNet):
        assert small.head.widths[:-1] == tuple(int((gate > 0).sum()) for gate in gates)
        shared = {id(value) for value in network.state_dict(keep_vars=True).values()}
        assert not shared & {id(value) for value in small.state_dict(keep_vars=True).values()}
        assert all(
            torch.equal(value, small.features.state_dict()[key]) for key, value in network.features.state_dict().items()
        )


def test_convolutions_with_their_switcher_compact_exactly():
    draw = torch.Generator().manual_seed(3)
    model = Switched.around(
        NETWORKS["lenet5-caffe"]((1, 28, 28), 10, generator=draw), SwitcherConfig(initial_mean=0.3), draw
    ).double()
    gates = [gate.detach() for gate in model.gates()]
    assert all(0 < int((gate > 0).sum()) < len(gate) for gate in gates)
    assert_same_logits(model.network, gates, compact(model.network, gates))


def test_compacted_convolutions_keep_the_layout_in_memory(tmp_path):
    network = real("lenet5-caffe", (1, 28, 28))
    small = compact(network, factors_of(network, pruned=0.4))
    save_compact(small, tmp_path / "small.safetensors")
    for each in (small, load_compact(tmp_path / "small.safetensors")):
        assert each.convolutions[1].weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("pruned", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name, image", REAL[:4])
def test_saved_and_loaded_convolutional_networks_are_the_same_bits(tmp_path, name, image, pruned):
    network = real(name, image)
    small = compact(network, factors_of(network, pruned=pruned))
    save_compact(small, tmp_path / "small.safetensors")
    state = torch.get_rng_state()
    loaded = load_compact(tmp_path / "small.safetensors")
    assert torch.equal(torch.get_rng_state(), state) and type(loaded) is type(small) and not loaded.training
    assert loaded.gate_widths() == small.gate_widths() and loaded.state_dict().keys() == small.state_dict().keys()
    for key, value in small.state_dict().items():
        assert loaded.state_dict()[key].dtype == value.dtype and torch.equal(loaded.state_dict()[key], value)
    assert_same_logits(small, None, loaded)
    metadata = files.load_tensors(tmp_path / "small.safetensors")[1]
    assert (
        metadata["image"] == list(image) and metadata["classes"] == 10 and metadata["widths"] == list(small.head.widths)
    )


def test_files_of_networks_that_cannot_be_built_are_refused(tmp_path):
    path, tensors = tmp_path / "small.safetensors", MLP((3, 2)).state_dict()
    for wrong in (
        {"class": "ConvNet", "widths": [3, 2]},
        {"class": "Other", "widths": [3, 2]},
        {"class": "MLP", "widths": [4, 2]},
        {"widths": None},
    ):
        files.save_tensors(path, tensors, {"kind": "compact"} | wrong)
        with pytest.raises(records.FileError, match="that this library cannot build"):
            load_compact(path)


def test_files_written_before_there_were_convolutions_load_as_mlps(tmp_path):
    network = MLP((3, 2))
    files.save_tensors(tmp_path / "old.safetensors", network.state_dict(), {"kind": "compact", "widths": [3, 2]})
    loaded = load_compact(tmp_path / "old.safetensors")
    assert type(loaded) is MLP and torch.equal(loaded.layers[0].weight, network.layers[0].weight)
