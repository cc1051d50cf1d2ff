"""A gain divided between two causes, by hand."""

import pytest

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
    assert "In points, of 2 seeds: whole gain +8.00" in two_by_two.in_short(SQUARE)


def test_what_the_paper_compares_needs_two_runs_of_a_seed_and_no_more():
    """A seed whose other two runs were lost or not made still says what both together are worth."""
    square = Square({0: 70.0, 1: 71.0, 2: 72.0}, {0: 71.0}, {0: 75.0}, {0: 78.0, 1: 79.0, 2: 80.0})
    assert (square.corners().n, square.corners().mean) == (3, pytest.approx(8.0)) and square.seeds == [0]
    assert two_by_two.in_short(square).startswith(
        "What the paper compares, VGG-cov2 with both minus with neither: +8.00"
    )
    assert "(n = 3). In points, of 1 seed:" in two_by_two.in_short(square)
    assert two_by_two.table(square).loc["both minus neither", "it adds"].startswith("+8.00")


def test_without_runs_nothing_is_divided(tmp_path):
    bare = two_by_two.of(Results("3", "paper", tmp_path), "vgg-cov2", "vgg-cov2-bn")
    assert bare.seeds == [] and "all four runs" in two_by_two.parts_table(bare).iloc[0, 0]
    assert "cannot be said yet" in two_by_two.in_short(bare)
    assert two_by_two.table(bare).loc["with batch norm", "dense (%)"].replace("\N{NO-BREAK SPACE}", " ") == "no runs"
