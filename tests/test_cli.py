"""The command line as a subprocess: exit codes, messages, tables, and what it leaves on disk."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from command_line import ENVIRONMENT, PROJECT, TINY, inside, snn, start
from filelock import FileLock

from snnlib import __version__, data, files
from snnlib.arms import hash_of
from snnlib.compaction import load_compact
from snnlib.lab import records, trained
from snnlib.lab.experiments import TABLES, arm_of

WITHOUT_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
ROW_KEYS = {
    "table",
    "dataset",
    "network",
    "arm",
    "title",
    "source",
    "profile",
    "regime",
    "n",
    "failed",
    "at_chance",
    "acc_mean",
    "acc_std",
    "widths",
    "start_pct",
    "first_pct",
    "removed_pct",
    "effective_pct",
    "prunes",
    "diff_mean",
    "diff_low",
    "diff_high",
    "all_mean",
    "all_low",
    "all_high",
    "macs",
    "seconds",
    "quickest",
    "removed_low",
    "removed_high",
    "note",
}


def smoke_path(root, arm, seed):
    return records.path_of(arm_of(TABLES["2"], "smoke", arm), "smoke", seed, root)


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A records folder with two arms of the smoke profile, how the command that made it ended, and its seconds."""
    root, began = tmp_path_factory.mktemp("records"), time.monotonic()
    ended = snn("run", "2", "--profile", "smoke", "--arm", "dense", "--arm", "snn-al-epoch", "--records", root)
    return root, ended, time.monotonic() - began


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A records folder with the tiny table, made without interruption."""
    root = tmp_path_factory.mktemp("tiny")
    assert snn("run", "tiny", "--records", root, program=TINY).returncode == 0
    return root


@pytest.fixture
def copy(smoke, tmp_path):
    """The same folder, to be spoiled."""
    shutil.copytree(smoke[0], tmp_path / "records")
    return tmp_path / "records"


def test_run_trains_records_and_prints_the_table(smoke):
    root, ended, seconds = smoke
    assert ended.returncode == 0, ended.stderr
    assert "4 runs trained, 0 failed, 0 left" in ended.stdout
    assert "ours (smoke, a trial only)" in ended.stdout and "456-134-45" in ended.stdout
    for arm in ("dense", "snn-al-epoch"):
        for seed in (0, 1):
            assert records.look_up(arm_of(TABLES["2"], "smoke", arm), "smoke", seed, root).state == "recorded"
            assert f"{arm} seed {seed}: " in ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr  # plain lines: this is no terminal
    lines = ended.stderr.splitlines()
    assert sum(line.startswith(f"[{count}/4] ") for line in lines for count in range(1, 5)) == 4
    assert len(lines) <= 4 + seconds / 10  # besides, at most one in ten seconds
    leftovers = [path.name for path in root.rglob("*") if ".part." in path.name or path.name.startswith(".")]
    assert not leftovers


def test_a_second_run_reuses_the_records(smoke):
    root = smoke[0]
    before = {path: path.stat().st_mtime_ns for path in root.rglob("seed-*.*")}
    again = snn("run", "2", "--profile", "smoke", "--arm", "dense", "--records", root)
    assert again.returncode == 0
    assert "2 runs recorded already: reused" in again.stdout
    assert {path: path.stat().st_mtime_ns for path in root.rglob("seed-*.*")} == before


def test_table_as_json(smoke):
    ended = snn("table", "2", "--json", "--records", smoke[0])  # finds the profile that has records
    assert ended.returncode == 0, ended.stderr
    rows = json.loads(ended.stdout)
    assert all(set(row) == ROW_KEYS for row in rows)
    paper = {row["arm"]: row for row in rows if row["source"] == "paper"}
    ours = {row["arm"]: row for row in rows if row["source"] == "ours"}
    assert paper["SNN-AL"]["widths"] == [456, 134, 45] and paper["SNN-AL"]["removed_pct"] == 74.61
    assert set(ours) == {"dense", "snn-al-epoch"}
    for row in ours.values():
        assert (row["profile"], row["n"], row["dataset"], row["network"]) == ("smoke", 2, "mnist", "mlp")
        assert 0 < row["acc_mean"] <= 100 and row["acc_std"] >= 0 and row["seconds"] > 0
    assert ours["dense"]["diff_mean"] is None and ours["dense"]["removed_pct"] == 0
    assert ours["snn-al-epoch"]["diff_low"] <= ours["snn-al-epoch"]["diff_mean"] <= ours["snn-al-epoch"]["diff_high"]
    assert "missing: " in ended.stderr and "`snn run 2 --profile smoke" in ended.stderr


def test_table_as_csv_and_markdown(smoke, capsys):
    root = smoke[0]
    lines = list(csv.DictReader(io.StringIO(inside(capsys, "table", "2", "--csv", "--records", root)[1])))
    assert [line["source"] for line in lines] == ["paper"] * 3 + ["ours"] * 2
    assert lines[2]["widths"] == "456-134-45"
    text = inside(capsys, "table", "2", "--md", "--records", root)[1].splitlines()
    assert text[0].startswith("| source |") and text[1].startswith("| --- |")
    assert all(line.count("|") == text[0].count("|") for line in text[:7])


def test_status(smoke, capsys):
    root = smoke[0]
    found = json.loads(snn("status", "--json", "--records", root).stdout)
    assert [(part["table"], part["profile"]) for part in found] == [
        (name, "smoke") for name in TABLES if "smoke" in TABLES[name].arms
    ]
    arms, (found,) = len(TABLES["2"].arms["smoke"]), [part for part in found if part["table"] == "2"]
    assert found["counts"] == {
        "recorded": 4,
        "missing": 2 * arms - 4,
        "stale": 0,
        "failed": 0,
        "barred": 0,
        "broken": 0,
    }
    assert {(run["arm"], run["seed"]) for run in found["recorded"]} == {
        (arm, seed) for arm in ("dense", "snn-al-epoch") for seed in (0, 1)
    }
    _, text, _ = inside(capsys, "status", "--records", root)
    assert f"4 recorded, {2 * arms - 4} missing" in text


def test_status_of_an_empty_folder_says_how_to_begin(tmp_path, capsys):
    code, text, _ = inside(capsys, "status", "--records", tmp_path)
    assert code == 0 and "snn run 2" in text


def test_spoiled_records_are_named_and_left_out(copy, capsys):
    stale, broken, failed = (
        smoke_path(copy, arm, seed) for arm, seed in (("dense", 1), ("snn-al-epoch", 0), ("snn-al-epoch", 1))
    )
    made = records.read(stale)
    older = made["settings"] | {"train": made["settings"]["train"] | {"rate": 0.2}}
    records.write(stale, made | {"settings": older, "settings_hash": hash_of(older)})
    broken.write_bytes(broken.read_bytes()[:500])
    record = records.read(failed)
    records.write(failed, record | {"status": "failed", "result": None, "error": {"message": "the loss became nan"}})
    (counts,) = (
        part["counts"]
        for part in json.loads(inside(capsys, "status", "--json", "--records", copy)[1])
        if part["table"] == "2"
    )
    assert {state: counts[state] for state in ("recorded", "stale", "failed", "broken")} == {
        "recorded": 1,
        "stale": 1,
        "failed": 1,
        "broken": 1,
    }
    code, text, _ = inside(capsys, "table", "2", "--records", copy)
    assert code == 0
    for line in (
        "stale (settings changed since): dense seed 1",
        "broken: snn-al-epoch seed 0",
        "failed: snn-al-epoch seed 1 (the loss became nan)",
    ):
        assert line in text
    assert f"--arm snn-al-epoch --seed 1 --force --records {copy}`" in text
    assert "0 (+ 1 failed)" in text
    not_retried = snn("run", "2", "--profile", "smoke", "--arm", "snn-al-epoch", "--seed", "1", "--records", copy)
    assert not_retried.returncode == 1
    assert "1 run failed before: not tried again without --force" in not_retried.stdout
    assert "the loss became nan" in not_retried.stdout


def test_compact_writes_the_plain_network(smoke, tmp_path, capsys):
    root = smoke[0]
    path = smoke_path(root, "snn-al-epoch", 1)
    ended = snn("compact", path, "--out", tmp_path / "small.safetensors")
    assert ended.returncode == 0, ended.stderr
    _, network, model = trained.load(path)
    smaller = load_compact(tmp_path / "small.safetensors")
    assert "-".join(map(str, smaller.widths)) in ended.stdout and smaller.widths[0] < network.widths[0]
    images = data.scale(data.load("mnist").x_test[:200])
    with torch.no_grad():
        assert torch.allclose(model(images), smaller(images), atol=1e-5)
    short = inside(
        capsys,
        "compact",
        "smoke/mnist-mlp/snn-al-epoch/seed-1",
        "--out",
        tmp_path / "same.safetensors",
        "--records",
        root,
    )
    assert short[0] == 0
    assert (tmp_path / "same.safetensors").read_bytes() == (tmp_path / "small.safetensors").read_bytes()


def test_compact_without_weights_names_the_command_that_makes_them(copy, tmp_path, capsys):
    path = smoke_path(copy, "snn-al-epoch", 0)
    records.weights_path(path).unlink()
    code, _, error = inside(capsys, "compact", path, "--out", tmp_path / "small.safetensors")
    assert code == 2
    assert f"`snn run 2 --profile smoke --arm snn-al-epoch --seed 0 --force --records {copy}`" in error
    assert not (tmp_path / "small.safetensors").exists()


def test_compact_of_a_dense_run_is_refused(smoke, tmp_path, capsys):
    code, _, error = inside(
        capsys, "compact", smoke_path(smoke[0], "dense", 0), "--out", tmp_path / "small.safetensors"
    )
    assert code == 2 and "without switcher" in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "22"), "unknown table '22': did you mean '2'?"),
        (("run", "2", "--arm", "snn-al-epohc"), "did you mean 'snn-al-epoch'?"),
        (("run", "2", "--profile", "papre"), "did you mean 'paper'?"),
        (("run", "2", "--device", "cdua"), "did you mean 'cuda'?"),
        (("run", "3", "--network", "mobilenet-v1-x"), "did you mean 'mobilenet-v1-x"),
        (("run", "1", "--network", "lenet"), "did you mean 'lenet5-caffe'?"),
        pytest.param(("run", "2", "--device", "cuda"), "this machine has no CUDA device", marks=WITHOUT_CUDA),
        (("run", "2", "--seed", "-1"), "a seed is a whole number from 0 to 2147483647"),
        (("run", "2", "--seed", "2147483648"), "a seed is a whole number from 0 to 2147483647"),
        (("run", "2", "--seed", "99"), "has no seed 99 in the profile quick; its seeds: 0, 1, 2"),
        (
            ("run", "rivals", "--profile", "paper", "--network", "lenet5-caffe", "--arm", "nested-60"),
            "table rivals has no run of network lenet5-caffe with arm nested-60 in the profile paper",
        ),
        (("run", "--pending", "--arm", "snn-al-epohc"), "unknown arm of the queue 'snn-al-epohc': did you mean 'snn-"),
        (("run", "--pending", "--seed", "99"), "the queue has no seed 99 in the profile quick; its seeds: 0, 1, 2"),
        (("run", "--data", "mnist", "--network", "mlp", "--rgb"), "mnist is no image folder: rgb of its images cannot"),
        (("run", "2", "--time-budget", "0"), "--time-budget must be more than 0 seconds"),
        (("run",), "which table? Known: 1, 2, 3, 4, controls, question, pattern, search"),
        (("rum", "2"), "Did you mean 'run'?"),
        (("table", "serch"), "did you mean 'search'?"),
        (("table", "2", "--json", "--csv"), "choose one of --json, --csv and --md"),
        (("status", "--profile", "smok"), "did you mean 'smoke'?"),
        (("data", "minst"), "did you mean 'mnist'?"),
        (("compact", "nowhere.json", "--out", "x"), "nowhere.json: there is no such record"),
        (
            ("pack", "x.tar.gz", "--records", "not-there"),
            "--records not-there: there are no records there, so x.tar.gz was",
        ),
        (
            ("pack", "x.tar.gz", "--records", "not-there", "--profile", "map", "--profile", "paper"),
            "there are no records of the profiles map, paper there, so x.tar.gz was",
        ),
    ],
)
def test_wrong_arguments_end_with_one_clear_line_and_exit_code_2(words, message, capsys):
    code, output, error = inside(capsys, *words)
    assert code == 2
    assert message in error
    assert error.startswith("snn: ") and len(error.splitlines()) == 1
    assert not output


def test_wrong_arguments_as_a_subprocess():
    ended = snn("table", "22")
    assert ended.returncode == 2
    assert ended.stderr == f"snn: unknown table '22': did you mean '2'? known: {', '.join(TABLES)}\n"


def test_help_and_version_come_without_torch():
    script = (
        "import sys\nfrom snnlib.__main__ import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    assert not {'torch', 'pandas', 'scipy'} & set(sys.modules), 'a "
        "heavy import'"
    )
    for words, expected in (
        (["--help"], "compact"),
        (["run", "--help"], "--time-budget"),
        (["--version"], __version__),
        (["status"], ""),
    ):
        ended = subprocess.run(
            [sys.executable, "-c", script, *words], cwd=PROJECT, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
        assert expected in ended.stdout


@pytest.mark.slow
def test_data_describes_a_sound_set_and_refuses_a_damaged_one(tmp_path):
    sound = snn("data", "mnist")
    assert sound.returncode == 0 and "60000 to train, 10000 to test" in sound.stdout
    shutil.copytree(data.folder_of("mnist"), tmp_path / "mnist")
    file = tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz"
    raw = bytearray(file.read_bytes())
    raw[100] ^= 1
    file.write_bytes(raw)
    for words in (
        ("data", "mnist"),
        ("run", "2", "--profile", "smoke", "--arm", "dense", "--seed", "0", "--records", tmp_path / "records"),
    ):
        ended = snn(*words, SNNLIB_DATA=str(tmp_path))
        assert ended.returncode == 2
        assert str(file) in ended.stderr
        assert f"expected SHA-256 {data.MNIST_FILES[file.name]}, found " in ended.stderr


@pytest.mark.slow
def test_a_time_budget_stops_and_the_same_command_goes_on(tiny, tmp_path):
    budgeted = tmp_path / "budgeted"
    stopped = snn("run", "tiny", "--records", budgeted, "--time-budget", "0.01", program=TINY)
    assert stopped.returncode == 0, stopped.stderr
    assert "0 runs trained, 0 failed, 2 left" in stopped.stdout
    assert f"Go on with: snn run tiny --records {budgeted} --time-budget 0.01" in stopped.stdout
    checkpoints = list(budgeted.rglob("*.part.safetensors"))
    assert {files.load_tensors(path)[1]["epoch"] for path in checkpoints} == {1} and checkpoints
    ended = snn("run", "--pending", "--records", budgeted, program=TINY)
    assert ended.returncode == 1 and "2 runs trained, 1 failed" in ended.stdout  # the run of the other table diverges
    error = records.read(next(budgeted.rglob("diverging/seed-0.json")))["error"]
    assert error["type"] == "DivergenceError" and error["epoch"] == 0 and error["layer"]
    assert "diverging seed 0: failed, the loss became" in ended.stderr
    for path in tiny.rglob("seed-*.json"):
        twin = budgeted / path.relative_to(tiny)
        assert records.comparable(records.read(twin)) == records.comparable(records.read(path))
        assert records.weights_path(twin).read_bytes() == records.weights_path(path).read_bytes()


@pytest.mark.slow
def test_force_trains_again(tiny, tmp_path):
    shutil.copytree(tiny, tmp_path / "records")
    path = next(tmp_path.rglob("dense/seed-0.json"))
    first, stamp = records.read(path), path.stat().st_mtime_ns
    ended = snn("run", "tiny", "--arm", "dense", "--force", "--records", tmp_path / "records", program=TINY)
    assert ended.returncode == 0 and "1 run trained" in ended.stdout
    assert path.stat().st_mtime_ns > stamp
    assert records.comparable(records.read(path)) == records.comparable(first)


def test_an_archive_that_cannot_be_written_is_refused_before_training(tmp_path):
    (tmp_path / "file").write_text("no folder")
    ended = snn(
        "run", "tiny", "--records", tmp_path / "records", "--pack", tmp_path / "file" / "a.tar.gz", program=TINY
    )
    assert ended.returncode == 2 and "a.tar.gz could not be written" in ended.stderr
    assert not list(tmp_path.rglob("seed-*"))


def test_a_run_that_another_process_holds_is_left_to_it(tmp_path):
    path = records.path_of(TABLES["2"].arms["smoke"][0], "quick", 0, tmp_path).parent.parent / "dense" / "seed-0.json"
    path.parent.mkdir(parents=True)
    with FileLock(path.with_suffix(".lock")):
        ended = snn("run", "tiny", "--arm", "dense", "--records", tmp_path, program=TINY)
    assert ended.returncode == 0
    assert "1 run under way in another process: left to it" in ended.stdout
    assert not path.exists()


def processes_of(group):
    """Process ids of a process group, zombies left out."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = open(f"/proc/{entry}/stat", encoding="utf-8").read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for left processes in /proc")
@pytest.mark.parametrize("blow", ["SIGINT", "SIGKILL"])  # by name: Windows has no SIGKILL
def test_ctrl_c_and_kill_end_every_worker_and_keep_checkpoints(tmp_path, blow):
    process = start("run", "long", "--records", tmp_path, "--pack", tmp_path / "packed.tar.gz", program=TINY)
    deadline = time.monotonic() + 600
    while len(list(tmp_path.rglob("*.part.safetensors"))) < 2:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no two runs began: {process.communicate()}")
        time.sleep(0.05)
    assert len(processes_of(process.pid)) >= 3  # the parent and two workers
    if blow == "SIGINT":
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
        output, error = process.communicate(timeout=300)
        assert process.returncode == 130
        assert f"Go on with: snn run long --records {tmp_path}" in error
        assert "Traceback" not in error + output
        assert (tmp_path / "packed.tar.gz").exists()
    else:
        process.kill()
        process.communicate(timeout=300)
    deadline = time.monotonic() + 120
    while left := processes_of(process.pid):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    for path in tmp_path.rglob("*.part.safetensors"):
        assert files.load_tensors(path)[1]["epoch"] >= 1
    assert not list(tmp_path.rglob("seed-*.json"))
