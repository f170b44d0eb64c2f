"""``flytekit.configuration``: where a server is, as data, from flytectl's files and the ``FLYTE_*`` variables."""

from flytekit._adapt import missing
from flytekit.configuration._config import Config as Config
from flytekit.configuration._platform import AuthType as AuthType
from flytekit.configuration._platform import PlatformConfig as PlatformConfig
from flytekit.configuration._serialization import Image as Image
from flytekit.configuration._serialization import ImageConfig as ImageConfig
from flytekit.configuration._serialization import SerializationSettings as SerializationSettings
from flytekit.configuration._storage import DataConfig as DataConfig
from flytekit.configuration._storage import S3Config as S3Config
from flytekit.configuration._storage import SecretsConfig as SecretsConfig

__all__ = [
    "AuthType",
    "Config",
    "DataConfig",
    "Image",
    "ImageConfig",
    "PlatformConfig",
    "S3Config",
    "SecretsConfig",
    "SerializationSettings",
]

__getattr__ = missing(__name__)
