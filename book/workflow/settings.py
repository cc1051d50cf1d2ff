"""A Sphinx extension: ``{settings} NAME`` lists the fields of a dataclass of settings, each with its reason.

The reasons are the comments beside the fields, so that there is one place to keep them. Files are read, not imported.
"""

from __future__ import annotations

import ast
import re
import tokenize
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from . import ROOT

FILES = (ROOT / "snnlib" / "config.py", ROOT / "snnlib" / "arms.py")
"""Of the switcher and of training; of arms."""


def comments(source: str) -> dict[int, str]:
    """The comments of a file by line."""
    lines = iter(source.splitlines(keepends=True))
    found = tokenize.generate_tokens(lambda: next(lines, ""))
    return {token.start[0]: token.string.lstrip("# ") for token in found if token.type == tokenize.COMMENT}


def classes(source: str) -> dict[str, ast.ClassDef]:
    """The dataclasses of a file by name."""
    found = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {node.name: node for node in found if any("dataclass" in ast.unparse(each) for each in node.decorator_list)}


def fields(source: str, name: str) -> list[tuple[str, str, str, str]]:
    """Name, type, default and reason of each field; a reason stands beside its field, or on the lines above it."""
    said, rows = comments(source), []
    for field in classes(source)[name].body:
        if not isinstance(field, ast.AnnAssign):
            continue
        default = ast.unparse(field.value) if field.value else "required"
        factory = re.fullmatch(r"field\(default_factory=(\w+)\)", default)
        why, above = [said[field.lineno]] if field.lineno in said else [], field.lineno - 1
        while above in said and source.splitlines()[above - 1].lstrip().startswith("#"):
            why.insert(0, said[above])
            above -= 1
        shown = f"{factory[1]}()" if factory else default
        rows.append((ast.unparse(field.target), ast.unparse(field.annotation), shown, " ".join(why)))
    return rows


def read_by_arms(source: str) -> dict[str, str]:
    """The fields of TrainConfig that an arm alone reads, each with what a program of one's own does instead."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "ARM_ALONE" for target in node.targets):
            return ast.literal_eval(node.value)
    return {}


def table(source: str, name: str) -> list[str]:
    """The lines of a Markdown table of the fields."""

    def code(text: str) -> str:
        return "`" + text.replace("|", "\\|") + "`"

    lines = ["| setting | type | default | why |", "| --- | --- | --- | --- |"]
    arms = read_by_arms(source) if name == "TrainConfig" else {}
    for field, kind, default, why in fields(source, name):
        if field in arms:
            why = f"{why}{'; ' if why else ''}read by arms alone: with a network or data of your own {arms[field]}"
        shown = default if default == "required" else code(default)
        lines.append(f"| {code(field)} | {code(kind)} | {shown} | {why.replace('|', chr(92) + '|')} |")
    return lines


class Settings(Directive):
    """The fields of one dataclass as a table, below the first paragraph of its docstring."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of docstring and table."""
        (name,) = self.arguments
        sources = {file: file.read_text(encoding="utf-8") for file in FILES}
        file = next(file for file, source in sources.items() if name in classes(source))
        self.state.document.settings.env.note_dependency(str(file))
        about = (ast.get_docstring(classes(sources[file])[name]) or "").split("\n\n")[0].replace("``", "`")
        about = re.sub(r":\w+:`(?:[\w.]*\.)?(\w+)`", r"`\1`", about)
        held = nodes.Element()
        lines = [*about.splitlines(), "", *table(sources[file], name)]
        self.state.nested_parse(StringList(lines, str(file)), 0, held)
        for made in held.findall(nodes.table):
            made["classes"].append("settings")
        return held.children


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("settings", Settings)
    return {"parallel_read_safe": True}
