"""Golden journals: the event log of a run in a file, and whether today's code still takes the road that it tells.

A journal of every release is kept and replayed, so that a run which was begun with one version of the code (the user's
or ours) can be carried on with the next.

Knows: events, drivers, the world. Must not know: stores, executors.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, structs

from whimbrel.authoring.entity import Configured
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.graph.digest import graph_digest
from whimbrel.model import codec
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    CancelCall,
    FireTimer,
    Launch,
    Lost,
    Observation,
    Progress,
    Report,
    Started,
    StartTimer,
    Succeeded,
)
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.program import BranchTarget, CodeRef, Graph, TaskKind
from whimbrel.model.run import AttemptId, Entry, EntryKind
from whimbrel.runtime.attempt import load_once
from whimbrel.runtime.driver import Driver
from whimbrel.runtime.ports import BlobStore
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.world import SILENCE, SLICE, DriverLoop, Seat, World


class GoldenJournal(Struct, frozen=True):
    """A run in a file. ``blobs`` are the large values that its events refer to, by URI."""

    whimbrel: str
    python: str
    events: tuple[Event, ...]
    blobs: dict[str, bytes] = {}


class Replayed(Struct, frozen=True):
    """What replaying gave: the state that the events lead to, how many eager bodies ran again, how many entries of
    their journals they asked for, and every difference between the road recorded and the road taken, in words."""

    run: Run
    bodies: int
    entries: int
    divergences: tuple[str, ...]


def write_journal(
    path: Path | str, events: Sequence[Event], blobs: Mapping[str, bytes], *, forget: Sequence[str] = ()
) -> None:
    """Keep a run in a file. ``forget`` are directories of this machine: they are taken out of every text, so that the
    file can be published."""
    journal = GoldenJournal(version("whimbrel"), platform.python_version(), tuple(events), dict(blobs))
    data = codec.encode(journal)
    if forget:
        data = codec.encode(_without(msgspec.msgpack.decode(data), forget))
    Path(path).write_bytes(data)


def _without(value: Any, directories: Sequence[str]) -> Any:
    match value:
        case str():
            for directory in directories:
                value = value.replace(f"{directory.rstrip('/')}/", "").replace(directory, "")
            return value
        case list():
            return [_without(item, directories) for item in value]
        case dict():
            return {_without(key, directories): _without(item, directories) for key, item in value.items()}
        case _:
            return value


def read_journal(path: Path | str) -> GoldenJournal:
    """A run from a file. Raises ``msgspec.DecodeError`` when today's model cannot read it."""
    journal: GoldenJournal = codec.decoder(GoldenJournal).decode(Path(path).read_bytes())
    return journal


def replay_journal(journal: GoldenJournal | Path | str, entity: Any = None) -> Replayed:
    """Fold a run with today's engine, run its eager bodies with today's code, and tell where they differ.

    ``entity`` is what was run, to compare its graphs too; the bodies are imported by name. Nothing is executed but
    eager bodies: every call is answered from the journal, and a call that the journal does not have is a divergence.
    """
    if not isinstance(journal, GoldenJournal):
        journal = read_journal(journal)
    run = Run.replay(journal.events)
    run.check_invariants()
    found: list[str] = []
    if entity is not None:
        found += changed_graphs(journal.events, entity.entity if isinstance(entity, Configured) else entity)
    blobs = _FileBlobs(journal.blobs)
    load = load_once()
    bodies = entries = 0
    for node in list(run.nodes.values()):
        # Without an attempt its outputs were taken from the cache, or from another run: no body ran.
        if node.journal is None or not node.phase.terminal or not node.attempts:
            continue
        body = _Body(node, run, blobs, load)
        body.play()
        found += body.divergences
        bodies += 1
        entries += len(body.recorded)
    return Replayed(run, bodies, entries, tuple(found))


def changed_graphs(events: Sequence[Event], entity: Any) -> list[str]:
    """What is different in the graphs of ``entity`` since the run was requested."""
    requested = events[0]
    assert isinstance(requested, RunRequested)
    today = entity.program().workflows
    found: list[str] = []
    for name, graph in requested.program.workflows.items():
        if name not in today:
            found.append(f"{name}: the workflow is not used any more")
        elif graph_digest(today[name]) != graph_digest(graph):
            found += _changed_nodes(graph, today[name]) or [f"{name}: its bindings are not what they were"]
    return found


def _changed_nodes(before: Graph, after: Graph) -> list[str]:
    was = {node.id: _target(node.target) for node in before.nodes}
    now = {node.id: _target(node.target) for node in after.nodes}
    return [
        f"{before.name}: node {node} was {was.get(node, 'not there')}, and is {now.get(node, 'not there')}"
        for node in [*was, *(node for node in now if node not in was)]
        if was.get(node) != now.get(node)
    ]


def _target(target: Any) -> str:
    return f"the conditional {target.name!r}" if isinstance(target, BranchTarget) else str(target.name)


class _Body:
    """An eager body on its own, with a whole journal before it and nobody behind it."""

    def __init__(self, node: NodeState, run: Run, blobs: BlobStore, load: Any) -> None:
        assert node.journal is not None
        assert node.spec is not None
        self._node = node
        self.recorded = node.journal.entries()
        self._under_way = {(entry.parent, entry.key) for entry in self.recorded if entry.outcome is None}
        self.divergences: list[str] = []
        self._end: Succeeded | AttemptFault | None = None
        self._world = World()
        spec = node.spec
        launch = Launch(
            AttemptId(run.id, node.path, len(node.attempts)),
            spec,
            node.inputs,
            node.metadata,
            run.started_at,
            journal=self.recorded,
        )

        def find(code: CodeRef) -> Any:
            # The directory was another machine's.
            return load(structs.replace(code, root=""))

        self._driver = Driver(
            launch,
            send=self._heard,
            blobs=blobs,
            load=find,
            clock=lambda: run.ended_at + self._world.elapsed,
            entropy=self._world.entropy,
            make_loop=lambda source, ambient: DriverLoop(source, ambient, self._seat),
        )
        self._seat = Seat(self._world, f"replay of {node.path}", self._driver.run)
        assert spec.kind is TaskKind.EAGER

    def play(self) -> None:
        """Run it as far as it comes."""
        listened = 0.0
        while not self._seat.ended:
            if self._seat.ready:
                self._seat.give_turn()
            elif listened < self._seat.patience:
                listened += SLICE
                self._seat.give_turn(SLICE)
            elif not self._move_on() and not self._nudged():
                break
        if not self._seat.ended:
            self._tell("it waits for something that was not recorded")
            self._seat.abandon()
            return
        for entry in self._driver.unclaimed():
            self._tell(f"it did not come to {_described(entry)}, which was recorded")
        self._compare()

    def _move_on(self) -> bool:
        """Let a timer of nobody's journal fire: whether there was one."""
        if self._seat.wakes_at is None:
            return False
        self._world.elapsed = max(self._world.elapsed, self._seat.wakes_at)
        return True

    def _nudged(self) -> bool:
        """Wait for a thread that the body may have started: whether one has called."""
        until = time.monotonic() + SILENCE
        while not self._seat.ready and time.monotonic() < until:
            time.sleep(SLICE)
        return self._seat.ready

    def _compare(self) -> None:
        end, node = self._end, self._node
        if isinstance(end, Succeeded):
            if node.failure is not None:
                self._tell(f"it returned; recorded is that it failed: {node.failure.title}")
            elif end.outputs != node.outputs:
                self._tell("it returned another value than the one recorded")
        elif isinstance(end, AttemptFault) and (node.failure is None or node.failure.title != end.failure.title):
            told = node.failure.title if node.failure is not None else "that it returned"
            self._tell(f"it failed: {end.failure.title}; recorded is {told}")

    def _heard(self, report: Report) -> None:
        if self._seat.abandoned or isinstance(report, Started | Observation | StartTimer):
            # A timer that was not recorded counts when it fires: libraries set them as the network behaves.
            return
        if isinstance(report, CancelCall) and (report.parent, report.key) in self._under_way:
            # What a body leaves under way is cancelled when it ends; that outcome comes after its own.
            return
        if isinstance(report, Succeeded | AttemptFault):
            self._end = report
        elif isinstance(report, BeginCall):
            where = f" ({report.line})" if report.line else ""
            self._tell(f"it calls {report.entity} as {report.key}{where}, which was not recorded")
        elif isinstance(report, FireTimer):
            self._tell(f"it waits for the timer {report.key}, which was not recorded")
        elif not isinstance(report, Lost | Progress):
            self._tell(f"it says {type(report).__name__} of {getattr(report, 'key', '')}, which was not recorded")

    def _tell(self, what: str) -> None:
        self.divergences.append(f"{self._node.path}: {what}")


def _described(entry: Entry) -> str:
    return f"{entry.key}, a call of {entry.entity}" if entry.kind is EntryKind.CALL else f"the timer {entry.key}"


class _FileBlobs(MemoryBlobs):
    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        super().__init__()
        self.contents.update(blobs)

    def put(self, name: str, data: bytes) -> str:
        """Where an equal value was kept, so that what is made again equals what was recorded."""
        return next((uri for uri, kept in self.contents.items() if kept == data), f"memory:{name}")

    def get(self, uri: str) -> bytes:
        """The bytes that the file has."""
        if uri not in self.contents:
            raise EntityNotFound(f"the journal's file does not hold the value {uri}")
        return self.contents[uri]
