"""GET /downloads/…: files and decks, to whoever has an address that is good.

Decks are HTML of authors: they are sent as pages that have no rights here.

Knows: Starlette, downloads, where decks are kept. Must not know: who may ask.
"""

from __future__ import annotations

import asyncio
import html

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from whimbrel.errors import EntityNotFound
from whimbrel.model.attempt import DeckUpdate
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.server.downloads import Downloads
from whimbrel.server.house import House

_HEADERS = {
    # Scripts of a deck draw its tables; they are nobody here.
    "Content-Security-Policy": "sandbox allow-scripts",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class DownloadRoutes:
    """See the module."""

    def __init__(self, house: House, downloads: Downloads) -> None:
        self._house = house
        self._downloads = downloads

    async def file(self, request: Request) -> Response:
        """A file, or the part of it that is asked for."""
        self._downloads.check(request.query_params)
        path = await asyncio.to_thread(self._downloads.opened, request.path_params["path"])
        headers = _HEADERS | {"Content-Disposition": "attachment"}
        return FileResponse(path, headers=headers, media_type="application/octet-stream")

    async def deck(self, request: Request) -> Response:
        """What a node shows, as one page."""
        self._downloads.check(request.query_params)
        said = request.path_params
        seen = await self._house.executions.seen(
            EntityId(EntityKind.EXECUTION, said["project"], said["domain"], said["execution"])
        )
        node = seen.node_at(said["node"])
        decks = await self._house.home.store.decks(seen.run.id, path=node.path)
        if not decks:
            raise EntityNotFound(f"the node {said['node']} of {seen.entity.id} shows nothing.")
        latest = {deck.attempt.path: deck.attempt.number for deck in decks}
        shown = [deck for deck in decks if deck.attempt.number == latest[deck.attempt.path]]
        return HTMLResponse(await asyncio.to_thread(self._page, shown), headers=_HEADERS)

    def _page(self, decks: list[DeckUpdate]) -> str:
        if len(decks) == 1:
            return self._html(decks[0])
        frames = [
            f"<h2>{html.escape(deck.name)}</h2>"
            f'<iframe sandbox="allow-scripts" style="width:100%;height:80vh;border:0" srcdoc="'
            f'{html.escape(self._html(deck), quote=True)}"></iframe>'
            for deck in decks
        ]
        return f'<!doctype html><meta charset="utf-8"><title>Deck</title>{"".join(frames)}'

    def _html(self, deck: DeckUpdate) -> str:
        if not deck.uri:
            return deck.html
        try:
            return self._house.home.blobs.get(deck.uri).decode("utf-8", "replace")
        except EntityNotFound as error:
            return f"<p>The deck is lost: {html.escape(str(error))}</p>"
