"""Records that no run wrote: the least that counts as one."""

from snnlib.lab import records


def record(arm, seed=0, **changes):
    """A record of a finished run of ``arm``, with ``changes`` to its keys."""
    return {
        "version": records.VERSION,
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
        "result": {"accuracy": 90.0},
        "history": [{"epoch": 0, "accuracy": 0.9, "seconds": 1.0}],
        **changes,
    }
