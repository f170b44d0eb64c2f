"""``flytekit.extend``: what extensions are made of."""

from flytekit._adapt import missing
from flytekit._types.moving import FileAccessProvider as FileAccessProvider
from flytekit.configuration import Image as Image
from flytekit.configuration import ImageConfig as ImageConfig
from flytekit.configuration import SerializationSettings as SerializationSettings
from flytekit.core.context_manager import SecretsManager as SecretsManager
from flytekit.core.interface import Interface as Interface
from flytekit.core.type_engine import TypeEngine as TypeEngine
from flytekit.core.type_engine import TypeTransformer as TypeTransformer
from whimbrel import SQLTask as SQLTask
from whimbrel.authoring.promise import Promise as Promise

__all__ = [
    "FileAccessProvider",
    "Image",
    "ImageConfig",
    "Interface",
    "Promise",
    "SQLTask",
    "SecretsManager",
    "SerializationSettings",
    "TypeEngine",
    "TypeTransformer",
]

__getattr__ = missing(__name__)
