"""Launch plans: a workflow with inputs given beforehand, and when it is to be launched. All of it is data.

What a schedule fires, and when, is the control plane's business.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literals


class CronSchedule(Struct, frozen=True, gc=False, tag="cron"):
    """Launch at the times of a cron expression of five fields, or of an alias such as ``hourly``, in UTC unless it
    begins with a time zone (``CRON_TZ=Europe/Oslo``).

    ``kickoff_time_input`` names the workflow input that gets the time that was due, "" for none.
    """

    schedule: str
    offset: str = ""
    kickoff_time_input: str = ""


class FixedRate(Struct, frozen=True, gc=False, tag="rate"):
    """Launch every ``seconds``. ``kickoff_time_input`` as for ``CronSchedule``."""

    seconds: float
    kickoff_time_input: str = ""


Schedule: TypeAlias = CronSchedule | FixedRate


class Notification(Struct, frozen=True, gc=False):
    """Tell ``recipients`` when an execution reaches one of ``phases``; ``channel`` is email, slack or pagerduty."""

    channel: str
    phases: tuple[str, ...]
    recipients: tuple[str, ...]


class LaunchPlanSpec(Struct, frozen=True, gc=False):
    """A launch plan of ``workflow``.

    ``fixed`` inputs cannot be given by who launches it; ``defaults`` lie over the workflow's own. ``interface`` is what
    is left: the workflow's without the fixed inputs, with the plan's defaults.
    """

    name: str
    workflow: str
    interface: Interface = Interface()
    defaults: Literals = {}
    fixed: Literals = {}
    schedule: Schedule | None = None
    notifications: tuple[Notification, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    raw_output_prefix: str = ""
    max_parallelism: int = 0
    overwrite_cache: bool | None = None
    auto_activate: bool = False
    concurrency_limit: int = 0
    """At most so many executions at a time; 0 for no limit."""
    service_account: str = ""
    iam_role: str = ""
