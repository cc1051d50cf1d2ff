"""Records that no run wrote."""

from dataclasses import replace

import pytest

from snnlib.lab import sealing
from snnlib.lab.experiments import TABLES, whole
from snnlib.lab.experiments.studies import STUDIES

FULL = (784, 300, 100)


def record(arm, seed=0, accuracy=90.0, **changes):
    """A record of a finished run of ``arm``, an MLP on MNIST that prunes nothing, with ``changes`` to its keys.

    Its parts agree, unless ``changes`` makes them differ: then see :func:`unchecked`.
    """
    switched = {"gates": [[1.0] * width for width in FULL], "start_removed_pct": 0.0}
    epochs = arm.train.epochs + arm.dense_epochs
    return {
        "version": sealing.VERSION,
        "status": "finished",
        "error": None,
        "profile": "quick",
        "arm": arm.name,
        "seed": seed,
        "settings_hash": arm.settings_hash(),
        "settings": arm.settings(),
        "seconds": 1.0,
        "device": "a device",
        "versions": {"torch": "2"},
        "images": {"shape": [1, 28, 28], "classes": 10},
        "result": result(accuracy, **switched if arm.switcher else {}),
        "history": [{"epoch": epoch, "accuracy": accuracy / 100, "seconds": 1.0} for epoch in range(epochs)],
        **changes,
    }


def result(accuracy=90.0, **changes):
    """What a run of an MLP measured that prunes nothing, with ``changes`` to its keys."""
    return {
        "accuracy": accuracy,
        "best_accuracy": accuracy,
        "best_epoch": 0,
        "full_widths": list(FULL),
        "widths": list(FULL),
        "effective_widths": list(FULL),
        "removed_pct": 0.0,
        "effective_pct": 0.0,
        "macs_full": 266200,
        "macs": 266200,
        "shape": {"outputs": 10, "areas": [], "channels": 1},
        "gates": None,
        **changes,
    }


@pytest.fixture
def unchecked(monkeypatch):
    """Records are not held against themselves: a test invents figures that no widths give. Checksums are checked."""
    monkeypatch.setattr(sealing, "contradictions", lambda record: iter(()))


def settings_of(study, **changes):
    """A value for each setting of the study's space: the first or the lowest, with ``changes``."""
    return {key: each[0] if isinstance(each, tuple) else each.low for key, each in study.space.items()} | changes


@pytest.fixture
def few_epochs(monkeypatch):
    """Tables 3 and 4 as they are once the searches there are over, with settings that no search chose."""
    networks = ("vgg-cov2", "vgg-cov2-bn", "mobilenet-v1-x0.25")
    chosen = {network: {} for network in networks}
    for network, roles in chosen.items():
        for role, name in (("dense", f"{network}-dense"), ("accurate", f"{network}-snn")):
            roles[role] = settings_of(STUDIES[name])
    for table, dataset in (("3", "cifar10"), ("4", "mini_imagenet")):
        arms = whole.arms(dataset, networks, chosen, dict.fromkeys(networks, 8))
        at = TABLES[table]
        changed = replace(
            at,
            arms=at.arms | {"whole": arms},
            seeds=at.seeds | {"whole": tuple(range(8))},
            fewer_seeds=at.fewer_seeds | {"whole": {"mobilenet-v1-x0.25": 3} if table == "4" else {}},
        )
        monkeypatch.setitem(TABLES, table, changed)
