"""Captions, numbers, links and citations of the book, tried on a book of three pages."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from book.workflow import captions, citations, pairs

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the book is made on Linux or macOS")

CONFIG = {
    "extensions": ["myst_nb", "sphinxcontrib.bibtex", "book.workflow.captions"],
    "myst_enable_extensions": ["dollarmath", "amsmath", "colon_fence"],
    "bibtex_bibfiles": ["references.bib"],
    "nb_execution_mode": "off",
    "nb_render_markdown_format": "myst",
    "numfig": True,
    "numfig_format": {"figure": "Figure %s", "table": "Table %s"},
    "nitpicky": True,
    "suppress_warnings": ["myst.footnote"],
    "myst_footnote_transition": False,
}
BIB = """@misc{han2021mining,
  author = {Han, Mengqiao}, title = {Mining}, howpublished = {arXiv:2110.05954}, year = {2021}
}
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def markdown(source: str) -> dict:
    return {"cell_type": "markdown", "id": f"m{abs(hash(source))}", "metadata": {}, "source": source}


def table(source: str, caption: str, name: str) -> dict:
    return markdown(source) | {"metadata": {"mystnb": {"figure": {"caption": caption, "name": name}}}}


def code(caption: str, name: str, *data: dict, text: str = "") -> dict:
    outputs = [{"output_type": "display_data", "data": each, "metadata": {}} for each in data]
    outputs += [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
    metadata = {"mystnb": {"figure": {"caption": caption, "name": name}, "image": {"alt": "a dot"}}}
    return {
        "cell_type": "code", "id": name, "metadata": metadata, "source": "1", "outputs": outputs, "execution_count": 1
    }  # fmt: skip


TABLE = {"text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1"}
FIRST = [
    markdown("# First\n\nSee [Table](#tab-two) and [Figure](#fig-dots), [a dot](#fig-dots), [Eq. 6](#eq-6)."),
    code("Some *dots* for $x$", "fig-dots", {"image/png": PNG}),
    markdown("$$\nh = \\begin{aligned} a &= b \\\\ c &= d \\end{aligned} \\tag{6}\n$$\n\n$$ x $$ (eq-own)"),
    code("One", "tab-one", TABLE, {"text/markdown": "more, see [Table](#tab-two)"}),
]
SECOND = [
    markdown(
        "# Second\n\n[Table](01.ipynb#tab-one), [Eq.](#eq-6), [Eq.](#eq-own), [the paper](https://arxiv.org/abs/2110.05954v2)."
    ),
    code("By [Han](https://arxiv.org/abs/2110.05954)", "tab-two", text="nothing yet"),
    table("| a | b |\n| --- | --- |\n| 3 | 4 |", "In words, as `they` are", "tab-words"),
    markdown("Below [Table](#tab-words)."),
    markdown("## References\n\n```{footbibliography}\n```"),
]


def build(folder: Path, *pages: list[dict]) -> tuple[list[BeautifulSoup], str]:
    """The pages and the warnings of a book of notebooks."""
    from sphinx.application import Sphinx

    for number, cells in enumerate(pages, 1):
        notebook = {"cells": cells, "metadata": pairs.KERNEL, "nbformat": 4, "nbformat_minor": 5}
        (folder / f"0{number}.ipynb").write_text(json.dumps(notebook))
    (folder / "references.bib").write_text(BIB)
    names = "\n".join(f"0{number}" for number in range(1, len(pages) + 1))
    (folder / "index.md").write_text(f"# Book\n\n```{{toctree}}\n:numbered: 1\n{names}\n```\n")
    warnings = io.StringIO()
    out = folder / "out"
    app = Sphinx(
        folder, None, out, out / "trees", "html", CONFIG, status=io.StringIO(), warning=warnings, freshenv=True
    )
    app.build()
    shown = [BeautifulSoup((out / f"0{n}.html").read_text(), "html.parser") for n in range(1, len(pages) + 1)]
    return shown, warnings.getvalue()


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    (first, second), warnings = build(tmp_path_factory.mktemp("book"), FIRST, SECOND)
    assert warnings == ""
    return first, second


def links(page: BeautifulSoup) -> dict[str, str]:
    """Where each of a page's references leads, by its text."""
    return {
        link.get_text().replace("\xa0", " "): link["href"] for link in page.select("a.reference.internal, a.external")
    }


def test_a_table_has_its_caption_above_and_a_figure_below(book):
    table, figure = book[0].find(id="tab-one"), book[0].find(id="fig-dots")
    assert table.find("figcaption").get_text().startswith("\nTable 1.1 One")
    assert figure.find("figcaption").get_text().startswith("\nFigure 1.1 Some dots for ")
    assert [each.name for each in table.find_all(True, recursive=False)] == ["figcaption", "div", "p"]
    assert figure.find_all(True, recursive=False)[-1].name == "figcaption"
    assert figure.find("img")["alt"] == "a dot" and figure.figcaption.em and figure.figcaption.select_one(".math")


def test_a_table_that_is_text_has_its_caption_too(book):
    found = book[1].find(id="tab-words")
    assert found.figcaption.get_text().startswith("\nTable 2.2 In words") and found.figcaption.code
    assert found.find(True, recursive=False).name == "figcaption"
    assert [cell.get_text(strip=True) for cell in found.select("td")] == ["3", "4"]
    assert "Below Table\xa02.2." in book[1].get_text()


def test_all_that_a_cell_puts_out_belongs_to_its_caption_and_a_line_of_text_counts(book):
    assert "more, see Table\xa02.1" in book[0].find(id="tab-one").get_text()
    assert "nothing yet" in book[1].find(id="tab-two").get_text()


def test_links_get_numbers_across_pages(book):
    first, second = map(links, book)
    assert first["Table 2.1"] == "02.html#tab-two" and second["Table 1.1"] == "01.html#tab-one"
    assert first["Figure 1.1"] == first["a dot"] == "#fig-dots"


def test_the_papers_equations_keep_their_numbers_and_others_count_by_chapter(book):
    assert links(book[0])["Eq. 6"] == "#eq-6" and links(book[1])["Eq. 6"] == "01.html#eq-6"
    assert links(book[1])["Eq. (1.1)"] == "01.html#equation-eq-own"
    formula = book[0].find(id="eq-6").find_next("div", class_="math").get_text().strip()
    assert formula.count(r"\tag{6}") == 1 and formula.startswith(r"\begin{equation}") and "split" not in formula


def test_a_link_to_a_cited_work_cites_it(book):
    second = book[1]
    notes = second.select("aside.footnote")
    assert len(notes) == 1 and "Mining" in notes[0].get_text()
    assert len(second.select("a.footnote-reference")) == 2, "in the text and in the caption"
    assert links(second)["the paper"] == "https://arxiv.org/abs/2110.05954v2"


@pytest.mark.parametrize(
    "link",
    ["[Figure](#fig-none)", "[Table](02.ipynb#tab-one)", "[Eq.](#eq-none)", "[Eq. 7](#eq-6)", "[Eq. 1](#eq-own)"],
)
def test_a_link_that_leads_nowhere_or_gives_a_wrong_number_is_a_warning(tmp_path, link):
    _, warnings = build(tmp_path, FIRST, [*SECOND, markdown(link)])
    assert warnings.count("reference target not found") == 1, warnings


def test_a_caption_without_a_proper_name_is_refused():
    with pytest.raises(Exception, match="begins with fig- or tab-"):
        captions.rewrite({"cells": [code("A caption", "dots")]}, {})


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[Han](https://arxiv.org/pdf/2110.05954v1.pdf)", "[Han](https://arxiv.org/pdf/2110.05954v1.pdf){footcite:p}`han`"),
        ("[so](http://example.org/a/)", "[so](http://example.org/a/){footcite:p}`so`"),
        ("`[so](http://example.org/a)`", None),
        ("![so](http://example.org/a)", None),
        ("[so](http://example.org/b)", None),
        ("[so](http://example.org/a){.class}", None),
    ],
)  # fmt: skip
def test_which_links_cite(text, expected):
    keys = {"arxiv.org/abs/2110.05954": "han", "example.org/a": "so"}
    assert citations.cited(text, keys) == (expected or text)
