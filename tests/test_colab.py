"""A chapter opened alone, as Colab does it: an empty folder, Python without the project, and a cell that fetches it.

Each rehearsal has an environment of its own, in which snnlib is missing and whose packages are links to those that run
these tests. git finds the project's address in a copy of the working tree, and pip asks no index. One chapter is
rehearsed, or all of them with ``--all-chapters``; the time of each is printed at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import tomllib
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytest.importorskip("nbclient", reason="the book's packages are not installed")
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient

from book.workflow import ROOT, address, execution, pairs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links to packages, and Colab itself, are POSIX")
TEXTS = pairs.texts()
QUICK = ("15_audit",)
"""Rehearsed always."""
FURTHER = {"10_search": "search", "17_your_network": "own"}
"""Chapters that say that they need an extra of the project, and which."""
IN_COLAB = ("ipykernel", "pip", "setuptools")
"""What Colab has, besides what snnlib needs."""


def needed(*asked: str) -> dict[str, metadata.Distribution]:
    """The installed distributions that requirements ask for, and those that these ask for."""
    found: dict[str, metadata.Distribution] = {}
    seen, waiting = set(), [Requirement(each) for each in asked]
    while waiting:
        requirement = waiting.pop()
        extras = frozenset(requirement.extras)
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = metadata.distribution(name)
        for line in found[name].requires or ():
            each = Requirement(line)
            if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in (extras or {""})):
                waiting.append(each)
    return found


def link(distribution: metadata.Distribution, site: Path) -> None:
    """Make what a distribution has installed importable in ``site``; what is shared by several is linked once."""
    tops = {file.parts[0] for file in distribution.files or () if not {"..", "__pycache__"} & {file.parts[0]}}
    for top in tops:
        place = Path(str(distribution.locate_file(top)))
        if place.exists() and not (site / top).is_symlink():
            (site / top).symlink_to(place)


class Colab:
    """A machine on which nobody has installed the project."""

    def __init__(self, folder: Path, origin: Path, extra: str = ""):
        self.content = folder / "content"
        self.content.mkdir()
        venv.create(folder / "env", symlinks=True)
        self.python = folder / "env" / "bin" / "python"
        (site,) = (folder / "env" / "lib").glob("python*/site-packages")
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        further = project["optional-dependencies"][extra] if extra else []
        for distribution in needed(*IN_COLAB, *project["dependencies"], *further).values():
            link(distribution, site)
        (site / "colab.pth").write_text('import sys, types; sys.modules["google.colab"] = types.ModuleType("colab")\n')
        kernel = folder / "kernels" / "colab"
        kernel.mkdir(parents=True)
        argv = [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        described = {"argv": argv, "display_name": "Colab", "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(described | {"metadata": {"supported_encryption": ["curve"]}}))
        self.kernels = folder / "kernels"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYT", "GIT_", "PIP_"))}
        self.environment = {
            **inherited,
            "PATH": f"{self.python.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONNOUSERSITE": "1",
            "OMP_NUM_THREADS": "1",
            "IPYTHONDIR": str(folder / "ipython"),
            "PIP_CONFIG_FILE": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{origin.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"{address.HOST}{address.slug()}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # to pip this is --no-build-isolation; isolated, it would fetch setuptools
        }

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        """Run ``code`` in the empty folder."""
        command = [str(self.python), "-c", code]
        return subprocess.run(command, cwd=self.content, env=self.environment, text=True, capture_output=True)

    def execute(self, notebook: Path):
        """Open ``notebook`` alone and run all of its cells; returns it as it is then. A cell that fails, fails."""
        opened = pairs.read_notebook(Path(shutil.copy(notebook, self.content)))
        manager = AsyncKernelManager(
            kernel_name="colab",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(self.kernels)]),
            config=execution.ENCRYPTED,
        )
        client = NotebookClient(opened, km=manager, timeout=600, resources={"metadata": {"path": str(self.content)}})
        try:
            return client.execute(env=self.environment)
        finally:
            run_sync(manager.shutdown_kernel)(now=True)  # nbclient ends only what it has started


@pytest.fixture(scope="session")
def origin(tmp_path_factory) -> Path:
    """A bare repository whose one commit is the working tree, as it would be on GitHub."""
    folder = tmp_path_factory.mktemp("origin") / "switcher-networks.git"
    names = {f"GIT_{who}_{what}": "rehearsal" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": str(folder), **names}

    def git(*words: str) -> None:
        command = ["git", "-c", "core.bare=false", "--work-tree", str(ROOT), *words]
        subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, check=True, capture_output=True)

    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", str(folder)], check=True)
    for setting in ("core.compression", "pack.window"):  # to copy is quicker than to compress
        subprocess.run(["git", "-C", str(folder), "config", setting, "0"], check=True)
    git("add", "--all")
    git("commit", "--quiet", "--no-verify", "--message", "the working tree")
    return folder


def pytest_generate_tests(metafunc):
    if "text" in metafunc.fixturenames:
        every = metafunc.config.getoption("--all-chapters")
        metafunc.parametrize("text", [t for t in TEXTS if every or t.stem in QUICK], ids=lambda text: text.stem)


def children() -> float:
    """Seconds that the processes started and ended by this one have computed."""
    times = os.times()
    return times.children_user + times.children_system


def checked(notebook) -> list[str]:
    """What the cells put out whose outputs are compared from run to run, as text."""

    def text(output) -> str:
        data = output.get("data", {})
        return output.get("text") or data.get("text/markdown") or data.get("text/plain", "")

    return [
        "".join(map(text, cell.outputs)) for cell in notebook.cells if "nbval-check-output" in pairs.tags(cell)
    ]  # what is printed may come in several pieces


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="no git on this machine")
def test_a_chapter_runs_alone_in_colab(text, tmp_path, origin, record_property):
    colab = Colab(tmp_path, origin, FURTHER.get(text.stem, ""))
    missing = colab.run("import snnlib")
    assert "No module named 'snnlib'" in missing.stderr, "the project is there before it is fetched"
    began, computed = time.monotonic(), children()
    executed = colab.execute(pairs.notebook_of(text))
    took, computed = time.monotonic() - began, children() - computed
    record_property("rehearsed", f"{text.stem}: {took:.0f} s, {computed:.0f} s of them computing; set-up included")
    pairs.write_notebook(executed, colab.content / "executed.ipynb")  # to be looked at, if it is not as published
    assert checked(executed) == checked(pairs.read_notebook(pairs.notebook_of(text)))
    assert not [
        output for cell in executed.cells for output in cell.get("outputs", ()) if output.get("name") == "stderr"
    ]
    where = colab.run("import snnlib; print(snnlib.__file__)").stdout.strip()
    assert where == str(colab.content / "switcher-networks" / "snnlib" / "__init__.py")
