"""A run as one page of HTML that needs nothing else: what ran and when, values, decks, logs, errors.

Every text of the run's is escaped here. Decks are HTML of the author's: each stands in a frame of its own, in which no
script runs and nothing is loaded from anywhere, so that none can touch the page around it.

Knows: folded runs, decks, log lines. Must not know: stores, click.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from whimbrel.authoring.decks import DeckField, escaped
from whimbrel.cli.failures import failure_text, own_traceback
from whimbrel.cli.page_style import DECK_STYLE, PAGE_STYLE, SCRIPT, asset
from whimbrel.cli.terminal_text import clean
from whimbrel.cli.tree import FOLD, children_of, notes_of, progress_text, short_name
from whimbrel.controlplane.describing import duration
from whimbrel.engine.nodes import Attempt, Kind, NodeState
from whimbrel.engine.run import Run
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.literals import Literals
from whimbrel.model.run import Phase, RunSummary
from whimbrel.wire.literal_json import brief, dump, to_json
from whimbrel.wire.spans import show_moment, show_seconds

VALUE_CHARACTERS = 6000
"""Of one value on the page: readers of a page want its shape, `whimbrel describe --json` has all of it."""
_BRIEF = 140
_ROWS = 400
"""Of the timeline, and nodes with a section of their own; a page of more is slow to open and no better to read."""
_CALLS = 500
_EVERY = frozenset(field.value for field in DeckField)

_TONES = {
    Phase.SUCCEEDED: "good",
    Phase.RECOVERED: "good",
    Phase.FAILED: "bad",
    Phase.FAILING: "bad",
    Phase.TIMED_OUT: "bad",
    Phase.ABORTED: "warn",
    Phase.ABORTING: "warn",
    Phase.PAUSED: "warn",
    Phase.UNDEFINED: "wait",
    Phase.QUEUED: "wait",
    Phase.SKIPPED: "wait",
}


class LogTail(Struct):
    """The end of what a node wrote: lines as (stream or level, text); ``left_out`` counts those before."""

    lines: list[tuple[str, str]] = []
    left_out: int = 0


class Shown(Struct):
    """What a page is made of. ``decks`` have their HTML in them; ``node`` narrows the page to one node and what is in
    it; ``refresh`` reloads it after so many seconds; with ``scripts`` those in decks may run, in frames that see
    nothing else.
    """

    summary: RunSummary
    run: Run
    inputs: Literals
    outputs: Literals
    decks: Sequence[DeckUpdate]
    progress: Sequence[Progress]
    logs: Mapping[str, LogTail]
    sources: Mapping[str, str]
    now: float
    node: str = ""
    refresh: int = 0
    scripts: bool = False


def page(shown: Shown) -> str:
    """The page."""
    digest = base64.b64encode(hashlib.sha256(asset(SCRIPT).encode()).digest()).decode()
    script = "'unsafe-inline'" if shown.scripts else f"'sha256-{digest}'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; script-src {script}"
    refresh = f'<meta http-equiv="refresh" content="{shown.refresh}">' if shown.refresh else ""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{refresh}'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escaped(_title(shown))}</title><style>{asset(PAGE_STYLE)}</style></head>\n<body><main>"
        f"{''.join(_Page(shown).parts())}</main><script>{asset(SCRIPT)}</script></body></html>\n"
    )


def _title(shown: Shown) -> str:
    return f"{shown.run.workflow.rpartition('.')[2] or shown.summary.entity} · {shown.run.phase.value} · {shown.run.id}"


class _Page:
    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._run = shown.run
        self._children = children_of(shown.run)
        self._decks: dict[str, list[DeckUpdate]] = {}
        for deck in shown.decks:
            self._decks.setdefault(deck.attempt.path, []).append(deck)
        self._progress = {said.attempt.path: said for said in shown.progress}

    def parts(self) -> Iterator[str]:
        yield from self._header()
        rows = list(self._rows(self._start(), 0))
        yield "<h2>Timeline</h2>"
        yield from self._timeline(rows[:_ROWS], len(rows) - _ROWS)
        nodes = [row for _, row in rows if isinstance(row, NodeState)]
        yield (
            '<div class="tools"><h2>Nodes</h2><input id="filter" type="search" placeholder="Filter nodes"'
            ' aria-label="Filter nodes"></div>'
        )
        for node in nodes[:_ROWS]:
            yield from self._section(node)
        if len(nodes) > _ROWS:
            yield f'<p class="empty">{len(nodes) - _ROWS} more nodes: whimbrel deck {self._run.id} --node PATH</p>'
        yield f"<footer>whimbrel · run {escaped(self._run.id)} · as of {escaped(show_moment(self._shown.now))}</footer>"

    # --- the run -----------------------------------------------------------------------------------------------------

    def _header(self) -> Iterator[str]:
        run, summary = self._run, self._shown.summary
        module, _, name = run.workflow.rpartition(".")
        source = f" from {summary.source}" if summary.source else ""
        yield (
            f"<header><div><h1>{escaped(name)}</h1>"
            f'<div class="sub">run <span class="mono">{escaped(run.id)}</span> of {escaped(module + source)}</div>'
            f"</div>{_pill(run.phase)}</header>"
        )
        nodes = list(run.nodes.values())
        done = sum(node.phase.terminal for node in nodes)
        tries = sum(attempt.phase is not Phase.PAUSED for node in nodes for attempt in node.attempts)
        cached = sum(node.cached for node in nodes)
        facts = [
            (show_seconds((run.ended_at or self._shown.now) - run.started_at), "duration"),
            (show_moment(summary.started_at or summary.created_at), "started"),
            (f"{done} of {len(nodes)}", "nodes done"),
            (str(tries), "attempts"),
        ]
        if cached:
            facts.append((str(cached), "from the cache"))
        if summary.epoch > 1:
            facts.append((str(summary.epoch - 1), "resumed"))
        yield '<div class="card facts">'
        yield from (f'<div class="fact"><b>{escaped(big)}</b><span>{small}</span></div>' for big, small in facts)
        yield "</div>"
        if run.failure is not None:
            yield (
                f'<div class="card alert"><b>{escaped(run.failure.title.partition(chr(10))[0])}</b>'
                f"<pre>{escaped(failure_text(run.failure))}</pre></div>"
            )
        if self._shown.inputs or self._shown.outputs:
            tabs = [("Inputs", _values(self._shown.inputs))] if self._shown.inputs else []
            if run.phase is Phase.SUCCEEDED and self._shown.outputs:
                tabs.insert(0, ("Outputs", _values(self._shown.outputs)))
            yield f'<div class="card" style="margin-top:16px">{_tabs("run", tabs)}</div>'

    # --- the timeline ------------------------------------------------------------------------------------------------

    def _start(self) -> list[NodeState]:
        if self._shown.node:
            return [self._run.nodes[self._shown.node]]
        return self._children.get("", [])

    def _rows(self, nodes: Sequence[NodeState], depth: int) -> Iterator[tuple[int, NodeState | str]]:
        start = 0
        while start < len(nodes):
            end = start + 1
            while end < len(nodes) and self._alike(nodes[start], nodes[end]):
                end += 1
            kept = end if end - start <= FOLD else start + FOLD // 2
            for node in nodes[start:kept]:
                yield depth, node
                yield from self._rows(self._children.get(node.path, []), depth + 1)
            if kept < end:
                yield depth, f"… {end - kept} more {short_name(nodes[start])}, all SUCCEEDED"
            start = end

    def _alike(self, one: NodeState, other: NodeState) -> bool:
        return all(
            node.phase is Phase.SUCCEEDED and not self._children.get(node.path) and node.path not in self._decks
            for node in (one, other)
        ) and (one.entity, one.kind) == (other.entity, other.kind)

    def _timeline(self, rows: Sequence[tuple[int, NodeState | str]], more: int) -> Iterator[str]:
        if not rows:
            yield '<p class="empty">Nothing has begun.</p>'
            return
        begin = self._run.started_at
        whole = max((self._run.ended_at or self._shown.now) - begin, 1e-6)
        yield '<div class="card gantt"><div class="axis"><span></span><span></span><div class="ticks">'
        yield from (
            f'<span style="left:{quarter * 25}%">{escaped(show_seconds(whole * quarter / 4))}</span>'
            for quarter in range(5)
        )
        yield "</div></div>"
        for depth, row in rows:
            pad = f"padding-left:{depth * 18}px"
            if isinstance(row, str):
                yield f'<div class="row more"><div class="what" style="{pad}">{escaped(row)}</div></div>'
                continue
            took = duration(row, self._shown.now)
            yield (
                f'<a class="row" href="#{escaped(_anchor(row))}"><div class="what" style="{pad}">'
                f'<span class="{_tone(row.phase)}">{_dot(row)}</span>'
                f'<span class="name">{escaped(short_name(row))}</span>'
                f'<span class="id mono">{escaped(row.id)}</span></div>'
                f'<div class="took">{escaped(show_seconds(took)) if took is not None else ""}</div>'
                f'<div class="bars">{"".join(self._bars(row, begin, whole))}</div></a>'
            )
        if more > 0:
            yield f'<div class="row more"><div class="what">… {more} more rows</div></div>'
        yield "</div>"

    def _bars(self, node: NodeState, begin: float, whole: float) -> Iterator[str]:
        now = self._shown.now

        def bar(start: float, end: float, kind: str, title: str) -> str:
            left = min(max(100 * (start - begin) / whole, 0.0), 100.0)
            width = min(max(100 * (end - start) / whole, 0.15), 100.0 - left)
            return f'<i class="{kind}" style="left:{left:.3f}%;width:{width:.3f}%" title="{escaped(title)}"></i>'

        first = node.started_at or node.ended_at or now
        if node.queued_at and first > node.queued_at:
            yield bar(node.queued_at, first, "wait", f"waited {show_seconds(first - node.queued_at)}")
        outer = " outer" if node.path in self._children else ""
        if not node.attempts and node.started_at:
            yield bar(node.started_at, node.ended_at or now, _tone(node.phase) + outer, node.phase.value)
        for attempt in node.attempts:
            start = attempt.started_at or attempt.launched_at
            end = attempt.ended_at or now
            title = f"attempt {attempt.number}: {attempt.phase.value}, {show_seconds(end - start)}"
            yield bar(start, end, _tone(attempt.phase) + outer, title)

    # --- nodes -------------------------------------------------------------------------------------------------------

    def _section(self, node: NodeState) -> Iterator[str]:
        path = node.path
        took = duration(node, self._shown.now)
        decks = self._decks.get(path, [])
        chips = [note for note in notes_of(node) if len(note) < 40]
        if decks:
            count = len({deck.name for deck in decks})
            chips.append(f"{count} deck{'' if count == 1 else 's'}")
        matters = node.phase in (Phase.FAILED, Phase.TIMED_OUT) or bool(decks) or path == self._shown.node
        words = f"{path} {node.entity} {node.name} {node.phase.value}".lower()
        yield (
            f'<details class="card node" id="{escaped(_anchor(node))}" data-words="{escaped(words)}"'
            f"{' open' if matters else ''}>"
            f'<summary><span class="{_tone(node.phase)}">{_dot(node)}</span>'
            f'<span class="grow"><b>{escaped(short_name(node))}</b> <span class="id mono">{escaped(path)}</span></span>'
            + "".join(f'<span class="chip">{escaped(chip)}</span>' for chip in chips)
            + f'<span class="extra">{escaped(show_seconds(took)) if took is not None else ""}</span>'
            f"{_pill(node.phase)}</summary>{_tabs(_anchor(node), list(self._panels(node, decks)))}</details>"
        )

    def _panels(self, node: NodeState, decks: Sequence[DeckUpdate]) -> Iterator[tuple[str, str]]:
        failure = node.failure
        if failure is not None:
            where = f"<p>{escaped(failure.line or node.line)}</p>" if failure.line or node.line else ""
            yield "Error", f'<pre class="bad">{escaped(own_traceback(node) or failure.title)}</pre>{where}'
        if node.kind is Kind.EAGER or any(child.key for child in node.children):
            yield f"Calls ({len(node.children)})", self._calls(node)
        several = len({deck.attempt.number for deck in decks}) > 1
        made = {deck.name for deck in decks}
        # The newest attempt first, and the author's decks before those that every task has.
        for deck in sorted(decks, key=lambda deck: (-deck.attempt.number, deck.name in _EVERY, deck.place)):
            title = f"{deck.name} (attempt {deck.attempt.number})" if several else deck.name
            yield title, _frame(deck.html, scripts=self._shown.scripts)
        said = self._progress.get(node.path)
        if said is not None:
            yield "Progress", _progress(said)
        if node.inputs and DeckField.INPUT.value not in made:
            yield "Inputs", _values(node.inputs)
        if node.phase.has_outputs and DeckField.OUTPUT.value not in made:
            yield "Outputs", _values(node.outputs) if node.outputs else '<p class="empty">None</p>'
        tail = self._shown.logs.get(node.path)
        if tail is not None:
            yield "Logs", _logs(tail)
        yield "Attempts", self._attempts(node)
        source = self._shown.sources.get(node.path, "")
        if source and DeckField.SOURCE_CODE.value not in made:
            yield "Source", f'<pre class="code">{escaped(source)}</pre>'

    def _calls(self, node: NodeState) -> str:
        rows = []
        for child in node.children[:_CALLS]:
            took = duration(child, self._shown.now)
            outcome = child.failure.title.partition("\n")[0] if child.failure is not None else ""
            if not outcome and child.phase.has_outputs:
                outcome = _result(child.outputs)
            rows.append(
                f'<tr><td><a href="#{escaped(_anchor(child))}">{escaped(short_name(child))}</a><br>'
                f'<span class="empty mono">{escaped(child.id)}</span></td><td>{_pill(child.phase)}</td>'
                f'<td class="num">{escaped(show_seconds(took)) if took is not None else ""}</td>'
                f'<td class="mono">{escaped(brief(child.inputs, _BRIEF))}</td>'
                f'<td class="mono{" bad" if child.failure is not None else ""}">{escaped(_cut(outcome, _BRIEF))}</td>'
                "</tr>"
            )
        more = len(node.children) - _CALLS
        rest = f'<p class="empty">{more} more calls</p>' if more > 0 else ""
        if not rows:
            return '<p class="empty">The body has made no calls.</p>'
        head = "<tr><th>call</th><th>phase</th><th>took</th><th>inputs</th><th>result</th></tr>"
        return f"<table>{head}{''.join(rows)}</table>{rest}"

    def _attempts(self, node: NodeState) -> str:
        head = "<tr><th>attempt</th><th>phase</th><th>waited</th><th>ran</th><th>worker</th><th></th></tr>"
        rows = "".join(self._attempt(attempt) for attempt in node.attempts)
        table = f"<table>{head}{rows}</table>" if rows else '<p class="empty">Nothing was launched for it.</p>'
        facts = {
            "path": node.path,
            "entity": node.entity,
            "line": node.line,
            "cache": node.cache_reason,
            "took the outcome of": node.recovered_from or node.grafted_from,
        }
        listed = "".join(
            f'<div class="k">{name}</div><div class="mono">{escaped(text)}</div>'
            for name, text in facts.items()
            if text
        )
        return f'{table}<div class="values" style="margin-top:10px">{listed}</div>'

    def _attempt(self, attempt: Attempt) -> str:
        now = self._shown.now
        start = attempt.started_at or attempt.ended_at or now
        ran = show_seconds((attempt.ended_at or now) - attempt.started_at) if attempt.started_at else ""
        why = attempt.failure.title.partition("\n")[0] if attempt.failure is not None else ""
        return (
            f"<tr><td>{attempt.number}</td><td>{_pill(attempt.phase)}</td>"
            f'<td class="num">{escaped(show_seconds(start - attempt.launched_at))}</td>'
            f'<td class="num">{escaped(ran)}</td>'
            f'<td class="mono">{escaped(attempt.worker)}</td><td class="bad">{escaped(_cut(why, 300))}</td></tr>'
        )


# --- pieces ----------------------------------------------------------------------------------------------------------


def _tone(phase: Phase) -> str:
    return _TONES.get(phase, "run")


def _pill(phase: Phase) -> str:
    return f'<span class="pill {_tone(phase)}">{phase.value}</span>'


def _dot(node: NodeState) -> str:
    return {"good": "✓", "bad": "✗", "warn": "■", "wait": "○"}.get(_tone(node.phase), "●")


def _anchor(node: NodeState) -> str:
    return f"n-{node.path}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _values(literals: Literals) -> str:
    rows = []
    for name, literal in literals.items():
        value = to_json(literal)
        text = value if isinstance(value, str) and value else dump(value)
        left = len(text) - VALUE_CHARACTERS
        shown = text if left <= 0 else f"{text[:VALUE_CHARACTERS]}… ({left} more characters)"
        rows.append(f'<div class="k mono">{escaped(name)}</div><div><pre>{escaped(shown)}</pre></div>')
    return f'<div class="values">{"".join(rows)}</div>'


def _result(outputs: Literals) -> str:
    if list(outputs) == ["o0"]:
        return dump(to_json(outputs["o0"]), indent=None)
    return brief(outputs, _BRIEF) if outputs else "None"


def _progress(said: Progress) -> str:
    share = min(max(said.done / said.total, 0.0), 1.0) if said.total else 0.0
    meter = f'<div class="meter"><i style="width:{100 * share:.1f}%"></i></div>' if said.total else ""
    return f"<p>{escaped(progress_text(said))}</p>{meter}"


def _logs(tail: LogTail) -> str:
    first = (
        f'<span class="note">… {tail.left_out} lines before: whimbrel logs has them\n</span>' if tail.left_out else ""
    )
    lines = "".join(f'<span class="{escaped(kind)}">{escaped(clean(text))}\n</span>' for kind, text in tail.lines)
    return f'<pre class="logs">{first}{lines}</pre>'


def _frame(html: str, *, scripts: bool) -> str:
    """A deck in a frame of its own. Without scripts the page may measure it; with them it must see nothing else."""
    allow = "allow-scripts" if scripts else "allow-same-origin"
    running = "script-src 'unsafe-inline'; " if scripts else ""
    policy = (
        f"default-src 'none'; {running}style-src 'unsafe-inline'; img-src data:; font-src data:; form-action 'none'"
    )
    inside = (
        '<!doctype html><html><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f'<base target="_blank"><style>{asset(DECK_STYLE)}</style></head><body>{html}</body></html>'
    )
    sandbox = f"{allow} allow-popups allow-popups-to-escape-sandbox"
    return f'<iframe sandbox="{sandbox}" referrerpolicy="no-referrer" srcdoc="{escaped(inside)}"></iframe>'


def _tabs(group: str, tabs: Iterable[tuple[str, str]]) -> str:
    made = []
    for number, (title, content) in enumerate(tabs):
        name = escaped(f"{group}-{number}")
        checked = " checked" if number == 0 else ""
        made.append(
            f'<input type="radio" name="tab-{escaped(group)}" id="tab-{name}"{checked}><label for="tab-{name}">'
            f'{escaped(title)}</label><div class="panel">{content}</div>'
        )
    return f'<div class="tabs">{"".join(made)}</div>'
