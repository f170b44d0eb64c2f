"""whimbrel: plain Python that never loses work."""

from whimbrel.authoring.bracket import SetupTeardown, setup_teardown
from whimbrel.authoring.cache_policy import Cache, CachePolicy, VersionParameters
from whimbrel.authoring.calling import current_context
from whimbrel.authoring.checking import check_module
from whimbrel.authoring.compilation import FlyteContextManager
from whimbrel.authoring.conditional import conditional
from whimbrel.authoring.container_task import ContainerTask
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.decks import Deck, DeckField, Html
from whimbrel.authoring.documentation import Description, Documentation, SourceCode
from whimbrel.authoring.durable_values import now, random, uuid4
from whimbrel.authoring.dynamic import Dynamic, dynamic
from whimbrel.authoring.eager import Eager, eager
from whimbrel.authoring.entry import entry_program
from whimbrel.authoring.environment import Environment
from whimbrel.authoring.gate import approve, sleep, wait_for_input
from whimbrel.authoring.images import ImageSpec, PodTemplate
from whimbrel.authoring.imperative import ImperativeWorkflow
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.maps import MapTask, map_task
from whimbrel.authoring.nodes import create_node
from whimbrel.authoring.progress import progress, track
from whimbrel.authoring.references import (
    LaunchPlanReference,
    TaskReference,
    WorkflowReference,
    get_reference_entity,
    ref,
    reference_launch_plan,
    reference_task,
    reference_workflow,
)
from whimbrel.authoring.registration import (
    Annotations,
    AuthRole,
    ConcurrencyLimitBehavior,
    ConcurrencyPolicy,
    Email,
    Labels,
    Options,
    PagerDuty,
    RawOutputDataConfig,
    SecurityContext,
    Slack,
    WorkflowExecutionPhase,
)
from whimbrel.authoring.renderers import (
    ImageRenderer,
    MarkdownRenderer,
    PlotRenderer,
    PythonDependencyRenderer,
    SourceCodeRenderer,
    TableRenderer,
    TopFrameRenderer,
    register_renderer,
)
from whimbrel.authoring.resources import Resources
from whimbrel.authoring.schedules import CronSchedule, FixedRate
from whimbrel.authoring.secrets import Secret
from whimbrel.authoring.shell_task import OutputLocation, ShellTask
from whimbrel.authoring.sql_task import DuckDBConfig, SQLite3Config, SQLite3Task, SQLiteConfig, SQLTask
from whimbrel.authoring.task import Task, task
from whimbrel.authoring.task_metadata import TaskMetadata
from whimbrel.authoring.travelling import overrides, propagate
from whimbrel.authoring.workflow import Workflow, workflow
from whimbrel.errors import (
    CallMismatch,
    CompileError,
    EagerException,
    ForgottenAwait,
    GateRejected,
    GateUnanswered,
    Problem,
    PromiseMisuse,
    RecoverableError,
    UnresolvedReference,
    UnsupportedType,
    UserError,
    ValueMismatch,
    WhimbrelError,
)
from whimbrel.model.program import FailurePolicy
from whimbrel.types.by_reference import FileTransformer
from whimbrel.types.columns import kwtypes
from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.directories import BatchSize, FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.hashing import HashMethod
from whimbrel.types.transformer import TypeTransformer

__all__ = [
    "Annotations",
    "AuthRole",
    "BatchSize",
    "Cache",
    "CachePolicy",
    "CallMismatch",
    "CompileError",
    "ConcurrencyLimitBehavior",
    "ConcurrencyPolicy",
    "ContainerTask",
    "CronSchedule",
    "Deck",
    "DeckField",
    "Description",
    "Documentation",
    "DuckDBConfig",
    "Dynamic",
    "Eager",
    "EagerException",
    "Email",
    "Environment",
    "ExecutionContext",
    "FailurePolicy",
    "FileTransformer",
    "FixedRate",
    "FlyteContextManager",
    "FlyteDirectory",
    "FlyteFile",
    "ForgottenAwait",
    "GateRejected",
    "GateUnanswered",
    "HashMethod",
    "Html",
    "ImageRenderer",
    "ImageSpec",
    "ImperativeWorkflow",
    "InstanceTask",
    "Labels",
    "LaunchPlan",
    "LaunchPlanReference",
    "MapTask",
    "MarkdownRenderer",
    "Options",
    "OutputLocation",
    "PagerDuty",
    "PlotRenderer",
    "PodTemplate",
    "Problem",
    "PromiseMisuse",
    "PythonDependencyRenderer",
    "RawOutputDataConfig",
    "RecoverableError",
    "Resources",
    "SQLTask",
    "SQLite3Config",
    "SQLite3Task",
    "SQLiteConfig",
    "Secret",
    "SecurityContext",
    "SetupTeardown",
    "ShellTask",
    "Slack",
    "SourceCode",
    "SourceCodeRenderer",
    "StructuredDataset",
    "TableRenderer",
    "Task",
    "TaskMetadata",
    "TaskReference",
    "TopFrameRenderer",
    "TypeTransformer",
    "UnresolvedReference",
    "UnsupportedType",
    "UserError",
    "ValueMismatch",
    "VersionParameters",
    "WhimbrelError",
    "Workflow",
    "WorkflowExecutionPhase",
    "WorkflowReference",
    "approve",
    "check_module",
    "conditional",
    "create_node",
    "current_context",
    "dynamic",
    "eager",
    "entry_program",
    "get_reference_entity",
    "kwtypes",
    "map_task",
    "now",
    "overrides",
    "progress",
    "propagate",
    "random",
    "ref",
    "reference_launch_plan",
    "reference_task",
    "reference_workflow",
    "register_renderer",
    "setup_teardown",
    "sleep",
    "task",
    "track",
    "uuid4",
    "wait_for_input",
    "workflow",
]

__version__ = "0.1.0"
