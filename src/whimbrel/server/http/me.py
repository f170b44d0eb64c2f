"""REST for whoever asks: who they are to the server, and what they may do.

Knows: admissions, roles. Must not know: how anybody proves who they are.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.access import may
from whimbrel.model.access import ANY, SCOPES
from whimbrel.server.http.admission import asking
from whimbrel.server.http.exchange import answer_struct
from whimbrel.wire.rest.access import Allowed, Me


async def get_me(request: Request) -> Response:
    """Who asks, and what they may do where."""
    principal = asking(request)
    if principal is None:
        everything = tuple(action.value for action in SCOPES)
        return answer_struct(Me("", "", "", (Allowed(ANY, ANY, everything),)))
    allowed = tuple(
        Allowed(place.project, place.domain, tuple(action.value for action in SCOPES if may(principal, action, place)))
        for place in dict.fromkeys(grant.place for grant in principal.grants)
    )
    return answer_struct(Me(str(principal), principal.name, principal.email, allowed))
