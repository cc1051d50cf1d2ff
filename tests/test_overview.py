"""All verdicts on a page: nothing is lost, and the words of the report rest on verdicts that still hold."""

import re
from pathlib import Path

import pytest

from snnlib.lab import records
from snnlib.report import overview
from snnlib.report.verdicts import all_verdicts

REPORT = Path(__file__).parents[1] / "book" / "chapters" / "16_verdicts.md"


@pytest.fixture(scope="module")
def found():
    return all_verdicts(records.default_root())


def test_the_words_of_the_report_rest_on_verdicts_that_still_hold(found):
    """Who changes a verdict reads the report's words again, and then what stands in its mark."""
    said = re.search(r"<!-- rests on: (.*?) -->", REPORT.read_text()).group(1)
    named = dict(part.split(" ", 1) for part in said.split(", "))
    verdicts = {each.name: each.verdict for each in found} | {
        f"{each.name}/{regime}": judged.verdict for each in found for regime, judged in each.regimes.items()
    }
    assert set(named) <= set(verdicts)
    assert {name: verdicts[name] for name in named} == named


def test_every_claim_is_there_with_its_rule_and_evidence(found):
    table, text = overview.at_a_glance(found), overview.folded(found)
    assert list(table.index) == [each.claim for each in found] and text.count('<details class="claim">') == len(found)
    assert text.count("</details>") == len(found) and all(each.rule in text for each in found)
    lines = [
        line
        for each in found
        for judged in each.regimes.values()
        if judged.verdict != "no runs"
        for line in judged.evidence
    ]
    assert text.count("\n    * ") == len(lines) > 20
    numbers = [int(number) for number in re.findall(r"\d+", overview.counted(found))]
    assert numbers[0] == len(found) == sum(numbers[1:])


def test_what_is_missing_is_named_with_its_command(tmp_path):
    lines = overview.absent(tmp_path)
    assert lines.loc["2", "recorded"].startswith("0 of ") and f"--records {tmp_path}" in lines.loc["2", "command"]
    assert "--network lenet5-caffe" in lines.loc["1, lenet5-caffe", "command"]
