"""The book: pairs that agree, notebooks that run as they stand, pages without a broken link or equation, one
address."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import jupytext
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from book.workflow import ROOT, address, architecture, drawing, execution, exercises, pairs, readme
from book.workflow import __main__ as workflow
from snnlib.lab import status
from snnlib.report import verdicts
from snnlib.report.claims import CLAIMS

pytestmark = pytest.mark.skipif(
    os.name == "nt", reason="the book is made on Linux or macOS; its pages are read anywhere"
)
TEXTS = pairs.texts()
APPENDIX = ("architecture", "notation", "glossary", "settings", "reference")

TEXT = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A trial

```{{code-cell}} ipython3
:tags: [hide-input]

{setup}
```

```{{code-cell}} ipython3
:tags: [parameters]

profile = "paper"
records = "data/records"
```

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print(profile, {expression})
```
"""


@pytest.fixture
def chapter(tmp_path):
    """Writes a small chapter of its own whose last cell prints an expression; returns its path."""

    def write(expression: str = "1 + 1") -> Path:
        text = tmp_path / "09_trial.md"
        text.write_text(TEXT.format(setup=pairs.SETUP_CELL.read_text().strip(), expression=expression))
        return text

    return write


def last_output(notebook: Path) -> str:
    return pairs.read_notebook(notebook).cells[-1].outputs[0]["text"].strip()


# ---------------------------------------------------------------- pairs


def test_the_table_of_contents_names_every_chapter_once():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    named = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    assert [named.pop() for _ in APPENDIX] == [f"book/{name}" for name in reversed(APPENDIX)]
    assert named == [pairs.notebook_of(text).relative_to(ROOT).as_posix() for text in TEXTS]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_both_halves_of_a_pair_agree(text):
    assert pairs.differences(text) == []
    assert pairs.faults(text) == []


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_published_chapter_has_run_to_its_end(text):
    code = [cell for cell in pairs.read_notebook(pairs.notebook_of(text)).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code), "run `python -m book.workflow run`, then `publish`"
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_every_picture_that_a_cell_shows_has_alt_text(text):
    for cell in pairs.read_notebook(pairs.notebook_of(text)).cells:
        shows = any(kind.startswith("image/") for output in cell.get("outputs", []) for kind in output.get("data", {}))
        if shows:
            assert cell.metadata.get("mystnb", {}).get("image", {}).get("alt"), cell.source


DRAWN = re.compile(r"\b(?:[0-9a-f]{8}|alike)\b")
"""What a checked cell prints of a figure: its digest, or that it resembles the published one."""

UNCHECKED = {
    "fig-mnist-maps": "maps of recorded weights, computed anew in single precision; the table below is checked",
    "fig-sparsity-film": "the film of the small run; the figure below it counts the same neurons and is checked",
}
"""Figures without such a check, each with the reason."""


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_check_would_notice_each_figure_that_draws_other_data(text):
    drawn, told = [], []
    for cell in pairs.read_notebook(pairs.notebook_of(text)).cells:
        name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name", "")
        if name.startswith("fig-") and name not in UNCHECKED:
            drawn.append(name)
        if "nbval-check-output" in cell.metadata.get("tags", []) and re.search(r"(digest|resembles)\(", cell.source):
            told += DRAWN.findall("".join(output.get("text", "") for output in cell.outputs))
    assert len(told) == len(drawn), f"print digest(...) or resembles(...) of each of {drawn} in a checked cell"


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.stem)
def test_a_notebook_shows_no_directive_and_the_book_gets_back_each(text):
    written = jupytext.reads(text.read_text(encoding="utf-8"), fmt="md:myst").cells
    shown = pairs.read_notebook(pairs.notebook_of(text)).cells
    for before, after in zip(written, shown):
        if before.cell_type == "markdown":
            assert not re.search(r"^(`{3,}|:{3,})\{", after.source, re.M), after.source
            assert exercises.directives(after.source) == before.source
    assert sum("<summary>Solution</summary>" in cell.source for cell in shown) > 0 or "{solution}" not in str(written)


def test_the_solution_of_an_exercise_folds_in_a_notebook():
    text = (
        "````{exercise} Why?\n:label: exercise-why\n\nSay *why*.\n````\n\n"
        "````{solution} exercise-why\n:class: dropdown\n\n$1$.\n````"
    )
    shown = exercises.plain(text)
    assert "**Exercise: Why?**\n\nSay *why*." in shown
    assert "<details>\n<summary>Solution</summary>\n\n$1$.\n\n</details>" in shown
    assert exercises.directives(shown) == text


def test_sync_keeps_outputs_of_unchanged_cells_only(chapter):
    text = chapter()
    pairs.sync(text)
    notebook = pairs.read_notebook(pairs.notebook_of(text))
    for cell in notebook.cells[1:]:
        cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="kept")], 7
    pairs.write_notebook(notebook, pairs.notebook_of(text))
    pairs.sync(chapter("2 + 2"))
    outputs = [cell.outputs for cell in pairs.read_notebook(pairs.notebook_of(text)).cells[1:]]
    assert [bool(output) for output in outputs] == [True, True, False]
    assert not pairs.sync(text), "a second sync changes nothing"


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda cells: cells.pop(), "cells"),
        (lambda cells: cells[3].update(source="print(3)"), "cell 3: another source"),
        (lambda cells: cells[3].update(cell_type="raw"), "cell 3: another type"),
        (lambda cells: cells[3].metadata.update(tags=[]), "cell 3: another tags"),
    ],
)
def test_a_pair_that_differs_is_found(chapter, change, told):
    text = chapter()
    assert pairs.differences(text) == ["09_trial.ipynb is missing"]
    pairs.sync(text)
    assert pairs.differences(text) == []
    notebook = pairs.read_notebook(pairs.notebook_of(text))
    change(notebook.cells)
    pairs.write_notebook(notebook, pairs.notebook_of(text))
    assert told in " ".join(pairs.differences(text))


@pytest.mark.parametrize(
    "old, new, told",
    [
        ('"google.colab" in sys.modules', "True", "first code cell"),
        ("[hide-input]", "[remove-input]", "first code cell"),
        ("[parameters]", "[other]", "second code cell"),
        ("[nbval-check-output]", "[parameters]", "no other"),
        ("# A trial", "# A trial {cite}`han2021mining`", "footcite"),
        ("# A trial", "# A trial by {eq}`error`", "write [Figure]"),
        (":tags: [nbval-check-output]\n\nprint", ":tags: [nbval-check-output]\n\n---\nprint", "--- block"),
        ("print(profile, 1 + 1)", f"print(profile, {'1 + ' * 20}1)", "does not fit"),
    ],
)
def test_a_chapter_that_breaks_a_rule_is_found(chapter, old, new, told):
    text = chapter()
    assert pairs.faults(text) == []
    text.write_text(text.read_text().replace(old, new))
    assert told in " ".join(pairs.faults(text))


def test_a_text_without_header_is_refused(chapter):
    text = chapter()
    text.write_text(text.read_text().partition("\n---\n")[2])
    with pytest.raises(pairs.BookError, match="header"):
        pairs.from_text(text)


def test_a_notebook_that_is_cut_off_is_named(chapter):
    text = chapter()
    pairs.sync(text)
    notebook = pairs.notebook_of(text)
    notebook.write_bytes(notebook.read_bytes()[:200])
    with pytest.raises(pairs.BookError, match="09_trial.ipynb is no whole notebook"):
        pairs.sync(text)


# ---------------------------------------------------------------- execution


def test_a_chapter_runs_outside_its_pair_once_and_is_published(chapter, tmp_path):
    text = chapter("ROOT == Path.cwd()")
    pairs.sync(text)
    before = pairs.notebook_of(text).read_bytes()
    executed, ran = execution.run(text, "quick", "runs/records", tmp_path / "out")
    assert ran and last_output(executed) == "quick True"
    assert pairs.notebook_of(text).read_bytes() == before, "the pair was written to"
    assert execution.run(text, "quick", "runs/records", tmp_path / "out") == (executed, False)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [executed.name]
    pairs.publish(executed, text)
    assert last_output(pairs.notebook_of(text)) == "quick True"
    assert pairs.differences(text) == []
    assert "papermill" not in pairs.notebook_of(text).read_text()


def test_what_a_chapter_was_made_from_decides_whether_it_is_finished(chapter, tmp_path):
    text, records = chapter(), tmp_path / "records"
    seen = {execution.digest(text, {"profile": "quick"}, records)}
    seen.add(execution.digest(text, {"profile": "paper"}, records))
    records.mkdir()
    (records / "seed-0.json").write_text("{}")
    seen.add(execution.digest(text, {"profile": "quick"}, records))
    seen.add(execution.digest(chapter("3"), {"profile": "quick"}, records))
    assert len(seen) == 4
    cut = tmp_path / "cut.ipynb"
    cut.write_text('{"cells": [')
    assert not execution.finished(cut, "0"), "what is cut off counts as not run"


def test_a_failing_chapter_is_named_and_kept(chapter, tmp_path):
    with pytest.raises(pairs.BookError, match="09_trial.md failed in cell .*ZeroDivisionError"):
        execution.run(chapter("1 / 0"), "quick", "runs/records", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["09_trial.failed.ipynb"]


def test_publishing_outputs_of_an_older_text_is_refused(chapter, tmp_path):
    executed = pairs.from_text(chapter())
    for cell in executed.cells[1:]:
        cell.execution_count = 1
    pairs.write_notebook(executed, tmp_path / "executed.ipynb")
    with pytest.raises(pairs.BookError, match="1 of 3 code cells differ"):
        pairs.publish(tmp_path / "executed.ipynb", chapter("5"))


QUICK = ("01_switcher", "08_controls", "16_verdicts")
"""Chapters that are run again without --slow."""


@pytest.fixture(scope="module")
def validated(tmp_path_factory, request):
    """What nbval finds wrong with each chapter that is asked for, by its name.

    Two processes share the chapters: most of their time is one thread's, and pytest itself takes seconds to start.
    """
    asked = [text for text in TEXTS if text.stem in QUICK or request.config.getoption("--slow")]
    folder = tmp_path_factory.mktemp("nbval")
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=120", "-q", "-p", "no:cacheprovider"]

    def validate(number: int) -> dict[str, list[str]]:
        report, texts = folder / f"{number}.xml", asked[number::2]
        command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}"]
        notebooks = [str(pairs.notebook_of(text)) for text in texts]
        done = subprocess.run([*command, *notebooks], cwd=ROOT, text=True, capture_output=True)
        if not report.exists():
            return {text.stem: [done.stdout + done.stderr] for text in texts}
        cells = list(ElementTree.parse(report).iter("testcase"))
        found = {text.stem: [cell for cell in cells if text.stem in cell.get("classname", "")] for text in texts}
        return {stem: [*wrong_in(run)] if run else ["no cell was run"] for stem, run in found.items()}

    def wrong_in(run: list[ElementTree.Element]) -> Iterator[str]:
        for cell in run:
            if any(part.tag in ("failure", "error") for part in cell):
                yield ElementTree.tostring(cell, "unicode")

    with ThreadPoolExecutor(2) as pool:
        yield {stem: wrong for part in pool.map(validate, (0, 1)) for stem, wrong in part.items()}


@pytest.mark.parametrize(
    "text",
    [pytest.param(text, marks=() if text.stem in QUICK else pytest.mark.slow) for text in TEXTS],
    ids=lambda text: text.stem,
)
def test_a_chapter_still_gives_its_published_tables(text, validated):
    assert validated[text.stem] == []


def test_every_verdict_in_a_chapter_is_today_s():
    """Quick, unlike running all chapters: new records change what a rule says of how many runs."""
    verdict = re.compile(r"\*\*.+?\*\* By \[its rule\]\(.+?\*\*.+?\*\*")
    told = []
    for text in TEXTS:
        cells = pairs.read_notebook(pairs.notebook_of(text)).cells
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        shown = ["".join(output.get("data", {}).get("text/markdown", "")) for output in outputs]
        told += [(text.stem, found) for each in shown for found in verdict.findall(each)]
    claims = [claim.name for claim in CLAIMS]
    today = verdict.findall(verdicts.shown(claims, "paper", ROOT / "data" / "records"))
    assert len(told) > 10 and len(today) == len(claims)
    assert [line for line in told if line[1] not in today] == []


# ---------------------------------------------------------------- Colab


@pytest.mark.parametrize("inside", [False, True])
def test_the_set_up_cell_acts_only_in_colab_and_leaves_torch(monkeypatch, inside):
    ran = []
    monkeypatch.setattr(subprocess, "run", lambda command, check: ran.append(command))
    monkeypatch.setattr(sys, "path", list(sys.path))
    if inside:
        monkeypatch.setitem(sys.modules, "google.colab", sys)
    else:
        monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    names: dict = {}
    exec(pairs.SETUP_CELL.read_text(), names)
    assert names["ROOT"] == ROOT
    assert [command[0] for command in ran] == (["git", sys.executable] if inside else [])
    assert "torch" not in str(ran)


def test_the_library_asks_for_lower_bounds_only():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert all(re.fullmatch(r"[\w-]+>=[\w.]+", needed) for needed in project["dependencies"])


# ---------------------------------------------------------------- architecture


def test_the_page_on_the_architecture_shows_the_imports_as_they_are():
    assert architecture.faults() == []


@pytest.mark.parametrize(
    "old, new, told",
    [
        ('data-from="report" data-to="lab"', 'data-from="report" data-to="data"', "other imports"),
        ('data-room="seeds" data-floor="1"', 'data-room="seeds" data-floor="2"', "other rooms or floors"),
        ('data-room="files"', 'data-room="papers"', "other rooms or floors"),
        (r'(data-room="lab" .*?data-lines=")\d+', r"\g<1>999", "gives lab 999 lines"),
    ],
)
def test_a_picture_that_tells_otherwise_is_found(monkeypatch, tmp_path, old, new, told):
    drawn = architecture.PICTURE.read_text(encoding="utf-8")
    monkeypatch.setattr(architecture, "PICTURE", tmp_path / "architecture.svg")
    architecture.PICTURE.write_text(re.sub(old, new, drawn), encoding="utf-8")
    assert told in " ".join(architecture.faults())


def test_the_picture_leaves_out_what_a_chain_of_arrows_implies():
    rooms = {"a": {"b", "c", "d"}, "b": {"c"}, "c": {"d"}, "d": set()}
    found = [architecture.Room(name, 0, 1, "", frozenset(imports)) for name, imports in rooms.items()]
    assert architecture.drawn(found) == {("a", "b"), ("b", "c"), ("c", "d")}


def test_no_box_lies_on_another_and_every_arrow_goes_down():
    boxes = [("top", 2, 10), ("left", 1, 1), ("right", 1, 2000), ("ground", 0, 3)]
    arrows = {("top", "left"), ("top", "right"), ("top", "ground"), ("left", "ground")}
    picture = BeautifulSoup(drawing.svg(boxes, arrows), "html.parser")
    at = {box["data-room"]: (float(box.rect["x"]), float(box.rect["y"])) for box in picture.find_all("g")}
    assert at["top"][1] < at["left"][1] == at["right"][1] < at["ground"][1]
    assert abs(at["left"][0] - at["right"][0]) > drawing.BOX
    for arrow in picture.find_all("path", class_="arrow"):
        begin, *_, end = map(float, re.findall(r"[-\d.]+", arrow["d"]))
        assert at[arrow["data-from"]][0] <= begin <= at[arrow["data-from"]][0] + drawing.BOX
        assert end == at[arrow["data-to"]][1] - 1
    assert "right imports nothing" in picture.desc.text and "2,000 lines" in picture.text


# ---------------------------------------------------------------- address and README


def test_the_address_stands_everywhere_as_in_pyproject():
    assert address.faults() == []
    assert address.carried() == address.slug()


def test_a_new_address_is_carried_to_every_place(tmp_path):
    for path in (ROOT / "pyproject.toml", *address.places()):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    project = tmp_path / "pyproject.toml"
    project.write_text(project.read_text().replace(address.HOST + address.slug(), address.HOST + "someone/else-where"))
    assert len(address.faults(tmp_path)) >= len(address.places())
    address.carry(tmp_path)
    assert address.faults(tmp_path) == []
    assert address.slug() not in "".join(path.read_text() for path in address.places(tmp_path))
    assert address.carry(tmp_path) == [], "a second time changes nothing"


def test_the_readme_lists_every_chapter():
    listed = readme.block(readme.README.read_text(), readme.CHAPTERS)
    assert listed == readme.chapters(), "run `python -m book.workflow readme`"
    assert all(f"chapters/{text.stem}.ipynb)" in listed for text in TEXTS)


@pytest.mark.parametrize("name", readme.BLOCKS)
def test_the_readme_shows_what_is_recorded(name):
    assert readme.block(readme.README.read_text(), name) == readme.printed(name), "run `python -m book.workflow readme`"


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.stem)
def test_every_chapter_checks_its_parameters_before_it_reads_records(text):
    cells = [cell.source for cell in pairs.from_text(text).cells if cell.cell_type == "code"]
    given = next(number for number, source in enumerate(cells) if source.startswith("profile = "))
    assert cells[given + 1].count("check_page(profile, ROOT / records)") == 1


def test_parameters_that_cannot_be_end_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="unknown profile 'papr': did you mean 'paper'"):
        status.check_page("papr", tmp_path)
    with pytest.raises(ValueError, match="unknown profile 'search': known: smoke, quick, paper"):
        status.check_page("search", tmp_path)  # of one table alone; a page knew it by a KeyError
    with pytest.raises(ValueError, match="there is no such folder. Give one that `snn run --records FOLDER`"):
        status.check_page("paper", tmp_path / "absent")
    status.check_page("paper", tmp_path)


@pytest.mark.parametrize(
    "cells, told",
    [
        (['# Parameters\nprofiles = "quick"\n'], "unknown parameter 'profiles': did you mean 'profile'?"),
        (['# Parameters\nprofile = "quick"\ndevice = "cuda"\n'], "unknown parameter 'device': known: profile, records"),
        (['# Parameters\nprofile = "quick"\n', "profiles = 3"], None),
        (['# Parameters\nprofiles = "quick"\n', '# Parameters\nprofile = "quick"\n'], None),  # run again, and mended
        ([], None),
    ],
)
def test_a_parameter_that_no_page_has_is_refused(monkeypatch, tmp_path, cells, told):
    shell = types.SimpleNamespace(user_ns={"In": ["", "import snnlib", 'profile = "paper"', *cells]})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    if told is None:
        status.check_page("quick", tmp_path)
        return
    with pytest.raises(status.WrongParameter) as found:
        status.check_page("quick", tmp_path)
    assert told in str(found.value) and found.value._render_traceback_() == [str(found.value)]


def test_papermill_ends_with_the_sentence(chapter, tmp_path):
    """papermill itself only warns of a parameter that is unknown, and goes on."""
    text = chapter("__import__('snnlib.lab.status').lab.status.check_page(profile, ROOT / records)")
    pairs.sync(text)
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(pairs.notebook_of(text)), "executed.ipynb"]
    done = subprocess.run(
        [*command, "-p", "profiles", "quick"],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 1
    last = done.stderr.rstrip().splitlines()[-1]
    assert last == "unknown parameter 'profiles': did you mean 'profile'? known: profile, records"


@pytest.mark.parametrize(
    "words, told",
    [
        ("run --profile papr", "unknown profile 'papr': did you mean 'paper'"),
        ("run --records nowhere", "nowhere': there is no such folder"),
        ("run --chapter 05_ablatio", "there is no chapter '05_ablatio': 01_switcher"),
        ("publish --profile papr", "unknown profile 'papr'"),
        ("figures --profile smoke", "smoke is missing: `python -m book.workflow run --profile smoke` makes it"),
        ("html --profile smoke", "smoke is missing: `python -m book.workflow run --profile smoke` makes it"),
    ],
)
def test_a_request_that_cannot_be_met_ends_in_a_sentence(monkeypatch, tmp_path, words, told):
    monkeypatch.setattr(execution, "EXECUTED", tmp_path)
    monkeypatch.setattr(sys, "argv", ["book.workflow", *words.split()])
    with pytest.raises(SystemExit) as ended:
        workflow.main()
    assert told in ended.value.code and "\n" not in ended.value.code
    assert list(tmp_path.iterdir()) == []


def test_the_introduction_shows_what_came_out(tmp_path):
    content = readme.INTRO.read_text()
    inside = readme.parted(content, readme.marks(readme.FINDINGS), "intro.md")[1]
    assert inside == readme.came_out() and readme.PICTURE.exists(), "run `python -m book.workflow readme`"
    assert readme.block(readme.README.read_text(), readme.FINDINGS) == readme.at_a_glance()
    stale, picture = tmp_path / "intro.md", tmp_path / "findings.svg"
    stale.write_text(content.replace(inside, "something older"))
    assert readme.fill_intro(stale, picture) and stale.read_text() == content
    assert "<svg" in picture.read_text() and not readme.fill_intro(stale, picture)


def test_the_readmes_links_into_the_project_lead_somewhere():
    links = re.findall(r'(?:\]\(|src=")([^)"#:]+)[)"]', readme.README.read_text())
    assert links and not [link for link in links if not (ROOT / link).exists()]


def test_the_readmes_example_runs_and_gives_one_result(tmp_path):
    code, own, reading = re.findall(r"```python\n(.*?)```", readme.README.read_text(), re.S)
    pytest.importorskip("torch_pruning")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            2 * code
            + "import snnlib; snnlib.save_compact(small, 'small.safetensors', snnlib.Normalize(mnist))\n"
            + own
            + "print(type(small).__name__)\n"
            + reading
            + "print(tuple(logits.shape))",
        ],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "SNNLIB_DATA": str(ROOT / "data")},
    )
    assert done.returncode == 0, done.stderr
    first, second, kind, logits = done.stdout.splitlines()
    assert (kind, logits) == ("Sequential", "(100, 10)")
    assert re.fullmatch(r"\(\d+, \d+, \d+, 10\) 0\.[6-9]\d*", first), first
    assert first == second, "its seeds give one result"
