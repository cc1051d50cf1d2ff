"""L0's prices: what the table varies, and what a lambda for each layer costs."""

import invented
import pytest
import torch
from invented import unchecked  # noqa: F401

from snnlib.config import TrainConfig
from snnlib.lab import records
from snnlib.lab.experiments import TABLES, prices, regime_of, rivals
from snnlib.lab.experiments.chosen import CHOSEN_RIVALS
from snnlib.networks import MLP
from snnlib.peers import peer
from snnlib.peers.elastic import ElasticNet
from snnlib.report import pages
from snnlib.report import prices as report
from snnlib.report.results import Results


def test_arms_differ_in_lambda_and_its_form_alone():
    arms = prices.arms()
    assert set(arms) <= set(TABLES["prices"].arms["paper"])
    assert len(arms) == len(prices.FORMS) * len(prices.LAMBDAS) >= 10 and {regime_of(arm.name) for arm in arms} == {
        "tuned"
    }
    chosen = CHOSEN_RIVALS["mlp-l0"]["60"]
    for arm in arms:
        options = dict(arm.rival.options)
        assert arm.name.endswith(f"-{options.pop('strength'):g}") and ("-each-" in arm.name) == ("shares" in options)
        options.pop("shares", None)
        assert {key: chosen[key] for key in ("dropped", "scale_factor")} | {"optimizer": "adam"} == options
    assert len({(arm.train, arm.network, arm.dataset) for arm in arms}) == 1 and arms[0].train.rate == chosen["rate"]


def test_other_rivals_differ_from_the_arm_of_their_search_in_their_price_alone():
    others = prices.others()
    assert set(others) <= set(TABLES["prices"].arms["paper"]) and {regime_of(arm.name) for arm in others} == {"tuned"}
    changed: dict[str, list[float]] = {}
    for arm in others:
        base = next(each for each in rivals.searched("mlp") if each.name == f"{arm.rival.name}-60")
        assert (arm.train, arm.network, arm.dataset) == (base.train, base.network, base.dataset)
        own, theirs = dict(arm.rival.options), {"levels": ElasticNet.Options().levels, **dict(base.rival.options)}
        (option,) = [name for name in own if own[name] != theirs[name]]
        changed.setdefault(f"{arm.rival.name} {option}", []).append(own[option] / theirs[option])
    assert changed == {
        "bc-gnj strength": [0.5, 0.25],
        "bc-ghs strength": [0.5, 0.25],
        "elastic rho": [10.0],
        "elastic levels": [2.5],
        "n2n least": [pytest.approx(0.95 / 0.9)],
    }


def test_on_lenet5_bayesian_compression_is_run_under_the_bound_itself_too():
    table = TABLES["prices"]
    assert set(prices.bounds()) <= set(table.arms["paper"])
    for arm in prices.bounds():
        base = next(each for each in rivals.searched("lenet5-caffe") if each.name == f"{arm.rival.name}-60")
        assert (arm.train, arm.network) == (base.train, "lenet5-caffe") and regime_of(arm.name) == "tuned"
        assert dict(arm.rival.options) == {**dict(base.rival.options), "strength": 1.0} != dict(base.rival.options)
        assert table.seeds_of(arm, "paper") == (0, 1, 2) and table.reference_of(arm.name) == arm.name


@pytest.mark.parametrize("form", ["one", "each"])
def test_with_open_gates_both_forms_cost_alike_and_each_layer_the_same_where_it_has_its_own(form):
    arm = next(arm for arm in prices.arms() if arm.name == prices.name_of(form, 0.2))
    found = peer(arm.rival, MLP(prices.WIDTHS), 1000, TrainConfig(), torch.Generator().manual_seed(0))

    def price(opened):
        with torch.no_grad():
            for index, log_alpha in enumerate(found.log_alpha):
                log_alpha.fill_(50.0 if index in opened else -50.0)
        return float(found.penalty())

    layers = [price({index}) for index in range(3)]
    weights = [784 * 300, 300 * 100, 100 * 10]
    assert price({0, 1, 2}) == pytest.approx(0.2 / 1000 * sum(weights), rel=1e-3)
    expected = [sum(weights) / 3] * 3 if form == "each" else weights
    assert layers == pytest.approx([0.2 / 1000 * each for each in expected], rel=1e-3)


@pytest.mark.usefixtures("unchecked")
def test_the_table_and_the_picture_have_the_runs_there_are(tmp_path):
    results = Results("prices", "paper", tmp_path)
    assert [text.get_text() for text in report.picture(results).axes[0].texts] == [pages.NO_RUNS]
    assert list(report.table(results).index) == ["ours: not run yet"]
    arms = {arm.name: arm for arm in prices.arms()}
    for name, accuracy in (("lambda-one-0.02", 98.5), ("lambda-one-2", 95.0), ("lambda-each-2", 94.0)):
        for seed in range(2):
            record = invented.record(arms[name], seed, accuracy, profile="paper")
            record["result"] |= {"removed_pct": 90.0, "effective_pct": 90.0}
            records.write(records.path_of(arms[name], "paper", seed, tmp_path), record)
    results = Results("prices", "paper", tmp_path)
    assert list(report.table(results).index) == [
        ("one lambda", "0.02"),
        ("one lambda", "2"),
        ("a lambda for each layer", "2"),
    ]
    axes = report.picture(results).axes[0]
    assert sorted(text.get_text() for text in axes.texts) == ["0.02", "2", "2"] and axes.get_ylim()[0] < 94
