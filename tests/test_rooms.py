"""The rooms of the library: imports run one way, and what the method does not need can be taken away."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNNLIB = Path(__file__).parents[1] / "snnlib"

FLOORS = (
    ("config", "metrics", "files"),
    ("seeds", "fast"),
    ("optional",),
    ("data", "networks"),
    ("switching",),
    ("training", "compaction"),
    ("lab",),
    ("report",),
    ("commands",),
    ("__main__",),
)
"""From the ground up: a room imports from its own floor's other rooms never, from those below as it likes."""

FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

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


def imported(path: Path) -> set[str]:
    """The rooms that a file imports from, by the names of FLOORS."""
    package = path.relative_to(SNNLIB.parent).with_suffix("").parts
    package = package[:-1]  # the folder: also of an __init__.py
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            full = [*base, *(node.module.split(".") if node.module else [])]
            found |= {full[1]} if len(full) > 1 else {alias.name for alias in node.names if alias.name in FLOOR}
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            assert not any((name or "").split(".")[0] == "snnlib" for name in names), f"{path}: import relatively"
    return found


def test_every_room_has_a_floor():
    assert {path.stem for path in SNNLIB.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} == {
        *FLOOR,
        "__init__",
    }


def test_nothing_imports_upwards():
    wrong = []
    for path in sorted(SNNLIB.rglob("*.py")):
        room = path.relative_to(SNNLIB).parts[0].removesuffix(".py")
        if room == "__init__":
            continue  # the public names, imported when they are asked for
        wrong += [
            f"{path.relative_to(SNNLIB)} imports {other}"
            for other in imported(path) - {room}
            if FLOOR[other] >= FLOOR[room]
        ]
    assert not wrong


@pytest.fixture
def copy(tmp_path):
    """A copy of the library, and a function that trains with it and returns what is printed."""
    shutil.copytree(SNNLIB, tmp_path / "snnlib", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "data").symlink_to(SNNLIB.parent / "data")

    def run(code: str = TRAINING) -> str:
        ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    run.folder = tmp_path / "snnlib"
    return run


def test_the_method_needs_neither_lab_nor_report_nor_commands(copy):
    for room in ("lab", "report", "commands", "__main__.py"):
        path = copy.folder / room
        path.unlink() if path.is_file() else shutil.rmtree(path)
    copy()


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
