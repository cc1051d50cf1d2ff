"""The audit: the paper's own disagreements are found, and no others; bounds from widths hold for any network of these
widths."""

import csv
import io
import json

import numpy as np
import pytest
from command_line import inside
from hypothesis import given, settings
from hypothesis import strategies as st

from snnlib import metrics
from snnlib.report import audit, tables

ROWS = audit.percentages()

HEAD = "table,dataset,network,method,acc,acc_std,widths,pruned_pct,counted_layers,quoted_from\n"
BASELINE = "1,MNIST,MLP,baseline,98.36,,784-300-100,,all,yes\n"
SNN = "1,MNIST,MLP,SNN,98.41,0.02,456-134-45,74.61,all,no\n"


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """Writes rows as the paper's tables, in a folder of their own; returns the file."""
    path = tmp_path / "paper.csv"
    monkeypatch.setattr(tables, "PAPER", path)

    def write(*rows, head=HEAD):
        path.write_text(head + "".join(rows))
        return path

    return write


# percentages


def test_exactly_the_known_percentages_disagree():
    found = {
        (row.dataset, row.network, row.method): (row.printed, row.recounted, row.quoted)
        for row in ROWS
        if row.agrees is False
    }
    assert found == {
        ("mnist", "mlp", "L0 (lambda sep.)"): (90.06, 89.99, True),
        ("cifar10", "vgg16", "NestedNet (H)"): (0.28, 0.37, True),
        ("cifar10", "mobilenetv1 (x0.25)", "Lottery Ticket"): (61.35, 61.33, True),
        ("cifar10", "mobilenetv1 (x0.25)", "SNN"): (42.87, 42.97, False),
    }
    assert [row.difference for row in ROWS if row.agrees is False] == [0.07, -0.09, 0.02, -0.10]
    assert all(row.difference == 0 and row.printed == row.recounted for row in ROWS if row.agrees)


def test_exactly_one_row_counts_inputs_that_nothing_feeds():
    (found,) = [row for row in ROWS if row.live_widths != row.widths and row.recounted is not None]
    assert (found.network, found.method, found.agrees, found.quoted) == ("vgg-cov2", "SNN", True, False)
    assert found.widths == (49, 43, 12_530, 203, 156) and found.live_widths == (49, 43, 43 * 16 * 16, 203, 156)
    assert (found.printed, found.recounted, found.structural) == (39.62, 39.62, 46.80)
    assert all(row.structural == row.recounted for row in ROWS if row is not found)


def test_every_printed_percentage_is_audited_and_what_cannot_be_recounted_is_said():
    printed = [row for table in "1234" for row in tables.paper_rows(table) if row.removed_pct is not None]
    assert [(row.table, row.network, row.method, row.printed) for row in ROWS] == [
        (row.table, row.network, row.arm, row.removed_pct) for row in printed
    ]
    (left_out,) = [row for row in ROWS if row.recounted is None]
    assert (left_out.method, left_out.note) == ("edge-popup", "no widths are printed")
    assert left_out.agrees is left_out.structural is left_out.live_widths is None
    assert len(ROWS) == 22 and sum(row.quoted for row in ROWS) == 12


def test_the_kernels_of_every_lenet_row_feed_enough_inputs():
    lenet = [row for row in ROWS if row.network == "lenet5-caffe"]
    assert [(row.widths[1] * 16, row.widths[2]) for row in lenet] == [(208, 88), (160, 76), (288, 65), (592, 268)]
    assert audit.live_widths((20, 50, 800, 500), (12, 16, 268, 192), 2) == (12, 16, 256, 192)
    assert audit.live_widths((20, 50, 800, 500), (12, 37, 20, 192), 2) == (12, 20, 20, 192), (
        "no more kernels matter than have a reader"
    )
    assert audit.live_widths((784, 300, 100), (456, 134, 45), 0) == (456, 134, 45), (
        "of pixels and hidden neurons widths prove nothing"
    )


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_network_of_these_widths_has_more_alive(data):
    """Whichever kernels and inputs are kept, what metrics follows through in the factors is within the bound from
    widths."""
    kernels, pixels, hidden = (data.draw(st.integers(1, 4)) for _ in range(3))
    gates = [
        data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
        for size in (3, kernels, kernels * pixels, hidden)
    ]
    full, kept = [len(gate) for gate in gates], metrics.kept_widths(gates)
    weights = [np.ones((kernels * pixels, hidden)), np.ones((hidden, 2))]
    alive = metrics.effective_widths(gates, weights, [np.ones((3, 1, 2, 2)), np.ones((kernels, 3, 2, 2))])
    bound = audit.live_widths(full, kept, 2)
    assert all(a <= b <= k for a, b, k in zip(alive, bound, kept))


# gains


def test_exactly_the_known_gains_disagree():
    found = {
        (gain.network, gain.over): (gain.stated, gain.computed, gain.same_as)
        for gain in audit.gains()
        if not gain.agrees
    }
    assert found == {
        ("resnet34", "N2N"): (0.29, 0.27, ("SNN minus baseline",)),
        ("mobilenetv1 (x0.25)", "Lottery Ticket"): (1.6, 3.1, ("Lottery Ticket minus baseline",)),
        ("mobilenetv1 (x0.25)", "DNW (x0.225)"): (3.4, 1.3, ("DNW (x0.225) minus baseline",)),
    }
    assert len(audit.gains()) == len(audit.STATED) == 9


def test_the_gain_on_mnist_is_five_images_beside_the_sampling_error():
    gain = audit.gains()[0]
    assert (gain.network, gain.over, gain.computed, gain.images) == ("mlp", "baseline", 0.05, 5)
    assert round(gain.sampling_error, 3) == 0.125 and gain.sampling_error > gain.computed
    assert audit.sampling_error(50, 10_000) == 0.5 and audit.sampling_error(100) == audit.sampling_error(0) == 0


def test_the_paper_counts_the_x025_rows_from_a_layer_four_times_as_wide():
    layers = audit.last_layers()
    assert layers == {"mobilenet-v1-x0.25": 256, "mobilenet-v1-x1": 1024}
    assert {row.full for row in ROWS if "x0.25" in row.network} == {(1024,)}


# what cannot be read


def test_a_network_without_a_baseline_or_of_unknown_layers_is_left_out_and_named(printed):
    printed(SNN, "3,CIFAR10,VGG-cov9,baseline,1,,64-64,,all,yes\n", "3,CIFAR10,VGG-cov9,SNN,2,,32-64,50,all,no\n")
    first, second = audit.percentages()
    assert (first.recounted, first.note) == (None, "no baseline of this network has widths")
    assert (second.recounted, second.note) == (None, "this network's layers, or this data set's classes, are not known")


@pytest.mark.parametrize(
    "old, new, told",
    [
        ("456-", "785-", "table 1, mlp, SNN: widths (785, 134, 45) are not a pruned form of (784, 300, 100)"),
        ("456-134-45", "456-134", "table 1, mlp, SNN: widths (456, 134) are not a pruned form"),
        ("456-", "456.5-", "line 3 (MLP, SNN): widths '456.5-134-45' are not whole numbers joined by hyphens"),
        ("456-", "-456-", "line 3 (MLP, SNN): widths '-456-134-45' are not whole numbers"),
        ("74.61", "much", "could not convert string to float: 'much'"),
        (",all,no", "", "a row is not whole"),
    ],
)
def test_a_spoiled_row_is_named_with_the_file_and_the_remedy(printed, capsys, old, new, told):
    path = printed(BASELINE, SNN.replace(old, new) if old != ",all,no" else "1,MNIST\n")
    code, said, error = inside(capsys, "audit")
    assert code == 2 and not said and error.startswith(f"snn: {path}") and len(error.splitlines()) == 1
    assert told in error and "Mend the row, or restore the file: with `git checkout`" in error


def test_a_file_without_a_column_and_one_without_an_audited_row_are_refused(printed, capsys):
    path = printed("1,MNIST,MLP,SNN\n", head="table,dataset,network,method\n")
    assert inside(capsys, "audit")[2].startswith(f"snn: {path}: a row is not whole")
    printed(BASELINE, SNN)
    code, _, error = inside(capsys, "audit")
    assert code == 2 and f"{path}, table 1, lenet5-caffe: no accuracy of SNN and baseline" in error


def test_missing_tables_are_told_with_the_remedy(printed, capsys, tmp_path):
    code, said, error = inside(capsys, "audit")
    assert (
        code == 2
        and not said
        and f"{tmp_path / 'paper.csv'} is missing. It is a part of snnlib: install that again" in error
    )


# the command


def test_the_command_prints_both_tables(capsys):
    code, said, error = inside(capsys, "audit")
    lines = said.splitlines()
    assert code == 0 and not error
    (nested,) = [line.split() for line in lines if "NestedNet" in line]
    assert nested[-5:] == ["0.28", "0.37", "-0.09", "0.37", "differs"]
    assert any(line.rstrip().endswith("differs: it is DNW (x0.225) minus baseline") for line in lines)
    assert "17 of 21 percentages follow from their widths, 6 of 9 stated gains from their table" in lines
    assert any("at most 49-43-11008-203-156 can be alive, so 46.80 %" in line for line in lines)
    assert any("5 of 10,000 test images" in line and "0.125 points" in line for line in lines)
    assert any("256 inputs at x0.25 and 1024 at x1" in line and line.endswith("counted from 1024") for line in lines)


def test_json_csv_and_markdown(capsys):
    found = json.loads(inside(capsys, "audit", "--json")[1])
    assert len(found["percentages"]) == len(ROWS) and len(found["gains"]) == 9
    assert found["percentages"][3] == {
        "table": "1",
        "dataset": "mnist",
        "network": "mlp",
        "method": "SNN",
        "quoted": False,
        "widths": [456, 134, 45],
        "printed": 74.61,
        "full": [784, 300, 100],
        "recounted": 74.61,
        "difference": 0.0,
        "agrees": True,
        "live_widths": [456, 134, 45],
        "structural": 74.61,
        "note": "",
    }
    lines = list(csv.DictReader(io.StringIO(inside(capsys, "audit", "--csv")[1])))
    assert len(lines) == len(ROWS) and set(lines[0]) == set(found["percentages"][0])
    (vgg,) = [line for line in lines if (line["network"], line["method"]) == ("vgg-cov2", "SNN")]
    assert (vgg["widths"], vgg["live_widths"], vgg["structural"]) == (
        "49-43-12530-203-156",
        "49-43-11008-203-156",
        "46.8",
    )
    text = inside(capsys, "audit", "--md")[1].splitlines()
    assert text[0].startswith("| table | network |") and text[1].startswith("| --- |")
    assert sum(line.startswith("| ") for line in text) == len(ROWS) + 9 + 4
    assert inside(capsys, "audit", "--md", "--csv")[::2] == (2, "snn: choose one of --json, --csv and --md\n")
