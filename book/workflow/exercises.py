"""Exercises that read in a plain notebook: what MyST writes as directives stands there as Markdown, and comes back.

A chapter's text has ``{exercise}``, ``{solution}`` and ``{footbibliography}``. Outside the book these are blocks of
code that give the solution away. So its notebook has a bold title, a solution that folds, and in comments what is
needed to make the directives again, letter for letter, when the book is built.
"""

from __future__ import annotations

import re

PAIRS = (
    (
        "````{{exercise}} {title}\n:label: {label}\n\n{body}\n````",
        "<!-- exercise {label} -->\n**Exercise: {title}**\n\n{body}\n\n<!-- end of exercise -->",
    ),
    (
        "````{{solution}} {label}\n:class: dropdown\n\n{body}\n````",
        "<!-- solution {label} -->\n<details>\n<summary>Solution</summary>\n\n{body}\n\n</details>",
    ),
    ("````{{solution-start}} {label}\n:class: dropdown\n````", "<!-- solution-start {label} -->\n**Solution**"),
    ("````{{solution-end}}\n````", "<!-- solution-end -->"),
    ("```{{footbibliography}}\n```", "The links in the text lead to the works cited.\n<!-- footbibliography -->"),
)
"""What a chapter's text has, and what its notebook has instead."""
FIELDS = {"title": r".+", "label": r"[\w-]+", "body": r"(?s:.+?)"}


def plain(source: str) -> str:
    """A cell of a chapter's text as its notebook has it."""
    for directive, markdown in PAIRS:
        source = changed(source, directive, markdown)
    return source


def directives(source: str) -> str:
    """A cell of a notebook as the chapter's text has it: what :func:`plain` was given."""
    for directive, markdown in PAIRS:
        source = changed(source, markdown, directive)
    return source


def changed(source: str, old: str, new: str) -> str:
    """``source`` with each block that is written as ``old`` written as ``new``."""
    pattern = re.escape(old.format(**{field: f"@{field}@" for field in FIELDS}))
    for field, matching in FIELDS.items():
        pattern = pattern.replace(f"@{field}@", f"(?P<{field}>{matching})", 1)
    return re.sub(rf"(?m)^{pattern}$", lambda found: new.format(**found.groupdict()), source)
