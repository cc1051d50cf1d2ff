"""What is done to the pages after Sphinx: labels of the theme that mislead are mended, what
belongs together stays on a line, files that no page uses go."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

PDF = "mining-the-weights.pdf"
"""The whole book on paper, beside the first page, where it has been made."""
MARK = "<!-- the book as a PDF -->"
"""Where book/_templates/pdf.html leaves room for a link to it."""
MENDED = (
    # the name of a control that has a text is its text
    (re.compile(r'(<summary) aria-label="Toggle hidden content"'), r"\1"),
    (re.compile(r'(<button class="btn search-button-field[^>]*?) title="Search" aria-label="Search"'), r"\1"),
    # "Light", "Dark" and "System Settings" are names of pictures in a button that has a name
    (re.compile(r'(<i class="theme-switch [^>]*?)  title="[^"]*"'), r'\1 aria-hidden="true"'),
    (re.compile(r'(<i class="theme-switch [^>]*?) title="[^"]*"'), r'\1 aria-hidden="true"'),
    # sphinx-exercise gives all exercises of a page one name, which must be of one element
    (re.compile(r'<section id="(?:exercise|solution)-content">'), "<section>"),
    # the logo belongs to a landmark, as all else on a page does
    (re.compile(r'<div class="sidebar-primary-item">(\s*<a class="navbar-brand logo")'),
     r'<div class="sidebar-primary-item" role="banner">\1'),
)  # fmt: skip
MATHJAX = ("tex-chtml.js", "output/chtml/fonts", "input/tex/extensions")
"""What a page loads of MathJax; the rest, other outputs and spoken formulas above all, is 20 MB."""


CODE_OR_TAG = re.compile(r"(<(pre|code|script|style|svg)\b.*?</\2>|<[^>]+>)", re.DOTALL)
TOGETHER = re.compile(
    r"(?<=\d) (?=%|[×·] \d)|(?<=\d[ \N{NO-BREAK SPACE}][×·]) (?=\d)|(?<=\b(?:Eqs|Fig)\.) (?=\d)|(?<=\bEq\.) (?=\d)"
)
"""A space at which no line ends: between a figure and its percent sign, in a product, before an equation's number."""


def mended(html: str) -> str:
    """A page whose labels say what they label, and on which no line ends where :data:`TOGETHER` says so."""
    for pattern, better in MENDED:
        html = pattern.sub(better, html)
    parts = CODE_OR_TAG.split(html)  # text, tag or code, its name, text, ...
    parts[::3] = [TOGETHER.sub("\N{NO-BREAK SPACE}", text) for text in parts[::3]]
    del parts[2::3]
    return "".join(parts)


def linked(html: str, path: str) -> str:
    """A page with a link to the PDF at ``path``."""
    return html.replace(MARK, f'{MARK}<p class="book-pdf"><a href="{path}">The whole book as a PDF</a></p>')


def lighten(static: Path) -> None:
    """Delete what no page loads: MathJax's other parts, and maps from the theme's scripts to their sources."""
    mathjax = static / "mathjax"
    for path in sorted(mathjax.rglob("*"), reverse=True):
        name = path.relative_to(mathjax).as_posix()
        if path.is_file() and not name.startswith(MATHJAX):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for path in static.rglob("*.map"):
        path.unlink()
    shutil.rmtree(static / "vendor" / "fontawesome" / "scss", ignore_errors=True)


def finish(pages: Path) -> None:
    """Mend and lighten the built pages; a second time changes nothing."""
    lighten(pages / "_static")
    there = (pages / PDF).exists()
    for page in pages.rglob("*.html"):
        if "_static" in page.relative_to(pages).parts:
            continue
        html = page.read_text(encoding="utf-8")
        better = mended(html)
        if there and 'class="book-pdf"' not in better:
            better = linked(better, "../" * (len(page.relative_to(pages).parts) - 1) + PDF)
        if better != html:
            page.write_text(better, encoding="utf-8")
