"""The same source compiles to the same messages under real flytekit and under whimbrel-flytekit.

Both compile the whole corpus once, each in a process of its own. Differences are listed in `known.py` with their
reasons: one that is not listed fails, and so does a reason that has gone.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.differential import corpus
from tests.integration.differential.comparing import Difference
from tests.integration.differential.known import KNOWN

Compiled = tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return corpus.compiled()


@pytest.fixture(scope="module")
def found(compiled: Compiled) -> dict[str, list[Difference]]:
    return corpus.all_differences(*compiled)


def test_both_compile_every_program(compiled: Compiled) -> None:
    theirs, ours = compiled
    assert corpus.errors(theirs) == []
    assert corpus.errors(ours) == []
    assert list(theirs) == list(ours) == corpus.names()


def test_every_program_has_messages(compiled: Compiled) -> None:
    for name, result in compiled[0].items():
        assert result["messages"], name


@pytest.mark.parametrize("name", corpus.names())
def test_messages_are_the_same(found: dict[str, list[Difference]], name: str) -> None:
    unknown = [str(one) for one in found[name] if not any(known.covers(one) for known in KNOWN)]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.path)
def test_known_differences_are_still_there(found: dict[str, list[Difference]], known: Any) -> None:
    assert any(known.covers(one) for differences in found.values() for one in differences), known.reason


def test_page_of_the_reference(found: dict[str, list[Difference]]) -> None:
    assert corpus.TABLE.read_text(encoding="utf-8") == corpus.table(found), (
        "out of date: run `python -m tests.integration.differential.table`"
    )
