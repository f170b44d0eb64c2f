"""The routes of HTTP.

Knows: Starlette, what serves each route. Must not know: ports, engines.
"""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route

from whimbrel.server.house import House
from whimbrel.server.http.probes import Probes
from whimbrel.server.http.uploads import UploadRoute
from whimbrel.server.uploads import uploads_of


def application(house: House) -> Starlette:
    """Everything that is served over HTTP."""
    probes = Probes(house)
    uploads = UploadRoute(uploads_of(house))
    return Starlette(
        routes=[
            Route("/healthz", probes.alive),
            Route("/readyz", probes.ready),
            Route("/metrics", probes.metrics),
            Route("/uploads/{project}/{domain}/{root}/{name}", uploads.put, methods=["PUT"]),
        ]
    )
