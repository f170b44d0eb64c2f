"""``flytekit.extras.tasks``: kinds of tasks."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
