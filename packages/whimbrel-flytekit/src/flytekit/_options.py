"""What is said of an entity or a launch."""

from flytekit.core.base_task import TaskMetadata as TaskMetadata
from flytekit.core.cache import Cache as Cache
from flytekit.core.cache import CachePolicy as CachePolicy
from flytekit.core.cache import VersionParameters as VersionParameters
from flytekit.core.resources import Resources as Resources
from whimbrel import Annotations as Annotations
from whimbrel import AuthRole as AuthRole
from whimbrel import ConcurrencyLimitBehavior as ConcurrencyLimitBehavior
from whimbrel import ConcurrencyPolicy as ConcurrencyPolicy
from whimbrel import CronSchedule as CronSchedule
from whimbrel import Description as Description
from whimbrel import Documentation as Documentation
from whimbrel import Email as Email
from whimbrel import Environment as Environment
from whimbrel import FixedRate as FixedRate
from whimbrel import ImageSpec as ImageSpec
from whimbrel import Labels as Labels
from whimbrel import Options as Options
from whimbrel import PagerDuty as PagerDuty
from whimbrel import PodTemplate as PodTemplate
from whimbrel import SecurityContext as SecurityContext
from whimbrel import Slack as Slack
from whimbrel import SourceCode as SourceCode
from whimbrel import WorkflowExecutionPhase as WorkflowExecutionPhase
from whimbrel.authoring.secrets import Secret as Secret
from whimbrel.model.program import FailurePolicy as WorkflowFailurePolicy

__all__ = [
    "Annotations",
    "AuthRole",
    "Cache",
    "CachePolicy",
    "ConcurrencyLimitBehavior",
    "ConcurrencyPolicy",
    "CronSchedule",
    "Description",
    "Documentation",
    "Email",
    "Environment",
    "FixedRate",
    "ImageSpec",
    "Labels",
    "Options",
    "PagerDuty",
    "PodTemplate",
    "Resources",
    "Secret",
    "SecurityContext",
    "Slack",
    "SourceCode",
    "TaskMetadata",
    "VersionParameters",
    "WorkflowExecutionPhase",
    "WorkflowFailurePolicy",
]
