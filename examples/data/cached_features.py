"""A cache that notices when the code has changed.

    whimbrel run examples/data/cached_features.py features --text "to be or not to be"

`cache=True` without a version takes one from the code: of the function, and of everything in the project that it
uses. Change `STOP_WORDS` or `words` and `count` runs again; change `report` and it does not.
"""

from __future__ import annotations

from whimbrel import task, workflow

STOP_WORDS = frozenset({"or", "the"})


def words(text: str) -> list[str]:
    """The words that count."""
    return [word for word in text.lower().split() if word not in STOP_WORDS]


@task(cache=True)
def count(text: str) -> dict[str, int]:
    """How often each word occurs: imagine that this takes an hour."""
    print("counting")
    found: dict[str, int] = {}
    for word in words(text):
        found[word] = found.get(word, 0) + 1
    return found


@task
def report(counts: dict[str, int]) -> str:
    """The most frequent word."""
    word = max(sorted(counts), key=lambda key: counts[key])
    return f"{word}: {counts[word]}"


@workflow
def features(text: str) -> str:
    """The most frequent word of a text."""
    return report(counts=count(text=text))
