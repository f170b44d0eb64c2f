"""REST for the pages of runs and nodes: what is said of one, more of a value, and what is in files and tables.

A value is named by its run, its node, its name, and the way into it, never by an address: who may read the run may
read what its values refer to, where that is here. Bytes go out under addresses that are signed where the server asks
who reads, as downloads that can do nothing.

Knows: the house, trees, Starlette. Must not know: what a page does with it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, TooLarge
from whimbrel.model.literal_types import LiteralType, attribute
from whimbrel.model.literals import (
    BlobLiteral,
    DatasetLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    RefLiteral,
    StepMissing,
    StrLiteral,
    UnionLiteral,
    at_path,
)
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.model.run import RunSummary
from whimbrel.runtime.decoded import whole
from whimbrel.runtime.values import read_literal
from whimbrel.server.about import LinkOf, Maker, interface_of
from whimbrel.server.auth.signing import Signed
from whimbrel.server.contents import Contents, Stored
from whimbrel.server.downloads import downloads_of
from whimbrel.server.house import House
from whimbrel.server.http.exchange import answer_struct, query
from whimbrel.server.http.ranges import ranged
from whimbrel.server.media import media_type, shown_text
from whimbrel.server.showing import ITEMS, Path, Showing
from whimbrel.server.trees import Trees
from whimbrel.wire.literal_json import dump, to_json
from whimbrel.wire.rest.values import (
    AboutQuery,
    Directory,
    DirectoryEntry,
    FileHead,
    Shown,
    Side,
    ValueQuery,
)

VALUE_PAGE = "/values/{run}/{key}"
"""Where the bytes of a value are, for whoever has the address."""
PAGED = 64 * 1024 * 1024
"""Bytes of a value, as it is kept, of which another part can be shown: all of it is read for that."""
TEXT_PAGE = 64 * 1024
"""Characters of a text, and bytes of a file, that are shown at once."""
ENTRIES = 200
_SNIFFED = 1024
_AT_ONCE = 2
"""Large values that are read at the same time."""
_HEADERS = {
    "accept-ranges": "bytes",
    # A picture in a page is shown whatever this says; opened by itself it is a download, and has no rights.
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, max-age=600",
}
_UNQUOTED = re.compile(r"[^A-Za-z0-9._ ()-]")

T = TypeVar("T")


class Place(NamedTuple):
    """Which value, and which file of it."""

    node: str
    side: Side
    name: str
    at: Path = ()
    entry: str = ""


class ValueCalls:
    """The handlers."""

    def __init__(self, house: House, trees: Trees) -> None:
        self._house = house
        self._store = house.home.store
        self._blobs = house.home.blobs
        self._trees = trees
        self._contents = Contents(house.home.blobs, downloads_of(house).readable)
        self._maker = Maker(house.home.blobs, house.bundles.text, house.page_of)
        self._large = asyncio.Semaphore(_AT_ONCE)

    async def get_about(self, request: Request) -> Response:
        """All that the page of a run, or of a node, shows."""
        asked = query(request, AboutQuery)
        summary = await self._store.summary(request.path_params["run"])
        tree = self._trees.of(summary.id)
        await tree.look()
        link = self._links(summary.id, asked.node)
        if not asked.node:
            return answer_struct(await tree.read(lambda run: self._maker.of_run(summary, run, link)))
        node = _node(tree.run, asked.node)
        registered = await self._is_registered(summary, node)
        said = [each for each in await self._store.progress(summary.id) if each.attempt.path == node.path]
        progress = said[-1] if said else None
        return answer_struct(
            await tree.read(lambda run: self._maker.of_node(summary, run, node, progress, link, registered))
        )

    async def get_value(self, request: Request) -> Response:
        """More of a value: what follows in a list, a map or a text."""
        place, asked = _place(query(request, ValueQuery)), query(request, ValueQuery)
        run = request.path_params["run"]
        literal, kind = await self._found(run, place)
        return answer_struct(await self._aside(lambda: self._part(run, place, literal, kind, asked.offset)))

    async def get_table(self, request: Request) -> Response:
        """The first rows of a table."""
        stored = await self._stored(request)
        return answer_struct(await self._aside(lambda: self._contents.table(stored)))

    async def get_entries(self, request: Request) -> Response:
        """The files of a directory."""
        asked = query(request, ValueQuery)
        run, place = request.path_params["run"], _place(asked)
        stored = await self._stored(request)
        entries = await asyncio.to_thread(self._contents.entries, stored)
        shown = [
            DirectoryEntry(each.path, each.size, self._address(run, place._replace(entry=each.path)))
            for each in entries[asked.offset : asked.offset + ENTRIES]
        ]
        after = asked.offset + len(shown)
        size = sum(each.size for each in entries)
        return answer_struct(Directory(shown, len(entries), size, after if after < len(entries) else None))

    async def get_head(self, request: Request) -> Response:
        """The beginning of a file."""
        stored, entry = await self._stored(request), query(request, ValueQuery).entry

        def head() -> FileHead:
            content = self._contents.file(stored, entry)
            data = content.read(0, TEXT_PAGE)
            media = media_type(data, content.name)
            text = shown_text(data, cut=content.size > len(data))
            picture = media.startswith("image/")
            return FileHead(
                "" if picture or text is None else text, content.size, content.size > len(data), media, picture
            )

        return answer_struct(await asyncio.to_thread(head))

    async def get_bytes(self, request: Request) -> Response:
        """A file, or all of a value as text."""
        run, place = request.path_params["run"], _read_key(request.path_params["key"])
        await self._store.summary(run)
        literal, _ = await self._found(run, place)
        literal = await self._aside(lambda: self._resolved(literal, None))
        if isinstance(literal, BlobLiteral | DatasetLiteral):
            content = await asyncio.to_thread(self._contents.file, literal, place.entry)
            front = await asyncio.to_thread(content.read, 0, _SNIFFED)
            headers = {**_HEADERS, "content-disposition": _named(content.name)}
            return ranged(request, content.size, content.read, headers, media_type(front, content.name))
        name = "-".join([place.name, *map(str, place.at)])[:100]
        data, name = await self._aside(lambda: self._whole(literal, name))
        headers = {**_HEADERS, "content-disposition": _named(name)}
        return ranged(request, len(data), lambda start, length: data[start : start + length], headers)

    # --- inside

    async def _aside(self, work: Any) -> Any:
        async with self._large:
            return await asyncio.to_thread(work)

    async def _is_registered(self, summary: RunSummary, node: NodeState) -> bool:
        origin = summary.origin
        if node.spec is None or not origin.version:
            return False
        id = EntityId(EntityKind.TASK, origin.project, origin.domain, node.spec.name, origin.version)
        try:
            await self._house.registry.get(id)
        except EntityNotFound:
            return False
        return True

    async def _found(self, run: str, place: Place) -> tuple[Literal, LiteralType | None]:
        """The literal at a place, as far as it is in the log of the run, and its type."""
        tree = self._trees.of(run)
        await tree.look()

        def look(state: Run) -> tuple[Literal, LiteralType | None]:
            node = _node(state, place.node) if place.node else None
            literals = (node or state).inputs if place.side == "inputs" else (node or state).outputs
            if place.name not in literals:
                raise EntityNotFound(f"there is no {place.name[:200]!r} among the {place.side}.")
            graph = state.program.workflows.get(state.workflow)
            interface = interface_of(node, state.program) if node is not None else graph and graph.interface
            declared = interface and (interface.inputs if place.side == "inputs" else interface.outputs)
            kind = getattr(declared and declared.get(place.name), "type", None)
            for step in place.at:
                kind = None if kind is None else attribute(kind, step)
            try:
                return at_path(literals[place.name], place.at), kind
            except StepMissing as missing:
                raise EntityNotFound(f"{place.name}: {missing}.") from None

        return await tree.read(look)

    def _resolved(self, literal: Literal, most: int | None) -> Literal:
        """``literal`` itself and not a reference to it. Raises ``TooLarge`` where more than ``most`` bytes would be
        read."""
        while isinstance(literal, RefLiteral | UnionLiteral):
            if isinstance(literal, UnionLiteral):
                literal = literal.value
                continue
            if most is not None and literal.size > most:
                raise TooLarge(f"it has {literal.size:,} bytes, too many for a page: download it.")
            try:
                literal = at_path(whole(literal, self._blobs), literal.path)
            except StepMissing as missing:
                raise EntityNotFound(f"{missing}.") from None
        return literal

    async def _stored(self, request: Request) -> Stored:
        place = _place(query(request, ValueQuery))
        literal, _ = await self._found(request.path_params["run"], place)
        literal = await self._aside(lambda: self._resolved(literal, PAGED))
        if not isinstance(literal, BlobLiteral | DatasetLiteral):
            raise InputInvalid("that value is no file and no table.")
        return literal

    def _part(self, run: str, place: Place, literal: Literal, kind: LiteralType | None, offset: int) -> Shown:
        found = self._resolved(literal, PAGED)
        showing = Showing(self._blobs, text=TEXT_PAGE, first=offset)
        match found:
            case ListLiteral(items=items):
                part: Literal = ListLiteral(items[offset : offset + ITEMS])
                total, field = len(items), "items"
            case MapLiteral(items=fields):
                part = MapLiteral(dict(list(fields.items())[offset : offset + ITEMS]))
                total, field = len(fields), "fields"
            case StrLiteral(value=text):
                part_of = text[offset : offset + TEXT_PAGE]
                after = offset + len(part_of)
                return Shown(part_of, after if after < len(text) else None)
            case _:
                part, total, field = found, 0, ""
        shown = showing.value(part, kind, lambda path: self._address(run, place._replace(at=path)), place.at)
        count = len(shown.get(field, ())) if isinstance(shown, dict) else 0
        after = offset + max(count, 1)
        return Shown(shown, after if after < total else None)

    def _whole(self, literal: Literal, name: str) -> tuple[bytes, str]:
        literal = read_literal(literal, self._blobs)
        if isinstance(literal, StrLiteral):
            return literal.value.encode("utf-8", "backslashreplace"), f"{name}.txt"
        return dump(to_json(literal)).encode("utf-8", "backslashreplace"), f"{name}.json"

    # --- addresses

    def _links(self, run: str, node: str) -> LinkOf:
        return lambda side, name, path: self._address(run, Place(node, side, name, path))

    def _address(self, run: str, place: Place) -> str:
        path = f"/values/{quote(run, safe='')}/{_key(place)}"
        access = self._house.access
        return path if access is None else f"{path}?{access.signer.query('GET', path, Signed())}"


def _node(run: Run, path: str) -> NodeState:
    node = run.nodes.get(path)
    if node is None:
        raise EntityNotFound(f"run {run.id} has no node {path[:200]!r}")
    return node


def _place(asked: ValueQuery) -> Place:
    """Raises ``InputInvalid``."""
    try:
        at = msgspec.json.decode(asked.at, type=tuple[str | int, ...])
    except (msgspec.DecodeError, UnicodeEncodeError):
        raise InputInvalid('at: the way into a value is a JSON list, such as ["rows", 3].') from None
    return Place(asked.node, asked.side, asked.name, at, asked.entry)


def _key(place: Place) -> str:
    text = json.dumps([place.node, place.side, place.name, list(place.at), place.entry], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_key(key: str) -> Place:
    try:
        text = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        # By `json`, which reads the lone surrogates that it has written.
        said = msgspec.convert(json.loads(text), tuple[str, Side, str, tuple[str | int, ...], str])
    except (binascii.Error, ValueError, RecursionError):
        raise EntityNotFound("there is no value at this address.") from None
    return Place(*said)


def _named(name: str) -> str:
    """`attachment` under a name, which may hold anything."""
    plain = _UNQUOTED.sub("_", name)[-120:] or "value"
    return (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace')[-200:], safe='')}"
    )
