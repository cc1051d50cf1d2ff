"""The sampling error of an accuracy, by hand."""

import pytest

from snnlib.report import sampling


def test_the_standard_error_is_the_binomial_one():
    assert sampling.standard_error(50, 100) == pytest.approx(5)
    assert sampling.standard_error(98.36, 10_000) == pytest.approx(0.127, abs=5e-4)


def test_accuracies_that_are_missing_are_left_out():
    found = sampling.errors({"a": 90.0, "b": None}, 10_000)
    assert found.loc["a"].tolist() == ["90.00", "0.300", "30"] and len(found) == 1
