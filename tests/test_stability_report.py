"""Chapter 9: counts of how runs ended, and comparisons of open choices, are those of the records."""

from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
from invented import record, result

from snnlib import data
from snnlib.config import TrainConfig
from snnlib.lab import status
from snnlib.lab.experiments import TABLES
from snnlib.lab.experiments import stability as settings
from snnlib.lab.records import Entry
from snnlib.report import stability

ARMS = TABLES["stability"].arms["map"]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def entry(arm, seed, error=None, accuracy=95.0, left=784):
    """A run of ``arm`` that broke, or that ended with ``left`` input neurons."""
    if error:
        content = {"status": "failed", "error": {"type": error}, "result": None}
    else:
        content = {"status": "finished", "error": None, "result": result(accuracy, widths=[left, 300, 100])}
    return Entry(arm, "map", seed, Path("x"), "failed" if error else "recorded", content)


@pytest.fixture
def maps(monkeypatch):
    """Every setting has two runs that train; without a clip of the task network one diverges, from epochs less is
    left."""
    found = []
    for arm in ARMS:
        broken = "DivergenceError" if arm.train.clip_network is None else None
        left = 192 if arm.train.alternate == "epoch" else 784
        found += [entry(arm, 0, left=left), entry(arm, 1, broken, left=left)]
    monkeypatch.setattr(status, "entries", lambda table, profile, root: found)
    return stability.Maps(Path("x"))


def test_the_maps_count_how_runs_ended(maps):
    unclipped = sum(arm.train.clip_network is None for arm in ARMS)
    assert maps.in_short() == (
        f"**{len(ARMS) - unclipped} of {len(ARMS)} settings train.** Of all {2 * len(ARMS)} runs {unclipped} diverged, "
        "0 lost a layer, and 0 ended no better than chance."
    )
    table = maps.outcomes()
    assert table.loc["clipping, t counts epochs"].tolist() == ["16", "32", "4", "0", "0", "12"]
    assert table.loc["start, t counts steps"].tolist() == ["12", "24", "0", "0", "0", "12"]
    assert f"{2 * len(ARMS)} of {2 * len(ARMS)} runs are recorded" in maps.about() and "missing" not in maps.about()


def test_open_choices_are_compared_in_percent(maps):
    table = maps.deciding()
    table = table.map(lambda cell: cell.replace("\N{NO-BREAK SPACE}", " "))
    assert table.loc["clip of the task network"].tolist() == ["runs that break", "none: 50 %", "5 or less: 0 %"]
    assert table.loc["size of the first factors", "one answer"].endswith(": 0 %")
    assert table.loc["what t counts", ["one answer", "another"]].tolist() == ["epochs: 50 %", "steps: 100 %"]
    assert table.loc["std of the first FC weights", "one answer"] == "0.01: 75 %"


def test_each_map_is_drawn_and_without_records_says_so(maps, monkeypatch):
    assert [axes.images for axes in maps.planes["rate"].drawn().axes]
    monkeypatch.setattr(
        status, "entries", lambda *_: [Entry(arm, "map", 0, Path("x"), "missing", None) for arm in ARMS]
    )
    empty = stability.Maps(Path("x"))
    assert empty.in_short() == "No finished runs yet."
    assert "**The others are missing**: `snn run stability --profile map" in empty.about()
    assert "has a record yet" in empty.planes["rate"].drawn().axes[0].texts[0].get_text()
    assert empty.deciding().loc["what t counts", "one answer"] == "epochs: no runs"


def test_rounding_is_set_beside_seeds(monkeypatch):
    arm = TABLES["2"].arms["paper"][0]

    def runs(*removed):
        return {seed: record(arm, result=result(98.0 + share, removed_pct=share)) for seed, share in enumerate(removed)}

    groups = {"rounding": {("mlp", f"nudge-{which}"): runs(share) for which, share in ((1, 0.2), (2, 0.4))}}
    groups["2"] = {("mlp", "snn-al-epoch"): runs(0.1, 0.5)}
    monkeypatch.setattr(status, "finished", lambda table, profile, root: groups[table])
    table = stability.rounding(Path("x"))
    assert table.loc["different seeds"].tolist() == [
        "2",
        "98.30 ±\N{NO-BREAK SPACE}0.28",
        "0.3 ±\N{NO-BREAK SPACE}0.3",
        "0.1",
        "0.5",
    ]
    assert table.iloc[0]["from"] == "0.2" and table.iloc[0]["to"] == "0.4"
    groups["rounding"], groups["2"] = {}, {("mlp", "snn-al-epoch"): {}}
    assert "still to be made" in stability.rounding(Path("x")).iloc[0, 0]


def test_a_short_run_tells_how_it_ended(monkeypatch):
    pixels, labels = torch.zeros(8, 1, 28, 28, dtype=torch.uint8), torch.arange(8)
    images = data.Dataset("tiny", pixels, labels, pixels, labels, tuple("0123456789"))
    monkeypatch.setattr(settings, "TRAIN", TrainConfig(batch_size=4))
    assert stability.ending(settings.calibration("epoch", "calibrated", 0.1), images, seed=0) == "guesses"
    dead = stability.ending(settings.start("epoch", -50.0, 1.0), images, seed=0)
    assert dead.startswith("dead before the first step (layer ")
