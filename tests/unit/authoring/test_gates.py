"""``approve``, ``wait_for_input`` and ``sleep``: as plain calls, compiled on the engine, and in eager bodies."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from tests.unit.authoring import gate_flows as flows
from whimbrel import (
    CompileError,
    ForgottenAwait,
    GateRejected,
    GateUnanswered,
    PromiseMisuse,
    ValueMismatch,
    approve,
    eager,
    sleep,
    wait_for_input,
    workflow,
)
from whimbrel.errors import EagerException
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.program import GateKind, GateTarget
from whimbrel.model.run import Phase
from whimbrel.testing.answers import gate_answers
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.world import Stuck


def plain(entity: Any, **inputs: Any) -> Any:
    result = entity(**inputs)
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


ANSWERED = [
    (flows.reviewed, {"ok": True, "rows": 5}, 3, 11),
    (flows.several, {"ok": True}, 3, 6),
    (flows.ordered, {"ok": True}, 3, 6),
    (flows.by_node, {"ok": True}, 3, 12),
    (flows.rested, {}, 3, 6),
    (flows.branching, {"ok": True}, 11, 22),
    (flows.branching, {"value": 40}, 6, 40),
    (flows.branching, {}, 5, 10),
    (flows.around, {"ok": True, "rows": 5}, 3, 18),
    (flows.asked, {"ok": True, "rows": 5}, 3, 11),
    (flows.calls_workflow, {"ok": True, "rows": 5}, 3, 11),
]


@pytest.mark.parametrize(("entity", "answers", "x", "result"), ANSWERED)
def test_a_plain_call_asks_here_and_now(entity: Any, answers: dict[str, Any], x: int, result: int) -> None:
    with gate_answers(answers):
        assert plain(entity, x=x) == result


@pytest.mark.parametrize("after", [0.0, 1800.0])
@pytest.mark.parametrize(("entity", "answers", "x", "result"), ANSWERED)
def test_on_the_engine_it_does_not_matter_when_the_answer_comes(
    entity: Any, answers: dict[str, Any], x: int, result: int, after: float
) -> None:
    engine = TestEngine(seed=1)
    for gate, value in answers.items():
        engine.signal(gate, value, after=after)
    assert engine.run(entity, x=x) == result


def test_items_of_a_map_are_answered_together_or_by_their_paths() -> None:
    engine = TestEngine()
    engine.approve("ok", after=10.0)
    assert engine.run(flows.mapped, xs=[1, 2, 3]) == [2, 4, 6]
    engine = TestEngine()
    for at in (2, 0, 1):
        engine.approve(f"n0/{at}/n1", after=10.0 + at)
    assert engine.run(flows.mapped, xs=[1, 2, 3]) == [2, 4, 6]
    assert {path for path, node in engine.tree.nodes.items() if node.kind.value == "gate"} == {
        "n0/0/n1",
        "n0/1/n1",
        "n0/2/n1",
    }
    engine = TestEngine()
    engine.reject("n0/1/n1", after=10.0)
    with pytest.raises(GateRejected):
        engine.run(flows.mapped, xs=[1, 2, 3])
    with gate_answers({"ok": True}):
        assert flows.mapped(xs=[1, 2, 3]) == [2, 4, 6]


def test_gates_of_a_graph_that_is_made_while_it_runs() -> None:
    for after in (0.0, 30.0):
        engine = TestEngine()
        engine.approve("n0", after=after)
        engine.signal("n1", 10, after=after)
        engine.signal("n2", 20, after=after)
        assert engine.run(flows.unfolded, x=2) == 32
    with gate_answers({"n0": True, "n1": 10, "n2": 20}):
        assert flows.unfolded(x=2) == 32


def test_a_compiled_gate_says_what_it_waits_for() -> None:
    nodes = {node.target.name: node.target for node in flows.reviewed.graph().nodes}
    approval, question = nodes["ok"], nodes["rows"]
    assert isinstance(approval, GateTarget)
    assert isinstance(question, GateTarget)
    assert (approval.kind, approval.timeout) == (GateKind.APPROVE, 3600.0)
    assert approval.interface.inputs["value"].type == INTEGER
    assert approval.interface.outputs["o0"].type == INTEGER
    assert (question.kind, question.interface.outputs["o0"].type) == (GateKind.SIGNAL, INTEGER)


def test_sleeps_wait_on_the_engine_one_after_the_other() -> None:
    engine = TestEngine()
    begin = engine.world.clock()
    assert engine.run(flows.rested, x=3) == 6
    assert engine.world.clock() - begin == pytest.approx(86400 + 180, abs=1.0)


def test_a_union_is_answered_by_either() -> None:
    for value, result in ((5, 5), (None, 0)):
        with gate_answers({"maybe": value}):
            assert flows.optional(x=1) == result
        engine = TestEngine()
        engine.signal("maybe", value, expected_type=int | None)
        assert engine.run(flows.optional, x=1) == result


# --- no ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entity", [flows.reviewed, flows.asked])
def test_a_rejection_is_raised(entity: Any) -> None:
    with gate_answers({"ok": "too dear"}), pytest.raises(GateRejected, match="the gate 'ok' was rejected: too dear"):
        plain(entity, x=3)
    with gate_answers({"ok": False}), pytest.raises(GateRejected, match="the gate 'ok' was rejected"):
        plain(entity, x=3)
    engine = TestEngine()
    engine.reject("ok", by="ann", reason="too dear")
    with pytest.raises(GateRejected, match="the gate 'ok' was rejected by ann: too dear") as caught:
        engine.run(entity, x=3)
    assert isinstance(caught.value, EagerException)


def test_a_body_catches_a_rejection() -> None:
    engine = TestEngine()
    engine.reject("ok", by="ann")
    assert engine.run(flows.first_of, x=1) == "rejected: the gate 'ok' was rejected by ann"
    with gate_answers({"ok": False}):
        assert plain(flows.first_of, x=1) == "rejected: the gate 'ok' was rejected"


@pytest.mark.parametrize("entity", [flows.reviewed, flows.asked])
def test_nobody_answers_in_time(entity: Any) -> None:
    engine = TestEngine()
    with pytest.raises(TimeoutError, match="nobody answered the gate 'ok' in 3600 s"):
        engine.run(entity, x=3)


@pytest.mark.parametrize("entity", [flows.reviewed, flows.asked])
def test_nobody_is_there(entity: Any) -> None:
    with pytest.raises(GateUnanswered, match=r"gate_flows\.py:\d+: .*whimbrel approve.*gate_answers\(\{'ok': True\}\)"):
        plain(entity, x=3)
    with gate_answers({"other": True}), pytest.raises(GateUnanswered):
        plain(entity, x=3)


def test_an_answer_of_another_type() -> None:
    with gate_answers({"ok": True, "rows": "five"}), pytest.raises(ValueMismatch, match="expected int, got str"):
        flows.reviewed(x=3)
    with gate_answers({"ok": 1}), pytest.raises(ValueMismatch, match="True, False, or the reason"):
        flows.reviewed(x=3)
    engine = TestEngine()
    wrong = engine.signal("rows", "five")
    engine.approve("ok", after=1.0)
    right = engine.signal("rows", 5, after=2.0)
    assert engine.run(flows.reviewed, x=3) == 11
    assert engine.tree.refusal(wrong) == "the gate 'rows' takes another value: expected int, got str"
    assert engine.tree.refusal(right) == ""


# --- eager bodies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signals", "result"),
    [
        ([("ok", True, 5.0), ("a", "one", 10.0)], "one"),
        ([("ok", True, 5.0), ("b", "two", 7000.0)], "two"),
        ([("a", "one", 4000.0)], "one"),  # the approval timed out
        ([("ok", True, 5.0)], "nobody"),
    ],
)
@pytest.mark.parametrize("replay", [False, True])
def test_gates_race_with_each_other_and_with_time(
    signals: list[tuple[str, Any, float]], result: str, replay: bool
) -> None:
    engine = TestEngine(always_replay=replay)
    for gate, value, after in signals:
        engine.signal(gate, value, after=after)
    assert engine.run(flows.first_of, x=1) == result
    assert [gate.path for gate in engine.tree.waiting] == []


def test_the_same_gate_in_a_loop_waits_for_another_answer_each_time() -> None:
    engine = TestEngine()
    for turn in range(3):
        engine.signal("say", f"turn {turn}", after=100.0 * (turn + 1))
    assert engine.run(flows.chat, turns=3) == ["turn 0", "turn 1", "turn 2"]
    with gate_answers({"say": iter(["a", "b"])}):
        assert plain(flows.chat, turns=2) == ["a", "b"]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("entity", [flows.reviewed, flows.asked])
def test_it_survives_a_crash_at_every_write(entity: Any, before: bool) -> None:
    at, ends = 0, 0
    while not ends:
        at += 1
        engine = TestEngine()
        engine.approve("ok", after=50.0)
        engine.signal("rows", 5, after=150.0)
        engine.crash_at(at, before=before)
        try:
            result = engine.run(entity, x=3)
            ends = engine.writes < at
        except BaseException as error:
            if type(error).__name__ != "SimulatedCrash":
                raise
            if not engine.ended:
                if engine.phase is Phase.UNDEFINED:
                    continue  # it died before there was a run
                result = engine.resume()
            else:
                result = engine.result()
        assert result == 11
    assert at > 5


def test_a_run_at_a_gate_is_parked_and_nothing_brings_it_back_but_the_answer() -> None:
    engine = TestEngine()
    with pytest.raises(Stuck):
        engine.run(flows.chat, turns=1)
    assert [gate.path for gate in engine.tree.waiting] == ["n0/1"]
    summary = asyncio.run(engine.store.summary(engine.run_id))
    assert summary.wake_at == float("inf")
    engine.signal("say", "hello")
    assert engine.resume() == ["hello"]


# --- misuse ------------------------------------------------------------------------------------------------------


def test_a_task_cannot_wait_for_people() -> None:
    engine = TestEngine()
    with pytest.raises(PromiseMisuse, match=r"approve\('ok'\) is used in a task"):
        engine.run(flows.asks_in_vain, x=1)


def test_a_call_that_was_not_awaited_cannot_be_approved() -> None:
    with pytest.raises(ForgottenAwait, match=r"given to approve\('ok'\)"):
        TestEngine().run(flows.forgets, x=1)


def test_what_a_gate_cannot_be_given() -> None:
    class Unheard:
        pass

    @workflow
    def no_name(x: int) -> int:
        return approve(x, "")

    @workflow
    def no_time(x: int) -> int:
        return approve(x, "ok", 0)

    @workflow
    def no_type(x: int) -> None:
        wait_for_input("what", expected_type=Unheard)

    @workflow
    def no_duration(x: str) -> None:
        sleep(x)  # type: ignore[arg-type]  # what the test is about

    for wrong, told in (
        (no_name, "the name of a gate is ''"),
        (no_time, "has a timeout of 0 s"),
        (no_type, "Unheard"),
        (no_duration, r"sleep\(\) is given str"),
    ):
        with pytest.raises(CompileError, match=told) as caught:
            wrong.graph()
        assert "test_gates.py" in str(caught.value)


def test_sleep_is_whatever_fits_where_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    sleep(dt.timedelta(minutes=2))
    sleep(3)
    assert slept == [120.0, 3.0]

    async def awaited() -> None:
        await sleep(0.0)

    asyncio.run(awaited())
    with pytest.raises(PromiseMisuse, match="Give a timedelta"):
        sleep("soon")  # type: ignore[arg-type]  # what the test is about


def test_at_a_terminal_one_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter(["y\n", "5\n", "n\n"])
    told: list[str] = []

    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return next(typed)

        def write(self, text: str) -> None:
            told.append(text)

        def flush(self) -> None:
            pass

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("sys.stderr", Terminal())
    assert flows.reviewed(x=3) == 11
    with pytest.raises(GateRejected):
        flows.reviewed(x=3)
    assert told == [
        "The gate 'ok' waits for an approval of 6. Approve? [y/N] ",
        "The gate 'rows' waits for int: ",
        "The gate 'ok' waits for an approval of 6. Approve? [y/N] ",
    ]


@eager
async def unshowable(x: int) -> int:
    return (await approve(lambda: x, "ok"))()


def test_what_cannot_be_carried_can_still_be_approved_in_a_body() -> None:
    engine = TestEngine()
    engine.approve("ok")
    assert engine.run(unshowable, x=4) == 4
