"""Chapter 15: its tables are the audit's, and what its text says of the paper's tables is true of them."""

import matplotlib.pyplot as plt
import pytest

from snnlib.report import audit, recounted, tables
from snnlib.report.results import Results

PRINTED = audit.percentages()
ROWS = recounted.recountable(PRINTED)
GAINS = audit.gains()


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_sentences_count():
    assert recounted.in_short(PRINTED).startswith("The four tables print 22 percentages; 12 of them")
    assert "*VGG-cov2: edge-popup* cannot: no widths are printed." in recounted.in_short(PRINTED)
    assert recounted.agreement(ROWS) == (
        "**17 of 21 percentages follow from their widths to the last digit**, and of the 11 quoted ones 8. The largest "
        "difference is 0.10 points."
    )
    assert recounted.gains_agree(GAINS) == "**6 of 9 stated gains agree with their table.**"


def test_each_row_of_the_tables_is_one_of_the_paper():
    table = recounted.percentages(ROWS)
    assert len(table) == 21 and table.loc["perceptron: L0 (lambda sep.)", ""] == "✗ +0.07"
    assert len(recounted.stated(GAINS)) == len(GAINS)
    explained = recounted.explained(ROWS)
    assert explained["within"].tolist() == ["yes", "no", "yes", "no"]
    assert explained["one width that would fit"].tolist() == ["264 for 266", "4096 for 4092", "none", "585 for 584"]


def test_what_the_text_says_of_dead_inputs_gains_and_sizes_is_so():
    inputs = recounted.inputs(ROWS)
    assert inputs[inputs[""] == "✗ too few"].index.tolist() == ["VGG-cov2: SNN"]
    vgg = inputs.loc["VGG-cov2: SNN"]
    assert float(vgg["printed (%)"]) < float(vgg["if rounded (%)"]) < float(vgg["gone at least (%)"])
    sampling = recounted.beside_sampling(GAINS)["gain / error"].astype(float)
    assert [title for title, ratio in sampling.items() if ratio < 1] == ["MNIST: perceptron", "MNIST: LeNet5-Caffe"]
    more = recounted.more_removed(ROWS)["minus SNN"].str.replace("\N{MINUS SIGN}", "-").astype(float)
    assert [round(more[more > 0].agg(end)) for end in ("min", "max")] == [11, 23]
    assert more[more < 0].index.tolist() == ["VGG16: NestedNet (H)"]
    inputs = recounted.last_layer(ROWS)["inputs"]
    own = [int(width) for title, width in inputs.items() if title.endswith("SNN, pruned")]
    assert inputs["paper, baseline"] == inputs["our network, x1"] and min(own) > int(inputs["our network, x0.25"])


def test_the_figure_marks_each_row_and_the_dead_inputs():
    axes = recounted.shares(ROWS).axes[0]
    printed, counted, gone = (line.get_xdata().tolist() for line in axes.lines)
    assert printed == [row.printed for row in ROWS] and counted == [row.recounted for row in ROWS]
    assert gone == [46.80] and len(axes.texts) == 5


def test_our_means_are_set_beside_the_percentage_of_mean_widths(monkeypatch, tmp_path):
    def row(title, removed, n=2, source="ours"):
        values = dict.fromkeys(tables.Row.__dataclass_fields__)
        return tables.Row(
            **values | {"title": title, "source": source, "n": n, "removed_pct": removed, "widths": [456, 134, 45]}
        )

    found = [
        row("equal", 74.61),
        row("apart", 74.0),
        row("one run", 74.0, n=1),
        row("dense", 0.0),
        row("p", 1, 8, "paper"),
    ]
    monkeypatch.setattr(tables, "rows", lambda table, profile, root: found)
    means = recounted.means(ROWS, "paper", tmp_path)
    assert means.table()["difference"].tolist() == ["+0.00", "\N{MINUS SIGN}0.61"]
    assert "in 5 of them" in means.in_short() and means.in_short().endswith("Of our 2 rows it does in 1.")


def test_our_runs_are_followed_through(monkeypatch, tmp_path):
    def runs(self, arm, network=None):
        kept = {"widths": [20, 40, 700, 500], "removed_pct": 9.0, "effective_pct": 12.0}
        whole = {"widths": [20, 50, 800, 500], "removed_pct": 0.0, "effective_pct": 0.0}
        return {0: {"result": kept}, 1: {"result": whole}} if network == "lenet5-caffe" else {}

    monkeypatch.setattr(Results, "runs", runs)
    table = recounted.followed(ROWS, "paper", tmp_path)
    assert table.index.tolist() == ["LeNet5-Caffe"]
    assert table.loc["LeNet5-Caffe"].tolist() == ["2", "4.50", "6.00", "3.00", "1", "1"]


def test_a_row_that_is_not_there_or_has_no_widths_is_named():
    with pytest.raises(KeyError, match="no percentage of SNN on mlp, cifar10"):
        audit.find(PRINTED, "mlp", "SNN", "cifar10")
    (unknown,) = [row for row in PRINTED if row.recounted is None]
    with pytest.raises(ValueError, match="cannot be recounted: no widths are printed"):
        audit.share(unknown, (1, 2))
