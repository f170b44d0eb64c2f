"""The import name ``flytekit``, carried by whimbrel: existing workflow files run unchanged.

Names are whimbrel's own, or adapters. What this release has not says so when it is imported: see ``supported.toml``.
"""

# Stars re-export in the eyes of type checkers too.
from flytekit._adapt import explain_absent_modules, missing
from flytekit._entities import *  # noqa: F403
from flytekit._options import *  # noqa: F403
from flytekit._surroundings import *  # noqa: F403
from flytekit._values import *  # noqa: F403

__version__ = "1.16.0+whimbrel"

explain_absent_modules()
__getattr__ = missing(__name__)
