"""The options of `whimbrel up` that say who may come in, and how they are protected on the way.

Knows: click, what a server can be told. Must not know: how any of it is done.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from whimbrel.errors import InputInvalid
from whimbrel.server.auth.oidc import OIDC_SCOPES, OidcConfig, read_rule
from whimbrel.server.house import Auth

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(dir_okay=False, path_type=Path)


def _option(*names: str, **said: Any) -> Callable[[F], F]:
    variable = f"WHIMBREL_{names[0].removeprefix('--').replace('-', '_').upper()}"
    return click.option(*names, envvar=variable, show_envvar=True, **said)


_OPTIONS = (
    _option(
        "--auth",
        type=click.Choice([each.value for each in Auth]),
        default=Auth.OFF.value,
        show_default=True,
        help="Who may come in: everybody on this machine; who has an account here; who has one at --oidc-issuer.",
    ),
    _option("--oidc-issuer", metavar="URL", help="Whose tokens are believed, with --auth oidc."),
    _option("--oidc-audience", metavar="NAME", help="For whom a token must be: what the issuer calls this server."),
    _option(
        "--oidc-client", metavar="ID", default="", help="The public client at the issuer with which people log in."
    ),
    _option(
        "--oidc-role",
        "oidc_roles",
        multiple=True,
        metavar="CLAIM=VALUE:ROLE[:PROJECT[:DOMAIN]]",
        help="The role of those with such a claim: 'groups=ml:runner:flytesnacks'. May be repeated.",
    ),
    _option(
        "--oidc-scope",
        "oidc_scopes",
        multiple=True,
        metavar="SCOPE",
        help="What clients ask the issuer for.  [default: openid, profile, offline_access]",
    ),
    _option("--tls-cert", type=_FILE, help="Speak TLS, with this chain of certificates (PEM)."),
    _option("--tls-key", type=_FILE, help="The key of --tls-cert, if it is not in the same file (PEM)."),
    _option("--public-url", metavar="URL", default="", help="Where clients find the server, if that is elsewhere."),
    _option(
        "--behind-proxy",
        is_flag=True,
        help="A proxy of yours speaks TLS in front: its X-Forwarded-For is believed.",
    ),
    _option("--insecure", is_flag=True, help="Let tokens and passwords cross the network as they are, without TLS."),
)


def access_options(command: F) -> F:
    """All of them, in their order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def access_settings(
    *,
    auth: str,
    oidc_issuer: str | None,
    oidc_audience: str | None,
    oidc_client: str,
    oidc_roles: tuple[str, ...],
    oidc_scopes: tuple[str, ...],
    **rest: Any,
) -> dict[str, Any]:
    """What ``ServerConfig`` is to be told. Raises ``InputInvalid``."""
    oidc = None
    if auth == Auth.OIDC.value:
        if not oidc_issuer or not oidc_audience:
            raise InputInvalid(
                "--auth oidc wants --oidc-issuer and --oidc-audience: whose tokens are believed, and which"
            )
        oidc = OidcConfig(
            oidc_issuer,
            oidc_audience,
            oidc_client,
            tuple(read_rule(rule) for rule in oidc_roles),
            oidc_scopes or OIDC_SCOPES,
        )
    elif oidc_issuer or oidc_roles:
        raise InputInvalid("--oidc-issuer and --oidc-role are for --auth oidc: add that")
    return {"auth": Auth(auth), "oidc": oidc, **rest}
