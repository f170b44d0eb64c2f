"""``flytekit.core.launch_plan``: workflows with inputs given beforehand."""

from flytekit._adapt import missing
from whimbrel import LaunchPlan as LaunchPlan
from whimbrel import reference_launch_plan as reference_launch_plan
from whimbrel.authoring.references import ReferenceLaunchPlan as ReferenceLaunchPlan

__all__ = ["LaunchPlan", "ReferenceLaunchPlan", "reference_launch_plan"]

__getattr__ = missing(__name__)
