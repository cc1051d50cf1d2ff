"""Figures in words: minus signs, intervals, lists, the size of a run, Markdown."""

import math

import pytest

from snnlib.metrics import PairedDifference
from snnlib.report.verdicts import Judged, Verdict
from snnlib.report.wording import listing, markdown, span, unbroken, unsigned, verdict

SPACE, HYPHEN, MINUS = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}", "\N{MINUS SIGN}"


def test_figures_stay_in_one_piece_and_minus_is_no_hyphen():
    assert unbroken("784-300 -0.5 [-1, 2]") == f"784{HYPHEN}300{SPACE}{MINUS}0.5{SPACE}[{MINUS}1,{SPACE}2]"


@pytest.mark.parametrize(
    "found, text",
    [
        (PairedDifference(math.nan, -math.inf, math.inf, 0), ""),
        (PairedDifference(-0.5, -math.inf, math.inf, 1), f"{MINUS}0.50"),
        (PairedDifference(0.25, -0.125, 0.625, 4), f"+0.25{SPACE}[{MINUS}0.12,{SPACE}+0.62]"),
    ],
)
def test_a_span_has_an_interval_only_where_there_are_two_pairs(found, text):
    assert span(found) == text


def test_digits_of_a_span_can_be_chosen():
    assert span(PairedDifference(12.34, 1.0, 20.0, 3), 0) == f"+12{SPACE}[+1,{SPACE}+20]"


@pytest.mark.parametrize(
    "words, text", [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_people_write_them(words, text):
    assert listing(iter(words)) == text


def test_a_markdown_table_has_a_rule_below_its_headings():
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_verdict_says_claim_rule_and_evidence():
    regimes = {
        "plain": Judged("fails", ("accuracy: -0.50 [-0.70, -0.30] points (n = 8)",)),
        "tuned": Judged("no runs", ("accuracy: no pairs of runs yet",)),
    }
    said = verdict(
        Verdict(
            "accuracy", "It is better.", "abstract", "a rule", regimes, "not reproduced", made_before=3, rests_on=16
        )
    )
    assert said.splitlines() == [
        "**It is better.** By [its rule](16_verdicts.ipynb) (3 of its 16 runs had begun before it got its "
        "present form): **not reproduced**.",
        "",
        "plain regime: fails; tuned regime: no finished runs.",
        "",
        f"* accuracy: {MINUS}0.50 [{MINUS}0.70, {MINUS}0.30] points (n = 8)",
    ]
    assert unsigned("784-300 std-0.1 -0.5 [-1, 2]") == f"784-300 std-0.1 {MINUS}0.5 [{MINUS}1, 2]"
