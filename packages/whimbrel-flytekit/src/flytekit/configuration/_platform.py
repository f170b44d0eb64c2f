"""Where the server is, and how a client shows who it is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from flytekit.configuration._auth import AuthType as AuthType
from flytekit.configuration._files import settings
from flytekit.configuration._tables import PLATFORM

__all__ = ["AuthType", "PlatformConfig"]


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
        file, variable = said.pop("secret_file", None), said.pop("secret_variable", None)
        if "client_credentials_secret" not in said and (file or variable):
            secret = os.environ.get(variable) if variable else Path(file).expanduser().read_text(encoding="utf-8")
            said["client_credentials_secret"] = secret.strip() if secret else None
        kinds = {kind.value.lower(): kind for kind in AuthType}
        if "auth_mode" in said:
            said["auth_mode"] = kinds.get(str(said["auth_mode"]).lower(), said["auth_mode"])
        return cls(**said)

    @classmethod
    def for_endpoint(cls, endpoint: str, insecure: bool = False) -> PlatformConfig:
        """An address without credentials."""
        return cls(endpoint=endpoint, insecure=insecure)
