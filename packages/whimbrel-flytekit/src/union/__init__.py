"""The import name ``union``: flytekit's names as union spells them, carried by whimbrel."""

# Stars re-export in the eyes of type checkers too.
from flytekit._adapt import missing, refuse_beside
from flytekit._entities import *  # noqa: F403
from flytekit._options import *  # noqa: F403
from flytekit._surroundings import *  # noqa: F403
from flytekit._values import *  # noqa: F403

refuse_beside("union")

__getattr__ = missing(__name__)
