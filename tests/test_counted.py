"""What the paper prints of larger networks, and what it counts."""

from snnlib.report import counted


def test_gains_are_those_of_the_printed_rows():
    found = counted.gains("3")
    assert found.loc["VGG-cov2"].tolist() == ["78.90 (quoted)", "85.13", "+6.23", "39.62"]
    assert counted.gains("4").loc["ResNet34", "baseline (%)"] == "52.71"


def test_a_share_of_the_counted_weights_is_a_small_share_of_all():
    found = counted.shares({"resnet34": "resnet34", "vgg-cov2": "vgg-cov2"})
    assert found.loc["ResNet34", "counted"] == "5,120" and float(found.loc["ResNet34", "that is, of all (%)"]) < 0.1
    assert float(found.loc["VGG-cov2", "of all (%)"]) > 99


def test_classes_are_counted_after_the_first_epoch_and_the_last():
    run = {
        "history": [
            {"pruned": [0, 5], "weakened": [0, 3], "strengthened": [0, 2]},
            {"pruned": [0, 1], "weakened": [0, 3], "strengthened": [0, 6]},
        ]
    }
    found = counted.classes_over_time({"FC": {0: run, 1: run}, "none": {}}, 1)
    assert list(found.index) == ["FC: pruned", "FC: weakened", "FC: strengthened"]
    assert (
        found.loc["FC: strengthened", "last epoch"] == "6"
        and found.loc["FC: pruned", "change [95 %]"][0] == "\N{MINUS SIGN}"
    )
    assert counted.classes_over_time({"none": {}}, 1).iloc[0, 0] == "No finished runs yet."


def test_what_is_removed_and_what_is_gone_stand_side_by_side_for_each_run():
    run = {"result": {"widths": [62, 11, 16384, 256, 245], "removed_pct": 0.78, "effective_pct": 81.54}}
    found = counted.removed_and_gone({"VGG": {1: run}, "none": {}})
    assert list(found.index) == ["VGG, seed 1"]
    assert found.loc["VGG, seed 1", ["removed (%)", "really gone (%)"]].tolist() == ["0.8", "81.5"]
    assert counted.removed_and_gone({"none": {}}).iloc[0, 0] == "No finished runs yet."
