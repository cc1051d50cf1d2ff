"""The switcher of convolutions (section 3.3.2): feature rows, what a factor depends on, gradients, calibration."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from snnlib.config import SwitcherConfig
from snnlib.networks import ConvNet, lenet5_caffe, vgg_cov2
from snnlib.networks.convnet import Stage
from snnlib.switching.kernels import KernelSwitcher
from snnlib.switching.switched import Switched

CONFIG = SwitcherConfig(channels=(3, 4), kernel_features=7, width_stride=1)
SHAPES = [(5, 2, 3, 3), (8, 5, 1, 1), (3, 8, 5, 5)]
"""Three layers of unequal kernels, channels and sides."""


def kernels_of(shapes, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=draw, dtype=torch.float64) * (index + 1) for index, shape in enumerate(shapes)]


def switcher_of(shapes, config=CONFIG, seed=1, calibrated=True):
    """A switcher with random biases, calibrated on the kernels that :func:`kernels_of` draws."""
    draw = torch.Generator().manual_seed(seed)
    switcher = KernelSwitcher(config, shapes, draw).double()
    with torch.no_grad():
        for name, parameter in switcher.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.3, generator=draw)
    if calibrated:
        switcher.calibrate(kernels_of(shapes))
    return switcher


def test_feature_rows_are_those_of_a_plain_double_loop():
    """Row r, feature f: the sum over a kernel's weights, each times the reader's weight for it, and a bias."""
    kernels, switcher = kernels_of(SHAPES), switcher_of(SHAPES)
    rows = []
    for weight, reader in zip(kernels, switcher.readers):
        for kernel in weight:
            rows.append(
                [((kernel * reader.weight[feature]).sum() + reader.bias[feature]).item() for feature in range(7)]
            )
    packed = switcher.pack(kernels)
    assert packed.tensor.shape == (1, 16, 7) and packed.shapes == ((16, 7),) and bool(packed.mask.all())
    torch.testing.assert_close(packed.tensor[0].detach(), torch.tensor(rows, dtype=torch.float64), rtol=0, atol=1e-12)


def test_one_factor_a_kernel_in_the_order_of_the_layers():
    kernels, switcher = kernels_of(SHAPES), switcher_of(SHAPES)
    factors = switcher(kernels)
    assert [tuple(factor.shape) for factor in factors] == [(5,), (8,), (3,)]
    assert torch.equal(torch.cat(factors), switcher.switcher(switcher.pack(kernels))[0])
    assert all(bool((factor >= 0).all()) for factor in factors)


@pytest.mark.parametrize("layer, kernel", [(0, 0), (1, 6), (2, 2)])
def test_a_factor_depends_on_the_weights_of_its_kernel(layer, kernel):
    kernels, switcher = kernels_of(SHAPES), switcher_of(SHAPES)
    before = switcher.switcher.scores(switcher.pack(kernels))[0].split(switcher.sizes)
    rows = switcher.pack(kernels).tensor[0].split(switcher.sizes)
    changed = [weight.clone() for weight in kernels]
    changed[layer][kernel] *= -1.5
    after = switcher.switcher.scores(switcher.pack(changed))[0].split(switcher.sizes)
    assert abs(after[layer][kernel] - before[layer][kernel]) > 1e-3
    moved = [(row != was).any(1) for row, was in zip(switcher.pack(changed).tensor[0].split(switcher.sizes), rows)]
    assert [int(mask.sum()) for mask in moved] == [int(index == layer) for index in range(3)] and bool(
        moved[layer][kernel]
    )


@settings(deadline=None, max_examples=30)
@given(
    shapes=st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=4
    ),
    features=st.integers(1, 12),
    upsample=st.sampled_from(["transposed", "resize"]),
)
def test_any_shapes_give_a_finite_factor_a_kernel(shapes, features, upsample):
    switcher = switcher_of(shapes, SwitcherConfig(channels=(2, 3), kernel_features=features, upsample=upsample))
    factors = switcher(kernels_of(shapes))
    assert [len(factor) for factor in factors] == [shape[0] for shape in shapes]
    assert all(bool(torch.isfinite(factor).all()) and bool((factor >= 0).all()) for factor in factors)


def test_gradients_reach_the_kernels():
    """Autograd against finite differences, at a point where ReLU and pooling do not switch."""
    shapes = [(3, 2, 2, 2), (2, 3, 1, 1)]
    switcher = switcher_of(
        shapes, SwitcherConfig(channels=(2,), kernel_features=4, initial_mean=3.0, initial_spread=0.5)
    )
    kernels = [kernel.requires_grad_() for kernel in kernels_of(shapes)]
    assert torch.autograd.gradcheck(lambda *weights: tuple(switcher(weights)), kernels, eps=1e-6, atol=1e-6)
    gradients = torch.autograd.grad(sum(factor.sum() for factor in switcher(kernels)), kernels)
    assert all(bool(gradient.flatten(1).any(1).all()) for gradient in gradients)


@pytest.mark.parametrize("through", [True, False])
def test_second_term_of_equation_6_reaches_the_kernels_unless_it_is_cut(through):
    """The whole gradient less the one with factors held constant is what comes through the switcher."""
    draw = torch.Generator().manual_seed(2)
    network = ConvNet(
        (Stage(4, 3, 1, True), Stage(5, 3, 0, False)), (6,), (2, 8, 8), 3, fc_std=0.3, generator=draw
    ).double()
    model = Switched.around(network, CONFIG, draw, through_switcher=through)
    x, y = torch.rand(6, 2, 8, 8, generator=draw, dtype=torch.float64), torch.randint(0, 3, (6,), generator=draw)
    weights = network.kernel_weights()
    whole = torch.autograd.grad(F.cross_entropy(model(x), y), weights)
    held = [gate.detach() for gate in model.gates()]
    first = torch.autograd.grad(F.cross_entropy(network(x, held), y), weights)
    gates = model.kernel_switcher(weights) + held[2:]
    by_gate = torch.autograd.grad(
        F.cross_entropy(network(x, leaves := [gate.detach().requires_grad_() for gate in gates]), y), leaves[:2]
    )
    second = torch.autograd.grad(gates[:2], weights, by_gate)
    for total, own, via in zip(whole, first, second):
        assert float(via.abs().max()) > 1e-6
        torch.testing.assert_close(total, own + via if through else own, rtol=0, atol=1e-12)


@pytest.mark.parametrize("mean, spread", [(1.0, 1.0), (0.3, 0.6), (2.0, 0.0)])
@pytest.mark.parametrize("scale_inputs", [True, False])
def test_calibration_sets_mean_and_spread(mean, spread, scale_inputs):
    config = SwitcherConfig(initial_mean=mean, initial_spread=spread, scale_inputs=scale_inputs)
    kernels, switcher = kernels_of(SHAPES), switcher_of(SHAPES, config)
    scores = switcher.switcher.scores(switcher.pack(kernels))[0].detach()
    assert abs(scores.mean() - mean) < 1e-9 and abs(scores.std(correction=0) - spread) < 1e-9


def test_without_calibration_nothing_is_scaled():
    switcher = switcher_of(SHAPES, SwitcherConfig(calibrate=False), calibrated=False)
    before = {name: value.clone() for name, value in switcher.state_dict().items()}
    switcher.calibrate(kernels_of(SHAPES))
    assert all(torch.equal(before[name], value) for name, value in switcher.state_dict().items())


@pytest.mark.parametrize("factor", [1e-3, 50.0])
def test_a_layers_scale_does_not_decide_its_first_factors(factor):
    """Each reader is scaled to its layer: kernels k times as large start with the same factors."""
    switchers = [switcher_of(SHAPES, calibrated=False) for _ in range(2)]
    kernels = kernels_of(SHAPES)
    other = [kernels[0] * factor, *kernels[1:]]
    for switcher, weights in zip(switchers, (kernels, other)):
        switcher.calibrate(weights)
    for a, b in zip(switchers[0](kernels), switchers[1](other)):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("make", [lenet5_caffe, vgg_cov2])
def test_networks_of_the_paper_start_with_living_layers(make):
    network = make(generator=torch.Generator().manual_seed(0))
    for seed in range(3):
        gates = Switched.around(network, SwitcherConfig(), torch.Generator().manual_seed(seed)).gates()
        assert [len(gate) for gate in gates] == list(network.gate_widths())
        assert all(0.5 < float((gate > 0).float().mean()) <= 1 for gate in gates)


def test_the_generator_alone_decides_the_weights():
    state = torch.get_rng_state()
    first, second, other = (KernelSwitcher(CONFIG, SHAPES, torch.Generator().manual_seed(seed)) for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters()))
    assert not torch.equal(first.readers[0].weight, other.readers[0].weight)


def test_shapes_that_are_no_convolutions_are_refused():
    with pytest.raises(ValueError, match="no convolutions to switch"):
        KernelSwitcher(CONFIG, [])
    for wrong in ((5, 2, 3), (5, 0, 3, 3)):
        with pytest.raises(ValueError, match="convolution 1 has kernels of shape"):
            KernelSwitcher(CONFIG, [SHAPES[0], wrong])


def test_kernels_of_other_shapes_are_refused():
    switcher = switcher_of(SHAPES)
    kernels = kernels_of(SHAPES)
    for wrong in (kernels[:2], [*kernels[:2], kernels[2][:2]], [*kernels[:2], kernels[2].flatten(1)], []):
        with pytest.raises(
            ValueError, match=r"for a switcher built for \(\(5, 2, 3, 3\), \(8, 5, 1, 1\), \(3, 8, 5, 5\)\)"
        ):
            switcher(wrong)
