"""``flytekit.core.base_sql_task``: queries as tasks."""

from flytekit._adapt import missing
from whimbrel import SQLTask as SQLTask

__all__ = ["SQLTask"]

__getattr__ = missing(__name__)
