"""A chapter is a pair: NN_name.md, which people edit and review, and NN_name.ipynb, the same with outputs.

The text leads. Cell ids are derived from the cells' content, so that a notebook made twice is the same twice, and an
output is carried from one notebook to another exactly where the cell that made it is unchanged.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from . import ROOT
from .exercises import plain

CHAPTERS = ROOT / "book" / "chapters"
SETUP_CELL = ROOT / "book" / "setup_cell.py"
LINE = 84
"""So many signs of code fit beside the two menus on a screen of 1280 pixels."""
UNSEEN = {"hide-input", "hide-cell", "remove-input", "remove-cell"}
"""Tags of cells whose code a page does not show, or folds."""
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class BookError(Exception):
    """Something in the book is not as it must be; the message names the file and the remedy."""


def texts(folder: Path = CHAPTERS) -> list[Path]:
    """The text half of every pair, in the order of the book."""
    return sorted(folder.glob("[0-9][0-9]_*.md"))


def notebook_of(text: Path) -> Path:
    """The notebook half of the pair of ``text``."""
    return text.with_suffix(".ipynb")


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell, in their order."""
    return list(cell.metadata.get("tags", []))


def from_text(text: Path) -> NotebookNode:
    """The notebook that ``text`` stands for, without outputs. Raises :class:`BookError` without jupytext's header."""
    content = text.read_text(encoding="utf-8")
    if "format_name: myst" not in content.partition("\n---\n")[0]:
        raise BookError(
            f"{text} lacks jupytext's header (format_name: myst), so it would be built as plain text. Copy it from "
            "another chapter."
        )
    read = jupytext.reads(content, fmt="md:myst")
    seen: Counter[str] = Counter()
    for cell in read.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source)
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] += 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    return nbformat.from_dict({"cells": read.cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})


def carry_outputs(source: NotebookNode, target: NotebookNode) -> int:
    """Copy the outputs of all cells of ``source`` that have run into the cells of ``target`` with the same id.

    Returns how many cells got theirs. Counts are numbered anew, and what an execution leaves beside the outputs (times,
    its own metadata) stays behind.
    """
    outputs = {cell["id"]: cell.outputs for cell in source.cells if cell.cell_type == "code" and cell.execution_count}
    code = [cell for cell in target.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        if cell["id"] in outputs:
            cell.outputs = [nbformat.from_dict(output) for output in outputs[cell["id"]]]
            cell.execution_count = number
            for output in cell.outputs:
                if "execution_count" in output:
                    output["execution_count"] = number
    return sum(cell["id"] in outputs for cell in code)


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook. Raises :class:`BookError` where it is cut off or no notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat raises whatever its JSON parser raises
        raise BookError(
            f"{path} is no whole notebook ({error}). Delete it and run `python -m book.workflow sync`."
        ) from error


def write_notebook(notebook: NotebookNode, path: Path) -> bool:
    """Write ``notebook`` whole or not at all, and only where it changes; returns whether it did."""
    content = nbformat.writes(notebook).rstrip("\n") + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)
    return True


def sync(text: Path) -> bool:
    """Make the notebook half from ``text``, with the outputs of all unchanged cells; returns whether it changed."""
    made, path = from_text(text), notebook_of(text)
    if path.exists():
        carry_outputs(read_notebook(path), made)
    return write_notebook(made, path)


def publish(executed: Path, text: Path) -> int:
    """Copy the outputs of an executed copy into the notebook half of ``text``; returns how many cells got theirs."""
    made = from_text(text)
    code = sum(cell.cell_type == "code" for cell in made.cells)
    copied = carry_outputs(read_notebook(executed), made)
    if copied < code:
        raise BookError(
            f"{executed} is older than {text}: {code - copied} of {code} code cells differ. Run the chapters again."
        )
    write_notebook(made, notebook_of(text))
    return copied


def differences(text: Path) -> list[str]:
    """Where the two halves of a pair differ in cell type, source or tags, one line each; empty where they agree."""
    path = notebook_of(text)
    if not path.exists():
        return [f"{path.name} is missing"]
    ours, theirs = from_text(text).cells, read_notebook(path).cells
    found = [f"{path.name}: {len(theirs)} cells, but {text.name} has {len(ours)}"] if len(ours) != len(theirs) else []
    for number, (a, b) in enumerate(zip(ours, theirs)):
        for what, left, right in (
            ("type", a.cell_type, b.cell_type),
            ("source", a.source, b.source),
            ("tags", tags(a), tags(b)),
        ):
            if left != right:
                found.append(f"{path.name}, cell {number}: another {what} than in {text.name}")
    return found


def faults(text: Path) -> list[str]:
    """What a chapter breaks of the book's rules, one line each: the set-up cell first, then the parameters."""
    code = [cell for cell in from_text(text).cells if cell.cell_type == "code"]
    found = []
    if (
        not code
        or code[0].source != SETUP_CELL.read_text(encoding="utf-8").strip()
        or "hide-input" not in tags(code[0])
    ):
        found.append(f"{text.name}: the first code cell must be book/setup_cell.py word for word, tagged hide-input")
    if len(code) < 2 or "parameters" not in tags(code[1]) or any("parameters" in tags(cell) for cell in code[2:]):
        found.append(f"{text.name}: the second code cell, and no other, must be tagged parameters")
    found += [
        f"{text.name}: a code cell mixes options with a --- block: {cell.source[:40]!r}"
        for cell in code
        if cell.source.startswith("---")
    ]
    found += [
        f"{text.name}: a line of code with more than {LINE} signs does not fit the page: {line.strip()[:40]!r}"
        for cell in code
        if UNSEEN.isdisjoint(tags(cell))
        for line in cell.source.splitlines()
        if len(line) > LINE
    ]
    if "{cite" in text.read_text(encoding="utf-8") or "{bibliography}" in text.read_text(encoding="utf-8"):
        found.append(
            f"{text.name}: cite with {{footcite:p}} or {{footcite:t}} and list with {{footbibliography}}: references "
            "stand at the end of each chapter"
        )
    if roles := sorted(set(re.findall(r"\{(?:eq|numref|ref)\}`", text.read_text(encoding="utf-8")))):
        found.append(
            f"{text.name}: {', '.join(roles)}: a plain notebook shows them as they are; write [Figure](#fig-x), "
            "[Table](#tab-x) or [Eq.](#eq-x)"
        )
    return found
