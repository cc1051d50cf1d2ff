"""Arms of the tuned regime: made of chosen settings, and each comparison changes what it says and nothing else."""

import contextlib
from dataclasses import replace

import pytest

from snnlib.lab import search
from snnlib.lab.experiments import chosen, tuned
from snnlib.lab.experiments.spaces import Between
from snnlib.lab.experiments.studies import STUDIES
from snnlib.lab.names import Refused
from snnlib.report import claims

STUDY, DENSE = STUDIES["mlp-snn"], STUDIES["mlp-dense"]


def first(study, **changes):
    return {key: space.low if isinstance(space, Between) else space[-1] for key, space in study.space.items()} | changes


CHOSEN = {
    "dense": first(DENSE),
    "compact": first(STUDY, turn="10", ratio="1:3", switcher_until=0.5, initial_mean=0.3),
    "sparse": first(STUDY, turn="epoch", ratio="1:1", switcher_until=1.0),
}
COMPACT, SPARSE = (tuned.arms("mlp", CHOSEN)[role] for role in ("compact", "sparse"))


def test_chosen_settings_train_on_all_images_as_long_as_the_last_rung():
    found = tuned.arms("mlp", CHOSEN)
    assert [arm.name for arm in found.values()] == ["tuned-dense", "compact", "sparse"]
    for role, arm in found.items():
        study = DENSE if role == "dense" else STUDY
        held_out = study.arm(CHOSEN[role], study.rungs[-1].epochs, arm.name)
        assert arm.train == replace(held_out.train, split="full") and arm.switcher == held_out.switcher
    assert tuned.arms("mlp") == {} or set(tuned.CHOSEN["mlp"]) >= {"dense", *STUDY.roles}


def test_roles_that_took_the_same_settings_are_one_arm():
    chosen = {
        "dense": CHOSEN["dense"],
        "accurate": CHOSEN["sparse"],
        "knee": CHOSEN["sparse"],
        "compact": CHOSEN["compact"],
        "sparse": CHOSEN["compact"],
    }
    assert list(tuned.arms("mlp", chosen)) == ["dense", "accurate", "compact"]
    assert tuned.settings(("accurate", "knee", "compact", "sparse"), chosen) == (
        "accurate",
        "compact",
    ) and tuned.settings(("knee",), {}) == ("knee",)
    names = [arm.name for arm in (*tuned.table_2(chosen), *tuned.controls(chosen), *tuned.sparsity(chosen))]
    assert (
        len(names) == len(set(names))
        and "compact-cut" in names
        and "short" in names
        and not any(name.startswith("sparse") for name in names)
    )


def test_the_other_reading_of_t_keeps_the_ratio_of_turns():
    assert (COMPACT.train.alternate, COMPACT.train.turns) == ("step", (10, 30))
    other = tuned.other_t(COMPACT)
    assert (other.train.alternate, other.train.turns, other.name) == ("epoch", (1, 3), "compact-by-epoch")
    assert (
        tuned.other_t(SPARSE).train == replace(SPARSE.train, alternate="step")
        and replace(other, name="compact", title=COMPACT.title, train=COMPACT.train) == COMPACT
    )


def test_equal_steps_are_those_of_the_task_network():
    dense = tuned.arms("mlp", CHOSEN)["dense"]
    assert (
        tuned.network_epochs(SPARSE.train) == 0.5 * 40 and tuned.network_epochs(COMPACT.train) == (1 - 0.5 * 0.25) * 40
    )
    assert tuned.equal_steps(dense, SPARSE).train.epochs == 20 and tuned.equal_steps(dense, COMPACT).train.epochs == 35


def test_separate_learning_has_as_many_epochs_in_all_and_the_same_rates():
    arm = tuned.separate(COMPACT)
    assert arm.method == "separate" and arm.dense_epochs + arm.train.epochs == COMPACT.train.epochs and arm.continued
    for side in ("network", "switcher"):
        assert all(
            arm.train.of(side, name) == COMPACT.train.of(side, name) for name in ("rate", "momentum", "weight_decay")
        )
    assert arm.switcher == COMPACT.switcher and arm.train.clip_network == COMPACT.train.clip_network


def test_pruning_to_size_has_the_settings_of_the_task_network_and_no_switcher():
    for arm in tuned.to_size(COMPACT):
        assert (
            arm.pruning.of == COMPACT
            and arm.switcher is None
            and arm.dense_epochs + arm.train.epochs == COMPACT.train.epochs
        )
        assert all(
            getattr(arm.train, name) == getattr(COMPACT.train, name)
            for name in (
                "rate",
                "momentum",
                "weight_decay",
                "clip_network",
                "schedule",
                "normalize",
                "fc_std",
                "fc_init",
            )
        )
    assert tuned.cut(COMPACT).train == replace(COMPACT.train, through_switcher=False)


def test_the_tables_of_the_tuned_regime_have_what_the_verdicts_ask_for():
    whole = CHOSEN | {
        "accurate": first(STUDY, initial_spread=0.4),
        "knee": first(STUDY, initial_spread=0.6),
        "unstopped": first(STUDY, initial_spread=0.5),
    }
    of_2, of_controls = ({arm.name: arm for arm in make(whole)} for make in (tuned.table_2, tuned.controls))
    asked = {claims.beside(arm, "dense") for arm in claims.SETTINGS["tuned"]} | set(claims.SETTINGS["tuned"])
    assert asked | {claims.beside(arm, "sl") for arm in claims.SETTINGS["tuned"]} <= set(of_2)
    assert {
        claims.beside(arm, kind)
        for arm in tuned.CONTROLLED
        for kind in ("cut", "random", "norm", "scratch", "random-scratch")
    } == set(of_controls)
    of_small = {
        arm.name: arm for arm in tuned.small({reads: first(STUDIES[name]) for reads, name in tuned.SMALL.items()})
    }
    assert {"small", *(claims.beside("small", f"fed-{kind}") for kind in claims.FED)} == set(of_small)
    assert {arm.switcher.reads for arm in of_small.values()} == set(tuned.SMALL) and all(
        arm.train.split == "full" and arm.train.epochs == 40 for arm in of_small.values()
    )
    short = tuned.sparsity(whole)
    assert (
        short[0].name == "short"
        and {arm.train.epochs for arm in short} == {tuned.SHORTER}
        and len({arm.name for arm in short}) == len(short) == 9
    )
    assert tuned.sparsity({}) == ()


def test_interventions_change_one_thing_each():
    found = {arm.name: arm for arm in tuned.interventions(COMPACT, 938)}
    assert len({arm.settings_hash() for arm in (*found.values(), COMPACT)}) == len(found) + 1
    steps = COMPACT.train.epochs * 938
    assert (
        found["compact-stop-2"].train.switcher_until * steps == pytest.approx(80)
        and found["compact-no-stop"].train.switcher_until == 1
    )
    assert {arm.name for arm in found.values() if arm.switcher != COMPACT.switcher} == {
        "compact-start-none",
        "compact-start-half",
    }
    by_epoch = {arm.name: arm for arm in tuned.interventions(SPARSE, 938)}
    assert by_epoch["sparse-stop-1"].train.switcher_until * SPARSE.train.epochs == pytest.approx(2)


def test_what_the_small_searches_chose_is_what_their_rule_chooses():
    expected = {}
    for reads, name in tuned.SMALL.items():
        try:
            row = search.chosen(STUDIES[name], search.default_folder())["sparse"]
        except Refused:
            continue
        expected[reads] = {key: row[key] for key in STUDIES[name].space}
    assert (expected if len(expected) == len(tuned.SMALL) else {}) == tuned.CHOSEN_SMALL


@pytest.mark.parametrize("network", tuned.CHOSEN)
def test_what_is_chosen_is_what_the_rule_chooses(network):
    """As long as the search has not come so far nothing may be chosen."""
    expected = {}
    for name in tuned.SEARCHED[network]:
        study = STUDIES[name]
        with contextlib.suppress(Refused):
            expected |= {
                role: {key: row[key] for key in study.space}
                for role, row in search.chosen(study, search.default_folder()).items()
            }
    if set(expected) >= {role for name in tuned.SEARCHED[network] for role in STUDIES[name].roles}:
        assert tuned.CHOSEN[network] == expected
    else:
        assert tuned.CHOSEN[network] == {}


def test_what_is_chosen_for_a_rival_is_what_its_rule_chooses():
    """A rival has arms once its search is over, with the settings that the rule takes from the committed trials."""
    expected = {}
    for name, study in STUDIES.items():
        if study.rival:
            with contextlib.suppress(Refused):
                found = search.chosen(study, search.default_folder())
                expected[name] = {role: {key: row[key] for key in study.space} for role, row in found.items()}
    assert expected == chosen.CHOSEN_RIVALS
