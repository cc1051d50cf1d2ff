"""Tables as pure functions of records: means, paired differences, what is left out, and how it is shown."""

import io
import json
import statistics
from dataclasses import asdict, replace

import invented
import pandas
import pytest
from command_line import inside
from invented import unchecked  # noqa: F401
from rich.console import Console

from snnlib import metrics
from snnlib.lab import experiments, records, status
from snnlib.lab.experiments import REGIMES, TABLES
from snnlib.report import printing, tables
from snnlib.report.results import Results

pytestmark = pytest.mark.usefixtures("unchecked")

ARMS = {arm.name: arm for arm in TABLES["2"].arms["paper"]}
ACCURACIES = {"dense": [98.0, 98.2, 98.1, 98.3], "snn-al-epoch": [98.1, 98.2, 98.3, 98.4]}
WIDTHS = {
    "dense": [[784, 300, 100]] * 4,
    "snn-al-epoch": [[456, 134, 45], [457, 134, 44], [458, 135, 45], [459, 136, 48]],
}


def record_of(arm, seed, accuracy, widths, **changes):
    result = {
        "accuracy": accuracy,
        "widths": widths,
        "effective_widths": widths,
        "removed_pct": metrics.removed_pct((784, 300, 100), widths),
        "effective_pct": metrics.removed_pct((784, 300, 100), widths) + 0.5,
    }
    known = {"profile": "paper", "seconds": 10.0 + seed, "device": "one CPU", "versions": {"torch": "2.14.1"}}
    return invented.record(ARMS[arm], seed, **{**known, "result": result, "history": [], **changes})


def write(root, arm, seed, **changes):
    path = records.path_of(ARMS[arm], "paper", seed, root)
    records.write(path, record_of(arm, seed, ACCURACIES[arm][seed], WIDTHS[arm][seed], **changes))
    return path


@pytest.fixture
def root(tmp_path):
    for arm in ACCURACIES:
        for seed in range(4):
            write(tmp_path, arm, seed)
    return tmp_path


def row_of(root, arm):
    return next(row for row in tables.rows("2", "paper", root) if row.arm == arm)


def test_means_and_deviations_are_those_of_the_records(root):
    row = row_of(root, "snn-al-epoch")
    assert (row.n, row.failed, row.source, row.profile, row.note) == (4, 0, "ours", "paper", "")
    assert row.acc_mean == pytest.approx(statistics.mean(ACCURACIES["snn-al-epoch"]))
    assert row.acc_std == pytest.approx(statistics.stdev(ACCURACIES["snn-al-epoch"]))
    assert row.widths == [458, 135, 46]  # of 457.5, 134.75 and 45.5, halves to the even number
    assert row.removed_pct == pytest.approx(
        statistics.mean(metrics.removed_pct((784, 300, 100), widths) for widths in WIDTHS["snn-al-epoch"])
    )
    assert row.effective_pct == pytest.approx(row.removed_pct + 0.5)
    assert (row.seconds, row.quickest) == (11.5, 10.0)


def test_differences_are_paired_by_seed(root):
    row = row_of(root, "snn-al-epoch")
    differences = [a - b for a, b in zip(ACCURACIES["snn-al-epoch"], ACCURACIES["dense"])]
    half = 3.182446 * statistics.stdev(differences) / 2  # Student's t, 97.5 %, three degrees of freedom; four seeds
    assert row.diff_mean == pytest.approx(statistics.mean(differences))
    assert (row.diff_low, row.diff_high) == pytest.approx((row.diff_mean - half, row.diff_mean + half), rel=1e-6)
    records.path_of(ARMS["dense"], "paper", 3, root).unlink()
    assert row_of(root, "snn-al-epoch").diff_mean == pytest.approx(statistics.mean(differences[:3]))
    dense = row_of(root, "dense")
    assert (dense.diff_mean, dense.diff_low, dense.diff_high) == (None, None, None)


def test_of_one_seed_there_is_neither_deviation_nor_interval(tmp_path):
    for arm in ACCURACIES:
        write(tmp_path, arm, 0)
    row = row_of(tmp_path, "snn-al-epoch")
    assert (row.n, row.acc_std, row.diff_low, row.diff_high) == (1, None, None, None)
    assert row.diff_mean == pytest.approx(0.1)
    json.dumps(asdict(row), allow_nan=False)


def test_an_arm_without_the_reference_has_no_difference(tmp_path):
    write(tmp_path, "snn-al-epoch", 0)
    assert row_of(tmp_path, "snn-al-epoch").diff_mean is None


def test_only_sound_records_of_the_present_settings_count(root):
    error = {"type": "DivergenceError", "message": "the loss became nan"}
    write(root, "snn-al-epoch", 0, status="failed", result=None, error=error)
    write(root, "snn-al-epoch", 1, settings_hash="0" * 12)
    records.path_of(ARMS["snn-al-epoch"], "paper", 2, root).write_text("{")
    row = row_of(root, "snn-al-epoch")
    assert (row.n, row.failed, row.acc_mean) == (1, 1, 98.4)
    lines = status.problems("2", "paper", root)
    assert any(
        line.startswith("failed: snn-al-epoch seed 0 (the loss became nan): `snn run 2") and "--force" in line
        for line in lines
    )
    assert any(line.startswith("stale (settings changed since): snn-al-epoch seed 1: `snn run 2") for line in lines)
    assert any(line.startswith("broken: snn-al-epoch seed 2 (") and "cut off" in line for line in lines)
    missing = next(line for line in lines if line.startswith("missing: "))
    assert "dense seed 4, 5, 6, 7" in missing and f"--records {root}`" in missing


def test_an_arm_whose_runs_all_failed_has_a_row_without_figures(tmp_path):
    write(tmp_path, "dense", 0, status="failed", result=None, error={"message": "dead"})
    row = row_of(tmp_path, "dense")
    assert (row.n, row.failed, row.acc_mean, row.widths, row.removed_pct, row.seconds) == (0, 1, None, None, None, None)


def test_runs_of_different_machines_are_noted(root):
    write(root, "dense", 0, device="another CPU")
    write(root, "dense", 1, versions={"torch": "2.4"})
    note = row_of(root, "dense").note
    assert "different devices (another CPU, one CPU)" in note and "different torch versions (2.14.1, 2.4)" in note
    assert any(note in line for line in printing.notes(tables.rows("2", "paper", root)))


def test_runs_that_are_left_with_different_numbers_of_layers_have_no_mean_widths_and_say_so(root):
    """Only N2N removes whole layers; its row stands, with a note in the place of widths."""
    record = record_of("snn-al-epoch", 4, 97.0, [784, 300, 100])
    record["result"] |= {"widths": [784], "effective_widths": [784]}
    records.write(records.path_of(ARMS["snn-al-epoch"], "paper", 4, root), record)
    row = row_of(root, "snn-al-epoch")
    assert row.widths is None
    assert "FC layers left: 1 in 1 run, 3 in 4 runs" in row.note


def test_what_at_chance_means_is_said_where_a_run_was(root):
    rows = tables.rows("2", "paper", root)
    assert not any(note.startswith("at chance") for note in printing.notes(rows))
    guessed = [replace(row, at_chance=1) if row.source == "ours" else row for row in rows]
    assert any("half as accurate again as guessing" in note for note in printing.notes(guessed))


def test_the_papers_rows_are_those_of_its_table():
    rows = tables.paper_rows("2")
    assert [(row.arm, row.acc_mean, row.acc_std, row.n, row.widths, row.removed_pct) for row in rows] == [
        ("baseline", 98.36, None, None, [784, 300, 100], None),
        ("SNN-SL", 98.37, 0.03, 8, [756, 287, 92], 8.23),
        ("SNN-AL", 98.41, 0.02, 8, [456, 134, 45], 74.61),
    ]
    assert all(row.source == "paper" and row.profile is None and row.diff_mean is None for row in rows)
    assert [bool(row.note) for row in rows] == [True, False, False]
    for row in rows[1:]:
        assert metrics.removed_pct((784, 300, 100), row.widths) == pytest.approx(row.removed_pct, abs=0.005)
    assert tables.paper_rows("search") == []


def test_a_table_is_a_pure_function_of_its_records(root):
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert tables.rows("2", "paper", root) == tables.rows("2", "paper", root)
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before
    assert tables.rows("2", "quick", root) == tables.paper_rows("2")


def test_frame_has_a_column_a_field(root):
    rows = tables.rows("2", "paper", root)
    frame = printing.frame(rows)
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns) == list(asdict(rows[0]))
    assert frame.set_index("arm").loc["SNN-AL", "widths"] == "456-134-45"
    assert list(printing.frame([]).columns) == list(frame.columns)


def test_markdown_and_console_show_the_same_texts(root):
    rows = tables.rows("2", "paper", root)
    lines = printing.markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert lines[-1] == (
        "| ours (paper profile) | SNN-AL, t counts epochs | 4 | 98.25 ± 0.13 | +0.10 [-0.03, +0.23] | 458-135-46 | "
        "74.37 | 74.87 | 12 |"
    )
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(printing.console(rows))
    shown = console.export_text()
    for line in lines[2:]:
        for text in line.strip("| ").split(" | "):
            assert text.strip() in shown


def test_a_profile_is_always_named(root):
    labels = {printing.cells(row)[0] for row in tables.rows("2", "paper", root)}
    assert labels == {"paper", "paper, quoted", "ours (paper profile)"}
    assert "reduced" in printing.LABELS["quick"]
    assert len(set(printing.LABELS.values())) == len(printing.LABELS)


def test_rows_of_a_network_are_found_however_the_paper_spells_it(root):
    found = tables.of_network(tables.rows("3", "paper", root), "mobilenet-v1-x0.25")
    assert found and {row.network for row in found} == {"mobilenetv1 (x0.25)"}


def test_finished_runs_are_those_that_are_recorded_and_not_failed_stale_or_broken(root):
    write(root, "dense", 0, status="failed", result=None, error={"message": "dead"})
    write(root, "dense", 1, settings_hash="0" * 12)
    records.path_of(ARMS["dense"], "paper", 2, root).write_text("{")
    found = status.finished("2", "paper", root)
    assert list(found) == [("mlp", arm.name) for arm in TABLES["2"].arms["paper"]]
    assert (
        list(found["mlp", "dense"]) == [3] and found["mlp", "dense"][3]["result"]["accuracy"] == ACCURACIES["dense"][3]
    )
    assert list(found["mlp", "snn-al-epoch"]) == [0, 1, 2, 3] and found["mlp", "snn-sl"] == {}


def test_the_profile_shown_is_the_one_wanted_else_the_fullest_that_has_records(root, tmp_path):
    assert status.profile_to_show("2", root) == "paper"
    assert status.profile_to_show("2", root, "quick") == "paper", (
        "there is none of quick: whoever shows this has to say so"
    )
    arm = TABLES["2"].arms["smoke"][0]
    records.write(records.path_of(arm, "smoke", 0, root), record_of("dense", 0, 90.0, [784, 300, 100]))
    assert (
        status.profile_to_show("2", root, "smoke") == "smoke" and status.profile_to_show("2", root, "quick") == "paper"
    )
    assert status.profile_to_show("2", tmp_path / "empty") == "paper"
    assert status.profile_to_show("2", tmp_path / "empty", "quick") == "quick"
    assert status.profile_to_show("search", tmp_path / "empty") == "search"


def test_columns_without_a_figure_are_left_out():
    head = printing.markdown(tables.paper_rows("2")).splitlines()[0]
    assert "removed %" in head and "effective %" not in head and "difference" not in head


def test_status_counts_every_run_of_every_table(root):
    found = status.summary(status.profiles_begun(root), root)
    assert [(part["table"], part["profile"]) for part in found] == [
        (name, "paper") for name in TABLES if "paper" in TABLES[name].arms
    ]
    of_table = {part["table"]: part for part in found}
    assert of_table["1"]["counts"]["recorded"] == 8, "the MLP's runs are those of Table 2"
    assert of_table["3"]["counts"]["recorded"] == 0 < of_table["3"]["counts"]["missing"]
    part = of_table["2"]
    assert part["counts"]["recorded"] == 8 == len(part["recorded"])
    assert sum(part["counts"].values()) == part["runs"] == 8 * len(TABLES["2"].arms["paper"])
    assert set(part["counts"]) == set(status.STATES)


def test_rows_of_one_regime_and_the_commands_that_make_the_rest_of_it(root, capsys):
    records.write(
        records.path_of(ARMS["letter-dense"], "paper", 0, root), record_of("letter-dense", 0, 98.2, [784, 300, 100])
    )
    rows = tables.rows("2", "paper", root)
    found = {regime: [row.arm for row in tables.of_regime(rows, regime) if row.source == "ours"] for regime in REGIMES}
    assert (
        found["letter"] == ["letter-dense"]
        and "dense" in found["plain"]
        and not set(found["plain"]) & set(found["tuned"])
    )
    assert sum(map(len, found.values())) == len([row for row in rows if row.source == "ours"])
    code, said, _ = inside(capsys, "table", "2", "--profile", "paper", "--regime", "letter", "--records", root)
    assert (
        code == 0
        and "98.41" in said
        and "the paper's letter: dense" in said
        and "snn-al-epoch" not in said
        and "--arm letter-sl" in said
    )
    assert inside(capsys, "table", "2", "--regime", "lettre", "--records", root)[0] == 2
    assert experiments.regime_of("pattern-transposed") == "tuned" and experiments.regime_of("deep-std-0.1") == "plain"


def test_rows_of_one_network_and_the_commands_that_make_the_rest_of_it(tmp_path, capsys):
    shown = [
        inside(capsys, "table", "1", "--profile", "paper", "--records", tmp_path, *words)
        for words in ((), ("--network", "lenet5-caffe"))
    ]
    assert shown[0][0] == shown[1][0] == 0
    assert "300-100" in shown[0][1] and "300-100" not in shown[1][1], "the perceptron's widths"
    assert "--network lenet5-caffe" in shown[1][1] and "--network mlp" not in shown[1][1]
    code, _, error = inside(capsys, "table", "1", "--records", tmp_path, "--network", "lenet")
    assert code == 2 and "did you mean 'lenet5-caffe'" in error


def test_a_control_whose_run_to_follow_failed_is_barred_not_missing(tmp_path, capsys):
    """It has no neurons to keep: nothing asks for it again, and it makes no page provisional."""
    arm = next(arm for arm in TABLES["controls"].arms["paper"] if arm.name == "norm")
    of = arm.pruning.of
    failed = {"status": "failed", "result": None, "error": {"message": "the loss became nan"}}
    records.write(records.path_of(of, "paper", 0, tmp_path), invented.record(of, profile="paper", **failed))
    states = [records.look_up(arm, "paper", seed, tmp_path).state for seed in (0, 1)]
    assert states == ["barred", "missing"]
    lines = status.problems("controls", "paper", tmp_path)
    assert f"barred: norm seed 0 (it keeps the neurons of {of.name}, whose run failed)" in lines
    assert "a failed one, and cannot be made" in Results("controls", "paper", tmp_path).about()
    _, said, _ = inside(
        capsys, "run", "controls", "--profile", "paper", "--arm", "norm", "--records", tmp_path, "--dry-run"
    )
    assert "norm: 7 runs (seed 1, 2, 3, 4, 5, 6, 7)" in said
