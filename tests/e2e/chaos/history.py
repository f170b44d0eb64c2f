"""The history checker: what a run's event log and the traces of its tasks must look like, whoever was killed when.

It reads events as they were written and folds nothing: it must not believe the engine that it judges. Tasks leave a
line when they begin and one when they end (steps.py); *marks* tie the two records together: at some moment the log had
so many events on disk, and after that the trace had so many lines.

``violations`` says in words what is wrong; a sound history gives none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    CancelCall,
    FinishCall,
    FireTimer,
    Lost,
    RecordValue,
    Started,
    StartTimer,
    Succeeded,
)
from whimbrel.model.events import AbortRequested, Event, OwnerChanged, RunRequested
from whimbrel.model.run import AttemptId

HEARD = 2.0
"""Seconds within which every body has heard of an abort. It takes milliseconds, on a machine that has time."""


class Line(NamedTuple):
    """What a task left: ``begin`` or ``end`` (``body`` for an eager body), where, and in which process of whose."""

    what: str
    path: str
    attempt: int
    pid: int
    owner: int
    """The process that started the worker: the owner of the run."""


class Mark(NamedTuple):
    """The log as it was on disk at some moment, and how long the trace was after that moment."""

    log: tuple[bytes, ...]
    lines: int


class History(NamedTuple):
    """Everything that is known of a run.

    ``log`` is the rows as (seq, payload) in order of seq, ``events`` their contents. ``owners`` are the processes that
    were started to drive the run, in order; ``epoch`` is the run's.
    """

    log: Sequence[tuple[int, bytes]]
    events: Sequence[Event]
    lines: Sequence[Line]
    marks: Sequence[Mark]
    owners: Sequence[int]
    epoch: int


def read_lines(text: str) -> list[Line]:
    """The lines of a trace."""
    lines = []
    for line in text.splitlines():
        what, path, *numbers = line.split()
        attempt, pid, owner = map(int, numbers)
        lines.append(Line(what, path, attempt, pid, owner))
    return lines


def violations(history: History) -> list[str]:
    """What must not be. Empty for a sound history."""
    return [
        *_whole(history),
        *_kept(history),
        *_one_owner(history),
        *_said_once(history),
        *_finished_once(history),
        *_not_again(history),
        *_not_twice_at_a_time(history),
        *_really_run(history),
        *_nothing_after_an_abort(history),
    ]


def _whole(history: History) -> Iterator[str]:
    """The log has no gaps, and begins where a run begins."""
    seqs = [seq for seq, _ in history.log]
    if seqs != list(range(1, len(seqs) + 1)):
        yield f"the log has gaps: {seqs}"
    requests = [n for n, event in enumerate(history.events) if isinstance(event, RunRequested)]
    if requests != [0]:
        yield f"the run was requested at {requests}"


def _kept(history: History) -> Iterator[str]:
    """What was on disk is on disk."""
    log = [payload for _, payload in history.log]
    for mark in history.marks:
        if list(mark.log) != log[: len(mark.log)]:
            lost = next((n for n, row in enumerate(mark.log) if n >= len(log) or log[n] != row), len(log))
            yield f"event {lost + 1} was on disk, and is gone or another"


def _one_owner(history: History) -> Iterator[str]:
    """Epochs rise; owners follow each other in the log, and their workers in the trace."""
    changes = [event for event in history.events if isinstance(event, OwnerChanged)]
    epochs = [1, *(change.epoch for change in changes)]
    if any(later <= earlier for earlier, later in pairwise(epochs)):
        yield f"epochs do not rise: {epochs}"
    if epochs[-1] > history.epoch:
        yield f"the log has epoch {epochs[-1]}, the run {history.epoch}"
    in_log = [int(change.owner.rpartition(":")[2]) for change in changes]
    if not _follows(in_log, history.owners):
        yield f"owners in the log {in_log} are not those that were started, in order: {list(history.owners)}"
    # A worker that loaded the program in the moment between its owner's death and its own took init for its owner.
    known = [line.owner for line in history.lines if line.owner in history.owners]
    in_trace = [owner for n, owner in enumerate(known) if n == 0 or known[n - 1] != owner]
    if not _follows(in_trace, history.owners):
        yield f"workers of several owners took turns: {in_trace}, started: {list(history.owners)}"
    elif not _follows([owner for owner in in_trace if owner != history.owners[0]], in_log):
        yield f"an owner ran something without having taken over: {in_trace}, in the log: {in_log}"


def _follows(some: Sequence[int], every: Sequence[int]) -> bool:
    """Whether ``some`` are among ``every``, each once, in that order."""
    rest = iter(every)
    return all(any(item == other for other in rest) for item in some)


def _said_once(history: History) -> Iterator[str]:
    """An unchanged program says each thing once: it begins a call, sets a timer, draws a value at its place only once,
    and replaces or grafts nothing.
    """
    seen: set[tuple[type, str, str]] = set()
    for event in history.events:
        if isinstance(event, BeginCall | FinishCall | StartTimer | FireTimer | RecordValue | CancelCall):
            place = (type(event), event.parent, event.key)
            if place in seen:
                yield f"{type(event).__name__} twice at {event.parent}/{event.key}"
            seen.add(place)
        if isinstance(event, BeginCall) and (event.replaces or event.graft):
            yield f"the program took another road at {event.parent}/{event.key}"


def _finished_once(history: History) -> Iterator[str]:
    """A call has one success, an attempt one end, and nothing of it follows its end."""
    finished: dict[str, int] = {}
    ended: set[AttemptId] = set()
    for event in history.events:
        if isinstance(event, Succeeded | AttemptFault | Lost):
            if event.attempt in ended:
                yield f"attempt {event.attempt.number} of {event.attempt.path} ended twice"
            ended.add(event.attempt)
        if isinstance(event, Succeeded):
            if event.attempt.path in finished:
                yield f"{event.attempt.path} was finished twice"
            finished[event.attempt.path] = event.attempt.number
        if isinstance(event, Started) and event.attempt.path in finished:
            yield f"{event.attempt.path} was started again after it had finished"
        if isinstance(event, OwnerChanged):
            for path in event.gone:
                if path in finished:
                    yield f"{path} had finished, and was taken for lost"


def _not_again(history: History) -> Iterator[str]:
    """What had finished on disk was not run any more, and no attempt came after the one that finished."""
    number = {event.attempt.path: event.attempt.number for event in history.events if isinstance(event, Succeeded)}
    for line in history.lines:
        if line.what == "begin" and line.attempt > number.get(line.path, line.attempt):
            yield f"{line.path} was run (attempt {line.attempt}) though attempt {number[line.path]} had finished it"
    for mark in history.marks:
        on_disk = history.events[: len(mark.log)]
        finished = {event.attempt.path for event in on_disk if isinstance(event, Succeeded)}
        for line in history.lines[mark.lines :]:
            if line.what == "begin" and line.path in finished:
                yield f"{line.path} had finished on disk, and was run again"


def _not_twice_at_a_time(history: History) -> Iterator[str]:
    """An owner runs an attempt once, and no two executions of a call overlap."""
    latest: dict[str, Line] = {}
    begun: set[tuple[str, int, int]] = set()
    for line in history.lines:
        if line.what == "begin":
            attempt = (line.path, line.attempt, line.owner)
            if attempt in begun:
                yield f"attempt {line.attempt} of {line.path} was run twice by one owner"
            begun.add(attempt)
            latest[line.path] = line
        elif line.what == "end":
            begin = latest.get(line.path)
            if begin is None or begin._replace(what="end") != line:
                yield f"an execution of {line.path} ended after another had begun"


def _really_run(history: History) -> Iterator[str]:
    """What the log has as finished was run to its end, in the attempt that it names."""
    ends = {(line.path, line.attempt) for line in history.lines if line.what == "end"}
    bodies = {(line.path, line.attempt) for line in history.lines if line.what == "body"}
    for event in history.events:
        if isinstance(event, Succeeded) and (event.attempt.path, event.attempt.number) not in ends | bodies:
            yield f"attempt {event.attempt.number} of {event.attempt.path} is finished in the log, and was not run"


def _nothing_after_an_abort(history: History) -> Iterator[str]:
    """Once an abort is on disk nothing is begun any more, but for what bodies do before they have heard of it. They may
    unwind, in a new driver if need be.
    """
    aborted = next((n for n, event in enumerate(history.events) if isinstance(event, AbortRequested)), None)
    if aborted is None:
        return
    bodies = {line.path for line in history.lines if line.what == "body"}
    for event in history.events[aborted + 1 :]:
        if event.at <= history.events[aborted].at + HEARD:
            continue
        if isinstance(event, BeginCall):
            yield f"{event.parent}/{event.key} was called after the abort"
        if isinstance(event, Started) and event.attempt.path not in bodies:
            yield f"{event.attempt.path} was started after the abort"
    for mark in history.marks:
        if len(mark.log) > aborted:
            for line in history.lines[mark.lines :]:
                if line.what == "begin":
                    yield f"{line.path} was run after the abort"
