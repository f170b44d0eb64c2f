"""A program that is hostile in everything that a person can name or write, and one for the keyboard."""

import time
from pathlib import Path

from whimbrel import Deck, Html, approve, eager, map_task, task, workflow

MARKUP = "<img src=x onerror=alert(1)><script>document.title='taken'</script><a href='javascript:alert(2)'>x</a>"
TURNED = "invoice\u202efdp.exe \u2066left\u2069 \u200bzero\u200bwidth\ufeff"
LONG = "W" * 10_000
COLOURS = "\x1b[31mred\x1b[0m \x1b]8;;https://example.org\x07link\x1b]8;;\x07 \x1b[2J\x1b[999Cfar \x07bell"
PEOPLE = "👩‍🔬🏳️‍🌈 שלום עולם مرحبا ﷽ Z̸̨̛a̶l̷g̵o̶"
LINES = "first\nsecond\r\nthird\u2028fourth"
ALL = (MARKUP, TURNED, LONG, COLOURS, PEOPLE, LINES)


@task(enable_deck=True)
def says(text: str) -> str:
    """Says it everywhere: <b>not bold</b> \u202eturned"""
    print(text, flush=True)
    Deck("deck " + text[:60], Html(f"<p>{text[:80]}</p>"))
    return text


@task
def fails(text: str) -> str:
    raise ValueError(text)


@workflow
def hostile(texts: list[str]) -> list[str]:
    """Shown, never run: <img src=x onerror=alert(1)> \u202e"""
    return map_task(says)(text=texts)


@workflow
def breaks(text: str) -> str:
    return fails(text=says(text=text))


@workflow
def asks(text: str) -> str:
    return says(text=approve(text, f"{MARKUP} {TURNED} {'W' * 600}", timeout=None))


@eager
async def grown(text: str) -> str:
    return await says(text=text)


@task
def step(x: int) -> int:
    print(f"step {x}")
    return x + 1


@task
def held(x: int, door: str) -> int:
    print("at the door", flush=True)
    while not Path(door).exists():
        time.sleep(0.01)
    return x


@workflow
def journey(x: int, door: str) -> int:
    """Walks, waits at a door, asks."""
    return step(x=approve(held(x=step(x=x), door=door), "go on", timeout=None))
