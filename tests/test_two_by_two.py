"""A gain divided between two causes, by hand."""

import invented
import pytest
from invented import few_epochs, unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES, arm_of
from snnlib.report import two_by_two
from snnlib.report.results import Results
from snnlib.report.two_by_two import Square

SQUARE = Square({0: 70.0, 1: 71.0}, {0: 71.0, 1: 72.0}, {0: 75.0, 1: 76.0}, {0: 78.0, 1: 79.0, 2: 80.0})


def test_the_parts_add_up_to_the_whole():
    parts = SQUARE.parts()
    assert {name: found.mean for name, found in parts.items()} == pytest.approx(
        {"whole gain": 8.0, "batch norm's part": 6.0, "switcher's part": 2.0}
    )
    assert {found.n for found in parts.values()} == {2}


def test_tables_show_the_square_and_its_parts():
    found = two_by_two.table(SQUARE)
    assert found.loc["without batch norm", "dense (%)"].startswith("70.50")
    assert found.loc["with batch norm", "it adds"].startswith("+3.00")
    assert found.loc["batch norm adds", "switcher (%)"].startswith("+7.00")
    assert two_by_two.parts_table(SQUARE).loc["whole gain", "n"] == "2"
    said = two_by_two.in_short(SQUARE).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith(
        "What the paper compares, VGG-cov2 with both minus with neither: +8.00 points (n = 2). "
        "In points, of 2 seeds: whole gain +8.00"
    )


def test_what_the_paper_compares_needs_two_runs_of_a_seed_and_no_more():
    """A seed whose other two runs were lost or not made still says what both together are worth."""
    square = Square({0: 70.0, 1: 71.0, 2: 72.0}, {0: 71.0}, {0: 75.0}, {0: 78.0, 1: 79.0, 2: 80.0})
    assert (square.corners().n, square.corners().mean) == (3, pytest.approx(8.0)) and square.seeds == [0]
    assert two_by_two.in_short(square).startswith(
        "What the paper compares, VGG-cov2 with both minus with neither: +8.00"
    )
    assert "(n = 3). In points, of 1 seed:" in two_by_two.in_short(square)
    assert two_by_two.table(square).loc["both minus neither", "it adds"].startswith("+8.00")


@pytest.mark.parametrize(
    "seeds, added, alone, said",
    [
        (2, 6.0, 0.0, ""),
        (3, 6.0, 1.0, "By the rule below, provisionally: batch norm owns more than half of the gain."),
        (8, 6.0, 1.0, "By the rule below: batch norm owns more than half of the gain."),
        (8, 1.0, 6.0, "By the rule below: batch norm owns less than half of the gain."),
        (8, 3.0, 3.0, "By the rule below: whether batch norm owns more than half of the gain cannot be told."),
        (8, -3.0, 1.0, "By the rule below: the whole gain does not lie above 0, so there is nothing to divide."),
    ],
)
def test_the_rule_says_whose_the_gain_is(seeds, added, alone, said):
    """Batch norm adds ``added``, the switcher ``alone``, with a little noise that has no mean."""
    by_seed = [
        {seed: value + (seed % 2 - 0.5) * noise for seed in range(seeds)}
        for value, noise in ((70.0, 0.1), (70.0 + alone, -0.1), (70.0 + added, 0.1), (70.0 + added + alone, 0.2))
    ]
    assert two_by_two.ruling(Square(*by_seed)) == said


@pytest.mark.usefixtures("few_epochs", "unchecked")
def test_a_lost_run_is_in_the_square_as_guessing_and_is_named(tmp_path):
    for name, network, seed, accuracy in (
        ("tuned-dense", "vgg-cov2", 0, 76.0),
        ("accurate", "vgg-cov2", 0, None),
        ("accurate", "vgg-cov2", 1, 70.0),
    ):
        arm = arm_of(TABLES["3"], "whole", name, network)
        status = "failed" if accuracy is None else "finished"
        record = invented.record(arm, seed, accuracy or 50.0, profile="whole", status=status)
        records.write(records.path_of(arm, "whole", seed, tmp_path), record)
    square = two_by_two.of(Results("3", "whole", tmp_path), "vgg-cov2", "vgg-cov2-bn", "tuned-dense", "accurate")
    assert square.without_with == {0: 10.0, 1: 70.0} and square.lost == 1
    assert "1 lost run counts as guessing." in two_by_two.in_short(square)


def test_without_runs_nothing_is_divided(tmp_path):
    bare = two_by_two.of(Results("3", "paper", tmp_path), "vgg-cov2", "vgg-cov2-bn")
    assert bare.seeds == [] and "all four runs" in two_by_two.parts_table(bare).iloc[0, 0]
    assert "cannot be said yet" in two_by_two.in_short(bare)
    assert two_by_two.table(bare).loc["with batch norm", "dense (%)"].replace("\N{NO-BREAK SPACE}", " ") == "no runs"
