"""Tables of where the sparsity comes from: by hand, on invented runs and trials."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.report import sparsity
from snnlib.training import flow


def run_of(start, turn, end, accuracy=98.0):
    texts = [flow.encode([1 - torch.tensor(look, dtype=torch.float)]) for look in (start, turn, end)]
    off = {"times": ["start", "first turn", "epoch 0"], "widths": [len(end)], "bits": flow.pack(texts)}
    percent = [100 * sum(look) / len(look) for look in (start, turn, end)]
    return {"arm": "a", "seed": 0, "off": off, "result": {"accuracy": accuracy} | dict(zip(sparsity.TIMES, percent))}


def test_shares_are_means_over_runs():
    found = sparsity.shares(
        {
            "a": {0: run_of([1, 0], [1, 1], [0, 0], 97.0), 1: run_of([0, 0], [1, 1], [0, 1], 98.0)},
            "dense": {0: {"result": {"accuracy": 99.0}}},
            "none": {},
        }
    )
    assert list(found.index) == ["a"] and found.loc["a"].tolist() == [2, 97.5, 25.0, 100.0, 25.0]


def test_widths_are_foreseen_from_runs_that_are_not_judged():
    """Who is off after the first turn stays off, how many there are is the draw: the setting alone cannot know it."""
    draw = np.random.default_rng(0)

    def drawn(share):
        turn = (draw.random(200) < share).astype(int)
        return run_of(draw.integers(0, 2, 200), turn, turn)

    runs = {seed: drawn(share) for seed, share in enumerate((0.2, 0.8, 0.5, 0.3, 0.1, 0.9))}
    found = sparsity.foresight(runs, learnt_from=(0, 1, 2))
    assert found.loc["and who is off after the first turn"].iloc[0] == pytest.approx(0)
    assert found.loc["the setting alone"].iloc[0] > 20 and found.loc["and who is off at the start"].iloc[0] > 20
    assert sparsity.foresight(runs, learnt_from=(0,)) is None and sparsity.foresight({}, (0, 1)) is None
    for run in runs.values():
        run["off"]["times"].remove("first turn")
    assert sparsity.foresight(runs, learnt_from=(0, 1, 2)) is None, "separate learning has no turns"


def test_trials_are_foreseen_by_a_line_that_was_fitted_to_others():
    draw = np.random.default_rng(0)
    first = draw.integers(0, 100, 60)
    trials = pd.DataFrame(
        {
            "trial": range(60),
            "state": "finished",
            "widths_start": draw.integers(0, 100, 60),
            "widths_first": first,
            "widths": first // 2,
        },
        dtype=object,
    ).astype({"widths": str})
    found = sparsity.foreseen_trials(trials, (100,))
    assert (
        found.loc["from the widths after the first turn", "layer 1"] > 99
        and found.loc["from the widths before the first step", "layer 1"] < 30
    )
    assert sparsity.foreseen_trials(trials[:10], (100,)).isna().to_numpy().all()


def test_of_what_is_off_at_the_end_it_is_counted_how_much_was_off_before():
    texts = [
        flow.encode([torch.tensor(layer, dtype=torch.float) for layer in look])
        for look in (([0, 0, 1, 1], [0, 1]), ([0, 1, 1, 0], [1, 0]))
    ]
    off = {"times": ["start", "epoch 0"], "widths": [4, 2], "bits": flow.pack(texts)}
    run = {"off": off, "result": {"accuracy": 98.0, "removed_pct": 50.0, "shape": {"outputs": 3}}}
    # 4*2 + 2*3 = 14 weights; left at the start 2*1 + 3, at the end 2*1 + 3, at both 1*0 + 0: gone at both 14 - 10
    found = sparsity.gone_twice(run)
    by_chance = {"weights by chance": 100 * (6 / 8 * 6 + 3 / 6 * 3) / 9, "neurons by chance": 50.0}
    assert found == pytest.approx({"weights": 100 * 4 / 9, "neurons": 100 / 3, **by_chance})
    table = sparsity.gone_twice_table(
        Runs(some={0: run, 1: run | {"off": None}}, other={0: {"result": {"accuracy": 9.0}}})
    )
    assert table.index.tolist() == ["shorter, some"] and table.iloc[0].tolist() == ["1", "50", "44 (67)", "33 (50)"]


class Runs:
    """The runs of a table, in place of :class:`~snnlib.report.results.Results`."""

    def __init__(self, **runs):
        self.of = runs
        turns = TrainConfig(alternate="step", turns=(3, 1))
        self.arms = {
            ("mlp", name): Arm(name, "alternating", f"shorter, {name}", train=turns, switcher=SwitcherConfig())
            for name in runs
        }

    def runs(self, arm, network=None):
        return self.of[arm]

    def failed(self, arm, network=None):
        return {}


def test_the_origin_of_trials_counts_them_and_says_which_part_was_there_from_the_start():
    start, end = [40.0] * 10 + [60.0] * 10, [20.0] * 10 + [80.0] * 10
    trials = pd.DataFrame(
        {"state": "finished", "accuracy": 97.0, "removed_start": start, "removed_first": start, "removed": end}
    )
    found = sparsity.origin(sparsity.useful(trials)).iloc[:, 0]
    assert found.tolist() == ["20", "10", "10", "1.00", "1.00", "10", "60.0", "80.0", "75"]
    assert "too few" in sparsity.origin(sparsity.useful(trials, 98)).iloc[0, 0]


def test_the_run_that_is_shown_is_of_the_sparse_setting_if_it_noted_its_neurons():
    run, other = run_of([1, 0], [1, 1], [0, 0]), run_of([1, 0], [1, 1], [0, 1])
    assert sparsity.whole_run(Runs(first={0: other}, sparse={0: {}, 1: run})) is run
    assert sparsity.whole_run(Runs(first={0: other}, sparse={0: {}})) is other
    assert sparsity.whole_run(Runs(first={})) is None
    assert len(sparsity.fates_figure(run).axes) == 1
    assert "noted" in sparsity.fates_figure(None).axes[0].texts[0].get_text()
    plt.close("all")


def test_tables_of_shares_and_of_foresight_are_texts_by_title():
    runs = {seed: run_of([1, 0], [1, 1], [0, 1]) for seed in range(6)}
    results = Runs(some=runs, none={}, guesses=runs | {6: run_of([0, 0], [0, 0], [0, 0], accuracy=11.35)})
    table = sparsity.shares_table(results, without=("shorter, ",))
    assert table.index.tolist() == ["some", "guesses"]
    assert table.loc["some"].tolist() == ["6", "3\N{NO-BREAK SPACE}steps", "98.0", "50.0", "100.0", "50.0"]
    assert table.loc["guesses"].tolist() == ["6 of 7", "3\N{NO-BREAK SPACE}steps", "98.0", "50.0", "100.0", "50.0"]
    one = sparsity.shares_table(results, arms=["guesses"], gained=True)
    assert one.index.tolist() == ["shorter, guesses"] and one.iloc[0, -1].startswith("+0.0")
    foreseen = sparsity.foresight_table(results)
    assert foreseen.loc["shorter, some"].tolist() == ["0", "0", "0"]
    assert "Too few" in sparsity.foresight_table(Runs(some={})).iloc[0, 0]
