"""AuthMetadataService and IdentityService of a server without authentication.

Knows: nothing but the answers. Clients that do not log in ask for none of them.
"""

from __future__ import annotations

from typing import Any

from whimbrel.errors import EntityNotFound
from whimbrel.server.grpc.binding import Handler


def auth_handlers() -> dict[str, Handler]:
    """The methods of AuthMetadataService."""

    async def no_auth(request: Any, response: Any) -> None:
        raise EntityNotFound("this server has no authentication; leave authType and the client's secret out.")

    return {"GetOAuth2Metadata": no_auth, "GetPublicClientConfig": no_auth}


def identity_handlers() -> dict[str, Handler]:
    """The methods of IdentityService."""

    async def user_info(request: Any, response: Any) -> None:
        response.subject = response.name = "whimbrel"

    return {"UserInfo": user_info}
