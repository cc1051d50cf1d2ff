"""The built pages: no broken link or equation, nothing fetched from elsewhere, readable by everyone, on a phone and on
paper."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from book.workflow import ROOT, finish, pairs, pdf, site, wide

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the book is made on Linux or macOS")
TEXTS = pairs.texts()
APPENDIX = ("architecture", "notation", "glossary", "settings", "reference")
LOOKED_AT = ("intro", "06_mnist", "11_sparsity", "settings")
"""Pages of slow checks, unless pytest is told --all-pages."""
LOADED = (("img", "src"), ("script", "src"), ("link", "href"))
CHROMIUM = next(filter(None, map(shutil.which, pdf.NAMES)), None)
needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium on this machine (Debian: apt-get install chromium)"
)


@pytest.fixture(scope="session")
def pages(tmp_path_factory) -> Path:
    """The book as published, built once: a warning or a reference that leads nowhere fails here."""
    return site.build(ROOT, tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="session")
def soups(pages) -> dict[Path, BeautifulSoup]:
    """Every page that a reader sees, parsed."""
    return {page: BeautifulSoup(page.read_text(), "html.parser") for page in sorted((pages / "book").rglob("*.html"))}


@pytest.fixture(scope="module")
def browser():
    """A Chromium without a network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play, play.chromium.launch(executable_path=CHROMIUM, args=list(pdf.SWITCHES)) as opened:
        yield opened


def some(pages: Path, request) -> list[Path]:
    """The pages that a slow check looks at: all of them with --all-pages."""
    found = sorted((pages / "book").rglob("*.html"))
    return found if request.config.getoption("--all-pages") else [page for page in found if page.stem in LOOKED_AT]


def test_every_chapter_has_a_page(soups):
    assert {page.stem for page in soups} == {"intro", *APPENDIX, *(text.stem for text in TEXTS)}


def test_no_link_inside_the_book_is_broken(pages, soups):
    broken, checked = [], 0
    for page, soup in soups.items():
        for tag, name in (("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")):
            for element in soup.find_all(tag):
                link = urlsplit(element.get(name) or "")
                if link.scheme or link.netloc or not (link.path or link.fragment):
                    continue
                target = (page.parent / unquote(link.path)).resolve() if link.path else page
                checked += 1
                if not target.exists() or not target.is_relative_to(pages):
                    broken.append(f"{page.name}: {element.get(name)}")
                elif link.fragment and target in soups and not soups[target].find(id=unquote(link.fragment)):
                    broken.append(f"{page.name}: {element.get(name)} names no place")
    assert broken == []
    assert checked > 20 * len(soups)


def test_every_image_has_alt_text(soups):
    for page, soup in soups.items():
        for image in soup.find_all("img"):
            assert (image.get("alt") or "").strip() not in ("", image.get("src"), Path(image.get("src") or "").name), (
                page.name,
                str(image)[:200],
            )
        for picture in soup.article.find_all("svg"):
            assert picture.get("aria-label") or picture.title or picture.get("aria-hidden"), (
                page.name,
                str(picture)[:200],
            )


def test_no_page_fetches_a_script_or_style_from_elsewhere(soups):
    for page, soup in soups.items():
        fetched = [element.get("src") or element.get("href") for element in soup.find_all(["script", "link", "img"])]
        assert not [source for source in fetched if source and urlsplit(source).netloc], page.name


RENDERED = """() => [...document.querySelectorAll('.math')].map(math => {
    const box = math.querySelector('mjx-container')
    return {
        typeset: math.querySelector('mjx-math *') !== null,
        refused: math.querySelector('mjx-merror') !== null,
        width: box ? box.getBoundingClientRect().width : 0,
        cut: box !== null && box.hasAttribute('display') && box.scrollWidth > box.clientWidth + 1,
    }
})"""
"""What the browser made of each equation of a page."""


def together(pages: dict[Path, BeautifulSoup], beside: Path) -> Path:
    """A page of the book that has, in place of its own equations, those of all ``pages``, in a column of its width."""
    soup = BeautifulSoup(beside.read_text(encoding="utf-8"), "html.parser")
    article = soup.article
    for own in article.select(".math"):
        own.decompose()
    for found in pages.values():
        for math in found.select(".math"):
            article.append(BeautifulSoup(f"<div>{math}</div>", "html.parser"))
    gathered = beside.with_name("equations.html")
    gathered.write_text(str(soup), encoding="utf-8")
    return gathered


@needs_chromium
def test_every_equation_renders_without_a_network(soups, browser):
    """All on one page: MathJax is started once."""
    tab, failed = browser.new_context(offline=True, viewport={"width": 1280, "height": 900}).new_page(), []
    tab.set_default_timeout(120_000)
    tab.on("requestfailed", lambda request: failed.append(request.url))
    tab.on("pageerror", lambda error: failed.append(str(error)))
    gathered = together(soups, next(page for page in soups if page.stem == "notation"))
    tab.goto(gathered.as_uri())
    gathered.unlink()
    tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    tab.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => null)")
    rendered = tab.evaluate(RENDERED)
    written = [(page.name, math.get_text()) for page, soup in soups.items() for math in soup.select(".math")]
    assert len(rendered) == len(written) > 250
    for (page, source), math in zip(written, rendered):
        assert math["typeset"] and not math["refused"], (page, source)
        assert math["width"] > 0, (page, source)
        assert not math["cut"], (page, "wider than the column, split it", source)
    assert failed == []
    tab.context.close()


@needs_chromium
def test_pages_load_whole_without_a_network(pages, browser, request):
    """Nothing that a page asks for fails, no script breaks off, and the equations in it are typeset."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    for page in some(pages, request):
        tab, failed = context.new_page(), []
        tab.on("requestfailed", lambda asked, failed=failed: failed.append(asked.url))
        tab.on("pageerror", lambda error, failed=failed: failed.append(str(error)))
        tab.goto(page.as_uri())
        if tab.evaluate("document.querySelectorAll('.math').length"):
            tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
            tab.evaluate("MathJax.startup.promise.then(() => null)")
            assert all(math["typeset"] for math in tab.evaluate(RENDERED)), page.name
        assert failed == [], page.name
        tab.close()
    context.close()


# ---------------------------------------------------------------- weight


def test_no_page_is_heavier_than_five_megabytes(pages, soups):
    fonts = sum(path.stat().st_size for path in (pages / "_static" / "mathjax").rglob("*.woff"))
    for page, soup in soups.items():
        named = {element.get(name) for tag, name in LOADED for element in soup.find_all(tag)}
        files = {(page.parent / urlsplit(name).path).resolve() for name in named if name and not urlsplit(name).scheme}
        files = {path for path in files if path.is_file() and path.suffix not in (".html", ".ipynb")}
        weight = page.stat().st_size + fonts + sum(path.stat().st_size for path in files)
        assert weight < 5e6, (page.name, weight)


def test_the_site_holds_what_its_pages_load_of_mathjax_and_no_more(pages):
    mathjax = pages / "_static" / "mathjax"
    assert (mathjax / "tex-chtml.js").exists() and list(mathjax.rglob("*.woff"))
    assert not (mathjax / "sre").exists() and not list(pages.rglob("*.map"))
    assert sum(path.stat().st_size for path in mathjax.rglob("*") if path.is_file()) < 4e6


def test_finishing_twice_changes_nothing_and_links_a_pdf_that_is_there(tmp_path):
    (tmp_path / "_static" / "mathjax" / "sre").mkdir(parents=True)
    (tmp_path / "_static" / "mathjax" / "sre" / "en.json").write_text("{}")
    (tmp_path / "book").mkdir()
    page = tmp_path / "book" / "intro.html"
    page.write_text(f'<summary aria-label="Toggle hidden content">Show</summary>{finish.MARK}')
    finish.finish(tmp_path)
    assert page.read_text() == f"<summary>Show</summary>{finish.MARK}" and not list(tmp_path.rglob("*.json"))
    (tmp_path / finish.PDF).write_bytes(b"%PDF")
    finish.finish(tmp_path)
    once = page.read_text()
    assert f'href="../{finish.PDF}"' in once
    finish.finish(tmp_path)
    assert page.read_text() == once


# ---------------------------------------------------------------- tables


TABLE = """<table border="1" class="dataframe"><thead>
<tr><th></th><th></th><th colspan="2">run</th></tr>
<tr><th></th><th></th><th>accuracy</th><th>{head}</th></tr>
</thead><tbody>
<tr><th rowspan="2">paper</th><th>one</th><td>1.0</td><td></td></tr>
<tr><th>two</th><td>{value}</td><td>3</td></tr>
</tbody></table>"""


def test_each_value_of_a_table_knows_its_column_and_each_row_its_group():
    soup = BeautifulSoup(wide.dressed(TABLE.format(head="n", value=2)), "html.parser")
    assert [cell["data-label"] for cell in soup.select("tbody td")] == ["run accuracy", "run n"] * 2
    assert [row.get("data-group") for row in soup.select("tbody tr")] == [None, "paper"]
    assert soup.select("td.empty") and not [cell for cell in soup.find_all("th") if not cell.get_text(strip=True)]
    assert soup.table["class"] == ["dataframe"]


def test_the_names_of_an_index_stand_in_the_corner():
    named = pd.DataFrame({"runs": [8], "n": [1]}, index=pd.MultiIndex.from_tuples([("a", 1)], names=["arm", "layer"]))
    soup = BeautifulSoup(wide.dressed(named.to_html()), "html.parser")
    assert [[cell.get_text() for cell in row.find_all("th")] for row in soup.select("thead tr")] == [
        ["arm", "layer", "runs", "n"]
    ]
    columns = named.rename_axis([None, None]).rename_axis(columns="kind")
    for kept in (columns, columns.unstack()):
        lines = BeautifulSoup(kept.to_html(), "html.parser").select("thead tr")
        assert len(BeautifulSoup(wide.dressed(kept.to_html()), "html.parser").select("thead tr")) == len(lines)


def test_a_figure_that_names_a_row_has_its_columns_name():
    rows = pd.MultiIndex.from_tuples([(0.01, "not"), (0.01, 1.0), (0.1, "not")], names=["FC std", "clipped to"])
    table = pd.DataFrame({"ends": ["dead", "trains", "dead"]}, index=rows)
    soup = BeautifulSoup(wide.dressed(table.to_html()), "html.parser")
    named = [(cell.get("data-label"), cell.get_text()) for cell in soup.select("tbody th")]
    assert named == [
        ("FC std", "0.01"),
        ("clipped to", "not"),
        ("clipped to", "1.0"),
        ("FC std", "0.10"),
        ("clipped to", "not"),
    ]
    assert [row.get("data-group") for row in soup.select("tbody tr")] == [None, "FC std 0.01", None]
    words = BeautifulSoup(wide.dressed(pd.DataFrame({"n": [8]}, index=["dense"]).to_html()), "html.parser")
    assert not words.select("tbody th[data-label]")


@pytest.mark.parametrize("value, classes", [("2" * 40, ["cards"]), ("2" * 100, ["cards", "dense"])])
def test_a_table_that_is_too_wide_says_so(value, classes):
    soup = BeautifulSoup(wide.dressed(TABLE.format(head="n", value=value)), "html.parser")
    assert soup.table["class"] == ["dataframe", *classes]


def test_words_begin_at_the_left_and_figures_end_at_the_right():
    figures = ["784-300-100", "−0.4 [−0.7, −0.1]", "no pairs yet"]
    table = pd.DataFrame({"n": [8, 7, 8], "ours": figures, "sign": ["✓", "", "✗ −0.1"], "row": ["a", "b", "c"]})
    soup = BeautifulSoup(wide.dressed(table.to_html()), "html.parser")
    assert {cell.get_text() for cell in soup.select(".words")} == {"sign", "✓", "", "✗ −0.1", "row", "a", "b", "c"}
    assert soup.select("td.empty.words") and len(soup.select(".words")) == 9, "the corner, too"
    grouped = BeautifulSoup(wide.dressed(TABLE.format(head="n", value="two")), "html.parser")
    assert [cell.name for cell in grouped.select(".words")] == ["td", "td"], "names of rows; the rest are figures"


def test_no_line_ends_between_a_figure_and_its_percent_sign():
    kept = "<pre>7 % 2</pre><p title='5 %'><code>a = 5 % 2</code>"
    page = f"<p>95 % of {{}}9.5 %</p>{kept}"
    assert finish.mended(page).replace("\N{NO-BREAK SPACE}", "~") == f"<p>95~% of {{}}9.5~%</p>{kept}"
    assert finish.mended(finish.mended(page)) == finish.mended(page)
    product = finish.mended("<p>43 · 16 × 16 = 1 of Eq. 6, Eqs. 5 and Fig. 4; 3 × a</p>").replace(
        "\N{NO-BREAK SPACE}", "~"
    )
    assert product == "<p>43~·~16~×~16 = 1 of Eq.~6, Eqs.~5 and Fig.~4; 3 × a</p>"


def test_a_wordy_table_becomes_cards_named_by_its_first_column_and_a_short_one_stays():
    def table(last: str) -> str:
        head = "<thead><tr><th>sign</th><th>what</th><th>why</th></tr></thead>"
        body = f"<tr><td><p><code>x</code></p></td><td><p>one</p></td><td><p>{last}</p></td></tr>"
        return f'<table class="table">{head}<tbody>{body}</tbody></table>'

    short, long = table("it is"), table("word " * 30)
    page = {"body": f"<p>&lt;Before&gt;</p>{short}<p>&amp; after</p>{long}"}
    wide.on_page(None, "", "", page, None)
    assert page["body"].startswith(f"<p>&lt;Before&gt;</p>{short}<p>&amp; after</p><table"), "the rest is as it was"
    cards = BeautifulSoup(page["body"], "html.parser").find_all("table")[1]
    assert cards["class"] == ["table", "cards"] and cards.tbody.th["role"] == "rowheader"
    assert [cell["data-label"] for cell in cards.select("tbody td")] == ["what", "why"]


# ---------------------------------------------------------------- in a browser


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(pages, browser, theme, request):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    rules = {"rules": {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}}}
    if theme == "dark":  # the pages are the same but for their colours
        rules = {"runOnly": ["color-contrast"]}
    found = []
    for page in some(pages, request):
        tab = context.new_page()
        tab.goto(page.as_uri())
        for fault in Axe().run(tab, options=rules).response["violations"]:
            if fault["impact"] in ("serious", "critical"):
                found += [(page.stem, fault["id"], node["html"][:200]) for node in fault["nodes"]]
        tab.close()
    context.close()
    assert found == []


SCROLLING = """() => [...document.querySelectorAll('.bd-article :is(table, .cell_output img)')].filter(wide => {
    let box = wide
    while (box && box.tagName !== 'ARTICLE' && !(box.scrollWidth > box.clientWidth + 1)) box = box.parentElement
    return box && box.tagName !== 'ARTICLE' && !box.closest('.scrolls')
}).length"""
"""How many tables and figures scroll and do not say so."""

SMALL = """() => [...document.querySelectorAll('.cell_output img')].filter(
    image => / panels|^Stacked bars|^Histograms|^Heat map/.test(image.alt) && image.clientWidth < 36 * 16
).length"""
"""How many figures of several panels are so small that their words cannot be read."""


@needs_chromium
def test_on_a_phone_no_page_is_wider_than_the_screen_and_what_scrolls_says_so(pages, browser, request):
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    for page in {*some(pages, request), pages / "book" / "reference.html"}:
        tab = context.new_page()
        tab.goto(page.as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390, page.stem
        assert tab.evaluate(SCROLLING) == 0 and tab.evaluate(SMALL) == 0, page.stem
        tab.close()
    context.close()


# ---------------------------------------------------------------- on paper


def test_the_joined_page_has_every_page_once_in_order_with_links_that_stay_inside(pages):
    soup = BeautifulSoup(pdf.joined(pages, pdf.contents()), "html.parser")
    articles = [article["id"] for article in soup.find_all("article")]
    assert articles == [pdf.own(name) for name in pdf.contents()]
    folded = soup.find_all("details")
    assert folded and all(each.has_attr("open") for each in folded)
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    lost = [link["href"] for link in soup.select('a[href^="#"]') if link["href"][1:] not in ids]
    assert lost == []
    assert all((pages / image["src"]).exists() for image in soup.find_all("img", src=True) if "://" not in image["src"])
