"""Verdicts and the contrasts of pixels behind them: pure functions of records, decided by their rules."""

import json

import numpy as np
import pytest
from command_line import inside

from snnlib import data, pixels, records, verdicts
from snnlib.experiments import CLAIMS, TABLES, arm_of
from snnlib.verdicts import all_verdicts

FULL = [784, 300, 100]


def ones():
    return np.ones((28, 28))


def record_of(arm, seed, accuracy=98.0, removed=10.0, factors=None, history=()):
    if factors is None and arm.switcher:
        factors = ones()
    gates = None if factors is None else [list(map(float, factors.flatten())), [1.0] * 300, [1.0] * 100]
    return {
        "version": records.VERSION, "status": "finished", "error": None, "profile": "paper", "arm": arm.name, "seed": seed,
        "settings_hash": arm.settings_hash(), "settings": arm.settings(), "seconds": 1.0, "device": "d", "versions": {"torch": "2"},
        "images": {"shape": [1, 28, 28], "classes": 10}, "history": list(history),
        "result": {"accuracy": accuracy, "widths": FULL, "removed_pct": removed, "effective_pct": removed, "gates": gates},
    }


def write(root, table, name, values, network="mlp", failed=False):
    """One record a value of ``values``: a dict of what differs from the default of ``record_of``, or an accuracy."""
    arm = arm_of(TABLES[table], "paper", name, network)
    for seed, value in enumerate(values):
        record = record_of(arm, seed, **(value if isinstance(value, dict) else {"accuracy": value}))
        if failed:
            record |= {"status": "failed", "result": None, "error": {"message": "died"}}
        records.write(records.path_of(arm, "paper", seed, root), record)


def verdict(root, name):
    return next(found for found in all_verdicts(root) if found.name == name)


def around(middle, spread=0.01, count=5):
    return [middle + spread * (seed - 2) for seed in range(count)]


# pixels


def edges(rows=1.0, columns=1.0):
    factors = ones()
    factors[:4, 4:-4] = factors[-4:, 4:-4] = rows
    factors[4:-4, :4] = factors[4:-4, -4:] = columns
    return factors


def pixel_record(factors, arrangement="raster"):
    name = {"raster": "snn-al-std-0.1", "transposed": "transposed-std-0.1", "shuffled": "pixels-shuffled-std-0.1"}[arrangement]
    return record_of(arm_of(TABLES["question"], "paper", name), 0, factors=factors)


def test_the_contrast_of_the_edges_tells_rows_from_columns():
    assert pixels.edge_contrast(pixel_record(edges(rows=0.0))) == 100
    assert pixels.edge_contrast(pixel_record(edges(columns=0.0))) == -100
    assert pixels.edge_contrast(pixel_record(edges(0.0, 0.0))) == pixels.edge_contrast(pixel_record(ones())) == 0
    half = ones()
    half[:4, 4:-4] = 0
    assert pixels.edge_shares(pixel_record(half)) == (50, 0)


def test_factors_go_back_to_where_their_pixels_were():
    image = np.arange(784.0).reshape(28, 28)
    for arrangement in ("raster", "transposed", "shuffled"):
        order = data.pixel_order(arrangement, (28, 28)).numpy()
        assert np.array_equal(pixels.factors_in_place(pixel_record(image.flatten()[order], arrangement)), image)
    # a switcher that prunes the top and bottom of what it is shown prunes the sides of images that were transposed
    assert pixels.edge_contrast(pixel_record(edges(rows=0.0), "transposed")) == -100


def test_the_centre_is_a_quarter_of_the_image():
    factors = 0.5 * ones()
    factors[7:21, 7:21] = 1.0
    assert pixels.centre_contrast(pixel_record(factors)) == 100
    assert pixels.centre_contrast(pixel_record(1.5 - factors)) == -100


def test_the_contrast_of_odd_and_even_rows():
    factors = np.ones(10)
    factors[1::2] = 0
    assert pixels.parity_contrast(factors) == 100 and pixels.parity_contrast(1 - factors) == -100 and pixels.parity_contrast(np.zeros(8)) == 0


def test_a_run_without_factors_of_pixels_is_refused():
    with pytest.raises(ValueError, match="has no factors: choose a finished run with a switcher"):
        pixels.factors_in_place(record_of(arm_of(TABLES["2"], "paper", "dense"), 0))
    with pytest.raises(ValueError, match="has 9 factors in its first layer, its images have 28 x 28 pixels"):
        pixels.factors_in_place(pixel_record(np.ones(9)))


# verdicts


def test_without_records_nothing_is_decided(tmp_path):
    found = all_verdicts(tmp_path)
    assert [each.name for each in found] == [claim.name for claim in CLAIMS] == list(verdicts.RULES)
    assert {each.verdict for each in found} == {"undecided"} and all(each.evidence for each in found)


@pytest.mark.parametrize("difference, expected", [(0.5, "confirmed"), (-0.5, "refuted"), (0.0, "undecided")])
def test_accuracy(tmp_path, difference, expected):
    write(tmp_path, "1", "dense", around(98.0, 0.05))
    write(tmp_path, "1", "snn-al-epoch", [98.0 + difference + error for error in (0.1, -0.1, 0.0, 0.05, -0.05)])
    assert verdict(tmp_path, "accuracy").verdict == expected


def test_one_network_that_loses_refutes_what_another_gains(tmp_path):
    for network, difference in (("mlp", 0.5), ("lenet5-caffe", -0.5)):
        write(tmp_path, "1", "dense", around(98.0), network)
        write(tmp_path, "1", "snn-al-epoch", around(98.0 + difference, 0.02), network)
    found = verdict(tmp_path, "accuracy")
    assert found.verdict == "refuted" and "mnist mlp: +0.50" in found.evidence[0] and "9 of 11 networks" in found.evidence[-1]


def test_three_pairs_are_not_enough(tmp_path):
    write(tmp_path, "1", "dense", around(98.0, count=3))
    write(tmp_path, "1", "snn-al-epoch", around(99.0, count=3))
    assert verdict(tmp_path, "accuracy").verdict == "undecided"


def test_records_of_other_settings_and_failed_ones_do_not_count(tmp_path):
    write(tmp_path, "1", "dense", around(98.0))
    write(tmp_path, "1", "snn-al-epoch", around(99.0, 0.02))
    assert verdict(tmp_path, "accuracy").verdict == "confirmed"
    for seed, spoil in ((0, {"settings_hash": "another"}), (1, {"status": "failed", "result": None, "error": {"message": "died"}})):
        path = records.path_of(arm_of(TABLES["1"], "paper", "dense"), "paper", seed, tmp_path)
        records.write(path, records.read(path) | spoil)
    assert verdict(tmp_path, "accuracy").verdict == "undecided"


@pytest.mark.parametrize("accuracy, removed, expected", [(99.0, 50.0, "confirmed"), (99.0, 1.0, "refuted"), (97.0, 50.0, "refuted"), (98.0, 50.0, "undecided")])
def test_alternate(tmp_path, accuracy, removed, expected):
    write(tmp_path, "2", "snn-sl", [{"accuracy": a, "removed": r} for a, r in zip(around(98.0, 0.05), around(8.0))])
    write(tmp_path, "2", "snn-al-epoch", [{"accuracy": a, "removed": r} for a, r in zip(around(accuracy, -0.03), around(removed, 0.02))])
    assert verdict(tmp_path, "alternate").verdict == expected


def test_sparsity_is_measured_from_where_the_run_began(tmp_path):
    arm = arm_of(TABLES["2"], "paper", "snn-al-epoch")
    began = [verdicts.start_pct(record_of(arm, seed)) for seed in range(4)]
    assert 20 < np.mean(began) < 40  # a sixth of the factors starts at 0, and weights go with either end
    for table, name, network in (("2", "snn-al-epoch", "mlp"), ("2", "snn-al-std-0.1", "mlp"), ("1", "snn-al-epoch", "lenet5-caffe")):
        write(tmp_path, table, name, [{"removed": value} for value in around(90.0)], network)
    assert verdict(tmp_path, "sparsity").verdict == "confirmed"
    write(tmp_path, "2", "snn-al-epoch", [{"removed": value} for value in around(5.0)])
    assert verdict(tmp_path, "sparsity").verdict == "undecided"


@pytest.mark.parametrize("harder, simpler, expected", [(-20, -10, "confirmed"), (20, -10, "refuted"), (0, -10, "undecided")])
def test_harder(tmp_path, harder, simpler, expected):
    """Three seeds of the largest networks are too few for a verdict: it takes all four comparisons."""
    for table, task in (("3", 0), ("4", harder)):
        for network, size in (("resnet34", 0), ("mobilenet-v1-x1", simpler)):
            write(tmp_path, table, "snn-al-epoch", [{"removed": 50 + task + size + error} for error in (0.1, -0.2, 0.3, 0.1, -0.3)[: len(TABLES[table].seeds_of(arm_of(TABLES[table], "paper", "snn-al-epoch", network), "paper"))]], network)
    found = verdict(tmp_path, "harder")
    assert len(found.evidence) == 4
    assert found.verdict == ("undecided" if expected == "confirmed" else expected)


@pytest.mark.parametrize("inside_, outside, expected", [(1.0, 0.5, "confirmed"), (0.5, 1.0, "refuted"), (1.0, 1.0, "undecided")])
def test_centre(tmp_path, inside_, outside, expected):
    factors = outside * ones()
    factors[7:21, 7:21] = inside_
    for name in ("snn-al-epoch", "snn-al-std-0.1"):
        write(tmp_path, "2", name, [{"factors": factors}] * 4)
    assert verdict(tmp_path, "centre").verdict == expected


@pytest.mark.parametrize("first, second, expected", [(0.5, 0.0, "confirmed"), (0.0, -0.5, "refuted"), (0.5, -0.5, "undecided"), (0.0, 0.0, "undecided")])
def test_errors(tmp_path, first, second, expected):
    for name, cut, difference in (("snn-al-epoch", "snn-al-cut", first), ("snn-al-std-0.1", "snn-al-cut-std-0.1", second)):
        write(tmp_path, "controls", cut, around(98.0, 0.02))
        write(tmp_path, "controls", name, [98 + difference + error for error in (0.02, -0.02, 0.01, 0.0, -0.01)])
    assert verdict(tmp_path, "errors").verdict == expected


def test_strengthening(tmp_path):
    history = [{"strengthened": [10, 20]}, {"strengthened": [12, 25]}]
    write(tmp_path, "3", "snn-al-epoch", [{"history": history}] * 4, "vgg-cov2")
    assert verdict(tmp_path, "strengthening").verdict == "confirmed"
    write(tmp_path, "3", "snn-al-epoch", [{"history": history[::-1]}] * 4, "vgg-cov2")
    assert verdict(tmp_path, "strengthening").verdict == "refuted"


FED = [f"fed-{kind}{ending}" for ending in verdicts.READINGS.values() for kind in verdicts.FED]


def controls(root, lead, better=FED):
    """SNN-AL ``lead`` points above the controls named in ``better``, level with the others."""
    for name in verdicts.READINGS:
        write(root, "controls", name, [98.0, 98.1, 97.9, 98.0])
    for name in FED:
        write(root, "controls", name, [98.0 - lead * (name in better) + error for error in (0.01, 0.0, -0.01, 0.02)])


def test_weights(tmp_path):
    controls(tmp_path, 1.0)
    assert verdict(tmp_path, "weights").verdict == "confirmed"
    controls(tmp_path, 1.0, FED[1:])
    assert verdict(tmp_path, "weights").verdict == "undecided"
    controls(tmp_path, 1.0, FED[4:])  # better than none under the first reading
    assert verdict(tmp_path, "weights").verdict == "refuted"


def test_a_control_that_cannot_be_trained_is_worse(tmp_path):
    controls(tmp_path, 1.0, FED[1:])
    write(tmp_path, "controls", FED[0], [98.0] * 4, failed=True)
    assert verdict(tmp_path, "weights").verdict == "undecided", "four of eight runs are still to be made"
    write(tmp_path, "controls", FED[0], [98.0] * 8, failed=True)
    found = verdict(tmp_path, "weights")
    assert found.verdict == "confirmed" and f"{FED[0]}: 8 runs failed" in found.evidence


@pytest.mark.parametrize("scratch, expected", [(97.0, "confirmed"), (99.0, "refuted"), (98.0, "undecided")])
def test_structure(tmp_path, scratch, expected):
    for name, ending in verdicts.READINGS.items():
        write(tmp_path, "controls", name, around(98.0, 0.05))
        for control in ("random", "norm"):
            write(tmp_path, "controls", control + ending, around(97.0))
        write(tmp_path, "controls", f"scratch{ending}", around(scratch, -0.05))
    assert verdict(tmp_path, "structure").verdict == expected


@pytest.mark.parametrize("plain, turned, shuffled, expected", [
    (edges(rows=0.0), edges(rows=0.0), ones(), "confirmed"),  # the pattern turns with what the switcher is shown
    (edges(rows=0.0), edges(columns=0.0), ones(), "refuted"),  # it stays with the digits
    (ones(), edges(rows=0.0), ones(), "refuted"),  # there is no pattern
    (edges(rows=0.0), ones(), ones(), "undecided"),
    (edges(rows=0.0), edges(rows=0.0), edges(rows=0.0), "undecided"),  # it does not vanish where rows are reordered
])
def test_position(tmp_path, plain, turned, shuffled, expected):
    shown = {"snn-al": plain, "transposed": turned, "pixels-shuffled": ones(), "rows-reordered": shuffled}
    for name, factors in shown.items():
        write(tmp_path, "question", f"{name}-std-0.1", [{"factors": factors}] * 4)
    assert verdict(tmp_path, "position").verdict == expected


def test_the_command_prints_rules_evidence_and_verdicts(tmp_path, capsys):
    write(tmp_path, "1", "dense", around(98.0))
    write(tmp_path, "1", "snn-al-epoch", around(99.0, 0.02))
    code, said, _ = inside(capsys, "verdicts", "--json", "--records", tmp_path)
    rows = json.loads(said)
    assert code == 0 and len(rows) == len(CLAIMS)
    assert {"claim", "rule", "evidence", "verdict"} <= set(rows[0]) and rows[0]["verdict"] == "confirmed"
    code, said, _ = inside(capsys, "verdicts", "--records", tmp_path)
    assert code == 0 and all(claim.claim in said and claim.rule in said for claim in CLAIMS) and "+1.00 [" in said
    code, said, _ = inside(capsys, "verdicts", "--md", "--records", tmp_path)
    assert code == 0 and len(said.strip().splitlines()) == len(CLAIMS) + 2 and f"| {CLAIMS[0].claim} | {CLAIMS[0].place} | confirmed |" in said
    assert inside(capsys, "verdicts", "--md", "--json")[0] == 2
