"""The rooms of the library: imports run one way, and what the method does not need can be taken away."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNNLIB = Path(__file__).parents[1] / "snnlib"

TRAINING = """
import torch
from snnlib import MLP, Switched, SwitcherConfig, TrainConfig, compact, load, train_alternating
from snnlib.networks import NETWORKS
mnist = load("mnist").first(128)
network = MLP(widths=(784, 20, 10), generator=torch.Generator().manual_seed(0))
model = Switched.around(network, SwitcherConfig(channels=(2, 4)), torch.Generator().manual_seed(1))
state = train_alternating(model, mnist, TrainConfig(epochs=2), seed=0)
small = compact(model.network, model.gates())
deep = NETWORKS["mobilenet-v1-x0.25"]((3, 32, 32), 10, generator=torch.Generator().manual_seed(2))
print(repr(state.history[-1]["loss"]), small.widths, deep(torch.ones(2, 3, 32, 32)).shape)
"""


def linted(folder: Path) -> subprocess.CompletedProcess:
    """What import-linter says of the library in ``folder`` by the contract in its pyproject.toml."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_every_room_has_a_floor_and_nothing_imports_upwards():
    ended = linted(SNNLIB.parent)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "place, line, told",
    [
        ("networks/mlp.py", "from ..training import loops", "snnlib.networks.mlp -> snnlib.training"),
        ("networks/mlp.py", "import snnlib.lab.records", "snnlib.networks.mlp -> snnlib.lab.records"),
        ("data/idx.py", "def later():\n    from .. import networks", "snnlib.data.idx -> snnlib.networks"),
        ("config.py", "if TYPE_CHECKING:\n    from .switching import Switched", "snnlib.config -> snnlib.switching"),
        ("cellar.py", "", "cellar"),
    ],
)
def test_an_import_upwards_or_beside_and_a_room_without_floor_are_found(copy, place, line, told):
    with (copy.folder / place).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    ended = linted(copy.folder.parent)
    assert ended.returncode == 1 and told in " ".join(ended.stdout.split()), ended.stdout + ended.stderr


@pytest.fixture
def copy(tmp_path):
    """A copy of the library, and a function that trains with it and returns what is printed."""
    environment = {**os.environ, "SNNLIB_DATA": str(SNNLIB.parent / "data")}
    shutil.copytree(SNNLIB, tmp_path / "snnlib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SNNLIB.parent / "pyproject.toml", tmp_path)

    def run(code: str = TRAINING) -> str:
        command = [sys.executable, "-c", code]
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    run.folder = tmp_path / "snnlib"
    return run


def test_the_method_needs_neither_lab_nor_report_nor_commands(copy):
    for room in ("lab", "report", "commands", "__main__.py"):
        path = copy.folder / room
        path.unlink() if path.is_file() else shutil.rmtree(path)
    copy()


@pytest.mark.slow
def test_without_what_makes_it_faster_it_is_the_same(copy):
    loss, *others = copy().split(maxsplit=1)
    shutil.rmtree(copy.folder / "fast")
    slower, *others_then = copy().split(maxsplit=1)
    assert others == others_then and abs(float(loss) - float(slower)) < 1e-4


def test_importing_does_nothing_and_public_names_come_when_asked_for(copy):
    code = (
        "import sys, snnlib; assert not {'torch', 'numpy'} & set(sys.modules), 'heavy'; "
        "print(snnlib.MLP.__name__, len([getattr(snnlib, name) for name in snnlib.__all__]))"
    )
    assert copy(code).split()[0] == "MLP"
