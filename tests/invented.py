"""Records that no run wrote."""

import pytest

from snnlib.lab import sealing

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
