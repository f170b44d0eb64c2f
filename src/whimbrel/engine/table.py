"""What may follow what: the phases of nodes and of the run, as two literal tables.

Knows: phases and triggers. Must not know: events, commands, graphs. README.md has the rules; the diagram in the
documentation and the console's legend are generated from the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from whimbrel.model.run import Phase


class Trigger(StrEnum):
    """Why a phase changes. Each value finishes the sentence "the phase changes because …"."""

    READY = "everything upstream has succeeded"
    START = "work began"
    UNFOLD = "its body has said what is to be run in its place"
    RETRY = "another attempt follows"
    SUCCEED = "the work succeeded"
    CACHE_HIT = "the cache had the outputs"
    GRAFT = "an equal call had finished before"
    RECOVER = "an equal call had finished in the run that this one recovers"
    CHILD_FAIL = "something inside failed"
    FAIL = "the work failed for good"
    TIME_OUT = "the last attempt ran out of time"
    PARK = "its driver left memory, as the body only waits"
    WAIT = "it waits for an answer, or for time"
    WAKE = "something that the parked body waits for has come"
    STOP = "it was told to stop"
    ABORT = "it was stopped"
    SKIP = "it will never run"
    REQUEST = "the run was requested"
    END = "everything inside has ended"


_P = Phase
_T = Trigger

# A node waits for its upstream in UNDEFINED, and for a worker, the cache or a backoff in QUEUED. A sub-workflow, a
# branch, a map and an eager call that its driver runs itself are RUNNING from the moment they are ready. FAILING: a
# failure inside is certain, but other nodes go on. ABORTING: it was told to stop, and it or something inside cleans up.
# DYNAMIC_RUNNING: the body of a dynamic node is over, and what it unfolded into runs. PAUSED: the body of an eager node
# only waits, and its driver has left memory; or a gate waits.
NODE: Mapping[tuple[Phase, Trigger], Phase] = {
    (_P.UNDEFINED, _T.READY): _P.QUEUED,
    (_P.UNDEFINED, _T.SKIP): _P.SKIPPED,
    (_P.UNDEFINED, _T.ABORT): _P.ABORTED,
    (_P.QUEUED, _T.START): _P.RUNNING,
    (_P.QUEUED, _T.RETRY): _P.QUEUED,  # lost or failed before it began
    (_P.QUEUED, _T.SUCCEED): _P.SUCCEEDED,  # the report that it began was lost
    (_P.QUEUED, _T.CACHE_HIT): _P.SUCCEEDED,
    (_P.QUEUED, _T.GRAFT): _P.SUCCEEDED,
    (_P.QUEUED, _T.RECOVER): _P.RECOVERED,
    (_P.QUEUED, _T.FAIL): _P.FAILED,
    (_P.QUEUED, _T.TIME_OUT): _P.TIMED_OUT,
    (_P.QUEUED, _T.PARK): _P.PAUSED,  # the report that it began was lost
    (_P.QUEUED, _T.WAIT): _P.PAUSED,
    (_P.QUEUED, _T.STOP): _P.ABORTING,  # a driver that was launched, but has not begun
    (_P.QUEUED, _T.ABORT): _P.ABORTED,
    (_P.QUEUED, _T.UNFOLD): _P.DYNAMIC_RUNNING,  # the report that it began was lost
    (_P.RUNNING, _T.RETRY): _P.QUEUED,
    (_P.RUNNING, _T.SUCCEED): _P.SUCCEEDED,
    (_P.RUNNING, _T.CHILD_FAIL): _P.FAILING,
    (_P.RUNNING, _T.FAIL): _P.FAILED,
    (_P.RUNNING, _T.TIME_OUT): _P.TIMED_OUT,
    (_P.RUNNING, _T.PARK): _P.PAUSED,
    (_P.RUNNING, _T.STOP): _P.ABORTING,
    (_P.RUNNING, _T.ABORT): _P.ABORTED,
    (_P.RUNNING, _T.UNFOLD): _P.DYNAMIC_RUNNING,
    (_P.DYNAMIC_RUNNING, _T.SUCCEED): _P.SUCCEEDED,
    (_P.DYNAMIC_RUNNING, _T.CHILD_FAIL): _P.FAILING,
    (_P.DYNAMIC_RUNNING, _T.FAIL): _P.FAILED,  # the outputs cannot be bound
    (_P.DYNAMIC_RUNNING, _T.STOP): _P.ABORTING,
    (_P.DYNAMIC_RUNNING, _T.ABORT): _P.ABORTED,
    (_P.PAUSED, _T.WAKE): _P.QUEUED,
    (_P.PAUSED, _T.SUCCEED): _P.SUCCEEDED,  # a gate, as all that follow
    (_P.PAUSED, _T.FAIL): _P.FAILED,
    (_P.PAUSED, _T.TIME_OUT): _P.TIMED_OUT,
    (_P.PAUSED, _T.ABORT): _P.ABORTED,
    (_P.FAILING, _T.FAIL): _P.FAILED,
    (_P.FAILING, _T.STOP): _P.ABORTING,
    (_P.FAILING, _T.ABORT): _P.ABORTED,
    (_P.ABORTING, _T.RETRY): _P.QUEUED,  # it ran out of time, has cleaned up, and is tried again
    (_P.ABORTING, _T.TIME_OUT): _P.TIMED_OUT,
    (_P.ABORTING, _T.ABORT): _P.ABORTED,
}

RUN: Mapping[tuple[Phase, Trigger], Phase] = {
    (_P.UNDEFINED, _T.REQUEST): _P.RUNNING,
    (_P.RUNNING, _T.SUCCEED): _P.SUCCEEDED,
    (_P.RUNNING, _T.CHILD_FAIL): _P.FAILING,
    (_P.RUNNING, _T.FAIL): _P.FAILED,  # the inputs do not fit, or the outputs cannot be bound
    (_P.RUNNING, _T.ABORT): _P.ABORTING,
    (_P.FAILING, _T.FAIL): _P.FAILED,
    (_P.FAILING, _T.ABORT): _P.ABORTING,
    (_P.ABORTING, _T.END): _P.ABORTED,
}


def mermaid(table: Mapping[tuple[Phase, Trigger], Phase] = NODE) -> str:
    """A Mermaid state diagram of a table: the one in the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.UNDEFINED}"]
    lines += [f"    {before} --> {after}: {trigger.name.lower()}" for (before, trigger), after in table.items()]
    ends = dict.fromkeys(after for after in table.values() if after.terminal)
    return "\n".join([*lines, *(f"    {phase} --> [*]" for phase in ends)]) + "\n"
