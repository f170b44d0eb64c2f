"""``flytekit.tools.repo``: registering and compiling what is in files and packages."""

from flytekit._adapt import missing
from flytekit._remote.packages import NoSerializableEntitiesError as NoSerializableEntitiesError
from flytekit._remote.packages import find_common_root as find_common_root
from flytekit._remote.packages import list_packages_and_modules as list_packages_and_modules
from flytekit._remote.packages import print_registration_status as print_registration_status
from flytekit._remote.packages import register as register
from flytekit._remote.serializing import serialize_and_package as serialize_and_package
from flytekit._remote.serializing import serialize_load_only as serialize_load_only
from flytekit._remote.serializing import serialize_to_folder as serialize_to_folder

__all__ = [
    "NoSerializableEntitiesError",
    "find_common_root",
    "list_packages_and_modules",
    "print_registration_status",
    "register",
    "serialize_and_package",
    "serialize_load_only",
    "serialize_to_folder",
]

__getattr__ = missing(__name__)
