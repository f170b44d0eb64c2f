"""``flytekit.core.notification``: who is told of an execution, as data."""

from flytekit._adapt import missing
from whimbrel import Email as Email
from whimbrel import PagerDuty as PagerDuty
from whimbrel import Slack as Slack

__all__ = ["Email", "PagerDuty", "Slack"]

__getattr__ = missing(__name__)
