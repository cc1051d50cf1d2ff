"""The search of settings: what a trial keeps, which trials are best, and that it goes on from its file alone."""

import gzip
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from command_line import inside
from hypothesis import given
from hypothesis import strategies as st
from invented import settings_of as values_of

from snnlib import data
from snnlib.lab import building, records, search
from snnlib.lab.experiments import roles
from snnlib.lab.experiments.spaces import NETWORK, SHAPE, SWITCHER, Between
from snnlib.lab.experiments.studies import STUDIES
from snnlib.lab.experiments.study import Rung, Study, cut_after
from snnlib.lab.names import Refused

optuna = pytest.importorskip("optuna")

RUNGS = (Rung(2, 4), Rung(2, 2), Rung(3, 1))
DENSE = Study(
    "tiny-dense",
    "tiny",
    "dense",
    NETWORK | {"rate": Between(0.01, 0.1)},
    RUNGS,
    roles=("dense",),
    fresh=(1, 2),
    candidates=1,
    floor=0.0,
    hopeless=0.0,
    train_images=256,
)
SNN = Study(
    "tiny-snn",
    "tiny",
    "alternating",
    NETWORK | SWITCHER | SHAPE | {"rate": Between(0.01, 0.1), "turn": ("1", "10")},
    RUNGS,
    against="tiny-dense",
    fresh=(1, 2),
    candidates=1,
    floor=0.0,
    hopeless=0.0,
    train_images=256,
)


@pytest.fixture
def tiny(monkeypatch):
    for study in (DENSE, SNN):
        monkeypatch.setitem(STUDIES, study.name, study)


def trials_of(*rows, **common):
    """A table of trials from (accuracy, removed), all finished on the first rung unless said otherwise."""
    found = [
        {"trial": index, "rung": 1, "state": "finished", "accuracy": accuracy, "removed": removed} | common
        for index, (accuracy, removed) in enumerate(rows)
    ]
    return pd.DataFrame(found, dtype=object)


# --- which are best


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=30))
def test_ranks_are_fronts_one_behind_the_other(points):
    found = search.ranks(np.array(points, float))
    for rank, point in zip(found, points):
        beating = [other for other, (a, b) in zip(found, points) if a >= point[0] and b >= point[1] and (a, b) != point]
        assert rank == max(beating, default=-1) + 1


def test_the_front_is_of_the_last_rung_that_has_finished_trials():
    study = STUDIES["mlp-snn"]
    trials = trials_of((98, 10), (97, 50), (96, 40), (99, 0))
    assert list(search.front(trials, study)["trial"]) == [3, 0, 1]
    trials.loc[1, "rung"] = 2
    assert list(search.front(trials, study)["trial"]) == [1]
    trials.loc[1, "state"] = "failed"
    assert list(search.front(trials, study)["trial"]) == [3, 0, 2]
    trials.loc[0, "rung"] = len(study.stages)
    assert list(search.front(trials, study)["trial"]) == [3, 2], "a confirmation on fresh seeds is no rung"


def test_promoted_trials_are_accurate_enough_remove_something_and_come_front_by_front():
    study = Study("s", "", "alternating", {}, (Rung(1, 9), Rung(2, 3)), floor=95)
    trials = trials_of((99, 0.5), (98, 10), (97, 50), (96, 70), (94, 99), (97, 40), (96, 60))
    assert sorted(search.promoted(trials, study, 1)["trial"]) == [1, 2, 3]
    study = Study("s", "", "alternating", {}, (Rung(1, 9), Rung(2, 4)), floor=95)
    assert (
        sorted(search.promoted(trials, study, 1)["trial"])[:3] == [1, 2, 3]
        and len(search.promoted(trials, study, 1)) == 4
    )
    assert not len(search.promoted(trials_of((90, 50)), study, 1))


@pytest.mark.parametrize(
    "role, rows, dense, expected",
    [
        ("dense", [(97, 0), (98, 0), (96, 0)], None, [1, 0, 2]),
        ("accurate", [(99, 4.9), (98, 5.0), (98.5, 20)], None, [2, 1]),
        ("knee", [(98.5, 10), (98.4, 60), (98.39, 90)], 98.5, [1, 0]),
        ("knee", [(98.0, 10), (97.0, 60)], 98.5, [0, 1]),  # none is near enough: the accurate one
        ("sparse", [(98, 74.5), (97, 74.6), (97.5, 80)], None, [2, 1]),
        ("compact", [(98.2, 59.9), (98, 60.0), (97.5, 80)], None, [1, 2]),
        ("sparse", [(98, 10), (97, 70)], None, [1, 0]),  # none removes so much: the most
    ],
)
def test_each_role_takes_by_its_rule(role, rows, dense, expected):
    assert list(search.by_role(trials_of(*rows), role, dense)["trial"]) == expected
    assert (
        all(f"{least:g} %" in roles.ROLES[role] for role, least in roles.LEAST_PCT.items())
        and str(roles.WITHIN) in roles.ROLES["knee"]
    )


def test_a_role_is_for_switchers_that_learn_to_the_end_and_so_is_a_share_of_what_climbs():
    trials = trials_of((98, 80), (97, 70), (96, 65), (96.5, 50))
    trials["switcher_until"] = [0.25, 1.0, 1.0, 1.0]
    assert list(search.by_role(trials, "unstopped", None)["trial"]) == [1, 2]
    study = Study("s", "", "alternating", {}, (Rung(1, 9), Rung(2, 3)), floor=95)
    assert list(search.promoted(trials, study, 1)["trial"]) == [0, 1, 3]
    study = Study("s", "", "alternating", {}, (Rung(1, 9), Rung(2, 2)), floor=95)  # too few places for a third of them
    assert next(iter(search.promoted(trials, study, 1)["trial"])) == 0


def test_some_trials_are_not_the_sampler_s_choice(tmp_path):
    with search.quiet():
        store = search.Store(SNN, tmp_path, tmp_path / "j")
        given = [store._given(number) for number in range(30)]
    assert [len(each) for each in given[:10]] == [1, 0, 0, 1, 0, 0, 1, 0, 0, len(SNN.space)]
    assert all(each == {"switcher_until": 1.0} for each in given if len(each) == 1)
    drawn = [each for each in given if len(each) > 1]
    assert len({json.dumps(each) for each in drawn}) == 3
    for each in drawn:
        assert all(
            space.low <= each[name] <= space.high if isinstance(space, Between) else each[name] in space
            for name, space in SNN.space.items()
        )


def test_what_is_confirmed_is_a_mean_over_all_fresh_seeds():
    study = STUDIES["mlp-snn"]
    again = [
        {
            "trial": number,
            "parent": parent,
            "seed": seed,
            "rung": len(study.stages),
            "state": state,
            "accuracy": accuracy,
            "removed": 50.0,
        }
        for number, (parent, seed, state, accuracy) in enumerate(
            [
                (7, 1, "finished", 98.0),
                (7, 2, "finished", 98.2),
                (7, 3, "finished", 98.4),
                (8, 1, "finished", 99.0),
                (8, 2, "failed", None),
                (8, 3, "finished", 99.0),
            ]
        )
    ]
    found = search.confirmed(pd.DataFrame(again, dtype=object), study)
    assert list(found["trial"]) == [7] and found.iloc[0]["accuracy"] == pytest.approx(98.2)


def test_what_is_left_of_a_search_and_what_fresh_seeds_made_of_its_best():
    study = Study(
        "s", "", "alternating", {}, (Rung(1, 4), Rung(2, 3)), roles=("accurate", "sparse"), candidates=1, fresh=(1, 2)
    )
    first = trials_of((98, 20), (97, 50), (96, 80), (94, 90))
    assert not search.over(first[:3], study, None) and not search.over(first, study, None)
    last = trials_of((98.5, 10), (97.5, 40), (96.5, 75), rung=2).assign(trial=[4, 5, 6], parent=[0, 1, 2], seed=0)
    trials = pd.concat([first, last], ignore_index=True)
    assert list(search.candidates(trials, study, None)["trial"]) == [4, 6]
    again = trials_of((98.1, 2), (98.3, 4), (96.0, 70), rung=3).assign(
        trial=[7, 8, 9], parent=[4, 4, 6], seed=[1, 2, 1]
    )
    trials = pd.concat([trials, again], ignore_index=True)
    assert not search.over(trials, study, None), "a fresh seed is missing"
    dead = again[:1].assign(trial=10, parent=6, seed=2, state="failed", accuracy=None, removed=None)
    trials = pd.concat([trials, dead], ignore_index=True)
    assert search.over(trials, study, None)
    found = search.retried(trials, study).set_index("trial")
    assert (
        list(found.index) == [4, 6]
        and found.loc[4, "removed_again"] == [2.0, 4.0]
        and list(found["failed"]) == [0, 1]
        and found.loc[6, "accuracy"] == 96.5
    )


def test_what_is_confirmed_and_on_the_front_is_kept_beside_the_roles(tmp_path, monkeypatch):
    study = Study("s", "", "alternating", {}, (Rung(1, 4),), roles=("accurate", "sparse"), fresh=(1,))
    trials = trials_of((98, 20), (97, 50), (96, 80), (96.5, 40), rung=2).assign(
        trial=[4, 5, 6, 7], parent=[0, 1, 2, 3], seed=1
    )
    monkeypatch.setattr(search.choice, "read", lambda study, folder: trials)
    found = search.chosen(study, tmp_path)
    assert {role: row["trial"] for role, row in found.items()} == {"accurate": 0, "sparse": 2, "front-1": 1}, (
        "trial 3 is beaten by trial 1"
    )


def test_the_last_rung_of_a_study_without_fresh_seeds_has_the_best_of_each_share():
    rows = [(98.5, 50), (98.2, 76), (97.0, 96), (95.5, 99)]  # one front, of which two places take the ends
    ends = Study("s", "", "rival", {}, (Rung(1, 9), Rung(2, 2)), roles=("60", "75", "90"), candidates=1)
    assert list(search.promoted(trials_of(*rows), ends, 1)["trial"]) == [0, 3]
    every = replace(ends, fresh=())
    assert list(search.promoted(trials_of(*rows), every, 1)["trial"]) == [0, 1, 2, 3]
    assert list(search.promoted(trials_of(*rows), replace(every, roles=("90",)), 1)["trial"]) == [0, 2, 3]
    longer = replace(every, rungs=(Rung(1, 9), Rung(2, 2), Rung(3, 2)))
    assert list(search.promoted(trials_of(*rows), longer, 1)["trial"]) == [0, 3], "of the last rung alone"


def test_a_small_search_chooses_from_its_last_rung_once_that_is_done():
    study = Study("s", "", "alternating", {}, (Rung(1, 9), Rung(2, 2)), roles=("sparse",), fresh=(), least_removed=60.0)
    assert len(study.stages) == 2
    trials = pd.concat([trials_of((98, 80), (97, 85), (99, 40)), trials_of((98.1, 76), rung=2)], ignore_index=True)
    trials["trial"] = range(len(trials))
    assert list(search.promoted(trials, study, 1)["trial"]) == [0, 1], "what removes too little does not climb"
    assert not len(search.confirmed(trials, study)), "one of the last rung is missing"
    trials = pd.concat([trials, trials_of((97.9, 90), rung=2).assign(trial=4)], ignore_index=True)
    assert list(search.by_role(search.confirmed(trials, study), "sparse", None)["trial"]) == [3, 4]


def test_settings_are_carried_over_from_another_network(tmp_path, tiny, monkeypatch):
    other = Study(
        "tiny-lenet5",
        "tiny",
        "dense",
        DENSE.space,
        (Rung(1, 4, 128),),
        network="lenet5-caffe",
        carries="tiny-dense",
        roles=("dense",),
        fresh=(),
        train_images=256,
    )
    monkeypatch.setitem(STUDIES, other.name, other)
    with search.quiet(), pytest.raises(Refused, match="search tiny-dense: nothing is confirmed yet"):
        search.Store(other, tmp_path, tmp_path / "j")
    values = [
        {"rate": 0.05, "momentum": 0.9}
        | {name: space[0] for name, space in DENSE.space.items() if isinstance(space, tuple) and name != "momentum"}
        for _ in range(2)
    ]
    values[1]["rate"] = 0.07
    rows = [
        {
            "trial": 10 * parent + seed,
            "rung": 4,
            "parent": parent,
            "seed": seed,
            "epochs": 3,
            **values[parent],
            "state": "finished",
            "error": None,
            "accuracy": 97.0 + parent,
            "removed": 0.0,
        }
        for parent in (0, 1)
        for seed in (1, 2)
    ]
    search.write(rows, search.file_of(DENSE, tmp_path))
    with search.quiet():
        store = search.Store(other, tmp_path, tmp_path / "j")
        asked = [store.ask(1).params for _ in range(3)]
    assert asked[:2] == [values[1], values[0]] and asked[2] not in values
    assert other.arm(values[0], 1, "trial", images=other.rungs[0].images).train.train_images == 128


# --- settings


@pytest.mark.parametrize("name", STUDIES)
def test_every_corner_of_a_space_is_an_arm_on_held_out_images(name):
    study, hashes = STUDIES[name], set()
    first = {key: space.low if isinstance(space, Between) else space[0] for key, space in study.space.items()}
    corners = [
        first | {key: value}
        for key, space in study.space.items()
        for value in ((space.low, space.high) if isinstance(space, Between) else space)
    ]
    for values in corners:
        arm = study.arm(values, 5, "trial")
        assert (
            arm.train.split == "holdout"
            and arm.network == study.network
            and (arm.switcher is None) == (study.method != "alternating")
        )
        assert arm.switcher is None or arm.switcher.reads == study.reads
        if study.rival:  # its shortest trial can begin
            shortest = study.arm(values, study.rungs[0].epochs, "trial")
            image = (1, 28, 28) if study.dataset == "mnist" else (3, 32, 32)
            building.rival_of(shortest, building.build_network(shortest, 0, torch.device("cpu"), image), 0, 640)
        hashes.add(arm.settings_hash())
    assert (
        len(hashes)
        == sum(2 if isinstance(space, Between) else len(space) for space in study.space.values()) - len(study.space) + 1
    ), "every value tells"


def test_controls_are_searched_as_long_as_what_they_are_compared_with():
    small = [
        study
        for name, study in STUDIES.items()
        if name.startswith("mlp-") and name not in ("mlp-snn", "mlp-dense") and not study.rival
    ]
    assert {study.reads for study in small} == {"weights", "nothing", "noise", "constants", "shuffled"}
    told = ("name", "title", "space", "reads")
    assert len({tuple(str(value) for key, value in vars(study).items() if key not in told) for study in small}) == 1, (
        "nothing but what is fed differs"
    )
    assert all(study.space == STUDIES["mlp-small"].space for study in small if study.reads != "nothing")
    assert (
        STUDIES["mlp-snn"].rungs == STUDIES["mlp-dense"].rungs
        and STUDIES["lenet5-snn"].rungs == STUDIES["lenet5-dense"].rungs
    )
    assert STUDIES["mlp-snn"].rungs[0].trials >= 600


# --- a trial


def test_a_trial_keeps_what_came_out():
    row = search.try_out(
        SNN.arm(values_of(SNN, turn="1", initial_mean=1.0, initial_spread=1.0, rate=0.05), 2, "trial"), 0, 0.0
    )
    assert row["state"] == "finished" and 0 < row["accuracy"] <= row["best_accuracy"] <= 100 and row["epochs_done"] == 2
    assert row["removed_start"] > 5 and row["widths_start"].count("-") == 2 and set(search.REGIONS) <= set(row)
    dense = search.try_out(DENSE.arm(values_of(DENSE), 2, "trial"), 0, 0.0)
    assert dense["removed"] == 0 and dense["widths"] == "784-300-100" and "removed_start" not in dense


def test_a_trial_of_a_network_whose_pixels_are_not_switched_counts_none(monkeypatch):
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (96, 3, 32, 32), generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, 10, (96,), generator=draw)
    colours = data.Dataset("cifar10", images, labels, images[:32], labels[:32], tuple("0123456789"))
    monkeypatch.setattr("snnlib.lab.runner.load_data", lambda arm, place: colours)
    study = STUDIES["mobilenet-v1-x0.25-snn"]
    row = search.try_out(study.arm(values_of(study), 2, "trial", images=96), 0, 0.0)
    assert row["state"] == "finished" and row["widths"].isdecimal() and not set(search.REGIONS) & set(row)


def test_a_trial_that_diverges_or_is_hopeless_says_so():
    broken = search.try_out(
        DENSE.arm(values_of(DENSE, rate=1e30, clip_network=None, schedule="constant"), 2, "trial"), 0, 0.0
    )
    assert broken["state"] == "failed" and broken["error"].startswith("DivergenceError") and "accuracy" not in broken
    no_turn = search.try_out(SNN.arm(values_of(SNN, turn="epoch", ratio="3:1", switcher_until=1.0), 3, "trial"), 0, 0.0)
    assert no_turn["state"] == "failed" and "give at least 4 epochs" in no_turn["error"], "it counts"
    hopeless = search.try_out(DENSE.arm(values_of(DENSE), 3, "trial"), 0, 100.0)
    assert (
        hopeless["state"] == "cut"
        and hopeless["epochs_done"] == cut_after(3) == 2
        and "after 2 epochs" in hopeless["error"]
    )


def test_regions_of_the_image():
    off = np.zeros((28, 28), bool)
    off[:4, 4:-4] = True
    assert search.regions(off.flatten(), (28, 28)) == (pytest.approx(100 * 80 / 784, abs=0.01), 50.0, 0.0, 0.0)
    off[7:21, 7:21] = True
    assert search.regions(off.flatten(), (28, 28))[3] == 100.0


# --- the file


def test_trials_are_read_as_they_were_written(tmp_path):
    rows = [
        {
            "trial": 0,
            "state": "finished",
            "turn": "10",
            "ratio": "1:1",
            "clip_network": None,
            "normalize": True,
            "rate": 0.1,
            "error": None,
        },
        {
            "trial": 1,
            "state": "failed",
            "turn": "epoch",
            "ratio": "1:3",
            "clip_network": 5.0,
            "normalize": False,
            "rate": 1e-5,
            "error": 'a, b "c"\nd',
        },
    ]
    path = search.file_of(SNN, tmp_path)
    search.write(rows, path)
    assert search.read(SNN, tmp_path).to_dict("records") == rows
    before = path.read_bytes()
    search.write(search.read(SNN, tmp_path).to_dict("records"), path)
    assert path.read_bytes() == before
    path.write_bytes(before[:-20])
    with pytest.raises(records.FileError, match="is damaged .* or delete it and search anew"):
        search.read(SNN, tmp_path)


def run(study, folder, scratch, deadline=None):
    heard = []
    search.search(study, folder, scratch, 2, deadline=deadline, on_trial=heard.append)
    return heard


@pytest.mark.slow
def test_a_search_climbs_its_rungs_and_goes_on_from_its_file_alone(tmp_path, tiny, capsys):
    """Stopped after its first trials, its journal lost, it ends with as many trials of each rung as if it had not
    been."""
    folder = tmp_path / "kept"
    assert not run(DENSE, folder, tmp_path / "j1", deadline=0.0)  # no trial starts after the deadline
    with pytest.raises(
        Refused, match="search tiny-dense: nothing is confirmed yet; go on with `snn search tiny-dense`"
    ):
        search.chosen(DENSE, folder)
    for study in (DENSE, SNN):
        first = run(study, folder, tmp_path / "j1")
        trials = search.read(study, folder)
        assert len(first) == len(trials) and list(trials["trial"]) == sorted(set(trials["trial"]))
        by_rung = trials.groupby(trials["rung"].astype(int)).size().to_dict()
        assert by_rung[1] == 4 and set(trials["state"]) <= {"finished", "failed"}
    kept = search.file_of(SNN, folder).read_bytes()
    assert not run(SNN, folder, tmp_path / "j1") and not run(SNN, folder, tmp_path / "j2"), (
        "all of it is done, and the file alone says so"
    )
    assert search.file_of(SNN, folder).read_bytes() == kept
    dense = search.read(DENSE, folder)
    again = dense[dense["rung"] == 4]
    assert (
        sorted(again["seed"]) == [1, 2]
        and len(set(again["parent"])) == 1
        and search.chosen(DENSE, folder)["dense"]["accuracy"] > 0
    )
    # half of the file: what is missing is tried again, what stands is not
    rows = dense[dense["trial"] < 2].to_dict("records")
    search.write(rows, search.file_of(DENSE, tmp_path / "half"))
    more = run(DENSE, tmp_path / "half", tmp_path / "j3")
    assert sum(each.row["rung"] == 1 for each in more) == 2
    # the file of a search whose journal is lost within an upper rung, with a gap in its numbers: the rest of the rung
    # is made, no number comes twice
    kept_rows = [
        row | {"trial": row["trial"] + (7 if row["rung"] == 2 else 0)}
        for row in dense.to_dict("records")
        if row["rung"] == 1 or row["rung"] == 2
    ]
    dropped = next(index for index, row in enumerate(kept_rows) if row["rung"] == 2)
    search.write(
        [row for index, row in enumerate(kept_rows) if index != dropped], search.file_of(DENSE, tmp_path / "within")
    )
    more = run(DENSE, tmp_path / "within", tmp_path / "j4")
    assert [(each.row["rung"], each.row["parent"]) for each in more][:1] == [(2, kept_rows[dropped]["parent"])]
    numbers = list(search.read(DENSE, tmp_path / "within")["trial"])
    assert len(numbers) == len(set(numbers)) == len(dense)
    assert search.read(DENSE, tmp_path / "half").to_dict("records")[:2] == [
        {key: row.get(key) for key in row} for row in rows
    ]
    code, said, _ = inside(capsys, "search", "tiny-dense", "--json", "--folder", folder)
    found = json.loads(said)
    assert (
        code == 0
        and found["chosen"]["dense"]["accuracy"] > 0
        and found["front"]
        and "too few" in found["importance"]["accuracy"]
    )
    code, said, _ = inside(capsys, "search", "tiny-dense", "--show", "--folder", folder)
    assert code == 0 and "chosen, dense (the highest accuracy): trial" in said


def test_trials_of_a_process_that_was_killed_are_tried_again(tmp_path, tiny):
    with search.quiet():
        store = search.Store(DENSE, tmp_path, tmp_path / "j")
        trial = store.ask(1)
        trial.set_user_attr("by", trial.user_attrs["by"].split(":")[0] + ":4194304")  # above any process there can be
        again = search.Store(DENSE, tmp_path, tmp_path / "j")
        assert again.counts(1) == (0, 0, 1)
        assert again.ask(1).params == trial.params and again.counts(1) == (0, 1, 0)
        assert again.ask(2) is None and again.counts(2) == (0, 0, 0), (
            "an upper rung takes what was promoted and nothing else"
        )


def test_what_cannot_be_asked_for_is_refused(capsys, tmp_path, monkeypatch):
    assert inside(capsys, "search", "mlp-sn")[0] == 2
    code, _, error = inside(capsys, "search", "mlp-sn", "--folder", tmp_path)
    assert code == 2 and "did you mean 'mlp-snn'?" in error
    assert (
        "must be more than 0 seconds"
        in inside(capsys, "search", "mlp-snn", "--time-budget", "0", "--folder", tmp_path)[2]
    )
    code, said, _ = inside(capsys, "search", "--folder", tmp_path)
    assert code == 0 and all(name in said for name in STUDIES)
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    code, _, error = inside(capsys, "search", "mlp-snn", "--folder", tmp_path)
    assert code == 2 and "needs Optuna: pip install" in error


def test_importance_names_the_setting_that_matters():
    draw, study = np.random.default_rng(0), STUDIES["mlp-dense"]
    rows = []
    for index in range(80):
        values = {
            key: float(np.exp(draw.uniform(np.log(space.low), np.log(space.high))))
            if isinstance(space, Between)
            else space[draw.integers(len(space))]
            for key, space in study.space.items()
        }
        rows.append(
            values
            | {
                "trial": index,
                "rung": 1,
                "state": "finished",
                "accuracy": 98.0 + (values["momentum"] > 0) + 0.1 * draw.normal(),
            }
        )
    shares = search.importance(pd.DataFrame(rows, dtype=object), study, "accuracy")
    assert max(shares, key=shares.get) == "momentum"
    with pytest.raises(Refused, match="3 finished trials are too few"):
        search.importance(pd.DataFrame(rows[:3], dtype=object), study, "accuracy")


def test_the_committed_trials_are_whole():
    """Each study's file: numbers once, settings of its space, failed ones kept and said why, nothing judged on test
    images."""
    folder = search.default_folder()
    for study in STUDIES.values():
        trials = search.read(study, folder)
        if not len(trials):
            continue
        assert trials["trial"].is_unique and set(trials["state"]) <= {"finished", "failed", "cut"}
        assert all(trials.loc[trials["state"] != "finished", "error"].map(bool))
        for row in trials.to_dict("records"):
            for name, space in study.space.items():
                assert space.low <= row[name] <= space.high if isinstance(space, Between) else row[name] in space
        assert search.file_of(study, folder).stat().st_size < 500_000
        with gzip.open(search.file_of(study, folder)) as file:
            assert len(file.readlines()) == len(trials) + 1
