"""All of a client's configuration together."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike

from flytekit.configuration._platform import AuthType, PlatformConfig
from flytekit.configuration._storage import DataConfig, S3Config, SecretsConfig

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Where the server, the blobs and the secrets are."""

    platform: PlatformConfig = field(default_factory=PlatformConfig)
    secrets: SecretsConfig = field(default_factory=SecretsConfig)
    data_config: DataConfig = field(default_factory=DataConfig)

    def with_params(
        self,
        platform: PlatformConfig | None = None,
        secrets: SecretsConfig | None = None,
        data_config: DataConfig | None = None,
    ) -> Config:
        """The same with what is given in place of its own."""
        given = {"platform": platform, "secrets": secrets, "data_config": data_config}
        return replace(self, **{name: part for name, part in given.items() if part is not None})  # type: ignore[arg-type]

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> Config:
        """As a flytectl-style file and the ``FLYTE_*`` variables say; a file that is missing says nothing.

        Without ``config_file``: ``FLYTECTL_CONFIG``, else the file that flytectl or union left in the home directory.
        Raises ``whimbrel.errors.InputInvalid``.
        """
        return cls(platform=PlatformConfig.auto(config_file), data_config=DataConfig.auto(config_file))

    @classmethod
    def for_sandbox(cls) -> Config:
        """The sandbox on this machine."""
        platform = PlatformConfig(endpoint="localhost:30080", auth_mode=AuthType.PKCE, insecure=True)
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
