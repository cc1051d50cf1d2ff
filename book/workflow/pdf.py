"""The whole book as one PDF: its pages joined in the order of the contents, printed by an installed Chromium."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from bs4.element import Tag

from . import ROOT
from .finish import PDF, finish
from .pairs import BookError

JOINED = "whole-book.html"
"""The joined page; it is deleted again."""
NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
GONE = ".headerlink, .copybtn, .prev-next-footer, .tag_hide-input details, img[src*='colab'], script"
"""What paper has no use for; the code that a page folds away is one of these."""
FOOT = (
    '<div style="font-size: 8px; width: 100%; text-align: center; color: #555">'
    '<span class="pageNumber"></span></div>'
)  # fmt: skip


def browser() -> str:
    """The path of a Chromium. Raises :class:`BookError` where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BookError("no Chromium was found to print with (Debian: apt-get install chromium)")
    return found


def contents(root: Path = ROOT) -> list[str]:
    """The pages in the order of _toc.yml, without suffix."""
    toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *(str(Path(name).with_suffix("")) for name in chapters)]


def own(page: str, name: str = "") -> str:
    """The name of a place of a page within the joined one."""
    return re.sub(r"\W", "-", page) + (f"--{name}" if name else "")


def article(html: str, page: str, pages: list[str]) -> Tag:
    """The article of a page, its names made unique, its links and pictures as they are seen from the first page."""
    soup = BeautifulSoup(html, "html.parser").select_one("article")
    if soup is None:
        raise BookError(f"{page} has no article")
    for gone in soup.select(GONE):
        gone.decompose()
    for folded in soup.find_all("details"):
        folded["open"] = ""  # nobody can click on paper
    for place in soup.find_all(id=True):
        if place.find_parent("svg"):
            continue  # a drawing names its own parts
        place["id"] = own(page, str(place["id"]))
    for link in soup.find_all("a", href=True):
        to = urlsplit(str(link["href"]))
        target = str(Path(page).parent / to.path) if to.path else f"{page}.html"
        target = re.sub(r"[^/]+/\.\./", "", target).removesuffix(".html")
        if not to.scheme and target in pages:
            link["href"] = "#" + own(target, unquote(to.fragment))
        elif not to.scheme:
            del link["href"]
    for picture in soup.find_all("img", src=True):
        picture["src"] = re.sub(r"^(\.\./)+", "", str(picture["src"]))
    soup["id"] = own(page)
    return soup


def joined(built: Path, names: list[str]) -> str:
    """One page of all pages: the head of the first one without the theme's scripts, its equations' script kept."""
    html = (built / f"{names[0]}.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(html, "html.parser")
    head = soup.head
    if head is None or soup.body is None or soup.html is None:
        raise BookError(f"{names[0]} is no page")
    for script in soup.find_all("script"):
        if "mathjax" not in str(script).lower():
            script.decompose()
    kept = [script.extract() for script in soup.body.find_all("script")]
    for element, name in [(each, "href") for each in head.find_all("link")] + [
        (each, "src") for each in (*head.find_all("script"), *kept)
    ]:
        if element.get(name):
            element[name] = re.sub(r"^(\.\./)+", "", str(element[name]))
    for link in head.find_all("link", rel=True):
        if "stylesheet" not in link["rel"]:
            link.decompose()
    soup.html["data-theme"], soup.html["data-mode"] = "light", "light"
    soup.body.clear()
    soup.body["class"] = "printed"
    for name in names:
        soup.body.append(article((built / f"{name}.html").read_text(encoding="utf-8"), name, names))
    for script in kept:
        soup.body.append(script)
    return str(soup)


def make(built: Path) -> Path:
    """Print the built book into its own folder, and link it from its pages; returns the PDF's path."""
    from playwright.sync_api import sync_playwright

    page, whole = built / JOINED, built / PDF
    page.write_text(joined(built, contents()), encoding="utf-8")
    try:
        with (
            sync_playwright() as play,
            play.chromium.launch(executable_path=browser(), args=list(SWITCHES)) as chromium,
        ):
            tab = chromium.new_context(offline=True, viewport={"width": 760, "height": 1000}).new_page()
            tab.set_default_timeout(600_000)
            tab.goto(page.resolve().as_uri())
            tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
            tab.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => null)")
            tab.pdf(
                path=str(whole),
                format="A4",
                margin={"top": "18mm", "bottom": "18mm", "left": "17mm", "right": "17mm"},
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=FOOT,
                outline=True,
                tagged=True,
            )
    finally:
        page.unlink(missing_ok=True)
    finish(built)
    return whole
