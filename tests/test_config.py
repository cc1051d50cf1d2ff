"""Settings: frozen, checked when they are made, and with a hash that is the run's identity."""

import dataclasses

import pytest

from snnlib.config import ADDED_LATER, ALGORITHM, Arm, SwitcherConfig, TrainConfig, check_seed

SPELLED_OUT = Arm(
    "any", "alternating", dataset="mnist", network="mlp", dense_epochs=0,
    train=TrainConfig(
        epochs=2, batch_size=64, rate=0.1, schedule="cosine", momentum=0.0, weight_decay=0.0, alternate="epoch", clip_switcher=1.0,
        clip_network=1.0, through_switcher=True, fc_std=0.1, split="full", train_images=None,
    ),
    switcher=SwitcherConfig(
        channels=(4, 8, 16), kernel=(3, 3), width_stride=3, upsample="transposed", calibrate=True, scale_inputs=True, initial_mean=1.0,
        initial_spread=1.0,
    ),
)


@pytest.mark.parametrize("settings", [SwitcherConfig(), TrainConfig(), SPELLED_OUT])
def test_settings_are_frozen(settings):
    for field in dataclasses.fields(settings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, field.name, None)


@pytest.mark.parametrize("kind, changes, problem", [
    (SwitcherConfig, {"channels": ()}, "channels=.*one positive number for each encoder block"),
    (SwitcherConfig, {"channels": (4, 0)}, "channels=.*one positive number"),
    (SwitcherConfig, {"kernel": (2, 3)}, "kernel=.*odd and positive"),
    (SwitcherConfig, {"kernel": (3, -1)}, "kernel=.*odd and positive"),
    (SwitcherConfig, {"width_stride": 0}, "width_stride=0"),
    (SwitcherConfig, {"upsample": "bilinear"}, "upsample='bilinear': choose 'transposed' or 'resize'"),
    (SwitcherConfig, {"initial_spread": -0.1}, "initial_spread=-0.1"),
    (TrainConfig, {"epochs": 0}, "epochs=0: must be 1 or more"),
    (TrainConfig, {"batch_size": 0}, "batch_size=0: must be 1 or more"),
    (TrainConfig, {"rate": 0.0}, "rate=0.0"),
    (TrainConfig, {"rate": float("nan")}, "rate=nan"),
    (TrainConfig, {"schedule": "linear"}, "schedule='linear': choose 'cosine' or 'constant'"),
    (TrainConfig, {"alternate": "batch"}, "alternate='batch': choose 'epoch' or 'step'"),
    (TrainConfig, {"split": "test"}, "split='test': choose 'full' or 'holdout'"),
    (TrainConfig, {"clip_switcher": 0.0}, "clip_switcher=0.0.*None for no clipping"),
    (TrainConfig, {"clip_network": -1.0}, "clip_network=-1.0"),
])
def test_bad_settings_are_named_with_their_value(kind, changes, problem):
    with pytest.raises(ValueError, match=problem):
        kind(**changes)


@pytest.mark.parametrize("method, switcher, problem", [
    ("mixed", None, "method='mixed'"),
    ("dense", SwitcherConfig(), "dense arm has no switcher"),
    ("separate", None, "every other arm has one"),
])
def test_arms_that_contradict_themselves_are_refused(method, switcher, problem):
    with pytest.raises(ValueError, match=problem):
        Arm("a", method, switcher=switcher)


def test_hash_of_settings_is_the_one_that_records_carry():
    """Literals on purpose: other values would make every committed record stale."""
    assert ALGORITHM == 1
    assert SPELLED_OUT.settings_hash() == "38a43c5e3e0f"
    assert dataclasses.replace(SPELLED_OUT, switcher=dataclasses.replace(SPELLED_OUT.switcher, scale_inputs=False)).settings_hash() == "dfbbb5f34401"


def test_setting_added_later_leaves_older_hashes_as_they_were():
    before = dataclasses.replace(SPELLED_OUT, switcher=dataclasses.replace(SPELLED_OUT.switcher, **ADDED_LATER))
    assert not set(ADDED_LATER) & set(before.settings()["switcher"])
    assert set(ADDED_LATER) <= set(SPELLED_OUT.settings()["switcher"])


def test_hash_is_blind_to_name_and_title_and_to_nothing_else():
    renamed = dataclasses.replace(SPELLED_OUT, name="other", title="Other")
    assert renamed.settings_hash() == SPELLED_OUT.settings_hash() and renamed.settings() == SPELLED_OUT.settings()
    other = {
        "epochs": 3, "batch_size": 32, "rate": 0.2, "schedule": "constant", "momentum": 0.9, "weight_decay": 0.1, "alternate": "step",
        "clip_switcher": None, "clip_network": None, "through_switcher": False, "fc_std": 0.05, "split": "holdout", "train_images": 100,
    }
    assert set(other) == {field.name for field in dataclasses.fields(TrainConfig)}
    variants = [dataclasses.replace(SPELLED_OUT, train=dataclasses.replace(SPELLED_OUT.train, **{key: value})) for key, value in other.items()]
    other = {
        "channels": (4, 8), "kernel": (3, 5), "width_stride": 2, "upsample": "resize", "calibrate": False, "scale_inputs": False, "initial_mean": 0.5,
        "initial_spread": 0.5,
    }
    assert set(other) == {field.name for field in dataclasses.fields(SwitcherConfig)}
    variants += [dataclasses.replace(SPELLED_OUT, switcher=dataclasses.replace(SPELLED_OUT.switcher, **{key: value})) for key, value in other.items()]
    other = {"method": "separate", "dataset": "another", "network": "another", "dense_epochs": 1}
    variants += [dataclasses.replace(SPELLED_OUT, **{key: value}) for key, value in other.items()]
    hashes = {arm.settings_hash() for arm in [SPELLED_OUT, *variants]}
    assert len(hashes) == len(variants) + 1


def test_settings_are_plain_json_with_the_algorithm_number():
    values = SPELLED_OUT.settings()
    assert values["algorithm"] == ALGORITHM and values["switcher"]["channels"] == [4, 8, 16]
    assert "name" not in values and "title" not in values
    assert dataclasses.replace(SPELLED_OUT, method="dense", switcher=None).settings()["switcher"] is None


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_seeds_in_range_pass(seed):
    assert check_seed(seed) == seed


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, "1", None, True])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0 to 2147483647"):
        check_seed(seed)
