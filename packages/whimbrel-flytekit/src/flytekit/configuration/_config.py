"""All of a client's configuration together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

from flytekit.configuration._local import SecretsConfig, StatsConfig
from flytekit.configuration._platform import AuthType, PlatformConfig
from flytekit.configuration._sandbox import sandbox_endpoint
from flytekit.configuration._storage import DataConfig, S3Config

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Where the server, the blobs and the secrets are."""

    platform: PlatformConfig = field(default_factory=PlatformConfig)
    secrets: SecretsConfig = field(default_factory=SecretsConfig)
    stats: StatsConfig = field(default_factory=StatsConfig)
    data_config: DataConfig = field(default_factory=DataConfig)
    local_sandbox_path: str = ".whimbrel"

    def with_params(self, **parts: Any) -> Config:
        """The same with ``platform``, ``secrets``, ``stats``, ``data_config`` that are given in place of its own."""
        return replace(self, **{name: part for name, part in parts.items() if part is not None})

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> Config:
        """As a flytectl-style file and the ``FLYTE_*`` variables say; a file that is missing says nothing.

        Without ``config_file``: ``FLYTECTL_CONFIG``, else the file that flytectl or union left in the home directory.
        Raises ``whimbrel.errors.InputInvalid``.
        """
        platform, secrets = PlatformConfig.auto(config_file), SecretsConfig.auto(config_file)
        return cls(platform, secrets, StatsConfig.auto(config_file), DataConfig.auto(config_file))

    @classmethod
    def for_sandbox(cls) -> Config:
        """The sandbox on this machine: what ``flytectl demo start`` started, or localhost:30080."""
        platform = PlatformConfig(endpoint=sandbox_endpoint(), auth_mode=AuthType.PKCE, insecure=True)
        blobs = S3Config(endpoint="http://localhost:30002", access_key_id="minio", secret_access_key="miniostorage")
        return cls(platform=platform, data_config=DataConfig(blobs))

    @classmethod
    def for_endpoint(
        cls,
        endpoint: str,
        insecure: bool = False,
        data_config: DataConfig | None = None,
        config_file: str | None = None,
    ) -> Config:
        """A server at an address; what else there is to say comes from the file."""
        base = cls.auto(config_file)
        platform = replace(base.platform, endpoint=endpoint, insecure=insecure)
        return replace(base, platform=platform, data_config=data_config or base.data_config)
