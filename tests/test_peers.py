"""The rivals: objectives against closed forms, Monte Carlo and finite differences; known limits; exact compaction."""

import copy
import dataclasses
import itertools
import math

import invented
import pandas
import pytest
import torch
from scipy import stats
from torch import distributions as of
from torch.nn import functional as F

from snnlib.arms import Arm, Rival
from snnlib.compaction import compact, load_compact, save_compact
from snnlib.config import TrainConfig
from snnlib.data import Dataset
from snnlib.lab import measuring, records, workers
from snnlib.lab.experiments import rivals
from snnlib.lab.experiments.spaces import RIVALS
from snnlib.lab.experiments.studies import STUDIES
from snnlib.lab.search import by_role
from snnlib.networks import MLP, NETWORKS, ConvNet, count, lenet5_caffe
from snnlib.peers import PEERS, base, bayesian, divergences, l0, lottery, masked, n2n, peer, train_peer
from snnlib.report import tables

OPTIONS = {
    "n2n": {"rollout": 3, "judged": 1, "rollouts": 2},
    "lottery": {"rounds": 3},
    "lottery-neurons": {"rounds": 3},
}
"""Options that let a run of a few steps go through all its stages."""


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(images=320, side=8):
    """Random images with labels that can be learnt: the brightest quarter of the image."""
    x = torch.randint(0, 256, (images, 1, side, side), generator=generator(), dtype=torch.uint8)
    half = side // 2
    quarters = [x[:, 0, a : a + half, b : b + half].float().mean((1, 2)) for a in (0, half) for b in (0, half)]
    y = torch.stack(quarters, 1).argmax(1)
    return Dataset("noise", x, y, x[:40], y[:40], tuple("abcd"))


def made(name, network=None, epochs=6, images=320, dtype=torch.float32, train=None, **options):
    network = network or MLP((64, 12, 8, 4), fc_std=0.2, generator=generator())
    config = TrainConfig(epochs=epochs, rate=0.05, batch_size=32, clip_network=None, fc_init="kaiming", **(train or {}))
    return peer(Rival.of(name, **OPTIONS.get(name, {}) | options), network.to(dtype), images, config, generator(1))


def trained(name, epochs=6, **options):
    found = made(name, epochs=epochs, **options)
    state = train_peer(found, noise(), found.config, 0)
    return found.eval(), state


# ---------------------------------------------------------------- all of them


@pytest.mark.parametrize("name", PEERS)
def test_what_is_left_is_a_plain_network_with_the_logits_that_are_judged(name):
    found, state = trained(name)
    assert len(state.history) == 6 and all(math.isfinite(row["loss"]) for row in state.history)
    x = noise().x_test.float() / 255
    final, gates = found.final(), found.gates()
    if found.KIND == "images":
        return
    small = compact(final, gates)
    with torch.no_grad():
        torch.testing.assert_close(small(x), found(x), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(final(x, gates), found(x), rtol=1e-4, atol=1e-5)
    left = found.left(x)
    weights = [layer.weight for layer in small.modules() if hasattr(layer, "weight")]
    assert left.weights == left.macs == sum(int((weight != 0).sum()) for weight in weights)
    assert left.of == count.weights(MLP((64, 12, 8, 4))) >= left.weights


@pytest.mark.parametrize("name", PEERS)
def test_an_interrupted_run_ends_as_if_it_had_not_been(name):
    straight, whole = trained(name, optimizer="adam") if name == "l0" else trained(name)
    options = {"optimizer": "adam"} if name == "l0" else {}
    first = made(name, **options)

    class Stop(Exception):
        pass

    def stop(state):
        if state.epoch == 3:
            kept.append((copy.deepcopy(first.state_dict()), copy.deepcopy(state)))
            raise Stop

    kept = []
    with pytest.raises(Stop):
        train_peer(first, noise(), first.config, 0, on_epoch=stop)
    second = made(name, **options)
    second.load_state_dict(kept[0][0])
    again = train_peer(second, noise(), second.config, 0, kept[0][1])
    assert [row["loss"] for row in again.history] == [row["loss"] for row in whole.history]
    for key, value in straight.state_dict().items():
        torch.testing.assert_close(second.state_dict()[key], value, rtol=0, atol=0)


@pytest.mark.parametrize("name", PEERS)
def test_arms_of_it_survive_their_record(name):
    options = {"shares": (1.0, 2.0, 3.0)} if name == "l0" else {"levels": (0.5, 1.0)} if name == "nested" else {}
    arm = Arm("a", "rival", rival=Rival.of(name, optimizer="adam", **options))
    record = {"settings": arm.settings(), "arm": "a", "seed": 0}
    assert records.arm_of(record) == arm and records.arm_of(record).settings_hash() == arm.settings_hash()
    assert arm.settings_hash() != Arm("a", "rival", rival=Rival.of(name)).settings_hash()


@pytest.mark.parametrize(
    "name, network",
    [
        *((name, "lenet5-caffe") for name, kind in PEERS.items() if ConvNet in kind.NETWORKS),
        *((name, "mobilenet-v1-x0.25") for name in ("lottery", "dnw", "edge-popup", "nested")),
        ("dnw", "vgg-cov2-bn"),
        ("n2n", "vgg-cov2-bn"),
        *((name, "vgg16-x0.25") for name in ("nested", "dnw")),
        *((name, "resnet34-x0.25") for name in ("n2n", "dnw", "lottery")),
    ],
)
def test_other_networks_too(name, network):
    image = (1, 28, 28) if network == "lenet5-caffe" else (3, 32, 32)
    task = NETWORKS[network](image, 10, fc_std=0.05, generator=generator())
    found = peer(
        Rival.of(name, **OPTIONS.get(name, {})), task, 100, TrainConfig(epochs=6, rate=0.01, momentum=0.9), generator()
    )
    x = torch.rand(4, *image, generator=generator(2))
    y = torch.tensor([0, 1, 2, 3])
    optimizers = found.optimizers()
    for epoch in range(6):
        found.noise = generator(epoch)
        found.begin(epoch)
        for _ in range(4 if name == "n2n" else 1):
            found.step(optimizers, x, y)
    small = compact(found.eval().final(), found.gates()).eval()
    with torch.no_grad():
        torch.testing.assert_close(small(x), found(x), rtol=1e-3, atol=1e-4)
    left = found.left(x)
    assert 0 < left.weights <= left.of and 0 < left.macs <= count.macs(task)


@pytest.mark.parametrize("name, first", [("dnw", 1), ("lottery", 0)])
def test_depthwise_convolutions_stay_whole_and_the_rest_has_the_density(name, first):
    network = NETWORKS["mobilenet-v1-x0.25"]((3, 32, 32), 10, fc_std=0.05, generator=generator())
    found = peer(Rival.of(name, density=0.1), network, 100, TrainConfig(epochs=6, rate=0.01), generator())
    for epoch in range(6):
        found.begin(epoch)
    final = list(count.layers(found.final()))
    depthwise = [layer for _, layer in final if getattr(layer, "groups", 1) > 1]
    others = [layer for _, layer in final if getattr(layer, "groups", 1) == 1][first:]
    assert len(depthwise) == 13 and all(bool((layer.weight != 0).all()) for layer in depthwise)
    left = [int((layer.weight != 0).sum()) / layer.weight.numel() for layer in others]
    if name == "dnw":
        assert left == pytest.approx([0.1] * len(left), abs=0.01)
    else:  # over all layers together: some lose more than others
        weights = [layer.weight.numel() for layer in others]
        share = sum(each * size for each, size in zip(left, weights)) / sum(weights)
        assert share == pytest.approx(0.1, abs=1e-4) and max(left) - min(left) > 0.2


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: made("magnitude"), "there is no rival 'magnitude': choose bc-gnj"),
        (lambda: made("l0", price=1.0), "l0 has no option price; it has average, dropped"),
        (lambda: made("l0", strength=-1.0), "strength=-1.0"),
        (lambda: made("l0", shares=(1.0,)), "give one for each of 3 layers"),
        (lambda: made("l0", dropped=1.0), "dropped=1.0: a share between 0 and 1"),
        (lambda: made("l0", average=1.0), "average=1.0: a decay"),
        (lambda: made("l0", scale_factor=0.0), "scale_factor=0.0: must be positive"),
        (lambda: made("dnw", optimizer="lbfgs"), "optimizer='lbfgs': choose 'sgd' or 'adam'"),
        (lambda: made("dnw", density=0.0), "density=0.0: a share, a number above 0 and at most 1"),
        (lambda: made("dnw", density="0.5"), "density='0.5': a share, a number above 0"),
        (lambda: made("edge-popup", start="zeros"), "start='zeros'"),
        (lambda: made("lottery", rounds=1), "rounds=1: two or more"),
        (lambda: made("lottery", epochs=2), "epochs=2 for 3 rounds"),
        (lambda: made("nested", levels=(1.0, 0.5)), "give shares in rising order"),
        (lambda: made("nested", levels=0.5), "levels=0.5: give shares in rising order"),
        (lambda: made("bc-gnj", threshold="widest"), "threshold='widest': a number, one for each layer, or 'gap'"),
        (lambda: made("bc-gnj", threshold=(-3.0, -5.0)), "the network has 3 gated layers, so give 3 numbers"),
        (lambda: made("bc-ghs", scale=0.0), "scale=0.0"),
        (lambda: made("bc-gnj", strength=math.inf), "strength=inf: must be 0 or more, and finite"),
        (lambda: made("elastic", rho=0.0), "rho=0.0"),
        (lambda: made("elastic", explore=2.0), "explore=2.0: a share from 0 to 1"),
        (lambda: made("elastic", levels=0), "levels=0"),
        (lambda: made("n2n", teacher=0.6, search=0.5), "leave a share of the run to the student"),
        (lambda: made("n2n", least=2.0), "least=2.0: a share from 0 to 1"),
        (lambda: made("n2n", rollout=0), "must be 1 or more"),
        (lambda: made("n2n", rate_removal=0.0), "rates must be positive"),
        (lambda: made("n2n", epochs=2).begin(0), "too few for a teacher, a search and a student"),
        (lambda: made("elastic", lenet5_caffe()), "ElasticNet cannot prune a ConvNet: .*; it takes MLP"),
        (
            lambda: made("l0", NETWORKS["mobilenet-v1-x0.25"]((3, 32, 32))),
            "L0 cannot prune a DeepNet: its gates .*; it takes MLP or ConvNet",
        ),
        (lambda: made("bc-gnj", NETWORKS["vgg-cov2-bn"]((3, 32, 32))), "with batch norm"),
        (
            lambda: made("n2n", NETWORKS["mobilenet-v1-x0.25"]((3, 32, 32))),
            "N2N cannot prune mobilenet-v1-x0.25: .* it takes mlp, lenet5-caffe, vgg-cov2 or resnet34",
        ),
    ],
)
def test_what_cannot_be_is_said(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", ["l0", "lottery", "dnw", "edge-popup", "bc-gnj", "nested", "elastic", "n2n"])
def test_products_are_in_the_precision_asked_for_and_the_loss_in_float32(name):
    found = {}
    for precision in ("float32", "bfloat16"):
        network = MLP((8, 6, 4), generator=generator())
        built = peer(Rival.of(name), network, 100, TrainConfig(epochs=5, precision=precision), generator())
        built.noise = generator()
        x = torch.rand(5, 8, generator=generator())
        y = torch.tensor([0, 1, 2, 3, 0])
        found[precision] = built.step(built.optimizers(), x, y) if name in ("elastic", "n2n") else built.loss(x, y)
        assert found[precision].dtype == torch.float32
    assert torch.isfinite(found["bfloat16"]) and found["bfloat16"] != found["float32"]


def test_an_arm_and_its_rival_belong_together():
    with pytest.raises(ValueError, match="an arm of the method 'rival' names its rival"):
        Arm("a", "rival")
    with pytest.raises(ValueError, match="names its rival, and no other arm does"):
        Arm("a", "dense", rival=Rival.of("l0"))


# ---------------------------------------------------------------- L0


def test_hard_concrete_gates_are_open_as_often_as_equation_12_says():
    log_alpha = torch.tensor([-3.0, -0.5, 0.0, 1.0, 4.0], dtype=torch.float64)
    uniform = torch.rand(200_000, 5, generator=generator(), dtype=torch.float64)
    gates = l0.sample(log_alpha, uniform, 2 / 3)
    assert gates.min() == 0 and gates.max() == 1
    torch.testing.assert_close((gates > 0).double().mean(0), l0.chance_open(log_alpha, 2 / 3), rtol=0, atol=0.005)
    middle = l0.sample(log_alpha, torch.full((5,), 0.5, dtype=torch.float64), 1.0)  # the median of a stretched variable
    torch.testing.assert_close(middle, l0.expected(log_alpha))


def test_the_l0_penalty_is_the_expected_number_of_weights_and_their_norm():
    found = made("l0", dtype=torch.float64, train={"weight_decay": 0.03}, strength=0.7, shares=(1.0, 2.0, 0.5))
    expected = 0.0
    for share, log_alpha, weight in zip((1.0, 2.0, 0.5), found.log_alpha, found.network.linear_weights()):
        open_ = torch.sigmoid(log_alpha - 2 / 3 * math.log(0.1 / 1.1))
        for neuron in range(len(weight)):
            price = 0.7 * share * weight.shape[1] / 320 + 0.5 * 0.03 * (weight[neuron] ** 2).sum()
            expected = expected + open_[neuron] * price
    torch.testing.assert_close(found.penalty(), expected)
    parameters = [*found.log_alpha, *(layer.weight for layer in found.network.layers)]

    def penalty(*values):
        for parameter, value in zip(parameters, values):
            parameter.data = value
        return found.penalty()

    gradient = torch.autograd.grad(found.penalty(), parameters)
    for index, parameter in enumerate(parameters):  # finite differences in one direction each
        step = torch.randn(parameter.shape, generator=generator(index), dtype=torch.float64) * 1e-6
        start = [each.detach().clone() for each in parameters]
        ahead, behind = (
            penalty(*(each + way * step if number == index else each for number, each in enumerate(start)))
            for way in (1, -1)
        )
        penalty(*start)
        assert float((ahead - behind).detach()) / 2 == pytest.approx(float((gradient[index] * step).sum()), rel=1e-4)


def test_without_a_price_and_with_open_gates_l0_is_the_dense_network():
    found = made("l0", strength=0.0)
    assert found.penalty() == 0
    with torch.no_grad():
        for log_alpha in found.log_alpha:
            log_alpha.fill_(math.log(1e2))
    x = noise().x_test.float() / 255
    assert all(bool((gate == 1).all()) for gate in found.eval().gates())
    torch.testing.assert_close(found(x), found.network(x), rtol=0, atol=1e-6)


def test_a_high_price_closes_gates_and_the_average_is_what_is_judged():
    closed, _ = trained("l0", strength=400.0, optimizer="adam", scale_factor=10.0, epochs=12)
    assert sum(int((gate == 0).sum()) for gate in closed.gates()) > 20
    averaged, _ = trained("l0", average=0.9)
    plain = averaged.network(noise().x_test.float() / 255, averaged.gates())
    assert not torch.allclose(plain, averaged(noise().x_test.float() / 255))


# ---------------------------------------------------------------- Bayesian compression


def test_divergence_from_the_standard_normal():
    mean, log_variance = torch.randn(2, 5, 3, generator=generator(), dtype=torch.float64)
    exact = of.kl_divergence(of.Normal(mean, (0.5 * log_variance).exp()), of.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(divergences.standard_normal(mean, log_variance), exact)
    mean.requires_grad_(), log_variance.requires_grad_()
    assert torch.autograd.gradcheck(divergences.standard_normal, (mean, log_variance))


@pytest.mark.parametrize("alpha", [0.05, 0.3, 1.0, 5.0, 50.0])
def test_divergence_from_the_log_uniform_prior(alpha):
    drawn = 1 + math.sqrt(alpha) * torch.randn(2_000_000, generator=generator(), dtype=torch.float64)
    exact = -0.5 * math.log(alpha) + float(drawn.abs().log().mean()) + 0.635181  # 0 for infinite alpha
    assert float(divergences.jeffreys(torch.tensor(math.log(alpha)))) == pytest.approx(exact, abs=0.01)


@pytest.mark.parametrize("mean, log_variance", [(0.3, -1.0), (-2.0, -4.0), (1.5, 0.2)])
def test_divergences_from_gamma_and_inverse_gamma(mean, log_variance):
    posterior = of.LogNormal(torch.tensor(mean, dtype=torch.float64), math.exp(0.5 * log_variance))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = posterior.sample((1_000_000,))
    pair = torch.tensor([mean, log_variance], dtype=torch.float64)
    gamma = of.Gamma(torch.tensor(0.5, dtype=torch.float64), 1 / torch.tensor(0.7, dtype=torch.float64))
    expected = (posterior.log_prob(drawn) - gamma.log_prob(drawn)).mean()
    torch.testing.assert_close(divergences.gamma_half(*pair, 0.7), expected, rtol=0.02, atol=0.02)
    inverse = of.InverseGamma(torch.tensor(0.5, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))
    expected = (posterior.log_prob(drawn) - inverse.log_prob(drawn)).mean()
    torch.testing.assert_close(divergences.inverse_gamma_half(*pair), expected, rtol=0.02, atol=0.02)


def test_the_root_of_gamma_times_inverse_gamma_is_half_cauchy():
    scale = 0.3
    gamma = stats.gamma(0.5, scale=scale**2).rvs(20_000, random_state=1)
    inverse = stats.invgamma(0.5, scale=1).rvs(20_000, random_state=2)
    assert stats.kstest((gamma * inverse) ** 0.5, stats.halfcauchy(scale=scale).cdf).pvalue > 0.01


@pytest.mark.parametrize("name", ["bc-gnj", "bc-ghs"])
def test_drawn_activations_have_the_moments_of_drawn_weights(name):
    """Local reparametrization: mean and variance of a layer's outputs as if weights and scales were drawn."""
    found = made(name, MLP((6, 3), fc_std=0.5, generator=generator()), variance=-2.0)
    x = torch.rand(1, 6, generator=generator(3)).expand(40_000, 6)
    found.noise = generator(4)
    with torch.no_grad():
        drawn = torch.cat([found(part) for part in x.split(1)[:400]]) if name == "bc-ghs" else found(x)
        layer = found.network.layers[0]
        scale, variance = found.mean_scales(0), found.log_variance("layers.0.weight").exp()
        mean = (x[0] * scale) @ layer.weight.t() + layer.bias
        assert (drawn.mean(0) - mean).abs().max() < 5 * (drawn.var(0) / len(drawn)).sqrt().max()
        if name == "bc-gnj":
            noise_ = found.get_parameter("scale_log_variance_0").exp()
            square = scale.square() + noise_
            spread = x[0].square() * (square * variance + noise_ * layer.weight.square())
            total = spread.sum(1) + found.log_variance("layers.0.bias").exp()
            torch.testing.assert_close(drawn.var(0), total, rtol=0.05, atol=0)


def test_scales_of_the_horseshoe_are_drawn_with_the_moments_of_their_four_factors():
    """The groups' factors anew for each image, the layer's once; their divergence is that of each factor by itself."""
    found = made("bc-ghs", MLP((6, 3), fc_std=0.5, generator=generator()), variance=-1.0)
    found.noise = generator(4)
    parts = {part: found._part(part, 0) for part in found.PARTS}
    with torch.no_grad():
        mean, variance = found.log_moments(0)
        own = 0.25 * sum(parts[part][1].exp() for part in ("gamma", "inverse"))
        shared = 0.25 * sum(parts[part][1].exp() for part in ("layer_gamma", "layer_inverse"))
        torch.testing.assert_close(variance, own + shared)
        images = found.drawn_scales(0, 20_000).log()
        torch.testing.assert_close(images.var(0), own, rtol=0.06, atol=0)
        draws = torch.cat([found.drawn_scales(0, 1).log() for _ in range(4000)])
        torch.testing.assert_close(draws.var(0), variance, rtol=0.12, atol=0)
        assert ((draws.mean(0) - mean).abs() < 5 * (variance / len(draws)).sqrt()).all()
        expected = (
            divergences.gamma_half(*parts["layer_gamma"], found.options.scale**2).sum()
            + divergences.inverse_gamma_half(*parts["layer_inverse"]).sum()
            + divergences.gamma_half(*parts["gamma"], 1.0).sum()
            + divergences.inverse_gamma_half(*parts["inverse"]).sum()
        )
        torch.testing.assert_close(found.scale_divergence(), expected)


def test_a_gap_is_the_widest_empty_stretch():
    assert bayesian.gap(torch.tensor([3.0, -5.0, -4.5, 2.5])) == -1.0
    assert bayesian.gap(torch.tensor([1.0])) == math.inf
    found = made("bc-gnj", threshold=-3.0)
    with torch.no_grad():
        found.get_parameter("scale_log_variance_1")[:5] = 4.0
    assert [int((gate > 0).sum()) for gate in found.eval().gates()] == [64, 7, 8]
    each = made("bc-gnj", threshold=(-20.0, -3.0, 5.0))
    assert [int((gate > 0).sum()) for gate in each.eval().gates()] == [0, 12, 8], "all log alphas are near -9"


@pytest.mark.parametrize("name", ["bc-gnj", "bc-ghs"])
def test_a_record_says_how_accurate_the_network_is_before_the_cut(name):
    found, _ = trained(name, threshold=-1e9)  # everything goes
    data = noise()
    arm = Arm("a", "rival", name, train=found.config, rival=Rival.of(name))
    result = measuring.measured(found, data, arm, 0, [{"epoch": 0, "accuracy": 0.25}])
    network, gates = found.final(), found.uncut()
    assert all(bool((gate > 0).all()) for gate in gates)
    right = (network(data.x_test.float() / 255, gates).argmax(1) == data.y_test).double().mean()
    assert result["uncut_accuracy"] == pytest.approx(100 * float(right)) and result["left_pct"] == 0
    assert made("dnw").uncut() is None and "uncut_accuracy" not in invented.result(90.0)


@pytest.mark.parametrize("network", [None, "lenet5-caffe"])
def test_a_negative_scale_is_judged_as_it_was_trained_and_counts_as_kept(network):
    """Its sign moves into the weights: behind a kernel's ReLU a negative factor would be another function."""
    found = made("bc-gnj", network and NETWORKS[network]((1, 28, 28)), threshold=math.inf)
    with torch.no_grad():
        for layer in range(len(found.network.gate_widths())):
            found.get_parameter(f"scale_mean_{layer}")[::2] *= -0.7
        for name, value in found.named_parameters():
            if "log_variance" in name:
                value.fill_(-40.0)  # so that nothing is drawn but the means
    x = torch.rand(5, 1, 28, 28, generator=generator(2)) if network else torch.rand(5, 64, generator=generator(2))
    with torch.no_grad():
        drawn = found.train()(x)
        judged = found.eval()(x)
        torch.testing.assert_close(judged, drawn, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(compact(found.final(), found.gates())(x), judged, rtol=1e-4, atol=1e-5)
    assert [int((gate > 0).sum()) for gate in found.gates()] == list(found.network.gate_widths())


def test_the_bound_of_variances_and_the_warm_up():
    found = made("bc-gnj", variance=0.0, warm_up=0.5, strength=2.0)
    found.after_step()
    assert float(found.log_variance("layers.0.weight").detach().max()) <= math.log(0.04) + 1e-6
    shares = []
    for epoch in range(6):
        found.begin(epoch)
        shares.append(float((found.penalty() / found.divergence()).detach()) * 320 / 2)
    assert shares == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1])


# ---------------------------------------------------------------- weights


def test_the_largest_are_kept_and_ties_are_broken():
    scores = torch.tensor([[3.0, 1.0], [2.0, 1.0], [1.0, 0.0]])
    assert masked.largest(scores, 0.5).sum() == 3 and bool(masked.largest(scores, 0.5)[0, 0])
    assert masked.largest(scores, 1.0).all() and masked.largest(scores, 1e-6).sum() == 1
    assert masked.largest(torch.zeros(10), 0.3).sum() == 3


def test_dnw_gives_every_weight_the_gradient_of_the_masked_network():
    found = made("dnw", dtype=torch.float64, density=0.3)
    x, y = torch.rand(20, 64, generator=generator(2), dtype=torch.float64), torch.arange(20) % 4
    F.cross_entropy(found(x), y).backward()
    pruned = copy.deepcopy(found.network)
    with torch.no_grad():
        for layer in pruned.layers:
            layer.weight.mul_(masked.largest(layer.weight.abs(), 0.3))
    pruned.zero_grad()
    loss = F.cross_entropy(pruned(x), y)
    loss.backward()
    for ours, plain in zip(found.network.layers, pruned.layers):
        torch.testing.assert_close(ours.weight.grad, plain.weight.grad)
        assert int((plain.weight != 0).sum()) == round(0.3 * plain.weight.numel())
    full = made("dnw", density=1.0)
    torch.testing.assert_close(full(x.float()), full.network(x.float()), rtol=0, atol=0)


def test_edge_popup_trains_scores_by_its_equation_and_nothing_else():
    found = made("edge-popup", dtype=torch.float64)
    x, y = torch.rand(20, 64, generator=generator(2), dtype=torch.float64), torch.arange(20) % 4
    F.cross_entropy(found(x), y).backward()
    plain = found.final().requires_grad_(True)
    F.cross_entropy(plain(x), y).backward()
    for index, layer in enumerate(found.network.layers):
        score = found.score(f"layers.{index}.weight")
        expected = plain.layers[index].weight.grad * layer.weight * score.sign()  # dL/dI w z, and |s|
        torch.testing.assert_close(score.grad, expected)
        assert layer.weight.grad is None and layer.weight.abs().std() < 1e-12  # signed constant
    assert [name.split("_")[0] for name, value in found.named_parameters() if value.requires_grad] == ["score"] * 3


@pytest.mark.parametrize("density", [0.4, 0.1])
def test_a_lottery_ticket_has_its_density_and_its_first_weights(density):
    found = made("lottery", density=density, rounds=3)
    start = [layer.weight_orig.detach().clone() for layer in found.network.layers]
    masks = []

    def look(state):
        masks.append([layer.weight_mask.clone() for layer in found.network.layers])

    train_peer(found, noise(), found.config, 0, on_epoch=look)
    for before, after in itertools.pairwise(masks):
        assert all(bool((b >= a).all()) for b, a in zip(before, after))  # what is pruned stays pruned
    shares = [float(mask.mean()) for mask in masks[-1]]
    assert shares == pytest.approx([density, density, 1 - (1 - density) / 2], abs=0.02)
    found.rewind()
    assert all(torch.equal(layer.weight_orig, first) for layer, first in zip(found.network.layers, start))


def test_lottery_rounds_have_schedules_of_their_own():
    assert [lottery.round_of(epoch, 7, 3) for epoch in range(7)] == [
        (0, 0, 2), (0, 0, 2), (1, 2, 4), (1, 2, 4), (2, 4, 7), (2, 4, 7), (2, 4, 7)
    ]  # fmt: skip
    found = made("lottery", epochs=6, rounds=3)
    assert [round(found.progress(share / 12), 3) for share in range(0, 12, 2)] == [0, 0.5, 0, 0.5, 0, 0.5]


def test_lottery_neurons_leave_the_share_of_weights_asked_for():
    full = (784, 300, 100)
    share = lottery.share_of_neurons(full, 0.25, {"outputs": 10, "areas": [], "channels": 1})
    kept = [round(share * width) for width in full]
    assert kept[0] * kept[1] + kept[1] * kept[2] + kept[2] * 10 == pytest.approx(0.25 * 266_200, rel=0.01)


# ---------------------------------------------------------------- nested, elastic, N2N


def test_the_core_of_a_nested_network_is_its_first_neurons():
    found = made("nested", levels=(0.5, 1.0))
    x = noise().x_test.float() / 255
    core = compact(found.final(), found.gates())
    assert core.widths == (64, 6, 4, 4)
    torch.testing.assert_close(core.layers[1].weight, found.network.layers[1].weight[:4, :6], rtol=0, atol=0)
    torch.testing.assert_close(found.network(x, found.gates_of(1)), found.network(x), rtol=0, atol=0)
    y, losses = noise().y_test, []
    for level in range(2):
        losses.append(F.cross_entropy(found.network(x, found.gates_of(level)), y).item())
    assert float(found.step(found.optimizers(), x, y)) == pytest.approx(sum(losses) / 2, rel=1e-5)


def test_an_elastic_network_uses_for_each_image_what_was_chosen_for_it():
    found = made("elastic", levels=4)
    x = noise().x_test.float() / 255
    found.begin(5)
    chosen = torch.randint(4, (len(x), 2), generator=generator(5))
    logits = found.logits(x, chosen)
    for index in range(5):
        widths = [math.ceil((int(level) + 1) * width / 4) for level, width in zip(chosen[index], (12, 8))]
        gates = [torch.ones(64)] + [(torch.arange(w) < kept).float() for kept, w in zip(widths, (12, 8))]
        torch.testing.assert_close(logits[index : index + 1], found.network(x[index : index + 1], gates))
    used = []
    for levels in found.choose(x):
        a, b = (math.ceil((int(level) + 1) * width / 4) for level, width in zip(levels, (12, 8)))
        used.append(64 * a + a * b + b * 4)
    assert found.left(x).weights == pytest.approx(sum(used) / len(used))
    use = found.use(torch.tensor([[3, 3], [0, 1]]))
    assert use.tolist() == [1.0, 0.375]
    reward = found.reward(torch.tensor([[3, 3], [0, 1]]), torch.tensor([0.5, 2.0]))
    assert reward.tolist() == pytest.approx([0.5, 1 - 0.375**2 - 2 + 1])


def test_an_elastic_deep_network_has_levels_in_its_fully_connected_layers_alone():
    network = NETWORKS["vgg16"]((3, 32, 32), 10, fc_std=0.05, generator=generator())
    found = made("elastic", network, levels=4).eval()
    x, widths = torch.rand(2, 3, 32, 32, generator=generator(2)), (512, 4096, 4096)
    chosen = torch.tensor([[0, 3, 1], [2, 0, 3]])
    logits = found.logits(x, chosen)
    for index in range(2):
        gates = [(torch.arange(w) < (int(level) + 1) * w / 4).float() for level, w in zip(chosen[index], widths)]
        torch.testing.assert_close(logits[index : index + 1], network(x[index : index + 1], gates))
    left, total = found.left(x), count.weights(network)
    used = [[(int(level) + 1) * width / 4 for level, width in zip(levels, widths)] for levels in found.choose(x)]
    removed = total - sum(a * b + b * c + 10 * c for a, b, c in used) / 2
    assert left.of - left.weights == pytest.approx(removed) and count.macs(network) - left.macs == pytest.approx(
        removed
    )


def test_a_nested_deep_network_computes_its_features_once():
    network, calls = NETWORKS["mobilenet-v1-x0.25"]((3, 32, 32), 10, fc_std=0.05, generator=generator()), []
    found = made("nested", network, levels=(0.3, 0.6, 1.0))
    found.network.features[-1].register_forward_hook(lambda *_: calls.append(1))
    x, y = torch.rand(4, 3, 32, 32, generator=generator(2)), torch.tensor([0, 1, 2, 3])
    before = copy.deepcopy(network)
    loss = found.loss(x, y)
    assert len(calls) == 1
    losses = [F.cross_entropy(before(x, found.gates_of(level)), y) for level in range(3)]
    torch.testing.assert_close(loss, torch.stack(losses).mean())


def test_reinforce_follows_the_gradient_of_the_expected_reward():
    """Mean over many draws of the elastic network's estimate against the exact gradient, summed over all choices."""
    found = made("elastic", MLP((64, 6, 4), fc_std=0.5, generator=generator()), levels=3, explore=0.0, rho=0.3)
    found.begin(5)
    x, y = noise().x_test[:1].float() / 255, noise().y_test[:1]
    scores = found.scores(x)
    expected = torch.zeros(())
    for level in range(3):
        chosen = torch.tensor([[level]])
        loss = F.cross_entropy(found.logits(x, chosen), y).detach()
        expected = expected + scores[0, 0, level].exp() * found.reward(chosen, loss)
    exact = torch.autograd.grad(expected, found.policy[2].bias)[0]
    gradients = []
    optimizers = {"network": torch.optim.SGD(found.network.parameters(), lr=0.0)}
    optimizers["switcher"] = torch.optim.SGD(found.policy.parameters(), lr=0.0)
    many, labels = x.expand(4000, 1, 8, 8), y.expand(4000)
    for draw in range(10):
        found.noise = generator(draw)
        found.step(optimizers, many, labels)
        gradients.append(-found.policy[2].bias.grad.clone())
    error = torch.stack(gradients).std(0) / len(gradients) ** 0.5
    assert (torch.stack(gradients).mean(0) - exact).abs().max() < 5 * error.max() + 1e-4


def test_a_student_that_leaves_a_layer_out_is_the_network_that_is_kept():
    found = made("n2n")
    x = noise().x_test.float() / 255
    for kept, widths in (((12, 8), (64, 12, 8, 4)), ((5, 0), (64, 5, 4)), ((0, 3), (64, 3, 4)), ((0, 0), (64, 4))):
        small = found.student.small(kept)
        assert small.widths == widths and count.weights(small) == round((1 - found.removed(kept)) * 896)
        torch.testing.assert_close(small(x), found.student(x, kept))


def test_a_student_of_a_resnet_has_fewer_kernels_within_its_blocks_or_shortcuts_alone(tmp_path):
    teacher = NETWORKS["resnet34-x0.25"]((3, 32, 32), 10, fc_std=0.05, generator=generator())
    found = made("n2n", teacher)
    assert found.full == [16] * 3 + [32] * 4 + [64] * 6 + [128] * 3 and found.student.REMOVES
    kept = [16, 0, 3, 0, 32, 1, 0, *[7] * 6, 0, 0, 50]
    small = found.student.eval().small(kept)
    of = sum(layer.weight.numel() for _, layer in count.layers(teacher))
    assert sum(layer.weight.numel() for _, layer in count.layers(small)) == round((1 - found.removed(kept)) * of)
    x = torch.rand(2, 3, 32, 32, generator=generator(2))
    torch.testing.assert_close(small(x), found.student(x, kept), rtol=1e-4, atol=1e-5)
    save_compact(small, tmp_path / "small.safetensors")
    again = load_compact(tmp_path / "small.safetensors")
    assert torch.equal(again(x), small(x)) and again.features.inner() == tuple(kept)


def test_what_n2n_leaves_of_a_resnet_is_counted_with_its_features():
    images, labels = torch.randint(256, (8, 3, 32, 32), dtype=torch.uint8, generator=generator()), torch.arange(8)
    data = Dataset("cifar10", images, labels, images, labels, tuple("0123456789"))
    found = made("n2n", NETWORKS["resnet34-x0.25"]((3, 32, 32), 10, generator=generator()))
    kept = [0, 4] * 8
    found._get("stage").fill_(n2n.STAGES.index("student"))
    found._get("kept").copy_(torch.tensor(kept))
    arm = Arm("n2n-63", "rival", "N2N", "cifar10", "resnet34-x0.25", TrainConfig(batch_size=4), rival=Rival.of("n2n"))
    result = measuring.measured(found, data, arm, 0, [{"epoch": 0, "accuracy": 0.1}])
    assert result["inner_widths"] == kept and tables.removed(result) == pytest.approx(100 * found.removed(kept))
    assert result["weights"] == found.student.weights(found.full) and result["macs"] < result["macs_full"] / 2


def test_the_reward_of_a_student():
    found = made("n2n", most=0.5)
    removed = 1 - (64 * 5 + 5 * 4) / 896
    assert found.removed([5, 0]) == pytest.approx(removed)
    assert found.reward([5, 0], 0.9) == pytest.approx(removed * (2 - removed) * 0.9)
    assert found.reward([12, 8], 1.0) == -1.0
    assert made("n2n", least=0.95).reward([5, 0], 0.9) == -1.0


def test_a_search_ends_with_the_best_student_it_has_tried():
    rewards, found = [], made("n2n", epochs=20, most=0.9, least=0.4)
    judge = found.reward
    found.reward = lambda kept, ratio: rewards.append((judge(kept, ratio), list(kept))) or rewards[-1][0]
    train_peer(found, noise(), found.config, 0)
    best = max(rewards)
    assert len(rewards) > 10 and len({tuple(kept) for _, kept in rewards}) > 3
    assert found._get("best").tolist() == best[1] and float(found._get("best_reward")) == pytest.approx(best[0])
    widths = [64, *(width for width in best[1] if width), 4]
    assert list(found.final().widths) == widths


def test_a_search_that_accepts_no_student_keeps_the_whole_size():
    found = made("n2n", epochs=20, most=0.01)
    train_peer(found, noise(), found.config, 0)
    assert float(found._get("best_reward")) == n2n.REFUSED and list(found.final().widths) == [64, 12, 8, 4]


def test_a_proposal_that_diverges_has_no_accuracy():
    found = made("n2n")
    optimizers, x, y = found.optimizers(), noise().x_test.float() / 255, noise().y_test
    found.begin(0)
    found.step(optimizers, x, y)
    found.noise = generator()
    assert found.begin(found._ends()[0])
    with torch.no_grad():
        for parameter in found.student.parameters():
            parameter.fill_(math.nan)
    assert math.isfinite(found.step(optimizers, x, y))
    assert found._get("rewards")[0] == 0 and found._get("done")[0] == 1


# ---------------------------------------------------------------- in a reader's hands


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda found: train_peer(found.network, noise(), found.config, 0), TypeError, "a MLP is no rival: make one"),
        (lambda found: train_peer(found, noise(100), found.config, 0), ValueError, "for 320 .* noise has 100: make it"),
        (
            lambda found: train_peer(found, noise(), dataclasses.replace(found.config, epochs=2), 0),
            ValueError,
            r"other settings: epochs=2 \(made for 6\); give peer.config",
        ),
        (lambda found: train_peer(found, noise(side=4), found.config, 0), ValueError, "cannot be run on the images"),
        (lambda found: train_peer(found, "mnist", found.config, 0), TypeError, "data is a str: give a"),
        (lambda found: peer("dnw", found.network, 320, found.config, generator()), TypeError, r"give Rival.of\('dnw'"),
        (lambda _: Arm("a", "rival", rival="dnw"), ValueError, r"rival='dnw' is no Rival: give Rival.of\('dnw'\)"),
        (lambda _: compact(made("elastic").eval()), TypeError, "uses other neurons for each image"),
    ],
)
def test_a_rival_in_the_wrong_place_is_told_so(call, error, message):
    with pytest.raises(error, match=message):
        call(made("dnw"))


@pytest.mark.parametrize("name", ["l0", "dnw"])
def test_a_rival_is_compacted_as_a_model_with_a_switcher_is(name):
    found, _ = trained(name)
    x = noise().x_test.float() / 255
    with torch.no_grad():
        torch.testing.assert_close(compact(found)(x), found(x), rtol=1e-4, atol=1e-5)


def test_a_rival_that_is_judged_by_another_network_than_it_leaves_is_refused(monkeypatch):
    found, _ = trained("l0")
    found.log_alpha[1].data[:4] = -50.0
    x = noise().x_test.float() / 255
    measuring.check_left(found, x)
    monkeypatch.setattr(type(found), "forward", lambda self, x, gates=None: self.network(x))
    with pytest.raises(ValueError, match="L0 is judged by another network than it leaves: logits lie"):
        measuring.check_left(found, x)


def test_a_penalty_is_one_number(monkeypatch):
    found = made("l0")
    monkeypatch.setattr(type(found), "penalty", lambda self: torch.ones(3))
    with pytest.raises(TypeError, match=r"L0.penalty returns \(3,\) numbers; one is wanted"):
        train_peer(found, noise(), found.config, 0)


def raised(act):
    with pytest.raises(Exception) as told:
        act()
    return told.value


def test_a_mistake_in_a_method_is_not_taken_for_one_of_its_user():
    assert workers._told(raised(lambda: made("dnw", density=2.0)))
    assert not workers._told(raised(lambda: torch.ones(3).item()))
    assert not workers._told(raised(lambda: int("x"))) and workers._told(FileNotFoundError("x"))


# ---------------------------------------------------------------- in the laboratory


def test_every_rival_has_a_search_with_equal_trials_and_arms_that_can_be_built():
    names = {name for name, *_ in RIVALS}
    assert names == set(PEERS) - {"lottery-neurons"} and set(rivals.NAMES) == set(PEERS)
    chosen = {}
    for name in names:
        study = STUDIES[f"mlp-{name}"]
        assert study.rungs == STUDIES["mlp-small"].rungs
        values = {key: space[0] if isinstance(space, tuple) else space.low for key, space in study.space.items()}
        chosen[study.name] = {role: values | {"rate": 0.01 * number} for number, role in enumerate(study.roles, 1)}
    arms = rivals.searched("mlp", chosen)
    assert len(arms) == 3 * len(PEERS) and len({arm.name for arm in arms}) == len(arms)
    for arm in arms:
        network = MLP((784, 300, 100, 10), generator=generator())
        built = peer(arm.rival, network, 60_000, arm.train, generator())
        assert arm.train.epochs == 40 and arm.train.split == "full" and arm.train.normalize
        given = dict(arm.rival.options)
        if percent := arm.name.rsplit("-", 1)[1] if "density" in given or "levels" in given else None:
            left = given.get("density", base.Left(built.left(torch.zeros(1)).weights, 266_200, 0).weights / 266_200)
            assert left == pytest.approx(1 - int(percent) / 100, abs=0.01)


def test_options_are_frozen_and_have_defaults():
    for kind in PEERS.values():
        options = kind.Options()
        with pytest.raises(dataclasses.FrozenInstanceError):
            options.optimizer = "adam"
    assert n2n.FACTORS[-1] == 1.0


def test_a_table_shows_what_a_rival_has_removed_whatever_its_widths(tmp_path):
    arm = Arm("dnw", "rival", "DNW", train=TrainConfig(epochs=1), rival=Rival.of("dnw"))
    left = {"kind": "weights", "weights": 266_200, "left_pct": 25.0, "macs_left": 66_550}
    path = records.path_of(arm, "smoke", 0, tmp_path)
    path.parent.mkdir(parents=True)
    records.write(path, invented.record(arm, result=invented.result(90.0, **left)))
    row = tables._our_row("rivals", "smoke", [records.look_up(arm, "smoke", 0, tmp_path)], None)
    assert (row.removed_pct, row.effective_pct, row.widths, row.n) == (75.0, 75.0, [784, 300, 100], 1)
    for wrong in ({"left_pct": 125.0}, {"uncut_accuracy": 120.0}):
        records.write(path, invented.record(arm, result=invented.result(90.0, **left | wrong)))
        assert records.look_up(arm, "smoke", 0, tmp_path).state == "broken"


def test_the_rule_of_a_rival_takes_the_most_accurate_of_its_size():
    trials = pandas.DataFrame(
        {"trial": [0, 1, 2], "accuracy": [98.0, 97.0, 96.0], "removed": [50.0, 80.0, 70.0]}, dtype=object
    )
    best = {role: int(by_role(trials, role, None).iloc[0]["trial"]) for role in ("given", "60", "75", "90")}
    assert best == {"given": 0, "60": 1, "75": 1, "90": 1}
