"""``flytekit.extras.sqlite3.task``: queries of SQLite as tasks."""

from flytekit._adapt import missing
from whimbrel import SQLite3Config as SQLite3Config
from whimbrel import SQLite3Task as SQLite3Task

__all__ = ["SQLite3Config", "SQLite3Task"]

__getattr__ = missing(__name__)
