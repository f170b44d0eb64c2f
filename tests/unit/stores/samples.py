"""Nouns to keep."""

from __future__ import annotations

from whimbrel.model import attempt as reports
from whimbrel.model.commands import CacheKey
from whimbrel.model.events import (
    AbortRequested,
    CacheHit,
    CacheMiss,
    CleanupDue,
    Event,
    GateDue,
    NodeAbortRequested,
    OwnerChanged,
    RetryDue,
    RunRequested,
    SignalReceived,
    TimeoutDue,
    WakeDue,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import Simple, SimpleType
from whimbrel.model.literals import IntLiteral, ListLiteral, Literals, StrLiteral, UnionLiteral
from whimbrel.model.program import CodeRef, Graph, Program, TaskSpec
from whimbrel.model.run import AttemptId, Done, Failed, Phase, RunOptions, RunSummary

ID = AttemptId("r", "n0", 1)
INT = SimpleType(Simple.INTEGER)
PROGRAM = Program(
    tasks={"m.t": TaskSpec("m.t", Interface({"x": Parameter(INT)}, {"o0": Variable(INT)}), CodeRef("m", "t", "/code"))}
)
VALUES: Literals = {"x": UnionLiteral(1, ListLiteral((IntLiteral(-(2**63)), StrLiteral("é\n")))), "y": IntLiteral(1)}
FAILURE = Failure(Fault.USER, "broken", "builtins:ValueError", ("broken",), cause=Failure(Fault.SYSTEM, "below"))


def summary(
    run: str, *, entity: str = "m.t", at: float = 1.0, phase: Phase = Phase.QUEUED, epoch: int = 1
) -> RunSummary:
    return RunSummary(run, entity, phase, at, epoch=epoch)


def event(n: int, *, worker: str = "w", at: float = 1.5) -> Event:
    return reports.Started(AttemptId("r", f"n{n}", 1), worker, at)


def key(task: str = "m.t", version: str = "1", interface: str = "i", **inputs: str) -> CacheKey:
    return CacheKey(task, version, interface, inputs)


def one_of_each() -> list[Event]:
    call = reports.BeginCall(
        ID, "n0", "chain_a.1:3", "m.t", False, VALUES, "abc", 1.0, define=PROGRAM, line="flow.py:3"
    )
    return [
        RunRequested("r", "m.t", PROGRAM, VALUES, RunOptions(tags=("nightly",)), 1.0),
        OwnerChanged(2, "me", 2.0, ("n0",)),
        AbortRequested("enough", 3.0),
        RetryDue("n0", 2, 4.0),
        TimeoutDue("n0", 2, 5.0),
        WakeDue("n0", 2, 5.5),
        CleanupDue("n0", 1, 5.7),
        GateDue("n1", 5.8),
        NodeAbortRequested("n1", "enough", 5.85),
        SignalReceived("release", StrLiteral("yes"), "ann", 5.9, "s1"),
        CacheHit("n0", VALUES, "those of r0", 6.0),
        CacheMiss("n0", "never run", 7.0),
        reports.Started(ID, "w", 8.0),
        reports.Succeeded(ID, VALUES, 9.0),
        reports.Unfolded(ID, Graph("m.t", Interface()), PROGRAM, 9.5),
        reports.AttemptFault(ID, FAILURE, 10.0),
        reports.Lost(ID, "killed", 11.0),
        reports.Parked(ID, 3, 99.5, 11.5),
        call,
        reports.FinishCall(ID, "n0", "1", Done(VALUES, cached=True), 12.0),
        reports.FinishCall(ID, "n0", "2", Failed(FAILURE), 12.5),
        reports.CancelCall(ID, "n0", "3", 13.0),
        reports.StartTimer(ID, "n0", "4", 20.0, 14.0),
        reports.FireTimer(ID, "n0", "4", 20.5),
        reports.RecordValue(ID, "n0", "5", StrLiteral("v"), 21.0),
    ]
