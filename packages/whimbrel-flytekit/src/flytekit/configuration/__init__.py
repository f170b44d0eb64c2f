"""``flytekit.configuration``: where a server is, as data, from flytectl's files and the ``FLYTE_*`` variables."""

from flytekit._adapt import missing
from flytekit.configuration._auth import AuthType as AuthType
from flytekit.configuration._clouds import AzureBlobStorageConfig as AzureBlobStorageConfig
from flytekit.configuration._clouds import GCSConfig as GCSConfig
from flytekit.configuration._clouds import GenericPersistenceConfig as GenericPersistenceConfig
from flytekit.configuration._config import Config as Config
from flytekit.configuration._images import Image as Image
from flytekit.configuration._images import ImageConfig as ImageConfig
from flytekit.configuration._local import LocalConfig as LocalConfig
from flytekit.configuration._local import SecretsConfig as SecretsConfig
from flytekit.configuration._local import StatsConfig as StatsConfig
from flytekit.configuration._local import TaskConfig as TaskConfig
from flytekit.configuration._platform import PlatformConfig as PlatformConfig
from flytekit.configuration._serialization import EntrypointSettings as EntrypointSettings
from flytekit.configuration._serialization import FastSerializationSettings as FastSerializationSettings
from flytekit.configuration._serialization import SerializationSettings as SerializationSettings
from flytekit.configuration._storage import DataConfig as DataConfig
from flytekit.configuration._storage import S3Config as S3Config

__all__ = [
    "AuthType",
    "AzureBlobStorageConfig",
    "Config",
    "DataConfig",
    "EntrypointSettings",
    "FastSerializationSettings",
    "GCSConfig",
    "GenericPersistenceConfig",
    "Image",
    "ImageConfig",
    "LocalConfig",
    "PlatformConfig",
    "S3Config",
    "SecretsConfig",
    "SerializationSettings",
    "StatsConfig",
    "TaskConfig",
]

__getattr__ = missing(__name__)
