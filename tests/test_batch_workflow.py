"""The batch workflow: its jobs are the library's, a kill loses nothing, and only what is missing, stale or failed runs.

The runs are real, of tiny arms, in a copy of the project whose only table is tiny too.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import tiny
from command_line import ENVIRONMENT, PROJECT
from filelock import FileLock, Timeout
from invented import record

from book.workflow import figures
from snnlib.lab import batch as batches
from snnlib.lab import bundles, experiments, records
from snnlib.lab.experiments import TABLES
from snnlib.lab.names import Refused

needs_snakemake = pytest.mark.skipif(
    find_spec("snakemake") is None or shutil.which("flock") is None, reason="Snakemake or flock is not installed"
)
LINKED = ("Makefile", "constraints.txt", "pyproject.toml", "data", "workflow")
TINY_TABLE = """
import dataclasses as _dataclasses, sys as _sys
_sys.path.append({tests!r})
import tiny as _tiny
_killed = _dataclasses.replace(_tiny.KILLED, train=_dataclasses.replace(_tiny.KILLED.train, epochs=EPOCHS))
TABLES.clear()
TABLES["tiny"] = _tiny.table(_killed, _tiny.DIVERGING, profile="map")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the project with the tiny table in the place of all others, in a profile that has no chapters."""
    root = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "snnlib", root / "snnlib", ignore=ignored)
    shutil.copytree(PROJECT / "book" / "workflow", root / "book" / "workflow", ignore=ignored)
    for name in LINKED:
        (root / name).symlink_to(PROJECT / name)
    text = TINY_TABLE.format(tests=str(PROJECT / "tests"))
    with open(root / "snnlib" / "lab" / "experiments" / "__init__.py", "a", encoding="utf-8") as file:
        file.write(text.replace("EPOCHS", "40"))
    return root


def start(root, *words):
    """Start ``make batch`` in ``root`` as the leader of its own process group."""
    command = ["make", "-o", "environment", f"VENV={Path(sys.executable).parents[1]}", "batch", "PROFILE=map", *words]
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)  # pytest in the background ignores it
    try:
        return subprocess.Popen(
            command, cwd=root, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, heeded)


def batch(root, *words):
    """``make batch`` to its end: exit code and all that it printed."""
    process = start(root, *words)
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


def to_do(root, *words):
    """What a start would run: for each rule how many jobs, and the arms that it would train."""
    code, said = batch(root, "BATCH_ARGS=--dry-run", *words)
    assert code == 0, said
    counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", said, re.MULTILINE)}
    return counts, set(re.findall(r"Train mnist-mlp (\S+)", said))


def wait_for(what, seconds=120):
    """Until ``what()`` is true."""
    ends = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < ends
        time.sleep(0.05)


def free(path):
    """Whether no process holds the run of the record ``path``."""
    try:
        with FileLock(path.with_suffix(".lock"), timeout=0):
            return True
    except Timeout:
        return False


@pytest.mark.skipif(find_spec("snakemake") is None, reason="Snakemake is not installed")
@pytest.mark.parametrize("profile", ["local", "gpu", "slurm"])
def test_the_jobs_of_a_dry_run_are_those_of_the_library(tmp_path, profile):
    command = [sys.executable, "-m", "snakemake", "--snakefile", PROJECT / "workflow" / "Snakefile", "--dry-run"]
    command += ["--workflow-profile", PROJECT / "workflow" / "profiles" / profile, "--directory", tmp_path]
    command += ["--config", "profile=smoke", f"records={tmp_path / 'records'}"]
    path = os.pathsep.join([str(PROJECT), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        list(map(str, command)), env=ENVIRONMENT | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == 0, ended.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", ended.stdout + ended.stderr, re.MULTILINE))
    tables = bundles.tables_of("smoke")
    assert int(counts["arm"]) == len(bundles.bundles("smoke", tables))
    assert int(counts["table"]) == int(counts["check"]) == len(tables)
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.slow
@needs_snakemake
def test_a_killed_batch_goes_on_and_only_what_has_to_runs_again(project):
    root = project / "runs" / "records"
    killed = records.path_of(tiny.KILLED, "map", 0, root)

    # Killed: its runs end as well, and what they trained stays
    process = start(project)
    wait_for(records.checkpoint_path(killed).exists)
    snakemake = int(subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout)
    os.kill(snakemake, signal.SIGKILL)
    wait_for(lambda: free(killed), 10)
    assert process.wait(timeout=30) != 0
    assert records.checkpoint_path(killed).exists() and not killed.exists()
    process.stdout.close()

    # It goes on by itself; a run that diverges stops nothing and is named
    code, said = batch(project)
    assert code != 0
    assert re.search(r"failed: diverging seed 0 \(.*\): `snn run tiny", said), said
    made = project / "runs" / "batch" / "map"
    assert {path.stem for path in (made / "records").rglob("*.json")} == {"killed", "diverging"}
    assert (made / "tables" / "tiny.md").read_text().startswith("|")
    assert not list(root.rglob("*.part.*"))

    # What stands is not made again, nor what failed
    assert to_do(project) == ({"check": 1, "all": 1, "total": 2}, set())

    # A setting changes: the arm that has it is stale, and the table
    source = project / "snnlib" / "lab" / "experiments" / "__init__.py"
    source.write_text(source.read_text().replace("epochs=40", "epochs=2"))
    counts, arms = to_do(project, "FAILED=accept")
    assert arms == {"killed"} and counts == {"arm": 1, "table": 1, "all": 1, "total": 3}

    # What failed runs again where that is asked for
    assert to_do(project, "FAILED=retry")[1] == {"killed", "diverging"}


def test_what_two_tables_share_is_one_bundle_and_must_be_the_same(monkeypatch):
    monkeypatch.setitem(TABLES, "one", tiny.table(tiny.DENSE, tiny.ALTERNATING, seeds=(0, 1)))
    monkeypatch.setitem(TABLES, "two", tiny.table(tiny.DENSE, seeds=(0, 1)))
    found = bundles.bundles("quick", ["one", "two"])
    assert {name: bundle.tables for name, bundle in found.items()} == {
        "mnist-mlp/dense": ("one", "two"),
        "mnist-mlp/alternating": ("one",),
    }
    other = replace(tiny.DENSE, train=replace(tiny.TRAIN, epochs=5))
    for table in (tiny.table(other, seeds=(0, 1)), tiny.table(tiny.DENSE, seeds=(0,))):
        monkeypatch.setitem(TABLES, "two", table)
        with pytest.raises(ValueError, match="tables one and two mean different runs by quick/mnist-mlp/dense"):
            bundles.bundles("quick", ["one", "two"])


@pytest.mark.parametrize(
    "profile", [profile for profile in experiments.PROFILES if bundles.tables_of(profile, ["all"])]
)
def test_every_run_of_every_table_is_in_one_bundle(profile):
    tables = bundles.tables_of(profile, ["all"])
    found = bundles.bundles(profile, tables)
    runs = [records.path_of(each.arm, profile, seed, Path()) for each in found.values() for seed in each.seeds]
    wanted = {
        records.path_of(arm, profile, seed, Path()) for name in tables for arm, seed in TABLES[name].runs(profile)
    }
    assert len(runs) == len(set(runs)) and set(runs) == wanted
    assert all(name == "/".join(path.parts[1:3]) for name, each in found.items()
               for path in [records.path_of(each.arm, profile, 0, Path())])  # fmt: skip
    assert all(each.follows in found for each in found.values() if each.follows)  # a pruned arm is never first


def test_tables_are_those_of_the_data_that_are_here_unless_named():
    assert "3" not in bundles.tables_of("quick") and "3" in bundles.tables_of("quick", ["all"])
    assert bundles.tables_of("quick", ["3", "2"]) == ["3", "2"]
    with pytest.raises(Refused, match="unknown table of profile quick '9'"):
        bundles.tables_of("quick", ["9"])
    with pytest.raises(Refused, match="did you mean 'smoke'"):
        bundles.tables_of("smok")


@pytest.fixture
def standing(tmp_path):
    """A bundle of two runs with records, its root, and its manifest."""
    bundle = bundles.Bundle(tiny.DENSE, "quick", (0, 1), ("tiny",))
    for entry in bundle.entries(tmp_path):
        records.write(entry.path, record(entry.arm, entry.seed))
    bundles.write_manifest(tmp_path / "manifest.json", bundle.entries(tmp_path), tmp_path)
    return bundle, tmp_path, tmp_path / "manifest.json"


def failed(entry):
    return record(entry.arm, entry.seed, status="failed", result=None, error={"message": "the loss became nan"})


SPOILED = {
    "gone": lambda entry: entry.path.unlink(),
    "cut off": lambda entry: entry.path.write_text("{"),
    "stale": lambda entry: records.write(entry.path, record(entry.arm, entry.seed, settings_hash="x")),
    "another run": lambda entry: records.write(entry.path, record(entry.arm, entry.seed, seconds=2.0)),
    "failed": lambda entry: records.write(entry.path, failed(entry)),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_manifest_holds_as_long_as_every_record_is_as_it_was(standing, spoil):
    bundle, root, path = standing
    assert bundles.holds(path, bundle.entries(root), root)
    spoil(bundle.entries(root)[1])
    assert not bundles.holds(path, bundle.entries(root), root, accept_failed=True)


def test_a_failed_run_counts_only_where_it_is_accepted(standing):
    bundle, root, path = standing
    entry = bundle.entries(root)[1]
    records.write(entry.path, failed(entry))
    bundles.write_manifest(path, bundle.entries(root), root)
    assert json.loads(path.read_text())[entry.path.relative_to(root).as_posix()]["state"] == "failed"
    assert bundles.holds(path, bundle.entries(root), root, accept_failed=True)
    assert not bundles.holds(path, bundle.entries(root), root)


def test_what_failed_is_forgotten_and_trained_again_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setitem(TABLES, "tiny", tiny.table(tiny.DENSE, seeds=(0, 1, 2)))
    recorded, spoiled, begun = (entry.path for entry in bundles.Bundle(
        tiny.DENSE, "quick", (0, 1, 2), ("tiny",)).entries(tmp_path))  # fmt: skip
    records.write(recorded, record(tiny.DENSE, 0))
    records.write(
        spoiled, record(tiny.DENSE, 1, status="failed", result=None, error={"message": "the loss became nan"})
    )
    records.checkpoint_path(begun).write_bytes(b"half a run")

    left = batches.plan(["tiny"], "quick", tmp_path)
    assert [job.seed for job in left.to_do] == [2] and left.exit_code == 1
    assert batches.plan(["tiny"], "quick", tmp_path, accept_failed=True).exit_code == 0
    again = batches.plan(["tiny"], "quick", tmp_path, retry_failed=True)
    assert [job.seed for job in again.to_do] == [1, 2] and again.exit_code == 0
    batches.forget(again)
    assert not spoiled.exists() and recorded.exists() and records.checkpoint_path(begun).exists()


def test_figures_of_chapters_become_files(tmp_path):
    png, svg = "iVBORw0KGgo=", ["<svg>", "</svg>"]
    outputs = [{"data": {"text/plain": "x"}}, {"data": {"image/png": png}}, {"data": {"image/svg+xml": svg}}]
    for each in outputs:
        each |= {"output_type": "display_data", "metadata": {}}
    cell = {"cell_type": "code", "id": "a", "source": "", "metadata": {}, "execution_count": 1, "outputs": outputs}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for name in ("05_ablation.ipynb", "06_mnist.failed.ipynb"):
        (tmp_path / name).write_text(json.dumps(notebook))
    folder = tmp_path / "figures"
    folder.mkdir()
    (folder / "04_old-1.png").touch()
    written = figures.write(tmp_path, folder)
    assert sorted(folder.iterdir()) == written == [folder / "05_ablation-1.png", folder / "05_ablation-2.svg"]
    assert written[0].read_bytes().startswith(b"\x89PNG") and written[1].read_text() == "<svg></svg>"
