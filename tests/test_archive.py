"""Records packed and unpacked: nothing lost, nothing strange let in, nothing finished overwritten."""

import gzip
import io
import shutil
import tarfile

import pytest
import torch
from command_line import inside
from test_together import data_set

from snnlib.arms import Arm
from snnlib.config import SwitcherConfig, TrainConfig
from snnlib.lab import archive, records, runner
from snnlib.lab.records import FileError

ARM = Arm("arm", "dense", train=TrainConfig(epochs=1))
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two finished runs, a failed one, and one that the time budget stopped."""
    root = tmp_path_factory.mktemp("made")
    for seed in (0, 1):
        runner.run(ARM, "quick", seed, root, CPU, data_set())
    diverging = Arm("diverging", "dense", train=TrainConfig(epochs=1, rate=1e30, clip_network=None))
    assert runner.run(diverging, "quick", 0, root, CPU, data_set())["status"] == "failed"
    with pytest.raises(runner.BudgetReached):
        long = Arm("long", "alternating", train=TrainConfig(epochs=3), switcher=SwitcherConfig(channels=(2,)))
        runner.run(long, "smoke", 0, root, CPU, data_set(), deadline=0.0)
    return root


def files(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("seed-*") if path.suffix != ".lock"
    }


def test_what_is_packed_comes_out_as_it_was(made, tmp_path):
    names = archive.pack(tmp_path / "all.tar.gz", made, weights=True, checkpoints=True)
    assert set(names) == set(files(made)) and len(names) == 6
    found = archive.unpack(tmp_path / "all.tar.gz", tmp_path / "there")
    assert sorted(found.new) == names and files(tmp_path / "there") == files(made)
    assert sorted(archive.unpack(tmp_path / "all.tar.gz", tmp_path / "there").same) == names


def test_records_alone_unless_more_is_asked_for(made, tmp_path):
    names = archive.pack(tmp_path / "a.tar.gz", made)
    assert len(names) == 3 and all(name.endswith(".json") for name in names)
    assert archive.pack(tmp_path / "b.tar.gz", made, profiles=["smoke"], checkpoints=True) == [
        "smoke/mnist-mlp/long/seed-0.part.safetensors"
    ]
    archive.pack(tmp_path / "c.tar.gz", made)
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "c.tar.gz").read_bytes()


def test_a_finished_record_is_not_overwritten_by_another(made, tmp_path):
    archive.pack(tmp_path / "a.tar.gz", made, weights=True)
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there")
    other = records.path_of(ARM, "quick", 0, tmp_path / "there")
    records.write(other, records.read(other) | {"seconds": 12345.0})
    records.weights_path(other).write_bytes(b"other weights")
    before = files(tmp_path / "there")
    found = archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there")
    assert [name.rpartition(".")[0] for name in found.refused] == ["quick/mnist-mlp/arm/seed-0"] * 2
    assert files(tmp_path / "there") == before
    failed = next((tmp_path / "there").glob("quick/*/diverging/seed-0.json"))
    records.write(failed, records.read(failed) | {"seconds": 1.0})
    assert archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there").replaced == [
        "quick/mnist-mlp/diverging/seed-0.json"
    ]
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there", force=True)
    assert records.read(other)["seconds"] != 12345.0


def archive_of(path, content):
    with tarfile.open(path, "w:gz") as target:
        for name, data in content.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            target.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "name, data, problem",
    [
        ("../seed-0.json", b"{}", "is no record"),
        ("quick/mnist-mlp/../seed-0.json", b"{}", "is no record"),
        ("/etc/a/b/seed-0.json", b"{}", "is no record"),
        ("quick/mnist-mlp/arm/notes.txt", b"", "is no record"),
        ("quick/mnist-mlp/arm/seed-0.json", b'{"version":', "cut off or no JSON"),
        ("quick/mnist-mlp/arm/seed-0.json", b"[1]", "is of version"),
        ("quick/mnist-mlp/arm/seed-0.json", b'{"version": 99}', "is of version"),
    ],
)
def test_what_is_no_record_is_not_unpacked(made, tmp_path, name, data, problem):
    good = records.path_of(ARM, "quick", 1, made).read_bytes()
    source = archive_of(tmp_path / "a.tar.gz", {"quick/mnist-mlp/arm/seed-1.json": good, name: data})
    with pytest.raises(FileError, match=problem):
        archive.unpack(source, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_damaged_archive_changes_nothing(made, tmp_path):
    archive.pack(tmp_path / "a.tar.gz", made)
    whole = (tmp_path / "a.tar.gz").read_bytes()
    for spoiled in (
        whole[: len(whole) // 2],
        b"no archive",
        gzip.compress(b"no tar"),
        whole[:100] + b"\0" * 50 + whole[150:],
    ):
        (tmp_path / "a.tar.gz").write_bytes(spoiled)
        with pytest.raises(FileError, match="a.tar.gz is damaged|is no record|no JSON"):
            archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there")
    with pytest.raises(FileError, match="there is no such file"):
        archive.unpack(tmp_path / "b.tar.gz", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_any_flipped_bit_is_named_or_harmless(made, tmp_path):
    archive.pack(tmp_path / "a.tar.gz", made)
    whole, right = (
        (tmp_path / "a.tar.gz").read_bytes(),
        {name: data for name, data in files(made).items() if name.endswith(".json")},
    )
    for at in range(0, len(whole), 7):
        spoiled = bytearray(whole)
        spoiled[at] ^= 1 << at % 8
        (tmp_path / "b.tar.gz").write_bytes(spoiled)
        try:
            archive.unpack(tmp_path / "b.tar.gz", tmp_path / "there")
        except FileError:
            assert not (tmp_path / "there").exists()
            continue
        assert files(tmp_path / "there") == right  # a bit of gzip's header, which nothing depends on
        shutil.rmtree(tmp_path / "there")
    for cut in (1, 8, 9):  # of the checksum and the length at the end
        (tmp_path / "b.tar.gz").write_bytes(whole[:-cut])
        with pytest.raises(FileError, match="is damaged"):
            archive.unpack(tmp_path / "b.tar.gz", tmp_path / "there")


def test_weights_of_a_finished_record_are_not_overwritten_by_others(made, tmp_path):
    archive.pack(tmp_path / "a.tar.gz", made, weights=True)
    archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there")
    path = records.path_of(ARM, "quick", 0, tmp_path / "there")
    name = "quick/mnist-mlp/arm/seed-0.safetensors"
    spoiled = archive_of(
        tmp_path / "b.tar.gz", {"quick/mnist-mlp/arm/seed-0.json": path.read_bytes(), name: b"other weights"}
    )
    before = files(tmp_path / "there")
    for source in (spoiled, archive_of(tmp_path / "c.tar.gz", {name: b"other weights"})):
        assert archive.unpack(source, tmp_path / "there").refused == [name]
    assert files(tmp_path / "there") == before
    records.weights_path(path).unlink()  # lost here: those of the archive are welcome
    assert archive.unpack(tmp_path / "a.tar.gz", tmp_path / "there").new == [name]


def test_the_commands(made, tmp_path, capsys):
    code, said, _ = inside(capsys, "pack", tmp_path / "a.tar.gz", "--records", made, "--weights")
    assert code == 0 and "3 records, 2 files of weights" in said
    code, said, _ = inside(capsys, "unpack", tmp_path / "a.tar.gz", "--records", tmp_path / "there")
    assert code == 0 and "5 files new, 0 replaced, 0 the same" in said
    path = records.path_of(ARM, "quick", 0, tmp_path / "there")
    records.write(path, records.read(path) | {"seconds": 1.0})
    code, said, problems = inside(capsys, "unpack", tmp_path / "a.tar.gz", "--records", tmp_path / "there")
    assert code == 1 and "kept, not replaced without --force: quick/mnist-mlp/arm/seed-0.json" in problems
    code, _, problems = inside(capsys, "unpack", tmp_path / "none.tar.gz", "--records", tmp_path / "there")
    assert code == 2 and "there is no such file" in problems
