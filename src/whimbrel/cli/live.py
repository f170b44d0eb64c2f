"""Progress on stderr while a run is under way: a tree, drawn again and again, on a terminal; plain lines elsewhere.

Knows: events and reports as the control plane shows them, terminals. Must not know: how the run is carried out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

from whimbrel.cli.terminal_text import clean, whole_lines
from whimbrel.cli.tree import FOLD, Line, counts, progress, progress_text, short_name, tree
from whimbrel.controlplane.describing import duration
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptEnd, AttemptFault, FinishCall, LogChunk, Lost, Parked, Progress, Succeeded
from whimbrel.model.events import CacheHit, Event, RetryDue, RunRequested
from whimbrel.model.run import AttemptId, Phase
from whimbrel.wire.spans import show_seconds

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

PROGRESS_LINES = 2.0
"""Seconds between two lines on how far one attempt is, where lines stay."""

FRAME = 0.1
"""Seconds between two drawings: quick enough to look alive, slow enough to cost nothing."""


class Watcher(Protocol):
    """What the run command tells about a run, and how often it lets it draw."""

    def watch(self, run: Run, event: Event | LogChunk | Progress) -> None:
        """Something happened."""
        ...

    def draw(self) -> None:
        """Called every ``FRAME`` seconds."""
        ...

    def say(self, text: str) -> None:
        """A line of the command's own."""
        ...

    def close(self) -> None:
        """The run is over or parked: hand out what is held back, leave the terminal as it was."""
        ...


class Lines:
    """Puts chunks of what attempts write together to whole lines."""

    def __init__(self) -> None:
        self._held: dict[tuple[AttemptId, str], str] = {}

    def feed(self, chunk: LogChunk) -> list[str]:
        """The lines that are whole now, without their ends."""
        key = (chunk.attempt, chunk.stream)
        whole, rest = whole_lines(self._held.pop(key, "") + chunk.text)
        if chunk.level:
            whole = [f"{chunk.level} {line}" for line in whole]
        if rest:
            self._held[key] = rest
        return whole

    def end(self, attempt: AttemptId) -> list[str]:
        """What an attempt that has ended left without an end of line."""
        return [self._held.pop(key) for key in list(self._held) if key[0] == attempt]

    def rest(self) -> list[tuple[str, str]]:
        """All that is left, as (node path, text)."""
        left = [(attempt.path, text) for (attempt, _), text in self._held.items()]
        self._held.clear()
        return left


def path_of(event: Event) -> str:
    """The path of the node whose end ``event`` may be; "" when it ends none."""
    match event:
        case Succeeded() | AttemptFault() | Lost():
            return event.attempt.path
        case CacheHit():
            return event.path
        case FinishCall(parent=parent, key=key):
            return f"{parent}/{key}"
        case _:
            return ""


def _large_map(run: Run, node: NodeState) -> NodeState | None:
    """The outermost map around ``node`` that has many items."""
    found = None
    while node.parent:
        node = run.nodes[node.parent]
        if node.array is not None and node.array.length > FOLD:
            found = node
    return found


class PlainProgress:
    """Lines on a stream that is no terminal: what tasks write as it stands, what the run does as ``whimbrel: …``.

    ``quiet`` keeps to what the tasks write. What they write to their stdout goes to ``tasks``, if that is given.
    """

    def __init__(self, stream: TextIO, *, quiet: bool = False, tasks: TextIO | None = None) -> None:
        self._stream = stream
        self._quiet = quiet
        self._tasks = tasks or stream
        self._deaf: list[TextIO] = []
        self._said = Lines()
        self._tenths: dict[str, int] = {}
        self._lines = Lines()
        self._next_progress: dict[AttemptId, float] = {}

    def watch(self, run: Run, event: Event | LogChunk | Progress) -> None:
        """See ``Watcher``."""
        if isinstance(event, LogChunk):
            out = event.stream == "stdout"
            for line in (self._said if out else self._lines).feed(event):
                self._write(line, self._tasks if out else self._stream)
        elif isinstance(event, Progress):
            self._tell_progress(event)
        else:
            self._tell(run, event)

    def _count(self, node: NodeState) -> None:
        """Say how far a map is, ten times in all: its items are too many to be told one by one."""
        assert node.array is not None
        ended = node.array.succeeded + node.array.failed
        tenth = 10 * ended // node.array.length
        if tenth > self._tenths.get(node.path, 0):
            self._tenths[node.path] = tenth
            self._write(f"whimbrel: {node.path} {short_name(node)}  {progress(node.array)}")

    def _tell_progress(self, said: Progress) -> None:
        """Now and then: a line stays, where a terminal draws over it. The end of the way is told in any case."""
        next_at = self._next_progress.get(said.attempt, 0.0)
        done = bool(said.total) and said.done >= said.total
        if not self._quiet and (said.at >= next_at or done):
            self._next_progress[said.attempt] = said.at + PROGRESS_LINES
            self._write(f"whimbrel: {said.attempt.path} {progress_text(said)}")

    def _tell(self, run: Run, event: Event) -> None:
        if isinstance(event, AttemptEnd):
            for line in self._said.end(event.attempt):
                self._write(line, self._tasks)
            for line in self._lines.end(event.attempt):
                self._write(line)
        if self._quiet:
            return
        if isinstance(event, RetryDue):
            self._write(f"whimbrel: {event.path} tried again: attempt {event.number}")
            return
        if isinstance(event, Parked):
            if (parked := run.nodes[event.attempt.path]).phase is Phase.PAUSED:
                until = f", wakes in {show_seconds(parked.due - event.at)}" if parked.due else ""
                self._write(f"whimbrel: {parked.path} {short_name(parked)} parked{until}")
            return
        node = run.nodes.get(path_of(event))
        if node is None:
            return
        if isinstance(event, Succeeded | CacheHit) and (around := _large_map(run, node)) is not None:
            self._count(around)
            return
        took = duration(node, event.at)
        spent = f"  {show_seconds(took)}" if took is not None else ""
        if isinstance(event, AttemptFault):
            title = event.failure.title.splitlines()[0]
            self._write(
                f"whimbrel: {node.path} {short_name(node)} attempt {event.attempt.number} failed{spent}: {title}"
            )
        elif isinstance(event, Lost):
            reason = event.reason.splitlines()[0] if event.reason else "its worker is gone"
            self._write(f"whimbrel: {node.path} {short_name(node)} attempt {event.attempt.number} lost: {reason}")
        elif node.phase.terminal:
            why = f"  cache {node.cache_reason}" if node.cached else ""
            self._write(f"whimbrel: {node.path} {short_name(node)} {node.phase.value}{spent}{why}")

    def draw(self) -> None:
        """See ``Watcher``."""

    def say(self, text: str) -> None:
        """See ``Watcher``."""
        if not self._quiet:
            self._write(f"whimbrel: {text}")

    def close(self) -> None:
        """See ``Watcher``."""
        for _, text in self._said.rest():
            self._write(text, self._tasks)
        for _, text in self._lines.rest():
            self._write(text)

    def _write(self, line: str, stream: TextIO | None = None) -> None:
        stream = stream or self._stream
        if stream in self._deaf:
            return
        try:
            stream.write(line + "\n")
            stream.flush()
        except OSError:
            # Whoever read this has gone away. The run goes on: what is kept does not hang on who watches.
            self._deaf.append(stream)


class LiveProgress:
    """A tree on a terminal, below what the tasks write."""

    def __init__(self, stream: TextIO) -> None:
        # Half the cost of starting: loaded where there is a terminal to draw on.
        from rich.console import Console
        from rich.live import Live

        self._console: Console = Console(file=stream, highlight=False, soft_wrap=False)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            # What tasks write comes as reports; what this process writes is ours.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._lines = Lines()
        self._run: Run | None = None
        self._progress: dict[str, Progress] = {}
        self._drawn_at = 0.0
        self._live.start()

    def watch(self, run: Run, event: Event | LogChunk | Progress) -> None:
        """See ``Watcher``."""
        self._run = run
        if isinstance(event, LogChunk):
            self._print(event.attempt.path, self._lines.feed(event))
        elif isinstance(event, Progress):
            self._progress[event.attempt.path] = event
        elif isinstance(event, AttemptEnd):
            self._print(event.attempt.path, self._lines.end(event.attempt))
        elif isinstance(event, RunRequested):
            self.draw()

    def _print(self, path: str, lines: list[str]) -> None:
        from rich.text import Text

        for line in lines:
            self._console.print(Text.assemble((f"{path} │ ", "dim"), Text.from_ansi(clean(line, colours=True))))

    def draw(self) -> None:
        """See ``Watcher``. A large tree is drawn less often: at most a tenth of the time goes into drawing."""
        if self._run is None:
            return
        begin = time.monotonic()
        if begin < self._drawn_at:
            return
        self._live.update(self._picture(self._run), refresh=True)
        self._drawn_at = time.monotonic() + 10 * (time.monotonic() - begin)

    def _picture(self, run: Run) -> RenderableType:
        from rich.console import Group

        room = max(self._console.height - 2, 4)
        lines = fitted(run, time.time(), room, self._progress)
        return Group(*(styled(line) for line in lines))

    def say(self, text: str) -> None:
        """See ``Watcher``."""
        self._console.print(text, style="dim", markup=False)

    def close(self) -> None:
        """See ``Watcher``."""
        for path, text in self._lines.rest():
            self._print(path, [text])
        self._live.stop()


def styled(line: Line) -> Text:
    """A line for rich, on one row."""
    from rich.text import Text

    text = Text(no_wrap=True, overflow="ellipsis")
    for part, style in line.parts:
        text.append(part, style=style)
    return text


def fitted(run: Run, now: float, room: int, said: Mapping[str, Progress] | None = None) -> list[Line]:
    """The tree in at most ``room`` lines: folded more and more, then without what is over, then cut."""
    for fold in (FOLD, 3, 1):
        lines = tree(run, now, fold=fold, said=said)
        if len(lines) <= room:
            return lines
    nodes = run.nodes
    lines = [line for line in lines if not line.path or not nodes[line.path].phase.terminal]
    if len(lines) > room - 1:
        lines = lines[: room - 1]
    return [*lines, Line(((f"… {counts(run)}", "dim"),))]


def watcher(stream: TextIO | None = None, *, quiet: bool = False, tasks: TextIO | None = None) -> Watcher:
    """The progress that suits ``stream`` (stderr). ``tasks`` takes the tasks' stdout, if not ``stream``."""
    stream = stream or sys.stderr
    if stream.isatty() and not quiet and tasks is None:
        return LiveProgress(stream)
    return PlainProgress(stream, quiet=quiet, tasks=tasks)
