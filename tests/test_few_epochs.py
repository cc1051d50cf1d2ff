"""How the settings and epochs of the profile "whole" were found."""

import math
from dataclasses import replace

import invented
import pytest
import torch
from invented import settings_of, unchecked  # noqa: F401

from snnlib import metrics
from snnlib.arms import Arm, Rival
from snnlib.config import TrainConfig
from snnlib.data import Dataset
from snnlib.lab import building, measuring, records, search
from snnlib.lab.experiments import TABLES, as_published, regime_of, rivals, whole
from snnlib.lab.experiments.studies import STUDIES
from snnlib.lab.experiments.table import Table
from snnlib.networks import NETWORKS
from snnlib.report import few_epochs, tables

pytestmark = pytest.mark.usefixtures("unchecked")

SMALL = "mobilenet-v1-x0.25"


@pytest.mark.parametrize(
    "accuracies, expected",
    [({4: 70.0, 8: 70.9, 16: 75.0}, 4), ({4: 70.0, 8: 71.0, 16: 71.5}, 8), ({4: 70.0, 8: 75.0, 16: 80.0}, 16)],
)
def test_the_fewest_epochs_within_a_point_of_twice_as_many_are_taken(accuracies, expected):
    assert whole.enough(accuracies) == expected


def test_what_is_taken_is_what_the_rule_takes_of_the_recorded_runs():
    found = few_epochs.curve(records.default_root())
    for network, epochs in whole.EPOCHS.items():
        name = few_epochs.NETWORKS[network]
        if network in whole.REDUCED and (
            name not in found.index or "" in [found.loc[name][f"{n} epochs"] for n in whole.TRIED]
        ):
            assert epochs == whole.TRIED[-1], "what has no curve takes the most"
            continue
        line = found.loc[name]
        assert whole.enough({each: float(line[f"{each} epochs"]) for each in whole.TRIED}) == epochs


def test_the_curve_stands_in_a_table(monkeypatch, tmp_path):
    assert few_epochs.curve(tmp_path).iloc[0, 0] == "No such run is recorded yet."
    arms = whole.curve({SMALL: {"dense": settings_of(STUDIES[f"{SMALL}-dense"])}})
    monkeypatch.setitem(TABLES, "epochs", Table("epochs", "t", {"search": arms}, {"search": (0,)}, arms[0].name))
    monkeypatch.setitem(whole.EPOCHS, SMALL, 8)
    for arm, accuracy in zip(arms, (70.0, 71.5, 72.0)):
        record = invented.record(arm, accuracy=accuracy, profile="search")
        records.write(records.path_of(arm, "search", 0, tmp_path), record)
    assert few_epochs.curve(tmp_path).loc["MobileNetV1 x0.25"].tolist() == ["70.00", "71.50", "72.00", "", "8"]


def test_searches_that_have_begun_are_told(tmp_path):
    assert few_epochs.progress(tmp_path) == "No search on CIFAR-10 has begun."
    assert few_epochs.settings("dense", tmp_path).iloc[0, 0].startswith("Nothing is chosen yet")
    study = STUDIES[f"{SMALL}-dense"]
    row = {"trial": 0, "rung": 1, "parent": None, "seed": 0, "epochs": 4, "state": "finished", "error": None}
    row |= settings_of(study) | {"accuracy": 50.0, "removed": 0.0, "seconds": 60.0}
    search.write([row], search.file_of(study, tmp_path))
    said = few_epochs.progress(tmp_path)
    assert "1 of 20 trials of 4 epochs" in said and "SNN-AL, mobilenet-v1-x0.25 on CIFAR-10*: not begun" in said


def test_the_settings_chosen_stand_side_by_side():
    folder = records.default_root().parent / "search"
    dense, ours = few_epochs.settings("dense", folder), few_epochs.settings("accurate", folder)
    assert "MobileNetV1 x0.25" in dense.columns and list(dense.columns) == list(ours.columns)
    assert "weight decay" in dense.index and "turn" in ours.index and "turn" not in dense.index
    assert not (dense == "").any(axis=None) and not (ours == "").any(axis=None)


def test_networks_too_large_for_a_search_have_the_published_rivals_with_the_dense_networks_training():
    source = "vgg16-x0.25"
    chosen = {
        source: {"dense": settings_of(STUDIES[f"{source}-dense"]), "accurate": settings_of(STUDIES[f"{source}-snn"])}
    }
    arms = {
        arm.name: arm
        for arm in whole.arms("cifar10", ("vgg16", "resnet34"), chosen, {source: 8})
        if arm.network == "vgg16"
    }
    assert list(arms) == ["tuned-dense", "accurate", "nested-55", "elastic-55"]
    assert arms["nested-55"].train == arms["elastic-55"].train == arms["tuned-dense"].train
    assert {regime_of(name) for name in arms} == {"tuned"}
    widths = (512, 4096, 4096)
    core = [round(dict(arms["nested-55"].rival.options)["levels"][0] * width) for width in widths]
    published = metrics.removed_pct(widths, (289, 2992, 2574))  # of Deep Elastic Networks, in Table 3
    assert metrics.removed_pct(widths, core) == pytest.approx(published, abs=0.5)
    assert not {"nested-55", "elastic-55"} & {
        arm.name for arm in whole.arms("mini_imagenet", ("resnet34",), chosen, {source: 8})
    }


@pytest.mark.parametrize(
    "network, searched, theirs, changed",
    [
        ("vgg-cov2", "edge-popup-50", "edge-popup-recipe", {"rate": 0.1, "batch_size": 128}),
        ("vgg-cov2", "edge-popup-50", "edge-popup-long", {"rate": 0.1, "batch_size": 128, "epochs": 100}),
        (SMALL, "lottery-60", "lottery-long", {"epochs": 2 * whole.EPOCHS[SMALL]}),
    ],
)
def test_a_rival_is_trained_as_its_authors_do_too_and_differs_in_nothing_else(network, searched, theirs, changed):
    arms = {arm.name: arm for arm in TABLES["3"].arms["whole"] if arm.network == network}
    assert arms[theirs].rival == arms[searched].rival and regime_of(theirs) == "tuned"
    assert arms[theirs].train == replace(arms[searched].train, **changed) != arms[searched].train
    assert arms[theirs].title.startswith(arms[searched].title)
    assert rivals.size_of(searched) is not None and rivals.size_of(theirs) is None and rivals.is_rival(theirs)


def test_two_rounds_of_a_lottery_ticket_are_two_trainings():
    arms = {arm.name: arm for arm in TABLES["3"].arms["whole"] if arm.network == SMALL}
    rounds = dict(arms["lottery-long"].rival.options)["rounds"]
    assert arms["lottery-long"].train.epochs == rounds * arms["tuned-dense"].train.epochs


def test_the_recipe_of_snn_al_is_run_without_its_switcher():
    roles = {"dense": settings_of(STUDIES[f"{SMALL}-dense"]), "accurate": settings_of(STUDIES[f"{SMALL}-snn"])}
    arms = {arm.name: arm for arm in whole.arms("cifar10", (SMALL,), {SMALL: roles}, {SMALL: 8})}
    alone, ours = arms["dense-under-accurate"], arms["accurate"]
    assert alone.method == "dense" and alone.switcher is None and regime_of(alone.name) == "tuned"
    same = ("rate", "momentum", "weight_decay", "clip_network", "epochs", "schedule", "fc_init", "fc_std", "precision")
    assert [getattr(alone.train, each) for each in same] == [getattr(ours.train, each) for each in same]
    assert "dense-under-accurate" not in {
        arm.name for arm in whole.arms("mini_imagenet", (SMALL,), {SMALL: roles}, {SMALL: 8})
    }


def test_of_deep_networks_rivals_that_leave_the_features_alone_are_counted_by_the_other_layers():
    images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    labels = torch.zeros(4, dtype=torch.long)
    data = Dataset("cifar10", images, labels, images, labels, tuple("0123456789"))
    for name, removed in (("nested-55", 54.6), ("elastic-55", None)):
        title, options = as_published.UNSEARCHED["vgg16"][name]
        kind = name.partition("-")[0]
        train = TrainConfig(batch_size=4)
        arm = Arm(name, "rival", title, "cifar10", "vgg16", train, rival=Rival.of(kind, **options))
        peer = building.rival_of(arm, NETWORKS["vgg16"]((3, 32, 32)), 0, 4)
        found = measuring.measured(peer, data, arm, 0, [{"epoch": 0, "accuracy": 0.1}])
        assert found["weights"] == metrics.weight_count((512, 4096, 4096))
        widths = [math.ceil(width) for width in found.get("mean_widths", found["widths"])]
        expected = removed or metrics.removed_pct((512, 4096, 4096), widths)
        assert tables.removed(found) == pytest.approx(expected, abs=0.5)
