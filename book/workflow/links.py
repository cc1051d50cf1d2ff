"""Whether the addresses that the texts name can still be reached; `weekly.yml` asks, for the tests need no network."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import ROOT

TEXTS = ("*.md", ".github/**/*.md", "book/*.md", "book/*.bib", "book/chapters/*.md", "CITATION.cff")
ADDRESS = re.compile(r"https?://[^\s\"'<>()\[\]{}`|\\]+")
ALIVE = (403, 405, 429)
"""Answers of hosts that are there and want no programs, or not so many questions."""
BROWSER = {"User-Agent": "Mozilla/5.0 (link check of a book)"}


def named(root: Path = ROOT) -> dict[str, list[str]]:
    """Every address in the texts, and the files that name it; without the placeholder that stands for our own."""
    found: dict[str, list[str]] = {}
    for path in sorted({path for pattern in TEXTS for path in root.glob(pattern)}):
        for address in set(ADDRESS.findall(path.read_text(encoding="utf-8"))):
            if "/OWNER/" not in address:
                found.setdefault(address.rstrip(".,;:*").split("#")[0], []).append(path.relative_to(root).as_posix())
    return found


def problem(address: str, patience: float = 30, tries: int = 3) -> str:
    """What is wrong with ``address``; empty where it answers."""
    told = ""
    for _ in range(tries):
        try:
            with urllib.request.urlopen(urllib.request.Request(address, headers=BROWSER), timeout=patience):
                return ""
        except urllib.error.HTTPError as error:
            if error.code in ALIVE:
                return ""
            told = f"{error.code} {error.reason}"
        except OSError as error:
            told = str(error)
    return told


def faults(root: Path = ROOT) -> list[str]:
    """Addresses that do not answer, one line each with the files that name them."""
    found = named(root)
    with ThreadPoolExecutor(8) as pool:
        told = dict(zip(found, pool.map(problem, found)))
    return [f"{address} ({', '.join(found[address])}): {what}" for address, what in told.items() if what]
