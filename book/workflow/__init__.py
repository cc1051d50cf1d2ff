"""How the book is made: pairs of text and notebook, their execution, the HTML, the public address.

``python -m book.workflow --help`` from the project's root. Nothing here belongs to the method: that is ``snnlib``.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""
