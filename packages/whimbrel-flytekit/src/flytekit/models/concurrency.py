"""``flytekit.models.concurrency``: how many executions at a time, as data."""

from flytekit._adapt import missing
from whimbrel import ConcurrencyLimitBehavior as ConcurrencyLimitBehavior
from whimbrel import ConcurrencyPolicy as ConcurrencyPolicy

__all__ = ["ConcurrencyLimitBehavior", "ConcurrencyPolicy"]

__getattr__ = missing(__name__)
