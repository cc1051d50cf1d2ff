"""Citations that read in a notebook: a link whose address is that of an entry of references.bib cites the entry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LINK = re.compile(r"`[^`\n]+`|(?<!!)\[(?:[^\[\]]|\[[^\[\]]*\])+\]\((https?://[^\s)]+)\)(?!\{)")
"""A link, or code that might hold one."""
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def same(address: str) -> str:
    """An address without what does not matter: scheme, final slash, a version of an arXiv paper, its PDF."""
    bare = re.sub(r"^https?://(www\.|dx\.)?", "", address).rstrip("/")
    return re.sub(r"^arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})(v\d+)?(\.pdf)?$", r"arxiv.org/abs/\1", bare)


def addresses(entries: Mapping[str, Any]) -> dict[str, str]:
    """Every address of the entries of a bibliography (url, doi, arXiv number) to the entry's key."""
    found = {}
    for key, entry in entries.items():
        fields = entry.fields
        if "url" in fields:
            found[same(fields["url"])] = key
        if "doi" in fields:
            found[same(f"https://doi.org/{fields['doi']}")] = key
        if number := ARXIV.search(fields.get("howpublished", "")):
            found[same(f"https://arxiv.org/abs/{number[1]}")] = key
    return found


def cited(text: str, keys: Mapping[str, str]) -> str:
    """Markdown with a citation after each link to an address in ``keys``."""

    def with_citation(link: re.Match[str]) -> str:
        key = keys.get(same(link[1])) if link[1] else None
        return f"{link[0]}{{footcite:p}}`{key}`" if key else link[0]

    return LINK.sub(with_citation, text)
