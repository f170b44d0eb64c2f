"""Where blobs and secrets are, as data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from os import PathLike

from flytekit.configuration._files import settings
from flytekit.configuration._tables import STORAGE

__all__ = ["DataConfig", "S3Config", "SecretsConfig"]


@dataclass(frozen=True)
class S3Config:
    """An S3 service, and credentials for it."""

    enable_debug: bool = False
    endpoint: str | None = None
    retries: int = 3
    backoff: dt.timedelta = dt.timedelta(seconds=5)
    access_key_id: str | None = None
    secret_access_key: str | None = None

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> S3Config:
        """As a flytectl-style file and the environment say. Raises ``whimbrel.errors.InputInvalid``."""
        return cls(**settings(STORAGE, config_file))


@dataclass(frozen=True)
class DataConfig:
    """Where blobs are."""

    s3: S3Config = field(default_factory=S3Config)

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> DataConfig:
        """As a flytectl-style file and the environment say. Raises ``whimbrel.errors.InputInvalid``."""
        return cls(S3Config.auto(config_file))


@dataclass(frozen=True)
class SecretsConfig:
    """Where a task's secrets are. Here they are read from the environment, with this prefix or whimbrel's."""

    env_prefix: str = "_FSEC_"
    default_dir: str = "/etc/secrets"
    file_prefix: str = ""
