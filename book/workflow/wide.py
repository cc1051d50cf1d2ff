"""A Sphinx extension: tables learn at which width they no longer fit, what each of their cells is called, and which of
their columns hold words, which begin at the left.

A phone shows a wide table as one card a row, each value with its column's name: book.css does that with the class and
the ``data-label`` that are written here. Widths are estimated from the text, so that nothing has to run in the browser.
"""

from __future__ import annotations

import re
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import Tag
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

PHONE, PAGE = 340, 690
"""Room for a table in pixels, on a phone and beside the lists of chapters and headings."""
SMALL, USUAL = 7.0, 8.1
"""A digit's width in pixels, in a phone's tables and in others."""
NAME, GAP = 92, 11
"""The least width of a row's name on a phone; what a column needs besides its text."""
WORDY = 120
"""So many characters in a row of three columns are more than a phone's width can hold."""
FIGURE = re.compile(r"[+\N{MINUS SIGN}-]?\d|[(\[<≤≥]")
"""How a cell begins that holds a figure, an interval or widths."""
IN_WORDS = re.compile(r'<table class="(?:settings )?table"[^>]*>.*?</table>', re.DOTALL)
"""A table that is text, not the output of a cell."""


def columns(table: Tag) -> list[str]:
    """The name of each column, from all lines of the head."""
    lines = [grid_line(row) for row in table.select("thead tr")]
    count = max((len(line) for line in lines), default=0)
    names = [[line[place] for line in lines if place < len(line)] for place in range(count)]
    return [" ".join(dict.fromkeys(filter(None, parts))) for parts in names]


def grid_line(row: Tag) -> list[str]:
    """The texts of a row's cells, each as often as it is columns wide."""
    return [cell.get_text(" ", strip=True) for cell in cells(row) for _ in range(int(str(cell.get("colspan", 1))))]


def cells(row: Tag) -> list[Tag]:
    """A row's cells."""
    return list(row.find_all(["th", "td"], recursive=False))


def width(table: Tag, digit: float) -> float:
    """How wide a table is, at least, if its values are not broken but names of rows and columns are."""
    total = 0.0
    for place, name in enumerate(columns(table)):
        found = [line[place] for row in table.select("tbody tr") if place < len(line := grid_line(row))]
        longest = max(map(len, [*name.split(), *found]), default=0)
        named = bool(table.select(f"tbody th:nth-child({place + 1})"))
        words = max((len(word) for text in found for word in text.split()), default=0)
        total += max(NAME if place == 0 else 0, digit * words) if named else digit * longest
        total += GAP
    return total


def dressed(html: str) -> str:
    """``html`` with names on the cells of its tables, their roles, and a class on those that are too wide."""
    soup = BeautifulSoup(html, "html.parser")
    for table in soup.select("table.dataframe"):
        del table["border"]
        one_line(table)
        limits = (("cards", PHONE, SMALL), ("dense", PAGE, USUAL))
        classes = [name for name, room, digit in limits if width(table, digit) > room]
        dress(table, classes)
        begin_at_the_left(table)
    return str(soup)


def begin_at_the_left(table: Tag) -> None:
    """Mark the columns of words: nothing that stands in one begins as a figure does; and what heads names of rows."""
    rows = [[cell for cell in cells(row) if cell.name == "td"] for row in table.select("tbody tr")]
    heads = [head for row in table.select("thead tr")[-1:] for head in cells(row)]
    for head in heads[: len(heads) - max(map(len, rows), default=0)]:
        mark(head)
    for place in range(1, max(map(len, rows), default=0) + 1):  # from the right, where no name reaches down
        column = [row[-place] for row in rows if len(row) >= place]
        texts = [text for cell in column if (text := cell.get_text(" ", strip=True))]
        if texts and not any(FIGURE.match(text) for text in texts):
            for cell in [*column, *heads[-place : len(heads) - place + 1]]:
                mark(cell)


def mark(cell: Tag) -> None:
    """Let ``cell`` begin at the left."""
    cell["class"] = [*filter(None, cell.get_attribute_list("class")), "words"]


def one_line(table: Tag) -> None:
    """Put the names of the index into the corner: pandas gives them a line of the head of their own."""
    rows = table.select("thead tr")
    lines = [cells(row) for row in rows]
    if len(lines) != 2 or len(lines[0]) != len(lines[1]):
        return
    named = [bool(cell.get_text(strip=True)) for cell in lines[1]]
    count = sum(named)
    if count and all(named[:count]) and not any(cell.get_text(strip=True) for cell in lines[0][:count]):
        for corner, name in zip(lines[0], lines[1][:count]):
            corner.replace_with(name)
        rows[1].decompose()


def in_words(html: str) -> str:
    """The same for ``html``, one table that is text, where a row of it is long: its first column names the rows."""
    table = BeautifulSoup(html, "html.parser").table
    assert table is not None
    rows = [grid_line(row) for row in table.select("tr")]
    if len(rows[0]) < 3 or (width(table, SMALL) <= PHONE and max(len(" ".join(row)) for row in rows) <= WORDY):
        return html
    for cell in table.select("tbody td:first-child"):
        cell.name = "th"
    dress(table, ["cards"])
    return str(table)


def dress(table: Tag, classes: list[str]) -> None:
    """Give ``table`` further ``classes``, its parts their roles, and its values the names of their columns."""
    table["class"], table["role"] = [*table.get_attribute_list("class"), *classes], "table"
    names = columns(table)
    for part in table.find_all(["thead", "tbody"]):
        part["role"] = "rowgroup"
    figured = figured_names(table, names)
    held: list[tuple[str, int]] = []  # names of rows that reach down, and how far they still reach
    for row in table.find_all("tr"):
        row["role"], head = "row", row.parent is not None and row.parent.name == "thead"
        line = cells(row)
        if held and not head:
            row["data-group"] = ", ".join(name for name, _ in held)
            held = [(name, left - 1) for name, left in held if left > 1]
        place = len(names) - sum(int(str(cell.get("colspan", 1))) for cell in line)
        for cell in line:
            text = cell.get_text(" ", strip=True)
            if cell.name == "th" and not text and head:
                cell.name = "td"  # a corner names nothing
            cell["role"] = ("columnheader" if head else "rowheader") if cell.name == "th" else "cell"
            if not head and cell.name == "th":
                named = names[place] if place in figured else ""
                if named:
                    cell["data-label"] = named  # a figure that names a row says little without it
                if int(str(cell.get("rowspan", 1))) > 1:
                    held.append((f"{named} {text}".strip(), int(str(cell["rowspan"])) - 1))
            if not head and cell.name == "td":
                cell["data-label"] = names[place] if place < len(names) else ""
                if not text:
                    cell["class"] = "empty"
            place += int(str(cell.get("colspan", 1)))


def figured_names(table: Tag, names: list[str]) -> set[int]:
    """The columns of names of rows in which one is a figure: epochs, say, or rates."""
    return {
        place
        for row in table.select("tbody tr")
        for line in [cells(row)]
        for place, cell in enumerate(line, len(names) - len(line))
        if cell.name == "th" and FIGURE.match(cell.get_text(" ", strip=True))
    }


class Tables(SphinxTransform):
    """Dresses the tables of a page."""

    default_priority = 510

    def apply(self, **kwargs: Any) -> None:
        """Change the page in place."""
        for raw in self.document.findall(nodes.raw):
            if "html" in raw.get("format", "").split() and '<table border="1" class="dataframe' in raw.astext():
                raw[:] = [nodes.Text(dressed(raw.astext()))]


def on_page(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.Node | None) -> None:
    """Dress the tables of a page that are text."""
    if "body" in context:
        context["body"] = IN_WORDS.sub(lambda found: in_words(found[0]), context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_transform(Tables)
    app.connect("html-page-context", on_page, priority=400)
    return {"parallel_read_safe": True}
