"""flytekit's configuration as whimbrel's client reads it, and which one is meant when none is named.

Knows: the fields of both. Must not know: how anything is sent.
"""

from __future__ import annotations

import os
from pathlib import Path

from flytekit.configuration import AuthType, Config, TaskConfig
from flytekit.configuration._files import usual_file
from whimbrel.client.configuration import Config as ClientConfig


def found_config(config_file: str | os.PathLike[str] | None = None) -> Config:
    """What the file and the variables say; the sandbox when there is neither, as flytekit has it."""
    named = config_file or os.environ.get("FLYTECTL_CONFIG") or usual_file()
    if (named is not None and Path(named).expanduser().is_file()) or os.environ.get("FLYTE_PLATFORM_URL"):
        return Config.auto(config_file)
    return Config.for_sandbox()


def client_config(config: Config, project: str | None, domain: str | None) -> ClientConfig:
    """The same for whimbrel's client. Raises ``InputInvalid``."""
    platform, place = config.platform, TaskConfig.auto()
    mode = platform.auth_mode
    tls = bool(platform.ca_cert_file_path or platform.insecure_skip_verify)
    return ClientConfig(
        endpoint=platform.endpoint,
        # Not insecure is flytekit's default. A server on this machine has TLS only if something is said of it.
        insecure=True if platform.insecure else False if tls else None,
        project=project or place.project,
        domain=domain or place.domain,
        ca_file=platform.ca_cert_file_path or "",
        skip_verify=platform.insecure_skip_verify,
        auth_mode=_MODES.get(mode, "") if isinstance(mode, AuthType) else str(mode),
        client_id=platform.client_id or "",
        client_secret=platform.client_credentials_secret or "",
        scopes=tuple(platform.scopes or ()),
        audience=platform.audience or "",
        command=tuple(platform.command or ()),
        proxy_command=tuple(platform.proxy_command or ()),
        http_proxy=platform.http_proxy_url or "",
        token=os.environ.get("WHIMBREL_TOKEN", ""),
    )


_MODES = {
    AuthType.BASIC: "ClientSecret",
    AuthType.CLIENT_CREDENTIALS: "ClientSecret",
    AuthType.CLIENTSECRET: "ClientSecret",
    AuthType.DEVICEFLOW: "DeviceFlow",
    AuthType.EXTERNALCOMMAND: "ExternalCommand",
    AuthType.EXTERNAL_PROCESS: "ExternalCommand",
    AuthType.PKCE: "Pkce",
}
"""The older names of a mode, and none for the standard one: then it is what the server asks for."""
