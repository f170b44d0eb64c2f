"""``flytekit.extras.tasks.shell``: scripts of a shell as tasks."""

from flytekit._adapt import missing
from whimbrel import OutputLocation as OutputLocation
from whimbrel import ShellTask as ShellTask

__all__ = ["OutputLocation", "ShellTask"]

__getattr__ = missing(__name__)
