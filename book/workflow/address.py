"""The public address stands in one place, ``project.urls`` of pyproject.toml; this carries it to all others."""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

from . import ROOT
from .pairs import texts

HOST = "https://github.com/"
COLAB = "https://colab.research.google.com/github/"
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"
"""The button's picture in a notebook: Colab shows no picture that is a file of the repository."""
LOCAL_BADGE = "../_static/colab.svg"
"""Its picture in the book, which fetches nothing from elsewhere."""


def slug(root: Path = ROOT) -> str:
    """OWNER/NAME of the public repository, from pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"][
        "Repository"
    ].removeprefix(HOST)


def carried(root: Path = ROOT) -> str:
    """OWNER/NAME as last carried to the other files: the repository of _config.yml."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"].removeprefix(HOST)


def colab_link(chapter: str, slug: str) -> str:
    """Where Colab opens the notebook of ``chapter`` (NN_name)."""
    return f"{COLAB}{slug}/blob/main/book/chapters/{chapter}.ipynb"


def button(chapter: str, slug: str) -> str:
    """The line below a chapter's title that opens it in Colab."""
    return f"[![Open in Colab]({BADGE})]({colab_link(chapter, slug)})"


def places(root: Path = ROOT) -> list[Path]:
    """Every file that names the address; _config.yml last, so that an interrupted change is simply repeated."""
    return [
        *texts(root / "book" / "chapters"),
        *(root / name for name in ("book/setup_cell.py", "book/intro.md", "README.md", "CITATION.cff", "_config.yml")),
    ]


def with_button(content: str, line: str) -> str:
    """``content`` of a chapter with the button ``line`` below its title, once."""
    lines = [each for each in content.split("\n") if not each.startswith("[![Open in Colab](")]
    title = next(index for index, each in enumerate(lines) if each.startswith("# "))
    rest = "\n".join(lines[title + 1 :]).lstrip("\n")
    return "\n".join([*lines[: title + 1], "", line, "", rest])


def carry(root: Path = ROOT) -> list[Path]:
    """Write the address of pyproject.toml wherever it belongs; returns the files that changed."""
    old, new, changed = carried(root), slug(root), []
    chapters = texts(root / "book" / "chapters")
    for path in places(root):
        content = path.read_text(encoding="utf-8")
        wanted = content.replace(HOST + old, HOST + new).replace(COLAB + old, COLAB + new)
        if path in chapters:
            wanted = with_button(wanted, button(path.stem, new))
        if wanted != content:
            path.write_text(wanted, encoding="utf-8")
            changed.append(path)
    return changed


def faults(root: Path = ROOT) -> list[str]:
    """Files that lack the address of pyproject.toml, one line each; empty where all agree."""
    name = slug(root)
    expected = dict.fromkeys(places(root), HOST + name)
    expected |= {path: button(path.stem, name) for path in texts(root / "book" / "chapters")}
    remedy = "run `python -m book.workflow address`"
    found = [
        f"{path.relative_to(root)} lacks {needed}: {remedy}"
        for path, needed in expected.items()
        if needed not in path.read_text(encoding="utf-8")
    ]
    readme = (root / "README.md").read_text(encoding="utf-8")
    return found + [
        f"README.md lacks the Colab link of {text.stem}"
        for text in texts(root / "book" / "chapters")
        if colab_link(text.stem, name) not in readme
    ]
