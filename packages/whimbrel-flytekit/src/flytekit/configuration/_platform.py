"""Where the server is, and how a client shows who it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from os import PathLike

from flytekit.configuration._files import settings
from flytekit.configuration._tables import PLATFORM

__all__ = ["AuthType", "PlatformConfig"]


class AuthType(Enum):
    """How a client shows who it is."""

    STANDARD = "standard"
    BASIC = "basic"
    CLIENT_CREDENTIALS = "client_credentials"
    EXTERNAL_PROCESS = "external_process"
    CLIENTSECRET = "ClientSecret"
    PKCE = "Pkce"
    EXTERNALCOMMAND = "ExternalCommand"
    DEVICEFLOW = "DeviceFlow"


@dataclass(frozen=True)
class PlatformConfig:
    """An address without scheme, and credentials."""

    endpoint: str = "localhost:30080"
    insecure: bool = False
    insecure_skip_verify: bool = False
    ca_cert_file_path: str | None = None
    console_endpoint: str | None = None
    command: Sequence[str] | None = None
    proxy_command: Sequence[str] | None = None
    client_id: str | None = None
    client_credentials_secret: str | None = None
    scopes: Sequence[str] = ()
    auth_mode: AuthType | str = AuthType.STANDARD
    audience: str | None = None
    rpc_retries: int = 3
    http_proxy_url: str | None = None

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> PlatformConfig:
        """As a flytectl-style file and the environment say. Raises ``whimbrel.errors.InputInvalid``."""
        said = settings(PLATFORM, config_file)
        kinds = {kind.value.lower(): kind for kind in AuthType}
        if "auth_mode" in said:
            said["auth_mode"] = kinds.get(str(said["auth_mode"]).lower(), said["auth_mode"])
        return cls(**said)

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False) -> PlatformConfig:
        """An address without credentials."""
        return cls(endpoint=endpoint, insecure=insecure)
