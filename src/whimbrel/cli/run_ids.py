"""Which run is meant: a whole id, the beginning of one, or ``latest``.

Knows: the store's listing. Must not know: commands.
"""

from __future__ import annotations

from whimbrel.controlplane.ports import RunStore
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.run import RunSummary

LATEST = "latest"
_PAGE = 500
_NAMED = 5
"""Candidates that a message lists."""


async def find_run(store: RunStore, text: str) -> RunSummary:
    """The run that ``text`` means. Raises ``EntityNotFound``; ``InputInvalid`` when several begin like this."""
    if text == LATEST:
        newest = await store.summaries(limit=1)
        if not newest:
            raise EntityNotFound("there are no runs yet: start one with `whimbrel run FILE NAME`")
        return newest[0]
    try:
        return await store.summary(text)
    except EntityNotFound:
        found = await _beginning_with(store, text)
    if not found:
        raise EntityNotFound(f"there is no run {text!r}: `whimbrel runs` lists them")
    if len(found) > 1:
        listed = ", ".join(summary.id for summary in found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
        raise InputInvalid(f"{text!r} is the beginning of {len(found)} runs ({listed}): write more of it")
    return found[0]


async def _beginning_with(store: RunStore, prefix: str) -> list[RunSummary]:
    found: list[RunSummary] = []
    before = ""
    while prefix:
        page = await store.summaries(limit=_PAGE, before=before)
        found += [summary for summary in page if summary.id.startswith(prefix)]
        if len(page) < _PAGE:
            break
        before = page[-1].id
    return found
