"""``LaunchPlan``: a workflow with inputs given beforehand, and with what is to be said of its executions.

It is called like the workflow that it launches. Must not know how schedules fire, or how notifications are sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ParamSpec, TypeVar

from msgspec.structs import replace

from whimbrel.authoring.compiling import close_program
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Entity, Part
from whimbrel.authoring.registration import (
    Annotations,
    AuthRole,
    ConcurrencyPolicy,
    Labels,
    RawOutputDataConfig,
    SecurityContext,
)
from whimbrel.authoring.schedules import CronSchedule, FixedRate
from whimbrel.authoring.signature import Signature
from whimbrel.authoring.source import caller_line, caller_module
from whimbrel.authoring.workflow import Workflow
from whimbrel.errors import CallMismatch, CompileError, Problem
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literals import Literals
from whimbrel.model.program import START, Graph, LaunchPlanTarget, Node, Program, PromiseBinding, SourceLine
from whimbrel.model.run import RunOptions
from whimbrel.types.registry import default_registry

P = ParamSpec("P")
R = TypeVar("R")


class LaunchPlan(Entity[P, R]):
    """Make one with ``create`` or ``get_or_create``.

    ``fixed_inputs`` cannot be given by who calls it; ``default_inputs`` are taken where an input is not given, before
    the workflow's own defaults.
    """

    noun = "launch plan"

    def __init__(self, name: str, workflow: Workflow[P, R], said: Mapping[str, Any], line: SourceLine) -> None:
        super().__init__(workflow.fn)
        if not isinstance(name, str) or not name:
            raise CallMismatch(f"a launch plan is called {name!r}. Give it a name.")
        self.workflow = workflow
        self.default_inputs: dict[str, Any] = dict(said.get("default_inputs") or {})
        self.fixed_inputs: dict[str, Any] = dict(said.get("fixed_inputs") or {})
        self.schedule: CronSchedule | FixedRate | None = said.get("schedule") or said.get("trigger")
        self.said = {key: value for key, value in said.items() if value not in (None, False) and value != {}}
        """Everything that it was told."""
        self.__name__ = name
        self.__qualname__ = name
        self._name = name
        self._module = caller_module()
        self._line = line

    # --- making ------------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        name: str,
        workflow: Workflow[P, R],
        default_inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        schedule: CronSchedule | FixedRate | None = None,
        notifications: Sequence[Any] | None = None,
        labels: Labels | None = None,
        annotations: Annotations | None = None,
        raw_output_data_config: RawOutputDataConfig | None = None,
        max_parallelism: int | None = None,
        security_context: SecurityContext | None = None,
        auth_role: AuthRole | None = None,
        trigger: CronSchedule | FixedRate | None = None,
        overwrite_cache: bool | None = None,
        auto_activate: bool = False,
        concurrency: ConcurrencyPolicy | None = None,
    ) -> LaunchPlan[P, R]:
        """A launch plan of ``workflow``. Keep it in a variable of a module.

        Raises ``CallMismatch`` for what makes no sense. Inputs that do not fit are told when it is first needed.
        """
        said = {
            "default_inputs": dict(default_inputs or {}),
            "fixed_inputs": dict(fixed_inputs or {}),
            "schedule": schedule,
            "notifications": list(notifications or ()) or None,
            "labels": labels,
            "annotations": annotations,
            "raw_output_data_config": raw_output_data_config,
            "max_parallelism": max_parallelism,
            "security_context": security_context,
            "auth_role": auth_role,
            "trigger": trigger,
            "overwrite_cache": overwrite_cache,
            "auto_activate": auto_activate,
            "concurrency": concurrency,
        }
        _check(name, workflow, said)
        plan = cls(name, workflow, said, caller_line())
        _plans(workflow).setdefault(name, plan)
        return plan

    @classmethod
    def get_or_create(
        cls, workflow: Workflow[P, R], name: str | None = None, *inputs: Any, **said: Any
    ) -> LaunchPlan[P, R]:
        """The launch plan ``name`` of ``workflow``: the one that there is, else a new one, as ``create`` makes it.

        Without a name it is the workflow's default launch plan, of which nothing else can be said. Raises
        ``CallMismatch``, also when there is one of that name of which other things were said.
        """
        if isinstance(workflow, str):
            raise CallMismatch("get_or_create takes the workflow first: `LaunchPlan.get_or_create(wf, 'name', ...)`.")
        if name is None:
            if inputs or any(value not in (None, False) for value in said.values()):
                raise CallMismatch("only a launch plan with a name can have inputs or options. Give name='...'.")
            return cls.get_default_launch_plan(workflow)
        made = cls.create(name, workflow, *inputs, **said)
        kept = _plans(workflow)[name]
        if kept is not made and kept.said != made.said:
            differs = sorted(key for key in {*kept.said, *made.said} if kept.said.get(key) != made.said.get(key))
            raise CallMismatch(
                f"there is a launch plan {name!r} of {workflow.short_name} already, with other {', '.join(differs)}. "
                "Give this one another name."
            )
        return kept

    @classmethod
    def get_default_launch_plan(cls, *context_and_workflow: Any) -> LaunchPlan[Any, Any]:
        """The launch plan of a workflow's own name: its inputs and defaults are the workflow's.

        Takes the workflow; flytekit's context may stand before it.
        """
        workflow = context_and_workflow[-1] if context_and_workflow else None
        _check("", workflow, {})
        assert isinstance(workflow, Workflow)
        plans = _plans(workflow)
        if workflow.name not in plans:
            plans[workflow.name] = cls(workflow.name, workflow, {}, workflow.line)
            plans[workflow.name]._module = workflow._module
        return plans[workflow.name]

    # --- who it is ---------------------------------------------------------------------------------------------------

    @property
    def short_name(self) -> str:
        """Its name."""
        return self._name.rpartition(".")[2]

    @property
    def line(self) -> SourceLine:
        """Where it was made."""
        return self._line

    @property
    def call_name(self) -> str:
        """Its workflow may have the same name."""
        return f"launch plan {self.name}"

    @property
    def entry_name(self) -> str:
        """The workflow that runs it: its workflow itself where the plan says nothing."""
        if self.name != self.workflow.name or not (self.default_inputs or self.fixed_inputs):
            return self.name
        return f"{self.name}:plan"

    def loading_problem(self) -> Problem | None:
        """``None``: no worker loads it."""
        return None

    def code_digest(self) -> str:
        """That of the workflow's function: the plan has no code of its own."""
        return self.workflow.code_digest()

    def _read_signature(self) -> Signature:
        signature = self.workflow.read.prefilled(
            self.short_name, self._line, defaults=self.default_inputs, fixed=self.fixed_inputs
        )
        if self.schedule is not None:
            self._check_schedule(signature, self.schedule.kickoff_time_input_arg)
        return signature

    def _check_schedule(self, signature: Signature, kickoff: str) -> None:
        if kickoff:
            moment = default_registry().transformer(dt.datetime).literal_type
            parameter = signature._interface.inputs.get(kickoff)
            if parameter is None or parameter.type != moment:
                signature.add_problem(
                    f"its schedule gives the time to the input {kickoff!r}, which is no datetime that can be given",
                    f"Declare `{kickoff}: datetime` in {self.workflow.short_name}, or name another input.",
                )
        missing = [name for name in signature.names if name not in signature.defaults and name != kickoff]
        if missing:
            signature.add_problem(
                f"it has a schedule, but nobody gives the inputs {', '.join(map(repr, missing))} then",
                "Give them in default_inputs or fixed_inputs.",
            )

    # --- compiling ---------------------------------------------------------------------------------------------------

    def target(self) -> LaunchPlanTarget:
        """What a node that runs it names."""
        return LaunchPlanTarget(self.name)

    @cached_property
    def _spec(self) -> LaunchPlanSpec:
        said = self.said
        interface = self.interface  # raises for inputs that do not fit

        def literals(values: Mapping[str, Any]) -> Literals:
            return {name: self.workflow.read.inputs[name].encode(value) for name, value in values.items()}

        concurrency: ConcurrencyPolicy | None = said.get("concurrency")
        raw: RawOutputDataConfig | None = said.get("raw_output_data_config")
        account, role = _identity(said)
        return LaunchPlanSpec(
            self.name,
            self.workflow.name,
            interface,
            literals(self.default_inputs),
            literals(self.fixed_inputs),
            None if self.schedule is None else self.schedule.spec(),
            tuple(notice.spec() for notice in said.get("notifications", ())),
            dict(said["labels"].values) if "labels" in said else {},
            dict(said["annotations"].values) if "annotations" in said else {},
            "" if raw is None else raw.output_location_prefix,
            said.get("max_parallelism", 0),
            said.get("overwrite_cache"),
            bool(said.get("auto_activate")),
            0 if concurrency is None else concurrency.max_concurrency,
            account,
            role,
        )

    def spec(self) -> LaunchPlanSpec:
        """It in the engine's terms. Raises ``CompileError``."""
        return self._spec

    def part(self) -> Part:
        """Its spec, and the workflow that it launches."""
        try:
            return Part(Program(launch_plans={self.name: self.spec()}), (self.workflow,))
        except CompileError as error:
            return Part(entities=(self.workflow,), problems=tuple(error.problems))

    @cached_property
    def _program(self) -> Program:
        program = close_program(self)
        if self.entry_name == self.workflow.name:
            return program
        interface = self.interface
        node = Node(
            "n0",
            self.target(),
            {name: PromiseBinding(START, name) for name in interface.inputs},
            name=self.short_name,
            line=self._line,
        )
        outputs = {name: PromiseBinding("n0", name) for name in interface.outputs}
        entry = Graph(self.entry_name, interface, (node,), dict(outputs), doc=self.read.doc, line=self._line)
        return replace(program, workflows={**program.workflows, self.entry_name: entry})

    def program(self) -> Program:
        """It, what it launches, and a workflow with it as the only node. Raises ``CompileError``."""
        return self._program

    def run_options(self, options: RunOptions) -> RunOptions:
        """``options`` with what the plan says where they say nothing."""
        spec = self.spec()
        return replace(
            options,
            max_parallelism=options.max_parallelism or spec.max_parallelism,
            overwrite_cache=options.overwrite_cache or bool(spec.overwrite_cache),
        )

    # --- running -----------------------------------------------------------------------------------------------------

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check, and call the workflow with the plan's inputs."""
        inputs = self.signature.bind(args, kwargs)
        self.signature.check_inputs(inputs)
        return self.run_blocking(inputs, execution)

    def run_blocking(self, inputs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Run the workflow with the plan's inputs."""
        whole = {**inputs, **self.fixed_inputs}
        signature = self.workflow.signature
        ordered = {name: whole[name] for name in signature.names}
        signature.check_inputs(ordered)
        return self.workflow.run_blocking(ordered, execution)

    def run_async(self, inputs: dict[str, Any], execution: ExecutionContext) -> None:
        """``None``: it blocks."""
        return None


def _plans(workflow: Workflow[Any, Any]) -> dict[str, LaunchPlan[Any, Any]]:
    plans: dict[str, LaunchPlan[Any, Any]] = workflow.__dict__.setdefault("_launch_plans", {})
    return plans


def _check(name: str, workflow: Any, said: Mapping[str, Any]) -> None:
    if not isinstance(workflow, Workflow):
        noun = f"the {workflow.noun} {workflow.short_name}" if isinstance(workflow, Entity) else repr(workflow)
        raise CallMismatch(f"a launch plan is made of {noun}. Give it a @workflow; put a task into one.")
    if said.get("schedule") is not None and said.get("trigger") is not None:
        raise CallMismatch(f"the launch plan {name!r} has a schedule and a trigger. Give one of them.")
    if said.get("security_context") is not None and said.get("auth_role") is not None:
        raise CallMismatch(f"the launch plan {name!r} has a security_context and an auth_role. Give one of them.")
    twice = sorted({*said.get("default_inputs", ())} & {*said.get("fixed_inputs", ())})
    if twice:
        raise CallMismatch(
            f"the launch plan {name!r} both fixes and merely defaults {', '.join(map(repr, twice))}. Do one of the two."
        )
    parallelism = said.get("max_parallelism")
    if parallelism is not None and (
        isinstance(parallelism, bool) or not isinstance(parallelism, int) or parallelism < 0
    ):
        raise CallMismatch(f"max_parallelism is {parallelism!r}. Give a whole number, 0 for no limit.")
    for key in ("schedule", "trigger", "labels", "annotations", "concurrency"):
        wanted = _KINDS[key]
        if said.get(key) is not None and not isinstance(said[key], wanted):
            names = " or ".join(kind.__name__ for kind in wanted)
            raise CallMismatch(f"the {key} of the launch plan {name!r} is {said[key]!r}. Give {names}.")


_KINDS: dict[str, tuple[type, ...]] = {
    "schedule": (CronSchedule, FixedRate),
    "trigger": (CronSchedule, FixedRate),
    "labels": (Labels,),
    "annotations": (Annotations,),
    "concurrency": (ConcurrencyPolicy,),
}


def _identity(said: Mapping[str, Any]) -> tuple[str, str]:
    """Service account and role."""
    role: AuthRole | None = said.get("auth_role")
    if role is not None:
        return role.kubernetes_service_account or "", role.assumable_iam_role or ""
    context: SecurityContext | None = said.get("security_context")
    if context is not None and context.run_as is not None:
        return context.run_as.k8s_service_account or "", context.run_as.iam_role or ""
    return "", ""
