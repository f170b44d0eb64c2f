"""Launch plans: called in every way that their workflows are, with what they fix and default; schedules as data."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from whimbrel import CallMismatch, CompileError, create_node, eager, task, workflow
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.registration import (
    Annotations,
    AuthRole,
    ConcurrencyPolicy,
    Email,
    Labels,
    PagerDuty,
    SecurityContext,
    Slack,
    WorkflowExecutionPhase,
)
from whimbrel.authoring.schedules import CronSchedule, FixedRate
from whimbrel.model import launch_plan as model
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import LaunchPlanTarget
from whimbrel.model.run import Phase
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def sums(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return add(a=a, b=b)


@workflow
def nightly(at: dt.datetime, a: int) -> int:
    return add(a=a, b=1)


plan = LaunchPlan.create("sums of ten", sums, default_inputs={"a": 5}, fixed_inputs={"b": 10})
default = LaunchPlan.get_or_create(sums)


@workflow
def outer(x: int) -> int:
    part = plan(a=x)
    node = create_node(plan, a=part)
    return add(a=node.o0, b=default(a=1))


@eager
async def body(x: int) -> int:
    first, second = await asyncio.gather(plan(a=x), default(a=1))
    return first + second + await plan()


def test_a_plain_call_takes_fixed_over_given_over_plan_over_workflow() -> None:
    assert (plan(), plan(a=7), plan(7), default(a=1), outer(x=3)) == (15, 17, 17, 3, 26)
    assert asyncio.run(body(x=3)) == 13 + 3 + 15


def test_the_engine_gives_the_same_and_shows_launch_plans() -> None:
    engine = TestEngine()
    assert [engine.run(plan), engine.run(plan, a=7), engine.run(default, a=1)] == [15, 17, 3]
    assert engine.run(outer, x=3) == outer(x=3)
    assert {node.path: (node.kind.value, node.entity) for node in engine.tree.nodes.values() if not node.parent} == {
        "n0": ("launch_plan", "sums of ten"),
        "n1": ("launch_plan", "sums of ten"),
        "n2": ("launch_plan", sums.name),
        "n3": ("task", add.name),
    }
    assert engine.run(body, x=3) == 31


def test_every_crash_of_an_eager_body_that_launches_plans_is_survived() -> None:
    whole = TestEngine()
    whole.run(body, x=3)
    for write in range(1, whole.writes + 1):
        engine = TestEngine()
        engine.crash_at(write)
        try:
            value = engine.run(body, x=3)
        except SimulatedCrash:
            value = engine.resume() if engine.phase is not Phase.UNDEFINED else engine.run(body, x=3)
        assert value == 31, write


def test_a_recovered_run_takes_what_a_plan_had_done() -> None:
    engine = TestEngine()
    engine.run(outer, x=3)
    done = engine.executions.total()
    assert engine.rerun() == outer(x=3)
    assert engine.executions.total() == done
    engine.run(body, x=3)
    done = engine.executions.total()
    assert engine.rerun() == 31
    assert engine.executions.total() == done


def test_a_mock_stands_in_for_a_plan_and_not_for_its_workflow() -> None:
    engine = TestEngine()
    mock = engine.mock(plan, returns=100)
    assert engine.run(outer, x=3) == 103
    assert engine.run(body, x=3) == 203
    assert mock.calls[0] == {"a": 3}


def test_the_program_has_the_plan_as_data() -> None:
    program = plan.program()
    spec = program.launch_plans["sums of ten"]
    assert (spec.workflow, spec.defaults, spec.fixed) == (sums.name, {"a": IntLiteral(5)}, {"b": IntLiteral(10)})
    assert list(spec.interface.inputs) == ["a"]
    assert spec.interface.inputs["a"].default == IntLiteral(5)
    assert program.workflows["sums of ten"].nodes[0].target == LaunchPlanTarget("sums of ten")
    assert outer.program().workflows.keys() == {outer.name, sums.name}


def test_what_is_said_of_executions_is_kept() -> None:
    said = LaunchPlan.create(
        "said",
        sums,
        fixed_inputs={"a": 1},
        schedule=CronSchedule(schedule="0 3 * * mon-fri"),
        notifications=[
            Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@b.c"]),
            Slack(phases=[WorkflowExecutionPhase.SUCCEEDED, 8], recipients_email=["s@b.c"]),
            PagerDuty(phases=[7], recipients_email=["p@b.c"]),
        ],
        labels=Labels({"team": "x"}),
        annotations=Annotations({"note": "y"}),
        max_parallelism=3,
        overwrite_cache=True,
        auto_activate=True,
        concurrency=ConcurrencyPolicy(2),
        auth_role=AuthRole(kubernetes_service_account="sa"),
    ).spec()
    assert said.schedule == model.CronSchedule("0 3 * * mon-fri")
    assert [(each.channel, each.phases) for each in said.notifications] == [
        ("email", ("FAILED",)),
        ("slack", ("SUCCEEDED", "TIMED_OUT")),
        ("pagerduty", ("ABORTED",)),
    ]
    assert (said.labels, said.annotations) == ({"team": "x"}, {"note": "y"})
    assert (said.max_parallelism, said.overwrite_cache, said.auto_activate) == (3, True, True)
    assert (said.concurrency_limit, said.service_account) == (2, "sa")


def test_a_run_of_a_plan_has_its_limits() -> None:
    narrow = LaunchPlan.create("narrow", sums, fixed_inputs={"a": 1}, max_parallelism=1)
    engine = TestEngine()
    assert engine.run(narrow) == 3
    assert engine.tree.options.max_parallelism == 1


def test_get_or_create_gives_the_same_one_or_refuses() -> None:
    once = LaunchPlan.get_or_create(sums, "kept", default_inputs={"a": 1})
    assert LaunchPlan.get_or_create(sums, name="kept", default_inputs={"a": 1}) is once
    with pytest.raises(CallMismatch, match="already, with other default_inputs"):
        LaunchPlan.get_or_create(sums, name="kept", default_inputs={"a": 2})
    assert LaunchPlan.get_or_create(sums) is LaunchPlan.get_default_launch_plan(object(), sums) is default
    assert default.name == sums.name
    with pytest.raises(CallMismatch, match="Give name="):
        LaunchPlan.get_or_create(sums, default_inputs={"a": 2})


def test_a_plan_of_the_workflows_own_name_may_have_inputs() -> None:
    own = LaunchPlan.create(nightly.name, nightly, fixed_inputs={"at": dt.datetime(2024, 1, 1), "a": 4})
    assert own() == TestEngine().run(own) == 5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: plan(b=3), "'b', which the launch plan has fixed"),
        (lambda: plan(c=3), "no input 'c'"),
        (lambda: default(), "lacks the input 'a'"),
        (lambda: LaunchPlan.create("p", add), "made of the task add"),  # type: ignore[arg-type]
        (lambda: LaunchPlan.create("", sums), "Give it a name"),
        (lambda: LaunchPlan.create("p", sums, {"a": 1}, {"a": 2}), "both fixes and merely defaults 'a'"),
        (lambda: LaunchPlan.create("p", sums, max_parallelism=-1), "0 for no limit"),
        (lambda: LaunchPlan.create("p", sums, labels={"a": "b"}), "Give Labels"),  # type: ignore[arg-type]
        (
            lambda: LaunchPlan.create("p", sums, auth_role=AuthRole(), security_context=SecurityContext()),
            "Give one of them",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, said: str) -> None:
    with pytest.raises(CallMismatch, match=said):
        call()  # type: ignore[operator]


def test_inputs_that_do_not_fit_are_told_all_at_once_with_the_plans_line() -> None:
    wrong = LaunchPlan.create("wrong", sums, default_inputs={"a": "x"}, fixed_inputs={"zz": 1})
    with pytest.raises(CompileError) as caught:
        wrong.program()
    messages = [problem.message for problem in caught.value.problems]
    assert messages == [
        "wrong: the default of 'a' does not fit: expected int, got str 'x' at $",
        "wrong: there is no input 'zz' to give a fixed value; it takes a, b",
    ]
    assert {problem.file for problem in caught.value.problems} == {__file__}


def test_a_wrong_call_in_a_workflow_is_told_when_it_is_compiled() -> None:
    @workflow
    def wrong() -> int:
        return plan(b=1)

    with pytest.raises(CompileError, match="'b', which the launch plan has fixed"):
        wrong.graph()


# --- schedules ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule",
    [
        "* * * * *",
        "*/15 0-6,22 1 jan-mar sun",
        "0 0 31 12 7",
        "@daily",
        "hourly",
        "5/10 * * * MON",
        "CRON_TZ=Europe/Oslo @daily",
    ],
)
def test_cron_expressions_that_are_right(schedule: str) -> None:
    assert CronSchedule(schedule=schedule).spec().schedule == schedule


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("* * * *", "has 4 fields"),
        ("60 * * * *", "60 is not from 0 to 59"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of the month"),
        ("* * * foo *", "'foo' is no number and no name"),
        ("5-1 * * * *", "ends before it begins"),
        ("*/0 * * * *", "no step"),
        ("whenever", "five"),
        ("CRON_TZ=Nowhere/At_all 0 3 * * *", "no time zone"),
        ("CRON_TZ=Europe/Oslo 3 * * *", "has 4 fields"),
    ],
)
def test_cron_expressions_that_are_wrong(schedule: str, said: str) -> None:
    with pytest.raises(CallMismatch, match=said):
        CronSchedule(schedule=schedule)


def test_rates_and_offsets() -> None:
    assert FixedRate(dt.timedelta(hours=2), "at").spec() == model.FixedRate(7200.0, "at")
    with pytest.raises(CallMismatch, match="whole number of minutes"):
        FixedRate(dt.timedelta(seconds=90))
    assert CronSchedule(schedule="daily", offset="PT1H").spec().offset == "PT1H"
    with pytest.raises(CallMismatch, match="ISO 8601"):
        CronSchedule(schedule="daily", offset="1h")
    with pytest.raises(CallMismatch, match="one of them"):
        CronSchedule()


def test_a_schedule_needs_every_input_and_may_give_the_time() -> None:
    fits = LaunchPlan.create(
        "fits", nightly, {"a": 1}, schedule=CronSchedule(schedule="daily", kickoff_time_input_arg="at")
    )
    assert fits.spec().schedule == model.CronSchedule("daily", "", "at")
    for name, given, kickoff, said in (
        ("short", {}, "at", "nobody gives the inputs 'a'"),
        ("wrong", {"at": dt.datetime(2024, 1, 1)}, "a", "'a', which is no datetime"),
    ):
        plan = LaunchPlan.create(name, nightly, given, schedule=FixedRate(dt.timedelta(minutes=5), kickoff))
        with pytest.raises(CompileError, match=said):
            plan.spec()


def test_notifications_are_sent_of_ends() -> None:
    with pytest.raises(CallMismatch, match="RUNNING"):
        Email(phases=[WorkflowExecutionPhase.RUNNING], recipients_email=["a@b.c"])
    with pytest.raises(CallMismatch, match="list of addresses"):
        Slack(phases=[WorkflowExecutionPhase.FAILED], recipients_email="a@b.c")
