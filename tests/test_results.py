"""The runs of a table as a chapter reads them, on invented records."""

import invented
import pytest
from invented import unchecked  # noqa: F401

from snnlib.lab import records
from snnlib.lab.experiments import TABLES
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")

ARMS = {arm.name: arm for arm in TABLES["2"].arms["quick"]}


def write(root, name, seed, accuracy=90.0, failed=False):
    record = invented.record(ARMS[name], seed, accuracy, seconds=120.0)
    if failed:
        record |= {"status": "failed", "result": None, "error": {"message": "died", "type": "DeadLayerError"}}
    records.write(records.path_of(ARMS[name], "quick", seed, root), record)


@pytest.fixture
def results(tmp_path):
    for seed, accuracy in enumerate((90.0, 91.0)):
        write(tmp_path, "dense", seed, accuracy)
        write(tmp_path, "snn-al-epoch", seed, accuracy + 1)
    write(tmp_path, "snn-al-epoch", 2, failed=True)
    return Results("2", "quick", tmp_path)


def test_figures_are_by_seed_and_failed_runs_apart(results):
    assert results.values("snn-al-epoch") == {0: 91.0, 1: 92.0}
    assert results.values("dense", lambda record: record["seconds"]) == {0: 120.0, 1: 120.0}
    assert results.with_dead("snn-al-epoch") == {0: 91.0, 1: 92.0, 2: 10.0}
    assert (results.lived("snn-al-epoch"), results.lived("dense"), results.lived("snn-sl")) == ("2 of 3", "2", "0")
    assert results.mean("dense") == 90.5 and results.mean("snn-sl") is None


def test_a_difference_is_paired_by_seed(results):
    found = results.difference("snn-al-epoch", "dense")
    assert (found.mean, found.n) == (1.0, 2)
    assert results.difference("snn-al-epoch", "no such arm").n == 0
    assert results.runs("dense", "lenet5-caffe") == {}


def test_a_page_says_what_failed_and_what_is_missing(results, tmp_path):
    said = results.about()
    assert "reduced runs" in said and "The 5 runs took 10 minutes" in said
    assert "Died or diverged: *SNN-AL, t counts epochs* (1)." in said
    assert f"of {len(results.entries)} runs are still missing** (`snn run 2 --profile quick" in said
    nothing = Results("2", "paper", tmp_path / "none")
    assert "took" not in nothing.about() and nothing.about("letter").count("of 48 runs") == 1
