"""Types of values, by flytekit's modules."""

from flytekit._adapt import missing
from flytekit.types import directory as directory
from flytekit.types import file as file
from flytekit.types import iterator as iterator

__getattr__ = missing(__name__)
