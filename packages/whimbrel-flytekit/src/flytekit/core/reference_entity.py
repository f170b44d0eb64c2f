"""``flytekit.core.reference_entity``: names of entities that are registered elsewhere."""

from flytekit._adapt import missing
from whimbrel import LaunchPlanReference as LaunchPlanReference
from whimbrel import TaskReference as TaskReference
from whimbrel import WorkflowReference as WorkflowReference
from whimbrel.authoring.references import ReferenceEntity as ReferenceEntity

__all__ = ["LaunchPlanReference", "ReferenceEntity", "TaskReference", "WorkflowReference"]

__getattr__ = missing(__name__)
