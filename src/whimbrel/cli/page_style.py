"""How the page of a run looks: its style, that of the decks in it, and the few lines of script that it needs.

Knows: the files beside this one. The script sizes the frames of decks, filters the nodes and opens the one that a link
names; its digest stands in the page's policy, so that nothing else can run.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

PAGE_STYLE = "page.css"
DECK_STYLE = "deck.css"
SCRIPT = "page.js"


@cache
def asset(name: str) -> str:
    """One of the files, without the space around it."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8").strip()
