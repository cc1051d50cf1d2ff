"""The package alone, as `pip install snnlib` brings it: an empty folder, no repository, no network.

The wheel is built once, from a copy of what it is made of, and unpacked where Python finds it first.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import re
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from command_line import ENVIRONMENT, PROJECT, inside

from snnlib import __version__, data
from snnlib.data import idx
from snnlib.files import FileError
from snnlib.lab import published, records

NOWHERE = "http://127.0.0.1:9"
"""A proxy that refuses at once: there is no network."""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The folder into which the wheel was unpacked."""
    pytest.importorskip("setuptools", minversion="77", reason="building needs setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(PROJECT / "snnlib", source / "snnlib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(PROJECT / name, source)
    build = f"from setuptools import build_meta; print(build_meta.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(folder / done.stdout.split()[-1]) as wheel:
        wheel.extractall(folder / "site")
    shutil.rmtree(source)
    return folder / "site"


@pytest.fixture
def alone(installed, tmp_path):
    """Runs Python in an empty folder, where only the wheel's snnlib is found; returns how it ended."""

    def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        bare = {key: value for key, value in ENVIRONMENT.items() if key != "SNNLIB_DATA"}
        proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
        found = {"PYTHONPATH": str(installed), "PYTHONSAFEPATH": "1", "no_proxy": "", "NO_PROXY": ""}
        command = [sys.executable, *words]
        (tmp_path / "empty").mkdir(exist_ok=True)
        return subprocess.run(
            command,
            cwd=tmp_path / "empty",
            env=bare | proxies | found | environment,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return run


IN_ONE = """
import contextlib, io, sys
import snnlib
from snnlib.__main__ import main
print(snnlib.__file__)
for words in sys.argv[1:]:
    said, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
        try:
            main(words.split())
        except SystemExit as ended:
            code = ended.code
    print("=== ", words, "\\n", code, "\\n", said.getvalue(), errors.getvalue(), sep="")
"""
"""Several commands in one process, for importing takes longer than they do: what each said follows its words."""


def said(ended: subprocess.CompletedProcess[str]) -> dict[str, tuple[int, str]]:
    """Exit code and text of each command of :data:`IN_ONE`."""
    assert ended.returncode == 0, ended.stderr
    parts = [part.split("\n", 2) for part in ended.stdout.split("=== ")[1:]]
    return {words: (int(code), text) for words, code, text in parts}


@pytest.mark.slow
def test_what_needs_no_data_works_and_what_is_missing_is_told_with_the_remedy(alone, installed, tmp_path):
    commands = ("--help", "table 2", "audit", "verdicts", "networks", "status", "run 2 --profile smoke --dry-run")
    refused = ("data mnist", "data cifar10", "fetch", "search mlp-snn --show", "compact smoke/x/y/seed-0 --out small")
    ended = alone("-c", IN_ONE, *commands, *refused)
    found = said(ended)
    assert ended.stdout.splitlines()[0] == str(installed / "snnlib" / "__init__.py"), "not the wheel's"
    assert [found[words][0] for words in commands] == [0] * len(commands), found
    assert "456-134-45" in found["table 2"][1] and "74.61" in found["table 2"][1]
    assert "17 of 21 percentages follow from their widths" in found["audit"][1]
    assert "mobilenet-v1-x1" in found["networks"][1] and "784-300-100" in found["networks"][1]
    for words in ("table 2", "verdicts", "status"):
        assert "no records in data/records: `snn fetch` gets the published ones" in found[words][1], words
    assert [found[words][0] for words in refused] == [2] * len(refused), found
    told = {
        "data mnist": ("mnist could not be downloaded into data/mnist", "Without a network, run `snn data mnist"),
        "data cifar10": ("CIFAR-10 is not in", "Get it with `snn data cifar10 --download`"),
        "fetch": (f"/archive/refs/tags/v{__version__}.tar.gz cannot be had", "`snn fetch --from FILE`"),
        "search mlp-snn --show": ("no trials of mlp-snn in data/search", "`snn fetch` gets the published ones"),
        "compact smoke/x/y/seed-0 --out small": ("there is no such record", "`snn status` lists"),
    }
    for words, parts in told.items():
        assert all(part in found[words][1] for part in parts), found[words]
        assert "Traceback" not in found[words][1]
    made = [path for path in (tmp_path / "empty").rglob("*") if path.is_file() and path.name != ".download.lock"]
    assert made == [], "what was refused left files behind"


@pytest.mark.slow
def test_it_trains_and_the_readmes_example_runs(alone, tmp_path):
    code = re.search(r"```python\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.S)[1]
    example = alone("-c", code.replace("first(2000)", "first(200)"), SNNLIB_DATA=str(data.data_folder()))
    assert re.fullmatch(r"\(\d+, \d+, \d+, 10\) 0\.\d+\n", example.stdout), example.stderr
    words = ("run", "2", "--profile", "smoke", "--arm", "dense", "--seed", "0", "--device", "cpu")
    ended = alone("-m", "snnlib", *words, SNNLIB_DATA=str(data.data_folder()))
    assert ended.returncode == 0, ended.stderr
    assert "1 run trained, 0 failed" in ended.stdout and "ours (smoke, a trial only)" in ended.stdout
    made = tmp_path / "empty" / "data" / "records" / "smoke" / "mnist-mlp" / "dense" / "seed-0.json"
    assert records.read(made)["status"] == "finished"


# ---------------------------------------------------------------- MNIST as others have packed it


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    """MNIST's files as torchvision leaves them, compressed by somebody else; small ones."""
    raw = tmp_path / "sets" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in idx.MNIST_FILES:
        shape = (12, 28, 28) if "images" in name else (12,)
        sizes = b"".join(size.to_bytes(4, "big") for size in shape)
        whole = bytes([0, 0, 8, len(shape)]) + sizes + bytes(place % 10 for place in range(math.prod(shape)))
        (raw / name).write_bytes(gzip.compress(whole, mtime=7))
        monkeypatch.setitem(idx.MNIST_UNPACKED, name, hashlib.sha256(whole).hexdigest())
    return raw


def test_what_the_committed_files_hold_is_what_others_must_hold():
    for name, expected in idx.MNIST_UNPACKED.items():
        held = gzip.decompress((PROJECT / "data" / "mnist" / name).read_bytes())
        assert hashlib.sha256(held).hexdigest() == expected


def test_mnist_as_torchvision_has_it_is_found_and_checked_by_what_it_holds(theirs, monkeypatch):
    ours = data.load("mnist", theirs).checksum()
    monkeypatch.setenv("SNNLIB_DATA", str(theirs.parents[1]))
    assert data.load("mnist").checksum() == ours
    spoiled = theirs / "t10k-labels-idx1-ubyte.gz"
    spoiled.write_bytes(gzip.compress(gzip.decompress(spoiled.read_bytes())[:-1] + b"\x03"))
    with pytest.raises(data.DataError, match=r"t10k-labels.* is damaged: expected SHA-256 .*snn data mnist --download"):
        data.load("mnist")


def test_mnist_is_downloaded_where_there_is_none(theirs, monkeypatch, tmp_path):
    from torchvision import datasets

    asked = []

    def fetched(self, root, train, download):
        asked.append((root, download))
        shutil.copytree(theirs, Path(root) / "MNIST" / "raw", dirs_exist_ok=True)

    ours = data.load("mnist", theirs).checksum()
    monkeypatch.setattr(datasets.MNIST, "__init__", fetched)
    monkeypatch.setattr("snnlib.data.place.checkout", lambda: tmp_path / "none")
    monkeypatch.setenv("SNNLIB_DATA", str(tmp_path / "new"))
    assert data.load("mnist").checksum() == ours
    assert set(asked) == {(str(tmp_path / "new" / "mnist"), True)}
    asked.clear()
    assert data.load("mnist").checksum() == ours and asked == []
    with pytest.raises(data.DataError, match=r"is missing. Get MNIST's four files with `snn data mnist --download`"):
        data.load("mnist", tmp_path / "elsewhere")
    assert asked == [], "a folder that is named is not filled"


# ---------------------------------------------------------------- records from the repository's archive


def packed(target: Path, files: dict[str, bytes]) -> Path:
    """An archive as GitHub makes it of a repository."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, body in files.items():
            entry = tarfile.TarInfo(f"switcher-networks-{__version__}/{name}")
            entry.size = len(body)
            archive.addfile(entry, io.BytesIO(body))
    target.write_bytes(content.getvalue())
    return target


@pytest.fixture
def repository() -> dict[str, bytes]:
    """Some files of the repository, by their names."""
    kept = sorted((PROJECT / "data" / "records" / "paper").glob("*/*/seed-0.json"))[:3]
    others = [PROJECT / "README.md", PROJECT / "data" / "search" / "mlp-small.csv.gz"]
    return {path.relative_to(PROJECT).as_posix(): path.read_bytes() for path in (*kept, *others)}


def test_records_are_fetched_checked_and_kept(repository, tmp_path, monkeypatch, capsys):
    source, root = packed(tmp_path / "sources.tar.gz", repository), tmp_path / "data" / "records"
    monkeypatch.setattr(records, "default_root", lambda: root)
    code, told, _ = inside(capsys, "fetch", "--from", source.as_uri())
    assert code == 0 and "3 files new, 0 replaced, 0 the same" in told
    made = {path.relative_to(tmp_path).as_posix() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert made == set(repository) - {"README.md"}
    assert inside(capsys, "fetch", "--from", source)[1].startswith("0 files new, 0 replaced, 3 the same")
    name = next(iter(repository))
    mine = records.read(tmp_path / name)
    records.write(tmp_path / name, mine | {"seconds": 1.0})
    code, told, errors = inside(capsys, "fetch", "--from", source)
    assert code == 1 and "kept, not replaced without --force" in errors
    assert inside(capsys, "fetch", "--force", "--from", source)[0] == 0 and records.read(tmp_path / name) == mine


@pytest.mark.parametrize("fault", ["altered", "no records", "leads out", "cut off"])
def test_an_archive_that_is_not_sound_changes_nothing(repository, tmp_path, fault):
    name, body = next(iter(repository.items()))
    given = {
        "altered": repository | {name: body.replace(b'"seed": 0', b'"seed": 1')},
        "no records": {"README.md": b""},
        "leads out": {"data/records/../../../seed-0.json": body},
        "cut off": repository,
    }[fault]
    source = packed(tmp_path / "sources.tar.gz", given)
    if fault == "cut off":
        source.write_bytes(source.read_bytes()[:-100])
    with pytest.raises(FileError, match="sources.tar.gz"):
        published.fetch(str(source), tmp_path / "data" / "records")
    assert not (tmp_path / "data").exists()


def test_a_version_that_is_not_published_is_told_with_another(monkeypatch, tmp_path):
    def absent(address, timeout):
        raise urllib.error.HTTPError(address, 404, "Not Found", Message(), None)

    monkeypatch.setattr("urllib.request.urlopen", absent)
    told = (
        r"v[\d.]+.tar.gz cannot be had \(HTTP Error 404: Not Found\). `snn fetch --from https://.*/heads/main.tar.gz`"
    )
    with pytest.raises(FileError, match=told):
        published.fetch(published.address(), tmp_path)


def test_the_address_is_that_of_the_installed_version():
    assert published.address() == f"https://github.com/OWNER/switcher-networks/archive/refs/tags/v{__version__}.tar.gz"
