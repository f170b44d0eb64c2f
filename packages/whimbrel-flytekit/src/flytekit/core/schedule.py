"""``flytekit.core.schedule``: when a launch plan is launched, as data."""

from flytekit._adapt import missing
from whimbrel import CronSchedule as CronSchedule
from whimbrel import FixedRate as FixedRate

__all__ = ["CronSchedule", "FixedRate"]

__getattr__ = missing(__name__)
