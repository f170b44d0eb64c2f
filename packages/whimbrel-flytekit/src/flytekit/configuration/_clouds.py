"""Storage of clouds, as data."""

from __future__ import annotations

from dataclasses import dataclass

from flytekit.configuration._more_tables import AZURE, GCS, PERSISTENCE
from flytekit.configuration._readable import Readable

__all__ = ["AzureBlobStorageConfig", "GCSConfig", "GenericPersistenceConfig"]


@dataclass(frozen=True)
class GCSConfig(Readable, table=GCS):
    """Google's storage."""

    gsutil_parallelism: bool = False


@dataclass(frozen=True)
class AzureBlobStorageConfig(Readable, table=AZURE):
    """Azure's storage, and credentials for it."""

    account_name: str | None = None
    account_key: str | None = None
    tenant_id: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


@dataclass(frozen=True)
class GenericPersistenceConfig(Readable, table=PERSISTENCE):
    """What holds for every storage."""

    attach_execution_metadata: bool = True
