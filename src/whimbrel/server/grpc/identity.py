"""AuthMetadataService and IdentityService: where to log in, and who one is.

Knows: what access says of itself. Must not know: gRPC, how anybody logs in. Clients that do not log in ask for nothing
here.
"""

from __future__ import annotations

from typing import Any

from whimbrel.errors import EntityNotFound
from whimbrel.server.auth.access import Access
from whimbrel.server.grpc.binding import Call, Calling, Handler

METADATA_KEY = "authorization"
"""In which metadata clients send their token."""
_LISTS = (
    "response_types_supported",
    "scopes_supported",
    "token_endpoint_auth_methods_supported",
    "code_challenge_methods_supported",
    "grant_types_supported",
)
_TEXTS = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "device_authorization_endpoint")


def auth_handlers(access: Access | None) -> dict[str, Handler]:
    """The methods of AuthMetadataService."""

    async def metadata(request: Any, response: Any) -> None:
        said = await _must_be(access).metadata()
        for name in _TEXTS:
            setattr(response, name, str(said.get(name, "")))
        for name in _LISTS:
            values = said.get(name, ())
            assert isinstance(values, list | tuple)
            getattr(response, name).extend(str(value) for value in values)

    async def public_client(request: Any, response: Any) -> None:
        client = _must_be(access).public_client()
        response.client_id, response.redirect_uri, response.audience = client.id, client.redirect, client.audience
        response.scopes.extend(client.scopes)
        response.authorization_metadata_key = METADATA_KEY

    return {"GetOAuth2Metadata": metadata, "GetPublicClientConfig": public_client}


def identity_handlers() -> dict[str, Handler | Calling]:
    """The methods of IdentityService."""

    async def user_info(request: Any, response: Any, call: Call) -> None:
        principal = call.principal
        response.subject = str(principal) if principal is not None else "whimbrel"
        response.name = response.preferred_username = principal.name if principal is not None else "whimbrel"
        response.email = principal.email if principal is not None else ""

    return {"UserInfo": Calling(user_info)}


def _must_be(access: Access | None) -> Access:
    if access is None:
        raise EntityNotFound("this server has no authentication; leave authType and the client's secret out.")
    return access
