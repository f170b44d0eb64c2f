"""The history checker rejects what must not be: one bad history for each thing that it says it looks at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.chaos.history import History, Line, Mark, read_lines, violations
from whimbrel.model.attempt import AttemptFault, BeginCall, Lost, Started, Succeeded
from whimbrel.model.codec import encode
from whimbrel.model.events import AbortRequested, Event, OwnerChanged, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import Program
from whimbrel.model.run import AttemptId, RunOptions

DRIVER = AttemptId("r", "n0", 1)
AGAIN = AttemptId("r", "n0", 2)


def at(path: str, number: int = 1) -> AttemptId:
    return AttemptId("r", path, number)


def begin_call(key: str, when: float = 1.0, **more: Any) -> BeginCall:
    return BeginCall(DRIVER, "n0", key, "flow.step", False, {}, f"digest {key}", when, **more)


REQUESTED = RunRequested("r", "flow.main", Program({}, {}), {}, RunOptions(), 1.0)

# Two calls one after the other. The first owner (100) is killed during the second, the next one (200) carries on.
EVENTS: list[Event] = [
    REQUESTED,
    Started(DRIVER, "", 1.0),
    begin_call("1"),
    Started(at("n0/1"), "", 1.0),
    Succeeded(at("n0/1"), {}, 2.0),
    begin_call("2"),
    Started(at("n0/2"), "", 2.0),
    OwnerChanged(2, "host:200", 3.0, ("n0", "n0/2")),
    Started(AGAIN, "", 3.0),
    Started(at("n0/2", 2), "", 3.0),
    Succeeded(at("n0/2", 2), {}, 4.0),
    Succeeded(AGAIN, {}, 4.0),
]
TRACE = """\
body n0 1 101 100
begin n0/1 1 102 100
end n0/1 1 102 100
begin n0/2 1 102 100
body n0 2 201 200
begin n0/2 2 202 200
end n0/2 2 202 200
"""
LINES = read_lines(TRACE)
KILLED = 7
"""How many events were on disk when the first owner was killed."""


def history(
    events: list[Event] | None = None,
    lines: list[Line] | None = None,
    *,
    marks: tuple[tuple[int, int], ...] = ((KILLED, 4),),
    owners: tuple[int, ...] = (100, 150, 200),
    epoch: int = 2,
) -> History:
    """The sound history with some of it changed. A mark is how many events, of those that were there, and lines."""
    events = EVENTS if events is None else events
    log = [(n, encode(event)) for n, event in enumerate(events, 1)]
    were = [Mark(tuple(encode(event) for event in EVENTS[:size]), count) for size, count in marks]
    return History(log, events, LINES if lines is None else lines, were, owners, epoch)


def changed(place: int, *events: Event) -> list[Event]:
    return [*EVENTS[:place], *events, *EVENTS[place:]]


def with_lines(place: int, *lines: str) -> list[Line]:
    return [*LINES[:place], *read_lines("\n".join(lines)), *LINES[place:]]


def test_a_sound_history() -> None:
    assert violations(history()) == []


def test_an_owner_that_was_killed_before_it_wrote_anything() -> None:
    # It claimed the run (epoch 2) and died; the next has epoch 3.
    events = [event if not isinstance(event, OwnerChanged) else OwnerChanged(3, "host:200", 3.0) for event in EVENTS]
    assert violations(history(events, epoch=3)) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (history()._replace(log=[(1, b""), (3, b"")], marks=[]), "the log has gaps"),
        (history(changed(3, REQUESTED), marks=()), "the run was requested at [0, 3]"),
        (history(EVENTS[1:], marks=()), "the run was requested at []"),
        # Nothing lost.
        (history(EVENTS[:4] + EVENTS[5:], LINES), "event 5 was on disk, and is gone or another"),
        (history(EVENTS[:6], LINES, epoch=1), "event 7 was on disk, and is gone or another"),
        # One owner.
        (history(changed(12, OwnerChanged(2, "host:200", 5.0))), "epochs do not rise: [1, 2, 2]"),
        (history(epoch=1), "the log has epoch 2, the run 1"),
        (history(owners=(100, 300)), "are not those that were started"),
        (history(lines=with_lines(7, "begin n0/3 1 102 100")), "workers of several owners took turns"),
        (history(lines=with_lines(4, "begin n0/3 1 152 150")), "an owner ran something without having taken over"),
        # Said once.
        (history(changed(6, begin_call("2"))), "BeginCall twice at n0/2"),
        (history([*EVENTS, begin_call("3", replaces=True)]), "another road at n0/3"),
        (history([*EVENTS, begin_call("3", graft="n0/1")]), "another road at n0/3"),
        # Finished once.
        (history([*EVENTS, Succeeded(at("n0/1"), {}, 5.0)]), "attempt 1 of n0/1 ended twice"),
        (history([*EVENTS, Lost(at("n0/1"), "gone", 5.0)]), "attempt 1 of n0/1 ended twice"),
        (
            history([*EVENTS, AttemptFault(at("n0/2", 2), Failure(Fault.USER, "late"), 5.0)]),
            "attempt 2 of n0/2 ended twice",
        ),
        (
            history(changed(9, Succeeded(at("n0/2"), {}, 3.0)), with_lines(4, "end n0/2 1 102 100")),
            "n0/2 was finished twice",
        ),
        (history([*EVENTS, Started(at("n0/1", 2), "", 5.0)]), "n0/1 was started again after it had finished"),
        (history([*EVENTS, OwnerChanged(3, "host:300", 5.0, ("n0/1",))]), "n0/1 had finished, and was taken for lost"),
        # Not again.
        (
            history(lines=with_lines(5, "begin n0/1 1 202 200", "end n0/1 1 202 200")),
            "n0/1 had finished on disk, and was run again",
        ),
        (
            history(lines=with_lines(5, "begin n0/1 2 202 200", "end n0/1 2 202 200")),
            "n0/1 was run (attempt 2) though attempt 1 had finished it",
        ),
        # Not twice at a time.
        (
            history(lines=with_lines(2, "end n0/1 1 102 100", "begin n0/1 1 103 100")),
            "attempt 1 of n0/1 was run twice by one owner",
        ),
        (history(lines=with_lines(6, "end n0/2 1 102 100")), "an execution of n0/2 ended after another had begun"),
        (history(lines=with_lines(0, "end n0/9 1 102 100")), "an execution of n0/9 ended after another had begun"),
        # Really run.
        (history(lines=LINES[:6]), "attempt 2 of n0/2 is finished in the log, and was not run"),
        (history(lines=LINES[:4] + LINES[5:]), "attempt 2 of n0 is finished in the log, and was not run"),
    ],
)
def test_what_must_not_be(bad: History, told: str) -> None:
    found = violations(bad)
    assert any(told in line for line in found), found


ABORTED: list[Event] = [*EVENTS[:KILLED], AbortRequested("enough", 3.0)]


def aborted(*more: Event, lines: int = 4, late: tuple[str, ...] = ()) -> History:
    events = [*ABORTED, *more]
    log = [(n, encode(event)) for n, event in enumerate(events, 1)]
    mark = Mark(tuple(payload for _, payload in log[: len(ABORTED)]), lines)
    return History(log, events, [*LINES[:4], *read_lines("\n".join(late))], [mark], (100,), 1)


def test_a_sound_abort() -> None:
    # What was under way may still end; a body goes on until it hears, and unwinds, here and in another driver.
    late = ("end n0/2 1 102 100", "body n0 2 101 100")
    assert violations(aborted(begin_call("3", 3.1), Started(AGAIN, "", 9.0), late=late)) == []


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (aborted(begin_call("3", 6.0)), "n0/3 was called after the abort"),
        (aborted(Started(at("n0/3"), "", 6.0)), "n0/3 was started after the abort"),
        (aborted(late=("begin n0/3 1 102 100",)), "n0/3 was run after the abort"),
    ],
)
def test_nothing_happens_after_an_abort(bad: History, told: str) -> None:
    found = violations(bad)
    assert any(told in line for line in found), found
