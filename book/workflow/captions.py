"""A Sphinx extension: numbered captions for what cells put out, and links that read in a notebook as in the book.

A cell whose ``mystnb: {figure: {caption: ..., name: ...}}`` names it ``tab-...`` is a table, with its caption above;
named ``fig-...`` it is a figure, with its caption below. All that the cell puts out belongs to it. A cell of text that
begins with a table takes such a name and caption too. ``[Table](#tab-x)``,
``[Figure](#fig-x)`` and ``[Eq.](#eq-x)`` get the number of what they lead to, on whatever page that stands. An
equation that ends with ``\\tag{6}`` is the paper's Eq. 6, and ``#eq-6`` leads to it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import SphinxError
from sphinx.transforms import SphinxTransform
from sphinx.util.nodes import make_refnode

from .address import BADGE, LOCAL_BADGE
from .citations import addresses, cited
from .exercises import directives

KINDS = ("fig-", "tab-", "eq-")
WORD = re.compile(r"(figures?|figs?\.|tables?|tabs?\.|equations?|eqs?\.)", re.IGNORECASE)
"""A link's text to which the number is added; any other text stays as it is."""
NUMBERED = re.compile(r"(?:Eqs?\.|Equations?)\s*\(?([\w.]+?)\)?", re.IGNORECASE)
"""The text of a link to an equation that gives the number itself."""
TAG = re.compile(r"\s*\\tag\{([^{}]+)\}\s*")


class tab(nodes.figure):
    """What a cell puts out, captioned and counted as a table."""


class holder(nodes.Element):
    """A caption that waits for the cell below it."""


class Caption(Directive):
    """Reads a caption's Markdown; only :func:`rewrite` writes this directive."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """A :class:`holder` of the caption's text."""
        held = holder("", name=self.arguments[0])
        self.state.nested_parse(self.content, self.content_offset, held)
        return [held]


def rewrite(notebook: dict[str, Any], cite: dict[str, str]) -> dict[str, Any]:
    """A notebook with each caption in a cell before the one that it names, and citations after the links that cite."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        figure = cell["metadata"].get("mystnb", {}).get("figure")
        if cell["cell_type"] == "markdown":
            cell = {**cell, "source": cited(directives(source).replace(BADGE, LOCAL_BADGE), cite)}
        if figure:
            name, caption = figure.get("name", ""), figure.get("caption", "")
            if not name.startswith(KINDS[:2]) or not caption:
                raise SphinxError(f"a caption needs a text and a name that begins with fig- or tab-: {figure}")
            options = {key: value for key, value in cell["metadata"]["mystnb"].items() if key != "figure"}
            cell = {**cell, "metadata": {**cell["metadata"], "mystnb": options}}
            text = f"::::{{caption-of}} {name}\n{cited(caption, cite)}\n::::"
            cells.append({"cell_type": "markdown", "id": f"{name}-caption", "metadata": {}, "source": text})
        cells.append(cell)
    return {**notebook, "cells": cells}


def on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Rewrite a page before it is parsed."""
    cite = addresses(app.env.get_domain("cite").bibdata.data.entries)
    if app.env.doc2path(docname).endswith(".ipynb"):
        source[0] = json.dumps(rewrite(json.loads(source[0]), cite))
    else:
        source[0] = cited(source[0], cite)


class Captions(SphinxTransform):
    """Joins captions and outputs, marks the paper's equations, and turns links to them into references."""

    default_priority = 500  # before labels are gathered (879)

    def apply(self, **kwargs: Any) -> None:
        """Change the page in place."""
        for held in list(self.document.findall(holder)):
            self.join(held)
        self.env.paper_equations[self.env.docname] = found = {}
        for equation in list(self.document.findall(nodes.math_block)):
            if tag := TAG.search(equation.astext()):
                label = f"eq-{tag[1]}"
                if label in found:
                    raise SphinxError(f"{self.env.docname}: \\tag{{{tag[1]}}} stands on the page twice")
                found[label] = tag[1]
                equation.parent.insert(equation.parent.index(equation), nodes.target("", "", ids=[label]))
                if not equation["nowrap"]:
                    equation["nowrap"], equation[:] = True, [nodes.Text(environment(equation.astext(), tag))]
        for link in [*self.document.findall(nodes.reference), *self.document.findall(addnodes.pending_xref)]:
            target = link["refuri"][1:] if link.get("id_link") and "refuri" in link else link.get("reftargetid") or ""
            if target.startswith(KINDS) and (WORD.fullmatch(link.astext()) or target.startswith("eq-")):
                other = link.get("reftarget") if isinstance(link, addnodes.pending_xref) else None
                pending = addnodes.pending_xref(
                    "", refdomain="", reftype="numbered", reftarget=target, refdoc=self.env.docname, page=other
                )
                pending.source, pending.line = link.source, link.line
                pending += nodes.inline(link.astext(), link.astext())
                pending["refexplicit"], pending["refwarn"] = True, True
                link.replace_self(pending)

    def join(self, held: holder) -> None:
        """Wrap all that the cell after ``held`` puts out, with the caption on its side."""
        place = held.parent.index(held)
        following = held.parent.children[place + 1 : place + 2]
        cell = following[0] if following and isinstance(following[0], nodes.container | nodes.table) else None
        found = [each for each in cell or () if isinstance(each, nodes.container) and "output" in str(each["classes"])]
        if isinstance(cell, nodes.table):  # a cell of text
            found = [nodes.container()]
            cell.replace_self(found[0])
            found[0] += cell
        held.parent.remove(held)
        if not found:
            return  # the cell shows nothing
        output, name, table = found[0], held["name"], held["name"].startswith("tab-")
        caption = nodes.caption(held.astext(), "", *(child for part in held for child in part.children))
        caption.source, caption.line = held.source, held.line
        wrapped = (tab if table else nodes.figure)("", names=[name], classes=["captioned"])
        wrapped += [caption, *output.children] if table else [*output.children, caption]
        output.children = []
        output += wrapped
        self.document.note_explicit_target(wrapped, wrapped)


def environment(latex: str, tag: re.Match[str]) -> str:
    """A tagged equation as LaTeX for which no further wrapping is needed."""
    body = TAG.sub("", latex).strip()
    if r"\\" in body and r"\begin{" not in body:
        body = f"\\begin{{split}}\n{body}\n\\end{{split}}"
    return f"\\begin{{equation}}\n{body}\n\\tag{{{tag[1]}}}\n\\end{{equation}}"


def resolve(app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, child: nodes.Element) -> Any:
    """What a link to a figure, table or equation becomes; None where there is no such thing, which is an error."""
    if node["reftype"] != "numbered":
        return None
    target, page, text, here = node["reftarget"], node["page"], node.astext(), node["refdoc"]
    if not target.startswith("eq-"):
        labelled = env.get_domain("std").anonlabels.get(target)
        if not labelled or page not in (None, labelled[0]):
            return None
        title = nodes.inline("", f"{text.replace('%', '%%')}\N{NO-BREAK SPACE}%s")
        return env.get_domain("std").resolve_xref(env, here, app.builder, "numref", target, node, title)
    equations: dict[str, dict[str, str]] = env.paper_equations
    pages = [page] if page else [here, *sorted(equations)]
    place = next((each for each in pages if target in equations.get(each, {})), None)
    said = NUMBERED.fullmatch(text)
    if place is None:
        found = env.get_domain("math").resolve_xref(env, here, app.builder, "eq", target, node, child)
        if found is None or said:
            return None  # a number typed for an equation that counts by itself would not stay right
        if WORD.fullmatch(text):
            number = found.astext()
            found[:] = [nodes.inline("", f"{text}\N{NO-BREAK SPACE}{number}")]
        return found
    number = equations[place][target]
    if said and said[1] != number:
        return None
    shown = f"{text}\N{NO-BREAK SPACE}{number}" if WORD.fullmatch(text) else text
    return make_refnode(app.builder, here, place, target, nodes.inline("", shown))


def write(translator: Any, node: nodes.Element) -> None:
    """A captioned table in HTML: docutils would close a caption only with its figure."""
    translator.body.append(translator.starttag(node, "figure"))
    node[0].walkabout(translator)
    translator.body.append("</figcaption>\n")
    for child in node[1:]:
        child.walkabout(translator)
    translator.body.append("</figure>\n")
    raise nodes.SkipNode


def begin(app: Sphinx) -> None:
    """Make room for the paper's equations by page."""
    if not hasattr(app.env, "paper_equations"):
        app.env.paper_equations = {}


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget a page that is read anew."""
    env.paper_equations.pop(docname, None)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_enumerable_node(tab, "table", lambda node: node[0].astext(), html=(write, None))
    app.add_directive("caption-of", Caption)
    app.add_transform(Captions)
    app.connect("builder-inited", begin)
    app.connect("env-purge-doc", forget)
    app.connect("source-read", on_source)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": False, "env_version": 1}
