"""Settings: frozen, checked when they are made, and with a hash that is the run's identity."""

import dataclasses

import pytest

from snnlib.arms import ADDED_LATER, ALGORITHM, Arm, Pruning
from snnlib.config import SwitcherConfig, TrainConfig, check_seed
from snnlib.lab import records

SPELLED_OUT = Arm(
    "any",
    "alternating",
    dataset="mnist",
    network="mlp",
    dense_epochs=0,
    train=TrainConfig(
        epochs=2,
        batch_size=64,
        rate=0.1,
        schedule="cosine",
        momentum=0.0,
        weight_decay=0.0,
        alternate="epoch",
        clip_switcher=1.0,
        clip_network=1.0,
        through_switcher=True,
        fc_std=0.1,
        split="full",
        train_images=None,
        augment=True,
        normalize=True,
        test_images=50,
        pixels="transposed",
        rate_switcher=0.1,
        momentum_switcher=0.0,
        weight_decay_switcher=0.0,
        turns=(2, 1),
        milestones=(0.3,),
        switcher_until=0.9,
        fc_init="kaiming",
        nudge=1,
        precision="bfloat16",
    ),
    switcher=SwitcherConfig(
        channels=(4, 8, 16),
        kernel=(3, 3),
        width_stride=3,
        upsample="transposed",
        calibrate=True,
        scale_inputs=True,
        initial_mean=1.0,
        initial_spread=1.0,
        kernel_features=16,
        reads="reordered",
        batch_norm=True,
        start="torch",
    ),
)
PRUNED = Arm("pruned", "pruned", pruning=Pruning("same", SPELLED_OUT))


@pytest.mark.parametrize("settings", [SwitcherConfig(), TrainConfig(), SPELLED_OUT])
def test_settings_are_frozen(settings):
    for field in dataclasses.fields(settings):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(settings, field.name, None)


@pytest.mark.parametrize(
    "kind, changes, problem",
    [
        (SwitcherConfig, {"channels": ()}, "channels=.*one positive number for each encoder block"),
        (SwitcherConfig, {"channels": (4, 0)}, "channels=.*one positive number"),
        (SwitcherConfig, {"kernel": (2, 3)}, "kernel=.*odd and positive"),
        (SwitcherConfig, {"kernel": (3, -1)}, "kernel=.*odd and positive"),
        (SwitcherConfig, {"kernel": (3,)}, "kernel=.*two sizes"),
        (SwitcherConfig, {"initial_mean": float("nan")}, "initial_mean=nan"),
        (SwitcherConfig, {"initial_spread": float("nan")}, "initial_spread=nan"),
        (SwitcherConfig, {"width_stride": 0}, "width_stride=0"),
        (SwitcherConfig, {"upsample": "bilinear"}, "upsample='bilinear': choose 'transposed', 'one-bias' or 'resize'"),
        (SwitcherConfig, {"reads": "tea leaves"}, "reads='tea leaves': choose 'weights' or .*'nothing'"),
        (SwitcherConfig, {"start": "zeros"}, "start='zeros': choose 'kaiming' or 'torch'"),
        (SwitcherConfig, {"initial_spread": -0.1}, "initial_spread=-0.1"),
        (TrainConfig, {"epochs": 0}, "epochs=0: must be a whole number, 1 or more"),
        (TrainConfig, {"epochs": 2.5}, "epochs=2.5: must be a whole number"),
        (TrainConfig, {"batch_size": 0}, "batch_size=0: must be a whole number, 1 or more"),
        (TrainConfig, {"train_images": 0}, "train_images=0: must be a whole number, 1 or more"),
        (TrainConfig, {"train_images": -5}, "train_images=-5"),
        (TrainConfig, {"fc_std": -0.1}, "fc_std=-0.1: must be 0 or more"),
        (TrainConfig, {"momentum": -0.9}, "momentum=-0.9: must be 0 or more"),
        (TrainConfig, {"weight_decay": float("inf")}, "weight_decay=inf: must be 0 or more, and finite"),
        (TrainConfig, {"rate": float("inf")}, "rate=inf"),
        (TrainConfig, {"rate": 0.0}, "rate=0.0"),
        (TrainConfig, {"rate": float("nan")}, "rate=nan"),
        (TrainConfig, {"schedule": "linear"}, "schedule='linear': choose 'cosine' or 'constant' or 'step'"),
        (TrainConfig, {"rate_switcher": 0.0}, "rate_switcher=0.0: the learning rate must be positive"),
        (TrainConfig, {"momentum_switcher": -1.0}, "momentum_switcher=-1.0: must be 0 or more"),
        (TrainConfig, {"weight_decay_switcher": float("nan")}, "weight_decay_switcher=nan"),
        (TrainConfig, {"turns": (1, 0)}, "turns=.*two whole numbers, 1 or more"),
        (TrainConfig, {"turns": (1,)}, "turns=.*two whole numbers"),
        (TrainConfig, {"turns": (0.5, 1)}, "turns=.*two whole numbers"),
        (TrainConfig, {"milestones": (0.75, 0.5)}, "milestones=.*in rising order"),
        (TrainConfig, {"milestones": (1.0,)}, "milestones=.*between 0 and 1"),
        (TrainConfig, {"switcher_until": 0.0}, "switcher_until=0.0: a share of the run"),
        (TrainConfig, {"switcher_until": 1.5}, "switcher_until=1.5"),
        (TrainConfig, {"nudge": -1}, "nudge=-1: must be a whole number, 0 for none"),
        (TrainConfig, {"fc_init": "zeros"}, "fc_init='zeros': choose 'normal' or 'kaiming' or 'torch'"),
        (TrainConfig, {"alternate": "batch"}, "alternate='batch': choose 'epoch' or 'step'"),
        (TrainConfig, {"split": "test"}, "split='test': choose 'full' or 'holdout'"),
        (TrainConfig, {"pixels": "rotated"}, "pixels='rotated': choose 'raster' or 'transposed' or 'shuffled'"),
        (TrainConfig, {"clip_switcher": 0.0}, "clip_switcher=0.0.*None for no clipping"),
        (TrainConfig, {"clip_network": -1.0}, "clip_network=-1.0"),
    ],
)
def test_bad_settings_are_named_with_their_value(kind, changes, problem):
    with pytest.raises(ValueError, match=problem):
        kind(**changes)


@pytest.mark.parametrize(
    "method, switcher, problem",
    [
        ("mixed", None, "method='mixed'"),
        ("dense", SwitcherConfig(), "an alternating or separate arm has a switcher, no other"),
        ("pruned", SwitcherConfig(), "an alternating or separate arm has a switcher, no other"),
        ("pruned", None, "says which neurons it keeps"),
        ("separate", None, "an alternating or separate arm has a switcher"),
        ("separate", SwitcherConfig(), "dense_epochs=0"),
    ],
)
def test_arms_that_contradict_themselves_are_refused(method, switcher, problem):
    with pytest.raises(ValueError, match=problem):
        Arm("a", method, switcher=switcher)


def test_hash_of_settings_is_the_one_that_records_carry():
    """Literals on purpose: other values would make every committed record stale."""
    assert ALGORITHM == 1
    train = dataclasses.replace(
        SPELLED_OUT.train,
        augment=False,
        normalize=False,
        test_images=None,
        pixels="raster",
        rate_switcher=None,
        momentum_switcher=None,
        weight_decay_switcher=None,
        turns=(1, 1),
        milestones=(0.5, 0.75),
        switcher_until=1.0,
        fc_init="normal",
        nudge=0,
        precision="float32",
    )
    switcher = dataclasses.replace(
        SPELLED_OUT.switcher, kernel_features=32, reads="weights", batch_norm=False, start="kaiming"
    )
    first = dataclasses.replace(SPELLED_OUT, train=train, switcher=switcher)
    assert first.settings_hash() == "38a43c5e3e0f"
    assert (
        dataclasses.replace(first, switcher=dataclasses.replace(switcher, scale_inputs=False)).settings_hash()
        == "dfbbb5f34401"
    )


def test_setting_added_later_leaves_older_hashes_as_they_were():
    parts = {"train": SPELLED_OUT.train, "switcher": SPELLED_OUT.switcher}
    later = {name: {key: ADDED_LATER[key] for key in ADDED_LATER if hasattr(part, key)} for name, part in parts.items()}
    of_arm = {key for key in ADDED_LATER if hasattr(SPELLED_OUT, key)}
    of_arm -= {"continued"}  # of two stages alone, see below
    assert of_arm == {"pruning", "rival", "source"} and not of_arm & set(SPELLED_OUT.settings())
    assert "pruning" in PRUNED.settings()
    assert sum(map(len, later.values())) + len(of_arm) + 1 == len(ADDED_LATER)
    before = dataclasses.replace(
        SPELLED_OUT, **{name: dataclasses.replace(part, **later[name]) for name, part in parts.items()}
    )
    for name in parts:
        assert not set(later[name]) & set(before.settings()[name])
        assert set(later[name]) <= set(SPELLED_OUT.settings()[name])


def test_whole_numbers_and_their_floats_are_one_setting():
    assert TrainConfig(rate=1) == TrainConfig(rate=1.0)
    ones = (
        dataclasses.replace(SPELLED_OUT, train=dataclasses.replace(SPELLED_OUT.train, rate=rate)) for rate in (1, 1.0)
    )
    assert len({arm.settings_hash() for arm in ones}) == 1


def test_hash_is_blind_to_name_and_title_and_to_nothing_else():
    renamed = dataclasses.replace(SPELLED_OUT, name="other", title="Other")
    assert renamed.settings_hash() == SPELLED_OUT.settings_hash() and renamed.settings() == SPELLED_OUT.settings()
    other = {
        "epochs": 3,
        "batch_size": 32,
        "rate": 0.2,
        "schedule": "constant",
        "momentum": 0.9,
        "weight_decay": 0.1,
        "alternate": "step",
        "clip_switcher": None,
        "clip_network": None,
        "through_switcher": False,
        "fc_std": 0.05,
        "split": "holdout",
        "train_images": 100,
        "augment": False,
        "normalize": False,
        "test_images": 100,
        "pixels": "shuffled",
        "rate_switcher": None,
        "momentum_switcher": 0.9,
        "weight_decay_switcher": 0.1,
        "turns": (1, 3),
        "milestones": (0.4,),
        "switcher_until": 0.5,
        "fc_init": "torch",
        "nudge": 2,
        "precision": "float32",
    }
    assert set(other) == {field.name for field in dataclasses.fields(TrainConfig)}
    variants = [
        dataclasses.replace(SPELLED_OUT, train=dataclasses.replace(SPELLED_OUT.train, **{key: value}))
        for key, value in other.items()
    ]
    other = {
        "channels": (4, 8),
        "kernel": (3, 5),
        "width_stride": 2,
        "upsample": "resize",
        "calibrate": False,
        "scale_inputs": False,
        "initial_mean": 0.5,
        "initial_spread": 0.5,
        "kernel_features": 8,
        "reads": "noise",
        "batch_norm": False,
        "start": "kaiming",
    }
    assert set(other) == {field.name for field in dataclasses.fields(SwitcherConfig)}
    variants += [
        dataclasses.replace(SPELLED_OUT, switcher=dataclasses.replace(SPELLED_OUT.switcher, **{key: value}))
        for key, value in other.items()
    ]
    other = {"dataset": "another", "network": "another"}
    variants += [dataclasses.replace(SPELLED_OUT, **{key: value}) for key, value in other.items()]
    separate = dataclasses.replace(SPELLED_OUT, method="separate", dense_epochs=1)
    variants += [
        separate,
        dataclasses.replace(separate, dense_epochs=2),
        dataclasses.replace(separate, continued=False),
    ]
    followed = dataclasses.replace(SPELLED_OUT, train=dataclasses.replace(SPELLED_OUT.train, rate=0.2))
    variants += [
        PRUNED,
        *(
            dataclasses.replace(PRUNED, pruning=pruning)
            for pruning in (Pruning("random", SPELLED_OUT), Pruning("same", followed))
        ),
    ]
    hashes = {arm.settings_hash() for arm in [SPELLED_OUT, *variants]}
    assert len(hashes) == len(variants) + 1


def test_settings_are_plain_json_with_the_algorithm_number():
    values = SPELLED_OUT.settings()
    assert values["algorithm"] == ALGORITHM and values["switcher"]["channels"] == [4, 8, 16]
    assert not {"name", "title", "continued"} & set(values)
    assert dataclasses.replace(SPELLED_OUT, method="dense", switcher=None).settings()["switcher"] is None


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_seeds_in_range_pass(seed):
    assert check_seed(seed) == seed


@pytest.mark.parametrize("seed", [-1, 2**31, 1.0, "1", None, True])
def test_seeds_out_of_range_are_refused(seed):
    with pytest.raises(ValueError, match="whole number from 0 to 2147483647"):
        check_seed(seed)


def test_a_record_older_than_a_setting_gives_back_its_arm():
    """Settings that were added later had a known value before: left out of the hash, and restored."""
    old = Arm("old", "alternating", switcher=SwitcherConfig(scale_inputs=False))
    assert "scale_inputs" not in old.settings()["switcher"]
    record = {"arm": old.name, "seed": 0, "title": old.title, "settings": old.settings()}
    assert records.arm_of(record) == old
    for new in (
        Arm("new", "alternating", switcher=SwitcherConfig(channels=(4, 8))),
        Arm("new", "separate", switcher=SwitcherConfig(), dense_epochs=1),
        Arm("new", "separate", switcher=SwitcherConfig(), dense_epochs=1, continued=False),
        PRUNED,
        dataclasses.replace(PRUNED, dense_epochs=2),
    ):
        assert records.arm_of({"arm": new.name, "seed": 0, "title": new.title, "settings": new.settings()}) == new


def test_a_side_has_its_own_rate_or_the_network_s():
    config = TrainConfig(rate=0.1, momentum=0.9, rate_switcher=0.01)
    assert config.of("switcher", "rate") == 0.01 and config.of("network", "rate") == 0.1
    assert config.of("switcher", "momentum") == config.of("network", "momentum") == 0.9
    assert TrainConfig(weight_decay=0.1, weight_decay_switcher=0.0).of("switcher", "weight_decay") == 0.0
