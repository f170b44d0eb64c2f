"""Logs by line: how many lines there are, some of them by number, which of them have a text.

Attempts write chunks: whole lines, several of them, or pieces of one. Nothing is kept of lines where chunks are
written: that path stays cheap. Whoever first asks for the lines of a node has its chunks counted once; what is kept of
that is a mark every thousand lines, and counting goes on from there. A line stands where its first piece does.

Knows: stores of logs. Must not know: HTTP.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import NamedTuple

from msgspec import Struct

from whimbrel.controlplane.ports import LogLine, LogStore

CUT = 4_000
"""Characters of a line that are given, unless all of it is asked for."""
WHOLE = 16 * 1024 * 1024
"""Characters of a line at most."""
KEPT = 64
"""Indices that are kept; others are counted again when somebody looks."""
PATIENCE = 1.0
"""Seconds after which a search says how far it got."""
MOST_HITS = 10_000
_SPACING = 1_000
"""Lines between two marks."""
_PAGE = 1_000
"""Chunks that are read at a time."""
_BEYOND = 500
"""Chunks behind the last line asked for in which its end is looked for."""
_OPEN = 64
"""Unfinished lines that are remembered; the oldest of more are taken as finished."""

Source = tuple[str, int, str]
"""Who writes a line: path, attempt, stream."""


class Wanted(NamedTuple):
    """Which chunks: of ``node`` and what is inside it (of all, for ""), of one ``attempt`` (of all, for 0), of these
    ``streams`` and with these ``levels`` (of all, where there are none)."""

    node: str = ""
    attempt: int = 0
    streams: frozenset[str] = frozenset()
    levels: frozenset[str] = frozenset()

    def takes(self, chunk: LogLine) -> bool:
        """Whether the chunk is one of them."""
        return (
            (not self.attempt or chunk.attempt.number == self.attempt)
            and (not self.streams or chunk.stream in self.streams)
            and (not self.levels or chunk.level in self.levels)
        )


class ReadLine(Struct):
    """A line: its ``number`` from 0, ``cut`` when there is more of it than its ``text``."""

    number: int
    node: str
    attempt: int
    stream: str
    level: str
    at: float
    text: str
    cut: bool = False


class Found(NamedTuple):
    """Numbers of lines that have a text, the first to have it first; all before ``until`` were looked at, and with
    ``done`` there are no more."""

    lines: list[int]
    until: int
    done: bool


class _Mark(NamedTuple):
    line: int
    after: int
    open: dict[Source, int]


def _source(chunk: LogLine) -> Source:
    return chunk.attempt.path, chunk.attempt.number, chunk.stream


class _Counting:
    """Which numbers the lines of chunks have. ``line`` is that of the next new one, ``open`` those of the lines that
    are unfinished."""

    def __init__(self, mark: _Mark) -> None:
        self.line = mark.line
        self.open = dict(mark.open)

    def take(self, chunk: LogLine) -> tuple[int | None, int]:
        """Count a chunk: the number of the line that its first piece goes on with, if it does, and the number of the
        first line that begins in it."""
        text, base = chunk.text, self.line
        if not text:
            return None, base
        source = _source(chunk)
        begun = self.open.pop(source, None)
        ends = text.count("\n")
        unfinished = not text.endswith("\n")
        self.line += ends + unfinished - (begun is not None)
        if unfinished:
            self.open[source] = self.line - 1 if ends or begun is None else begun
            if len(self.open) > _OPEN:
                del self.open[next(iter(self.open))]
        return begun, base

    def pieces(self, chunk: LogLine) -> list[tuple[int, str]]:
        """Count a chunk: each of its pieces, and the number of its line."""
        begun, base = self.take(chunk)
        texts = chunk.text.split("\n")
        if not texts[-1]:
            texts.pop()
        if begun is None:
            return list(enumerate(texts, base))
        return [(begun, texts[0]), *enumerate(texts[1:], base)]


class Index:
    """The lines of what is ``wanted`` of a run, as far as they were counted."""

    def __init__(self, store: LogStore, run: str, wanted: Wanted) -> None:
        self._store = store
        self._run = run
        self.wanted = wanted
        self._busy = asyncio.Lock()
        self._last = 0
        self._marks = [_Mark(0, 0, {})]
        self._counting = _Counting(self._marks[0])
        self.attempts: set[int] = set()
        """The attempts that wrote anything, whether it is wanted or not; so it is with ``streams`` and ``levels``."""
        self.streams: set[str] = set()
        self.levels: set[str] = set()

    @property
    def total(self) -> int:
        """How many lines were counted."""
        return self._counting.line

    @property
    def settled(self) -> int:
        """From which line on something may be added: the first unfinished one of the last."""
        recent = self.total - _OPEN
        return min((self.total, *(line for line in self._counting.open.values() if line >= recent)))

    async def look(self) -> int:
        """Count what was written since; how many lines there are."""
        async with self._busy:
            async for chunks in self._chunks(self._last):
                await asyncio.to_thread(self._count, chunks)
            return self.total

    async def _chunks(self, after: int, most: int = 0) -> AsyncIterator[list[LogLine]]:
        while chunks := await self._store.logs(self._run, path=self.wanted.node, after=after, limit=most or _PAGE):
            yield chunks
            after = chunks[-1].id

    def _count(self, chunks: list[LogLine]) -> None:
        counting = self._counting
        for chunk in chunks:
            self.attempts.add(chunk.attempt.number)
            self.streams.add(chunk.stream)
            self.levels.add(chunk.level)
            self._last = chunk.id
            if self.wanted.takes(chunk):
                counting.take(chunk)
                if counting.line - self._marks[-1].line >= _SPACING:
                    self._marks.append(_Mark(counting.line, chunk.id, dict(counting.open)))

    def _mark(self, line: int) -> _Mark:
        return self._marks[bisect_right(self._marks, line, key=lambda mark: mark.line) - 1]

    async def read(self, first: int, count: int, *, whole: bool = False) -> list[ReadLine]:
        """``count`` lines from the number ``first`` on, as many of them as there are. Long ones are cut unless they
        are wanted ``whole``; of whole ones there may be fewer, one at least."""
        end, most = first + count, WHOLE if whole else CUT
        mark = self._mark(first)
        counting = _Counting(mark)
        found: dict[int, ReadLine] = {}
        beyond = taken = 0
        async for chunks in self._chunks(mark.after, 200):
            for chunk in chunks:
                if not self.wanted.takes(chunk):
                    continue
                for number, text in counting.pieces(chunk):
                    if first <= number < end:
                        _add(found, number, chunk, text, most)
                        taken += len(text)
                if whole and taken > WHOLE:
                    over = min((counting.line, *(number for number in counting.open.values() if number >= first)))
                    if over > first:
                        return [found[number] for number in sorted(found) if number < over]
                if counting.line >= end:
                    beyond += 1
                    missing = any(number in found and not found[number].cut for number in counting.open.values())
                    if not missing or (beyond > _BEYOND and not whole):
                        return [found[number] for number in sorted(found)]
        return [found[number] for number in sorted(found)]

    async def find(self, text: str, *, case: bool = False, first: int = 0) -> Found:
        """Which lines from the number ``first`` on have ``text``: at most ``MOST_HITS``, within ``PATIENCE`` seconds.
        Upper and lower case are the same unless ``case``."""
        end = time.monotonic() + PATIENCE
        mark = self._mark(first)
        search = _Search(mark, text, case, first)
        async for chunks in self._chunks(mark.after):
            await asyncio.to_thread(search.take, [chunk for chunk in chunks if self.wanted.takes(chunk)])
            until = max(first, search.counting.line)
            if len(search.hits) >= MOST_HITS:
                lines = sorted(search.hits)[:MOST_HITS]
                return Found(lines, lines[-1] + 1, False)
            # It has to get on, however many chunks of others there are.
            if time.monotonic() > end and until > first:
                return Found(sorted(search.hits), until, False)
        return Found(sorted(search.hits), max(first, search.counting.line), True)


def _add(found: dict[int, ReadLine], number: int, chunk: LogLine, text: str, most: int) -> None:
    line = found.get(number)
    if line is None:
        line = found[number] = ReadLine(number, *_source(chunk), chunk.level, chunk.at, "")
    room = most - len(line.text)
    line.text += text[:room]
    line.cut = line.cut or len(text) > room


class _Search:
    def __init__(self, mark: _Mark, text: str, case: bool, first: int) -> None:
        self._case = case
        self._text = text if case else text.lower()
        self._first = first
        # Of each unfinished line what a hit may begin in.
        self._tails: dict[Source, str] = {}
        self.counting = _Counting(mark)
        self.hits: set[int] = set()

    def take(self, chunks: list[LogLine]) -> None:
        """Look through some chunks."""
        for chunk in chunks:
            if not chunk.text:
                continue
            source = _source(chunk)
            tail = self._tails.pop(source, "")
            text = tail + (chunk.text if self._case else chunk.text.lower())
            if self._text in text:
                begun, base = self.counting.take(chunk)
                for at, piece in enumerate(text.split("\n"), base if begun is None else base - 1):
                    number = begun if begun is not None and at == base - 1 else at
                    if self._text in piece and number >= self._first:
                        self.hits.add(number)
            else:
                self.counting.take(chunk)
            if source in self.counting.open and len(self._text) > 1:
                self._tails[source] = text.rpartition("\n")[2][1 - len(self._text) :]


class Indices:
    """The indices that were looked at last. For the thread of one event loop."""

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._indices: OrderedDict[tuple[str, Wanted], Index] = OrderedDict()

    def of(self, run: str, wanted: Wanted) -> Index:
        """The lines of what is wanted of a run. Nothing has been counted when it is new."""
        key = run, wanted
        index = self._indices.get(key)
        if index is None:
            index = self._indices[key] = Index(self._store, run, wanted)
        self._indices.move_to_end(key)
        while len(self._indices) > KEPT:
            self._indices.popitem(last=False)
        return index
