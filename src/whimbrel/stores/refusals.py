"""Why a store refuses, in words that every store shares.

Knows: the error tree. Must not know: stores.
"""

from __future__ import annotations

from whimbrel.errors import EntityNotFound, Fenced, StoreError


def no_run(run: str) -> EntityNotFound:
    """There is no such run."""
    return EntityNotFound(f"there is no run {run}: `whimbrel runs` lists those there are")


def taken(run: str) -> StoreError:
    """A new run has the id of an old one."""
    return StoreError(f"there is a run {run} already: start it under another id")


def fenced(run: str, epoch: int, first: int, epoch_now: int, owner: str, next_seq: int) -> Fenced:
    """An append by somebody who is not the owner any more, or who lost count."""
    if epoch != epoch_now:
        return Fenced(f"run {run} belongs to {owner or 'another process'} now (epoch {epoch_now}, not {epoch})")
    # Events that are missing can be its own: a write of theirs failed, and this one was on its way already.
    why = "somebody else writes in its owner's name" if first < next_seq else "what was to be written before it was not"
    return Fenced(f"the next event of run {run} is {next_seq}, not {first}: {why}")
