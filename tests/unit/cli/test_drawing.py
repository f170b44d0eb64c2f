"""Compiled programs as text and as Mermaid."""

from __future__ import annotations

from whimbrel.cli.drawing import as_mermaid, as_text
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral, StrLiteral
from whimbrel.model.program import (
    START,
    BranchCase,
    BranchTarget,
    CodeRef,
    Comparison,
    Graph,
    Junction,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskKind,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)

INTERFACE = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})
X = PromiseBinding(START, "x")
ADD = TaskSpec("m.add", INTERFACE, CodeRef("m", "add"))
BODY = TaskSpec("m.body", INTERFACE, CodeRef("m", "body"), TaskKind.EAGER)
INNER = Graph("m.inner", INTERFACE, (Node("n0", TaskTarget("m.add"), {"x": X}),), {"o0": PromiseBinding("n0", "o0")})
OUTER = Graph(
    "m.outer",
    INTERFACE,
    (
        Node("n0", TaskTarget("m.add"), {"x": X}, overrides=Metadata(retries=2), line=SourceLine("/here/m.py", 7)),
        Node("n1", WorkflowTarget("m.inner"), {"x": PromiseBinding("n0", "o0", ("rows", 3))}, ("n0",)),
        Node(
            "n2",
            BranchTarget(
                'is it "large"?',
                (
                    BranchCase(
                        Junction(
                            "and",
                            Comparison(">", PromiseBinding("n1", "o0"), LiteralBinding(IntLiteral(5))),
                            Comparison("==", X, LiteralBinding(IntLiteral(1))),
                        ),
                        Node("n2-n0", TaskTarget("m.body"), {"x": X}),
                    ),
                ),
                Node("n2-n1", WorkflowTarget("m.inner"), {"x": LiteralBinding(IntLiteral(1))}),
            ),
            upstream=("n0", "n1"),
        ),
        Node(
            "n3",
            TaskTarget("m.add"),
            {"x": ListBinding((X, MapBinding({"s": LiteralBinding(StrLiteral("é"))})))},
            ("n2",),
        ),
    ),
    {"o0": PromiseBinding("n3", "o0")},
    doc="Does things.\nMore.",
)
PROGRAM = Program({"m.add": ADD, "m.body": BODY}, {"m.outer": OUTER, "m.inner": INNER})


def test_text() -> None:
    assert as_text(PROGRAM, "m.outer", "/here").splitlines() == [
        "workflow m.outer(x: int) -> o0: int",
        "  Does things.",
        "  n0 = task m.add(x=x)  [retries=2]  # m.py:7",
        "  n1 = workflow m.inner(x=n0.o0.rows[3])",
        '  n2 = conditional is it "large"?  after n0',
        "    if (n1.o0 > 5 and x == 1)",
        "      n2-n0 = eager m.body(x=x)",
        "    else",
        "      n2-n1 = workflow m.inner(x=1)",
        '  n3 = task m.add(x=[x, {s: "é"}])  after n2',
        "  returns o0 = n3.o0",
        "",
        "workflow m.inner(x: int) -> o0: int",
        "  n0 = task m.add(x=x)",
        "  returns o0 = n0.o0",
    ]


def test_mermaid() -> None:
    lines = [line.strip() for line in as_mermaid(PROGRAM, "m.outer").splitlines()]
    assert lines[0] == "flowchart TD"
    for wanted in (
        'start(["x"])',
        'n0["n0 add"]',
        'subgraph n1["n1 inner"]',
        'n2{"n2 is it &quot;large&quot;?"}',
        'n2_n0[["n2-n0 body"]]',
        'n2 -->|"(n1.o0 &gt; 5 and x == 1)"| n2_n0',
        "start --> n0",
        "n0 --> n1",
        "n1 --> n2",
        "n0 -.-> n2",
        "n2 -.-> n3",
        "n3 --> end_",
    ):
        assert wanted in lines
    assert lines.count("end") == sum(line.startswith("subgraph") for line in lines) == 2
