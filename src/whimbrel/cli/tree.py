"""The tree of what ran, as lines of styled text: for `describe`, for the end of a run, and live.

Knows: runs and node states, to read. Must not know: terminals (callers style and cut), stores.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from whimbrel.cli.failures import own_traceback
from whimbrel.controlplane.describing import duration, waits_for
from whimbrel.engine.nodes import ArrayState, Attempt, BracketState, Kind, NodeState, Stage
from whimbrel.engine.run import Run
from whimbrel.model.attempt import Progress
from whimbrel.model.run import Phase
from whimbrel.wire.spans import show_seconds

Part = tuple[str, str]
"""Text, and a style in rich's words ("" for none)."""

STYLES: dict[Phase, tuple[str, str]] = {
    Phase.UNDEFINED: ("·", "dim"),
    Phase.QUEUED: ("○", "dim"),
    Phase.RUNNING: ("●", "cyan"),
    Phase.SUCCEEDING: ("●", "cyan"),
    Phase.SUCCEEDED: ("✓", "green"),
    Phase.FAILING: ("●", "red"),
    Phase.FAILED: ("✗", "bold red"),
    Phase.ABORTING: ("●", "yellow"),
    Phase.ABORTED: ("■", "yellow"),
    Phase.TIMED_OUT: ("✗", "bold red"),
    Phase.SKIPPED: ("-", "dim"),
    Phase.RECOVERED: ("✓", "green"),
    Phase.DYNAMIC_RUNNING: ("●", "cyan"),
    Phase.PAUSED: ("◌", "yellow"),
}

FOLD = 12
"""Siblings in a row of one entity that succeeded: so many are shown one by one."""
_KEPT = 3
"""Of a folded row, how many are shown before the rest is counted."""
_COLUMN = 56
"""Where the phases stand, unless names reach further."""


class Line(NamedTuple):
    """A line of the tree. ``path`` is "" for lines that stand for no node."""

    parts: tuple[Part, ...]
    path: str = ""

    @property
    def text(self) -> str:
        """Without styles."""
        return "".join(text for text, _ in self.parts)


def children_of(run: Run) -> dict[str, list[NodeState]]:
    """The nodes by the path of what they are inside, "" for the run's own graph."""
    found: dict[str, list[NodeState]] = {}
    for node in run.nodes.values():
        found.setdefault(node.parent, []).append(node)
    return found


def tree(
    run: Run, now: float, *, fold: int = FOLD, detail: bool = False, said: Mapping[str, Progress] | None = None
) -> list[Line]:
    """The lines of a run. ``fold`` 0 shows every node; ``detail`` adds attempts, errors, why the cache had nothing.

    ``said`` is how far nodes say that they are, by path; of those that have succeeded it is not shown.
    """
    return [heading(run, now), *_below(children_of(run), "", "", now, fold, detail, said or {})]


def heading(run: Run, now: float) -> Line:
    """The first line: which run, of what, where it stands, for how long."""
    glyph, style = STYLES[run.phase]
    took = show_seconds((run.ended_at or now) - run.started_at)
    parts: list[Part] = [(f"{glyph} ", style), (f"run {run.id}", "bold"), (f"  {run.workflow}  ", "")]
    return Line((*parts, (run.phase.value, style), (f"  {took}", "")))


def _below(
    children: dict[str, list[NodeState]],
    parent: str,
    indent: str,
    now: float,
    fold: int,
    detail: bool,
    said: Mapping[str, Progress],
) -> Iterator[Line]:
    nodes = children.get(parent, [])
    if fold and len(nodes) > fold and nodes[0].of_map:
        rows = list(_counted(nodes, fold))
    else:
        rows = list(_folded(nodes, children, fold))
    for at, row in enumerate(rows):
        last = at == len(rows) - 1
        branch, inner = (f"{indent}└─ ", f"{indent}   ") if last else (f"{indent}├─ ", f"{indent}│  ")
        if isinstance(row, str):
            yield Line(((branch, "dim"), (row, "dim")))
            continue
        yield _node_line(row, branch, now, said.get(row.path))
        below = inner + ("│  " if children.get(row.path) else "   ")
        if detail:
            yield from _details(row, below, now)
        yield from _below(children, row.path, inner, now, fold, detail, said)


def _folded(nodes: list[NodeState], children: dict[str, list[NodeState]], fold: int) -> Iterator[NodeState | str]:
    start = 0
    while start < len(nodes):
        end = start + 1
        if fold and _plain(nodes[start], children):
            while end < len(nodes) and _plain(nodes[end], children) and nodes[end].entity == nodes[start].entity:
                end += 1
        if fold and end - start > fold:
            yield from nodes[start : start + _KEPT]
            yield f"… {end - start - _KEPT} more {short_name(nodes[start])}, all SUCCEEDED"
        else:
            yield from nodes[start:end]
        start = end


def _counted(items: list[NodeState], fold: int) -> Iterator[NodeState | str]:
    """Of the items of a large map, those that went wrong and a few that go on; the rest is counted."""
    wrong = [item for item in items if item.phase in _WRONG][:fold]
    under_way = [item for item in items if item.phase in _UNDER_WAY][:_KEPT]
    shown = {item.path for item in (*wrong, *under_way)}
    yield from (item for item in items if item.path in shown)
    rest = Counter(item.phase.value for item in items if item.path not in shown)
    told = ", ".join(f"{count} {phase}" for phase, count in rest.items())
    yield f"… {sum(rest.values())} more: {told}" if told else f"{len(items)} items"


_WRONG = frozenset({Phase.FAILED, Phase.TIMED_OUT, Phase.FAILING})
_UNDER_WAY = frozenset({Phase.RUNNING, Phase.DYNAMIC_RUNNING, Phase.PAUSED, Phase.ABORTING})


def progress(array: ArrayState) -> str:
    """``37/100, 1 failed``: how far a map is."""
    failed = f", {array.failed} failed" if array.failed else ""
    return f"{array.succeeded + array.failed}/{array.length}{failed}"


def _plain(node: NodeState, children: dict[str, list[NodeState]]) -> bool:
    """Whether there is nothing to say about it but that it went well."""
    return (
        node.phase is Phase.SUCCEEDED
        and not children.get(node.path)
        and len(node.attempts) < 2
        and not node.grafted_from
        and not node.replaced
    )


def short_name(node: NodeState) -> str:
    """The author's name for it, without the module."""
    name = (node.name or node.entity).rpartition(".")[2] or node.kind.value
    return name.partition(" over ")[0] if node.kind is Kind.ARRAY else name


def _node_line(node: NodeState, branch: str, now: float, said: Progress | None) -> Line:
    glyph, style = STYLES[node.phase]
    label = f"{node.id} {short_name(node)}"
    pad = " " * max(_COLUMN - len(branch) - 2 - len(label), 2)
    parts: list[Part] = [
        (branch, "dim"),
        (f"{glyph} ", style),
        (node.id, "dim"),
        (f" {short_name(node)}", ""),
        (pad, ""),
    ]
    parts.append((f"{node.phase.value:<9}", style))
    if (took := duration(node, now)) is not None:
        parts.append((f"  {show_seconds(took):>7}", ""))
    if said is not None and not node.phase.has_outputs:
        parts.append((f"  {progress_text(said)}", "cyan"))
    if notes := notes_of(node):
        parts.append((f"  {', '.join(notes)}", "dim"))
    return Line(tuple(parts), node.path)


def notes_of(node: NodeState) -> list[str]:
    """What is to be said of a node beside its phase."""
    notes = []
    if node.array is not None:
        notes.append(progress(node.array))
    elif node.kind is Kind.ARRAY:
        notes.append("map")
    elif node.kind is not Kind.TASK:
        notes.append(node.kind.value)
    if node.opens is not None:
        notes.append(f"⎡ sets up {_inside(node.opens)}")
    if node.closes is not None:
        setup = node.closes.setup
        notes.append("runs on failure" if setup is None else f"⎣ tears down {setup.id}")
    elif node.opens is None:
        setups = [bracket.setup.id for bracket in node.within if bracket.setup is not None]
        notes += [f"⎢ in the bracket of {setups[0]}"] if setups else []
    parked = sum(attempt.phase is Phase.PAUSED for attempt in node.attempts)
    if len(node.attempts) - parked > 1:
        notes.append(f"{len(node.attempts) - parked} attempts")
    if node.stage is Stage.GATE:
        notes.append(waits_for(node))
    elif node.phase is Phase.PAUSED:
        notes.append(
            f"parked until {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(node.due))}" if node.due else "parked"
        )
    elif parked:
        notes.append(f"parked {parked} times" if parked > 1 else "parked once")
    if node.cached:
        notes.append(f"cache {node.cache_reason}" if node.cache_reason else "cache hit")
    if node.grafted_from:
        notes.append(f"took the outcome of {node.grafted_from}: the body has changed")
    if node.recovered_from:
        run, _, path = node.recovered_from.partition("/")
        notes.append(f"from run {run}" if path == node.path else f"from {path} of run {run}")
    if node.replaced:
        notes.append("replaced: the body makes another call here now")
    return notes


def _inside(bracket: BracketState) -> str:
    members = bracket.bracket.members
    if not members:
        return "nothing"
    return members[0] if len(members) == 1 else f"{members[0]} … {members[-1]}"


def progress_text(said: Progress) -> str:
    """``12 of 40 (30%) reading``."""
    if said.total:
        share = min(max(said.done / said.total, 0.0), 1.0)
        text = f"{said.done:g} of {said.total:g} ({share:.0%})"
    else:
        text = f"{said.done:g}"
    return f"{text} {said.message}".rstrip()


def _details(node: NodeState, indent: str, now: float) -> Iterator[Line]:
    if node.cache_reason and not node.cached:
        yield Line(((indent, "dim"), (f"cache {node.cache_reason}", "dim")))
    # A parked attempt is no try of its own: the body goes on in the next.
    tries = [attempt for attempt in node.attempts if attempt.phase is not Phase.PAUSED]
    if len(tries) > 1:
        for attempt in tries:
            yield Line(((indent, "dim"), *_attempt_parts(attempt, now)))
    failure = node.failure
    # What failed inside is shown there.
    if failure is not None and failure.node in ("", node.path):
        for text in own_traceback(node).splitlines():
            yield Line(((indent, "dim"), (text, "red")))
        where = failure.line or node.line
        if where and not failure.traceback:
            yield Line(((indent, "dim"), (where, "dim")))


def _attempt_parts(attempt: Attempt, now: float) -> Iterator[Part]:
    _, style = STYLES[attempt.phase]
    took = show_seconds((attempt.ended_at or now) - (attempt.started_at or attempt.launched_at))
    yield (f"attempt {attempt.number} ", "")
    yield (attempt.phase.value, style)
    yield (f" {took}", "")
    if attempt.worker:
        yield (f"  worker {attempt.worker}", "dim")
    if attempt.failure is not None:
        yield (f"  {attempt.failure.title.splitlines()[0]}", "red")


def counts(run: Run) -> str:
    """``12 of 40 nodes done, 3 running``."""
    done = running = 0
    for node in run.nodes.values():
        if node.phase.terminal:
            done += 1
        elif node.phase is Phase.RUNNING:
            running += 1
    total = len(run.nodes)
    noun = "node" if total == 1 else "nodes"
    return f"{done} of {total} {noun} done" + (f", {running} running" if running else "")
