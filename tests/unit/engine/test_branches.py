"""Branches: which arm, what is skipped, and conditions that cannot be decided."""

import datetime as dt
import math

import pytest

from tests.unit.engine.playing import Play, X, attempt, graph, node, out, program, task
from whimbrel.engine.binding import Unbound
from whimbrel.engine.branch import holds
from whimbrel.engine.nodes import Frame
from whimbrel.model.attempt import Succeeded
from whimbrel.model.failure import Fault
from whimbrel.model.literals import (
    BigIntLiteral,
    BoolLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    NoneLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.model.program import (
    BranchCase,
    BranchTarget,
    Comparison,
    Condition,
    Graph,
    Junction,
    LiteralBinding,
    Node,
    PromiseBinding,
)
from whimbrel.model.run import Phase

FRAME = Frame(Graph("w", task().interface), None, {})


def compare(op: str, left: Literal, right: Literal) -> Comparison:
    return Comparison(op, LiteralBinding(left), LiteralBinding(right))


def x_is(number: int) -> Comparison:
    return Comparison("==", X, LiteralBinding(IntLiteral(number)))


TRUE = compare("==", IntLiteral(1), IntLiteral(1))
FALSE = compare("==", IntLiteral(1), IntLiteral(2))
BROKEN = compare("<", NoneLiteral(), IntLiteral(2))


@pytest.mark.parametrize(
    "condition",
    [
        compare("<", IntLiteral(1), FloatLiteral(1.5)),
        compare(">=", BigIntLiteral("1" * 30), IntLiteral(5)),
        compare("!=", StrLiteral("a"), StrLiteral("b")),
        compare("<=", StrLiteral("a"), StrLiteral("b")),
        compare("==", BoolLiteral(True), BoolLiteral(True)),
        compare("<", DateLiteral(dt.date(2024, 1, 1)), DateLiteral(dt.date(2024, 1, 2))),
        compare(">", DatetimeLiteral(dt.datetime(2024, 1, 2)), DatetimeLiteral(dt.datetime(2024, 1, 1))),
        compare("<", DurationLiteral(0, 1, 0), DurationLiteral(0, 0, 1_000_001)),
        compare("==", UnionLiteral(1, IntLiteral(3)), IntLiteral(3)),
        compare("==", NoneLiteral(), UnionLiteral(0, NoneLiteral())),
        compare("!=", NoneLiteral(), IntLiteral(0)),
        compare("!=", FloatLiteral(math.nan), FloatLiteral(math.nan)),
        Junction("and", TRUE, Junction("or", FALSE, TRUE)),
        Junction("or", TRUE, BROKEN),
    ],
    ids=str,
)
def test_conditions_that_hold(condition: Condition) -> None:
    assert holds(condition, FRAME) is True


@pytest.mark.parametrize(
    "condition",
    [
        compare("==", StrLiteral("1"), IntLiteral(1)),
        compare(">", IntLiteral(1), IntLiteral(1)),
        Junction("and", FALSE, BROKEN),
        Junction("or", FALSE, FALSE),
    ],
    ids=str,
)
def test_conditions_that_do_not_hold(condition: Condition) -> None:
    assert holds(condition, FRAME) is False


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (BROKEN, "None cannot be compared with <"),
        (compare("==", RefLiteral("b://1", "d", 9, ()), IntLiteral(1)), "too large to be inline"),
        (compare("==", ListLiteral(()), IntLiteral(1)), "a list cannot be compared"),
        (compare("<", StrLiteral("a"), IntLiteral(1)), "not supported between"),
        (
            compare(
                "<", DatetimeLiteral(dt.datetime(2024, 1, 2)), DatetimeLiteral(dt.datetime(2024, 1, 2, tzinfo=dt.UTC))
            ),
            "offset-naive and offset-aware",
        ),
        (compare("~", IntLiteral(1), IntLiteral(1)), "there is no comparison '~'"),
        (Junction("xor", TRUE, TRUE), "there is no condition 'xor'"),
        (Junction("and", TRUE, BROKEN), "None cannot be compared"),
    ],
    ids=str,
)
def test_conditions_that_cannot_be_decided(condition: Condition, words: str) -> None:
    with pytest.raises(Unbound, match=words):
        holds(condition, FRAME)


def branch(*cases: BranchCase, otherwise: Node | None = None, message: str = "") -> Node:
    return Node("n0", BranchTarget("which", cases, otherwise, message))


def test_the_first_arm_that_holds_runs_and_the_others_are_skipped() -> None:
    cases = [BranchCase(x_is(0), node("n0-n0")), BranchCase(x_is(1), node("n0-n1")), BranchCase(TRUE, node("n0-n2"))]
    play = Play(program(task(), graph(branch(*cases, otherwise=node("n0-n3")), node("n1", above=["n0"]))))
    assert play.launched() == [attempt("n0/n0-n1")]
    assert play.phases() == {
        "n0": "RUNNING",
        "n1": "UNDEFINED",
        "n0/n0-n0": "SKIPPED",
        "n0/n0-n1": "QUEUED",
        "n0/n0-n2": "SKIPPED",
        "n0/n0-n3": "SKIPPED",
    }
    play.succeeded("n0/n0-n1", 7)
    assert play.node("n0").outputs == out(7)
    assert play.launched() == [attempt("n1")]


def test_otherwise_runs_when_nothing_holds() -> None:
    play = Play(program(task(), graph(branch(BranchCase(FALSE, node("a")), otherwise=node("b")))))
    assert play.launched() == [attempt("n0/b")]


def test_branches_nest() -> None:
    inner = Node("b", BranchTarget("inner", (BranchCase(x_is(1), node("c")),)))
    play = Play(program(task(), graph(branch(BranchCase(TRUE, inner)))))
    assert play.launched() == [attempt("n0/b/c")]
    play.succeeded("n0/b/c", 3)
    assert play.run.outputs == out(3)


def test_no_arm_fails_with_the_authors_message() -> None:
    play = Play(program(task(), graph(branch(BranchCase(FALSE, node("a")), message="x must be 1"))))
    assert play.run.failure is not None
    assert (play.run.failure.fault, play.run.failure.message) == (Fault.USER, "x must be 1")
    assert play.phases() == {"n0": "FAILED", "n0/a": "SKIPPED"}


def test_an_arm_that_fails_fails_the_branch() -> None:
    play = Play(program(task(), graph(branch(BranchCase(TRUE, node("a"))))))
    play.failed("n0/a")
    assert play.phases() == {"n0": "FAILED", "n0/a": "FAILED"}
    assert play.run.failure is not None
    assert play.run.failure.node == "n0/a"


def test_a_condition_that_cannot_be_decided_fails_the_branch() -> None:
    broken = Comparison("<", PromiseBinding("n0", "o0"), X)
    second = Node("n1", BranchTarget("which", (BranchCase(broken, node("a")),)), upstream=("n0",))
    play = Play(program(task(), graph(node("n0"), second)))
    play.post(Succeeded(attempt("n0"), {"o0": RefLiteral("b://1", "d", 9, ())}, play.now))
    assert play.node("n1").phase is Phase.FAILED
    assert play.run.failure is not None
    assert play.run.failure.message.startswith("which: a value too large to be inline cannot be compared")
