"""The rivals' picture and tables: pure functions of rows."""

from dataclasses import replace

import invented
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.lab.experiments.rivals import NAMES
from snnlib.report import rivals, rivals_picture, rivals_tables, tables
from snnlib.report.evidence import Evidence
from snnlib.report.results import Results
from snnlib.report.tables import Row
from snnlib.report.wording import unbroken

OURS = {"source": "ours", "profile": "paper", "regime": "tuned", "n": 8, "note": "", "table": "rivals"}
PLAIN = replace(tables.paper_rows("1")[0], network="mlp", **OURS)


def row(arm, accuracy=98.0, removed=60.0, prunes="neurons", **changes):
    values = {"acc_mean": accuracy, "acc_std": 0.1, "removed_pct": removed, "prunes": prunes, "macs": 1000.0}
    return replace(PLAIN, **{"arm": arm, "title": arm} | values | {"quickest": 60.0} | changes)


ROWS: list[Row] = [
    row("tuned-dense", 98.5, 0.0, None, macs=4000.0),
    row("sparse", 97.8, 62.0),
    row("sparse-random", 97.9, 62.0),
    row("l0-90", 98.1, 91.0, quickest=70.0, title="L0, chosen for 75 and 90 % removed"),
    row("l0-60", 98.3, 61.0, quickest=50.0, title="L0, chosen for 60 % removed"),
    row("dnw-75", 98.4, 75.0, "weights", macs=4000.0),
    row("elastic-60", 98.0, 66.0, "neurons, by image"),
    row("n2n-60", None, None, failed=8, n=0),
]


def test_rows_are_gathered_by_method_in_one_order_the_least_sparse_first():
    found = rivals.curves(ROWS[::-1])
    assert [curve.method for curve in found] == [
        "dense",
        "SNN-AL",
        "random pruning",
        "L0",
        "DNW",
        "Deep Elastic Networks",
    ]
    assert [each.arm for each in found[3].rows] == ["l0-60", "l0-90"]
    assert rivals.curves(ROWS, "lenet5-caffe") == []


@pytest.mark.usefixtures("unchecked")
def test_a_further_size_stands_in_the_line_of_its_rival_by_its_price(tmp_path):
    half = next(arm for arm in TABLES["prices"].arms["paper"] if arm.name == "bc-ghs-half")
    dense = next(arm for arm in TABLES["prices"].arms["paper"] if arm.name == "lambda-one-0.2")
    for arm in (half, dense):
        record = invented.record(arm, 0, 98.2, profile="paper")
        record["result"] |= {"removed_pct": 80.0, "effective_pct": 80.0}
        records.write(records.path_of(arm, "paper", 0, tmp_path), record)
    found = rivals.further("paper", tmp_path)
    assert [each.arm for each in found] == ["bc-ghs-half"] and rivals.further("smoke", tmp_path) == []
    (curve,) = rivals.curves([*found, row("bc-ghs-60", 98.1, 91.0, title="BC-GHS, chosen for 60 % removed")])
    assert [each.arm for each in curve.rows] == ["bc-ghs-half", "bc-ghs-60"]
    lines = rivals_tables.sizes(found).index
    assert [unbroken(line) for line in lines] == [unbroken("BC-GHS (half its price)")]


def test_the_paper_and_its_rows_are_not_methods_of_ours():
    assert [rivals.method_of(each) for each in tables.paper_rows("1")] == [None] * len(tables.paper_rows("1"))


@pytest.mark.parametrize("against, expected", [("weights", [39.0, 9.0]), ("macs", [25.0, 25.0])])
def test_the_picture_has_every_method_at_what_it_leaves(against, expected):
    figure = rivals_picture.picture([*tables.paper_rows("1"), *ROWS], against)
    axes = figure.axes[0]
    shown = {container.get_label(): container.lines[0] for container in axes.containers}
    assert set(shown) == {"SNN-AL", "random pruning", "L0", "DNW", "Deep Elastic Networks"}
    assert list(shown["L0"].get_xdata()) == pytest.approx(expected)
    assert list(shown["L0"].get_ydata()) == [98.3, 98.1]
    assert shown["DNW"].get_fillstyle() == "none" and shown["L0"].get_fillstyle() == "full"
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert ("SNN-AL, published" in labels) == (against == "weights")


def test_a_rival_that_is_new_here_is_shown_by_its_own_name(monkeypatch):
    monkeypatch.setitem(rivals.PEERS, "mine", object)
    rows = [*tables.paper_rows("1"), *ROWS, row("mine", 97.0, 70.0)]
    assert rivals.curves(rows)[-1].method == "mine"
    assert "mine" in {container.get_label() for container in rivals_picture.picture(rows).axes[0].containers}


def test_every_method_has_a_look_of_its_own():
    """Colour and mark, and for the lottery ticket, which has two forms, whether the mark is hollow."""
    methods = [rivals.OURS, *rivals.FLOOR.values(), *NAMES.values()]
    hollow = {name for name in methods if name == NAMES["lottery"]}
    assert len({(*rivals_picture.LOOKS[name], name in hollow) for name in methods}) == len(methods)


def test_the_axis_of_the_picture_holds_every_point_and_stretches_the_small_errors():
    axes = rivals_picture.picture([*tables.paper_rows("1"), *ROWS, row("n2n-90", 94.0, 97.0)]).axes[0]
    low, high = axes.get_ylim()
    assert 90 < low < 94.0 and 98.5 < high < 100
    heights = axes.transData.transform([(10, 94.0), (10, 97.0), (10, 98.5)])[:, 1]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1], rel=0.02), "both halve the error"


def test_without_a_run_there_is_no_picture_but_a_sentence():
    figure = rivals_picture.picture(ROWS, network="lenet5-caffe")
    assert [text.get_text() for text in figure.axes[0].texts] == ["No finished runs yet."]
    assert rivals_tables.sizes([]).iloc[0, 0] == rivals_tables.cost([]).iloc[0, 0] == "No finished runs yet."


def test_tables_say_what_is_pruned_at_which_size_and_cost():
    found = rivals_tables.sizes(ROWS)
    smallest = f"L0 ({unbroken('75 and 90 %')})"
    line = [text.replace("\N{NO-BREAK SPACE}", " ") for text in found.loc[smallest]]
    assert line == ["neurons", "91.0", "98.10 ± 0.10", "8"] and list(found.index[:3]) == [
        "dense",
        "sparse",
        "random pruning (sparse)",
    ], "SNN-AL's rows are called by their settings, and so are those that have its widths"
    assert list(rivals_tables.cost(ROWS).loc["SNN-AL"]) == ["1.00 k", "60"]
    assert list(rivals_tables.cost(ROWS).loc["L0"]) == ["1.00 k", "50"], "the quickest run of all sizes"


def test_the_best_come_first_apart_for_neurons_and_weights():
    found = rivals_tables.best(ROWS)
    for _, group in found.groupby(level=0):
        means = [float(text.split()[0]) for text in group["accuracy %"]]
        assert means == sorted(means, reverse=True)
    assert all(float(share) >= rivals_tables.LEAST for share in found["removed %"])
    more = [*ROWS, row("l0-75", 99.0, 76.0), row("small", 97.0, 81.0)]
    neurons = rivals_tables.best(more).loc["neurons: smaller and faster"]
    assert neurons.loc["L0", "removed %"] == "61.0", "the least sparse, not the most accurate"
    assert {"sparse", "small"} <= set(neurons.index), "every setting of SNN-AL"
    assert rivals_tables.best([]).iloc[0, 0] == "No finished runs yet."


def test_what_has_been_run_is_said_in_short():
    figures, done, absent = rivals.in_short(ROWS).splitlines()
    assert "L0 98.30 at 61; Deep Elastic" in figures and figures.endswith("sparse: 97.80 at 62.")
    assert "L0 (2 sizes, up to 8 runs each)" in done and "BC-GNJ" in absent and "L0" not in absent
    assert rivals.in_short([]).startswith("* **Run so far**: none of the rivals.")
    floor = rivals.in_short([*ROWS, row("small-random", 97.1, 85.0)]).splitlines()[0]
    assert "random pruning 97.90 at 62" in floor and "97.10" not in floor, "the least sparse that removes as much"


def test_published_points_stand_beside_ours_of_the_nearest_size():
    recipes = [row("bc-ghs-authors", 98.3, 88.0), row("l0-authors", 98.5, 70.0)]
    each = [row("lambda-each-0.2", 98.2, 88.0), row("lambda-each-0.6", 97.7, 95.0)]
    found = rivals_tables.beside_published([*tables.paper_rows("1"), *ROWS], recipes, each)
    assert found.loc["L0 (lambda sep.)", "published"] == "98.20 at 90.1"
    assert found.loc["L0 (lambda sep.)", "ours"].endswith("at 88.0"), "of the form that is quoted"
    assert found.loc["BC-GNJ", "ours"] == "not run yet"
    assert found.loc["BC-GHS", "their recipe"].endswith("at 88.0")
    assert list(found["their recipe"])[::2] == ["not run yet", "no recipe of ours", "not run yet"]


def test_the_row_that_the_paper_leaves_out_stands_there_on_the_perceptron():
    found = rivals_tables.beside_published([*tables.paper_rows("1"), *ROWS], [row("l0-authors", 98.5, 70.0)])
    line = found.loc["L0 (one lambda)"]
    assert line["published"] == "not quoted" and line["ours"].endswith("at 61.0")
    assert line["their recipe"].endswith("at 70.0")
    others = rivals_tables.beside_published([*tables.paper_rows("1"), *ROWS], network="lenet5-caffe")
    assert "L0 (one lambda)" not in others.index


@pytest.mark.usefixtures("unchecked")
def test_rivals_are_held_against_snn_al_seed_by_seed(tmp_path):
    for seed in range(8):
        for name, accuracy, removed in (("sparse", 97.0, 62.0), ("l0-60", 98.0, 59.0), ("l0-90", 96.0, 91.0)):
            arm = arm_of(TABLES["rivals"], "paper", name)
            status = "failed" if name == "sparse" and seed == 0 else "finished"
            record = invented.record(arm, seed, accuracy + seed / 100, profile="paper", status=status)
            if status == "finished":
                record["result"] |= {"removed_pct": removed, "effective_pct": removed}
            records.write(records.path_of(arm, "paper", seed, tmp_path), record)
    found = rivals_tables.pairs(Evidence(tmp_path))
    assert [tuple(map(str.split, names)) for names in found.index] == [
        (["sparse", "setting"], ["L0", "(60", "and", "75", "%)"])
    ]
    gone, ahead, chance, difference, lived = found.iloc[0]
    assert (
        gone == "59.0" and ahead.split() == ["8", "of", "8"] and chance == "0.008" and difference.startswith("+11.88")
    )
    assert lived.startswith("+1.00"), "the seven pairs without a lost run"


@pytest.mark.usefixtures("unchecked")
def test_snn_al_and_its_rivals_are_held_against_both_floors(tmp_path):
    figures = {
        "sparse": (97.0, 62.0),
        "l0-60": (98.0, 60.0),
        "sparse-random": (97.5, 62.0),
        "sparse-norm": (97.8, 62.0),
    }
    for seed in range(3):
        for name, (accuracy, gone) in figures.items():
            arm = arm_of(TABLES["rivals"], "paper", name)
            lost = name == "sparse" and seed == 2
            record = invented.record(arm, seed, accuracy, profile="paper", status="failed" if lost else "finished")
            if not lost:
                record["result"] |= {"removed_pct": gone, "effective_pct": gone}
            records.write(records.path_of(arm, "paper", seed, tmp_path), record)
    found = rivals_tables.floors(Evidence(tmp_path)).loc["sparse setting"]
    assert [text.split()[0] for text in found.loc["SNN-AL"]] == ["−0.50", "−0.80"], "without the lost run"
    assert [text.split()[0] for text in found.loc["L0"]] == ["+0.50", "+0.20"]
    assert rivals_tables.floors(Evidence(tmp_path / "none")).iloc[0, 0] == "No finished pairs of runs yet."


def test_rivals_on_photographs_stand_below_what_the_paper_quotes():
    found = rivals_tables.on_photographs(Results("3", "whole", records.default_root()))
    quoted = [name for name in found.index if name.startswith("paper, quoted")]
    assert [name.rpartition(", ")[2] for name in quoted] == [
        "baseline",
        "edge-popup",
        "baseline",
        "Lottery Ticket",
        "DNW (x0.225)",
    ]
    reduced = rivals_tables.on_photographs(Results("3", "whole", records.default_root()), reduced=True)
    quoted = [name.rpartition(", ")[2] for name in reduced.index if name.startswith("paper, quoted")]
    assert quoted == ["baseline", "NestedNet (H)", "DEN (rho=0.1)", "baseline", "N2N"]
    assert not set(found.index) & set(reduced.index)
    ours = [name for name in reduced.index if not name.startswith("paper")]
    assert ours == ["ours: not run yet"] or all(name.startswith("ours, reduced: ") for name in ours)
    assert "ours: MobileNetV1 x0.25, SNN-AL, accurate setting" in found.index
    assert not any("dense, with" in name for name in found.index), "recipes are another table's"
