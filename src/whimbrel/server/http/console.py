"""The console: a page and its scripts, as the build of `console/` left them beside this module.

Every address below `/console` that is no file of the build is the page: which view that means is the page's business,
so that links (ours, and those that clients of Flyte print) can be opened. Nothing in it comes from elsewhere, and the
browser is told so.

Knows: files. Must not know: what the console shows.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

Elsewhere = Callable[[], Awaitable[tuple[str, ...]]]

BUILT = Path(__file__).parent.parent / "console"
"""Where `make console` puts it."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The console's own policy: scripts and styles of its build, and nothing written in a page."""
_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_UNBUILT = """<!doctype html><meta charset="utf-8"><title>whimbrel</title>
<h1>The console is not built</h1>
<p>This is a checkout of the source, and its console has not been built: run <code>make console</code> (it needs
node and npm), then start the server again. Everything else works without it: REST, gRPC and the command line.</p>
"""
_FOR_EVER = "public, max-age=31536000, immutable"


class Console:
    """The handlers; ``built`` is the directory of the build. ``elsewhere`` gives the origins at which the page gets its
    tokens, where the server trusts another issuer: it may talk to these too, and to nobody else."""

    def __init__(self, built: Path = BUILT, *, elsewhere: Elsewhere | None = None) -> None:
        self._built = built
        self._elsewhere = elsewhere
        # Asked once: what a request names is looked up, and never becomes a path.
        found = sorted(path for path in built.rglob("*") if path.is_file()) if built.is_dir() else []
        self._files = {path.relative_to(built).as_posix(): path for path in found}

    @property
    def routes(self) -> list[Route]:
        """Where it is served."""
        return [
            Route("/", self.home),
            Route("/console", self.page),
            Route("/console/{path:path}", self.page),
        ]

    async def home(self, request: Request) -> Response:
        """Whoever comes to the address without more wants to look."""
        return RedirectResponse("/console")

    async def page(self, request: Request) -> Response:
        """A file of the build, or the page."""
        name = request.path_params.get("path", "")
        file = self._files.get(name)
        if file is not None and name != "index.html":
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            # Names of assets hold a digest of what is in them.
            kept = _FOR_EVER if name.startswith("assets/") else "no-cache"
            return FileResponse(file, media_type=kind, headers={**_HEADERS, "cache-control": kept})
        index = self._files.get("index.html")
        if index is None:
            return HTMLResponse(_UNBUILT, 503, headers=_HEADERS)
        if name.startswith("assets/"):
            return Response("there is no such file: load the page again\n", 404, _HEADERS, "text/plain")
        headers = {**_HEADERS, "cache-control": "no-cache"}
        if self._elsewhere is not None and (origins := await self._elsewhere()):
            own = "connect-src 'self'"
            headers["content-security-policy"] = POLICY.replace(own, " ".join((own, *origins)))
        return FileResponse(index, media_type="text/html", headers=headers)
