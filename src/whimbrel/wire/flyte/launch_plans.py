"""Launch plans as ``flyteidl.admin.LaunchPlan`` messages, with their schedules and notifications."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import launch_plan_pb2, schedule_pb2
from flyteidl.core import execution_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model.interface import Interface
from whimbrel.model.launch_plan import CronSchedule, FixedRate, LaunchPlanSpec, Notification, Schedule
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.program import Graph
from whimbrel.wire.flyte.ids import LAUNCH_PLAN, WORKFLOW, Registration
from whimbrel.wire.flyte.interface import decode_parameters, encode_parameters
from whimbrel.wire.flyte.literals import decode_literals, encode_literals
from whimbrel.wire.flyte.types import FieldDefaults

# The largest unit that divides it is the one that flytekit says.
_UNITS = ((86_400, schedule_pb2.DAY), (3_600, schedule_pb2.HOUR), (60, schedule_pb2.MINUTE))


_CHANNELS = {"email": "email", "slack": "slack", "pager_duty": "pagerduty"}


def encode_launch_plan(
    plan: LaunchPlanSpec, workflow: Interface, registration: Registration, defaults: FieldDefaults | None = None
) -> Any:
    """A ``LaunchPlan`` message. ``workflow`` is the interface of the workflow, which knows the fixed inputs."""
    message = launch_plan_pb2.LaunchPlan()
    message.id.CopyFrom(registration.identifier(LAUNCH_PLAN, plan.name))
    message.closure.expected_inputs.SetInParent()
    message.closure.expected_outputs.SetInParent()
    spec = message.spec
    spec.workflow_id.CopyFrom(registration.identifier(WORKFLOW, plan.workflow))
    spec.entity_metadata.SetInParent()
    if plan.schedule is not None:
        _schedule(spec.entity_metadata.schedule, plan.schedule)
    for notice in plan.notifications:
        _notification(spec.entity_metadata.notifications.add(), notice)
    spec.default_inputs.CopyFrom(encode_parameters(plan.interface.inputs, defaults))
    kinds: dict[str, LiteralType] = {name: parameter.type for name, parameter in workflow.inputs.items()}
    spec.fixed_inputs.CopyFrom(encode_literals(plan.fixed, kinds))
    spec.labels.values.update(plan.labels)
    spec.labels.SetInParent()
    spec.annotations.values.update(plan.annotations)
    spec.annotations.SetInParent()
    spec.raw_output_data_config.output_location_prefix = plan.raw_output_prefix
    spec.raw_output_data_config.SetInParent()
    spec.max_parallelism = plan.max_parallelism
    spec.overwrite_cache = bool(plan.overwrite_cache)
    if plan.service_account or plan.iam_role:
        spec.security_context.run_as.k8s_service_account = plan.service_account
        spec.security_context.run_as.iam_role = plan.iam_role
    if plan.concurrency_limit:
        spec.concurrency_policy.max = plan.concurrency_limit
        # Whoever comes when there are as many as there may be is not launched: the only way there is.
        spec.concurrency_policy.behavior = launch_plan_pb2.CONCURRENCY_LIMIT_BEHAVIOR_SKIP
    return message


def decode_launch_plan(message: Any, workflow: Interface | None = None) -> LaunchPlanSpec:
    """The launch plan in a message. ``workflow`` is the interface of the workflow, which knows the types of what is
    fixed and the outputs; the message does not say them. Raises ``InputInvalid``."""
    spec = message.spec
    known = workflow or Interface()
    inputs = decode_parameters(spec.default_inputs)
    given = {name: each.default for name, each in inputs.items() if each.default is not None}
    schedule: Schedule | None = None
    said = spec.entity_metadata.schedule
    match said.WhichOneof("ScheduleExpression"):
        case "cron_schedule":
            cron = said.cron_schedule
            schedule = CronSchedule(cron.schedule, cron.offset, said.kickoff_time_input_arg)
        case "cron_expression":
            schedule = CronSchedule(said.cron_expression, "", said.kickoff_time_input_arg)
        case "rate":
            length = next(length for length, unit in _UNITS if unit == said.rate.unit)
            schedule = FixedRate(float(said.rate.value * length), said.kickoff_time_input_arg)
        case _:
            pass
    phases = execution_pb2.WorkflowExecution.Phase
    return LaunchPlanSpec(
        message.id.name,
        spec.workflow_id.name,
        Interface(inputs, known.outputs),
        given,
        decode_literals(spec.fixed_inputs, {name: each.type for name, each in known.inputs.items()}),
        schedule,
        tuple(
            Notification(
                _CHANNELS[channel := notice.WhichOneof("type")],
                tuple(phases.Name(phase).lower() for phase in notice.phases),
                tuple(getattr(notice, channel).recipients_email),
            )
            for notice in spec.entity_metadata.notifications
        ),
        dict(spec.labels.values),
        dict(spec.annotations.values),
        spec.raw_output_data_config.output_location_prefix,
        spec.max_parallelism,
        spec.overwrite_cache or None,
        False,
        spec.concurrency_policy.max,
        spec.security_context.run_as.k8s_service_account,
        spec.security_context.run_as.iam_role,
    )


def default_plan(graph: Graph) -> LaunchPlanSpec:
    """The launch plan that every workflow has, of its own name."""
    return LaunchPlanSpec(graph.name, graph.name, Interface(graph.interface.inputs))


def _schedule(message: Any, schedule: Schedule) -> None:
    message.kickoff_time_input_arg = schedule.kickoff_time_input
    match schedule:
        case CronSchedule():
            message.cron_schedule.schedule = schedule.schedule
            message.cron_schedule.offset = schedule.offset
        case FixedRate(seconds=seconds):
            for length, unit in _UNITS:
                if seconds >= length and seconds % length == 0:
                    message.rate.value = int(seconds // length)
                    message.rate.unit = unit
                    return
            raise InputInvalid(f"Flyte's rates are whole minutes, not {seconds} seconds; use a longer one.")


def _notification(message: Any, notice: Notification) -> None:
    phases = execution_pb2.WorkflowExecution.Phase
    message.phases.extend(phases.Value(phase.upper()) for phase in notice.phases)
    channels = {"email": message.email, "slack": message.slack, "pagerduty": message.pager_duty}
    channels[notice.channel].recipients_email.extend(notice.recipients)
