"""What is called: tasks, workflows, launch plans, gates, references."""

from flytekit._adapt import blocking_eager as eager
from flytekit._adapt import dynamic as dynamic
from flytekit._adapt import task as task
from flytekit._adapt import workflow as workflow
from flytekit.core._instance_task import PythonInstanceTask as PythonInstanceTask
from whimbrel import ContainerTask as ContainerTask
from whimbrel import LaunchPlan as LaunchPlan
from whimbrel import LaunchPlanReference as LaunchPlanReference
from whimbrel import SQLTask as SQLTask
from whimbrel import TaskReference as TaskReference
from whimbrel import WorkflowReference as WorkflowReference
from whimbrel import approve as approve
from whimbrel import conditional as conditional
from whimbrel import get_reference_entity as get_reference_entity
from whimbrel import reference_launch_plan as reference_launch_plan
from whimbrel import reference_task as reference_task
from whimbrel import reference_workflow as reference_workflow
from whimbrel import wait_for_input as wait_for_input
from whimbrel.authoring.gate import sleep as sleep
from whimbrel.authoring.imperative import ImperativeWorkflow as Workflow
from whimbrel.authoring.maps import map_task as map_task
from whimbrel.authoring.task import Task as PythonFunctionTask

__all__ = [
    "ContainerTask",
    "LaunchPlan",
    "LaunchPlanReference",
    "PythonFunctionTask",
    "PythonInstanceTask",
    "SQLTask",
    "TaskReference",
    "Workflow",
    "WorkflowReference",
    "approve",
    "conditional",
    "dynamic",
    "eager",
    "get_reference_entity",
    "map_task",
    "reference_launch_plan",
    "reference_task",
    "reference_workflow",
    "sleep",
    "task",
    "wait_for_input",
    "workflow",
]
