"""What is said of a launch plan or a registered entity besides its inputs: labels, roles, limits, notifications.

All of it is data, with flytekit's constructors. Must not know entities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, ClassVar

from msgspec import Struct

from whimbrel.errors import CallMismatch
from whimbrel.model.launch_plan import Notification


class _Texts:
    """Texts by name."""

    what: ClassVar[str]

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        for key, value in (values or {}).items():
            if not isinstance(key, str) or not isinstance(value, str):
                raise CallMismatch(f"the {self.what} {key!r}: {value!r} is not text. Give a dict of str to str.")
        self.values: dict[str, str] = dict(values or {})

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, _Texts) and self.values == other.values

    def __hash__(self) -> int:
        return hash(tuple(self.values.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.values!r})"


class Labels(_Texts):
    """Labels of executions. Raises ``CallMismatch`` for what is not text."""

    what = "label"


class Annotations(_Texts):
    """Annotations of executions. Raises ``CallMismatch`` for what is not text."""

    what = "annotation"


class RawOutputDataConfig(Struct, frozen=True):
    """Where files and other large values are kept."""

    output_location_prefix: str


class AuthRole(Struct, frozen=True):
    """On whose behalf executions run: the older form of ``SecurityContext``."""

    assumable_iam_role: str | None = None
    kubernetes_service_account: str | None = None


class Identity(Struct, frozen=True):
    """Who executions run as."""

    iam_role: str | None = None
    k8s_service_account: str | None = None
    execution_identity: str | None = None


class SecurityContext(Struct, frozen=True):
    """On whose behalf executions run, and the secrets that they may read."""

    run_as: Identity | None = None
    secrets: list[Any] | None = None
    tokens: list[Any] | None = None


class ConcurrencyLimitBehavior(IntEnum):
    """What becomes of a launch when there are as many executions as there may be."""

    SKIP = 0

    @classmethod
    def enum_to_string(cls, value: int) -> str:
        """``SKIP``; the number where it is unknown."""
        return cls(value).name if value in list(cls) else str(value)


class ConcurrencyPolicy(Struct, frozen=True):
    """At most ``max_concurrency`` executions of a launch plan at a time."""

    max_concurrency: int
    behavior: ConcurrencyLimitBehavior = ConcurrencyLimitBehavior.SKIP

    def __post_init__(self) -> None:
        if isinstance(self.max_concurrency, bool) or not isinstance(self.max_concurrency, int):
            raise CallMismatch(f"max_concurrency is {self.max_concurrency!r}. Give a whole number, 1 or more.")
        if self.max_concurrency < 1:
            raise CallMismatch(f"max_concurrency is {self.max_concurrency}. Give 1 or more.")


class Options(Struct, frozen=True):
    """What is said of the executions of a workflow, unless its launch plan says otherwise."""

    labels: Labels | None = None
    annotations: Annotations | None = None
    raw_output_data_config: RawOutputDataConfig | None = None
    security_context: SecurityContext | None = None
    max_parallelism: int | None = None
    notifications: list[Any] | None = None
    disable_notifications: bool | None = None
    overwrite_cache: bool | None = None


# --- notifications -----------------------------------------------------------------------------------------------


class WorkflowExecutionPhase(IntEnum):
    """The phases of executions, by Flyte's numbers."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDING = 3
    SUCCEEDED = 4
    FAILING = 5
    FAILED = 6
    ABORTED = 7
    TIMED_OUT = 8
    ABORTING = 9

    @classmethod
    def enum_to_string(cls, value: int) -> str:
        """``SUCCEEDED``; ``UNKNOWN`` for a number that is none of them."""
        return cls(value).name if value in list(cls) else "UNKNOWN"


_ENDS = frozenset(
    {
        WorkflowExecutionPhase.SUCCEEDED,
        WorkflowExecutionPhase.FAILED,
        WorkflowExecutionPhase.ABORTED,
        WorkflowExecutionPhase.TIMED_OUT,
    }
)


class _Notice:
    channel: ClassVar[str]

    def __init__(self, phases: Sequence[int], recipients_email: Sequence[str]) -> None:
        name = type(self).__name__
        if not phases:
            raise CallMismatch(f"{name} names no phases. Name phases in which an execution ends, such as FAILED.")
        for phase in phases:
            if phase not in _ENDS:
                told = WorkflowExecutionPhase.enum_to_string(phase)
                raise CallMismatch(
                    f"{name} at phase {told}: an execution does not end in it. "
                    "Name SUCCEEDED, FAILED, ABORTED or TIMED_OUT."
                )
        if isinstance(recipients_email, str) or not recipients_email:
            raise CallMismatch(f"{name}: recipients_email is {recipients_email!r}. Give a list of addresses.")
        self.phases = tuple(WorkflowExecutionPhase(phase) for phase in phases)
        self.recipients_email = tuple(recipients_email)

    def spec(self) -> Notification:
        """As the control plane takes it."""
        return Notification(self.channel, tuple(phase.name for phase in self.phases), self.recipients_email)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Notice) and self.spec() == other.spec()

    def __hash__(self) -> int:
        return hash(self.spec())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(phases={[phase.name for phase in self.phases]})"


class Email(_Notice):
    """Mail ``recipients_email`` when an execution ends in one of ``phases``. Raises ``CallMismatch``."""

    channel = "email"


class Slack(_Notice):
    """The same through Slack's mail addresses."""

    channel = "slack"


class PagerDuty(_Notice):
    """The same through PagerDuty's mail addresses."""

    channel = "pagerduty"
