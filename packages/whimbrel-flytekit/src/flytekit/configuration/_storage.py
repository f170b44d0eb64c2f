"""Where blobs are, as data."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from os import PathLike

from flytekit.configuration._clouds import AzureBlobStorageConfig, GCSConfig, GenericPersistenceConfig
from flytekit.configuration._more_tables import STORAGE
from flytekit.configuration._readable import Readable

__all__ = ["DataConfig", "S3Config"]


@dataclass(frozen=True)
class S3Config(Readable, table=STORAGE):
    """An S3 service, and credentials for it. (``adressing_style`` is flytekit's spelling.)"""

    enable_debug: bool = False
    endpoint: str | None = None
    retries: int = 3
    backoff: dt.timedelta = dt.timedelta(seconds=5)
    access_key_id: str | None = None
    secret_access_key: str | None = None
    adressing_style: str | None = None


@dataclass(frozen=True)
class DataConfig:
    """Where blobs are."""

    s3: S3Config = field(default_factory=S3Config)
    gcs: GCSConfig = field(default_factory=GCSConfig)
    azure: AzureBlobStorageConfig = field(default_factory=AzureBlobStorageConfig)
    generic: GenericPersistenceConfig = field(default_factory=GenericPersistenceConfig)

    @classmethod
    def auto(cls, config_file: str | PathLike[str] | None = None) -> DataConfig:
        """As a flytectl-style file and the environment say. Raises ``whimbrel.errors.InputInvalid``."""
        s3, gcs, azure = (
            S3Config.auto(config_file),
            GCSConfig.auto(config_file),
            AzureBlobStorageConfig.auto(config_file),
        )
        return cls(s3, gcs, azure, GenericPersistenceConfig.auto(config_file))
