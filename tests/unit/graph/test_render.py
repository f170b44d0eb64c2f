"""Graphs as text and as mermaid."""

from tests.unit.graph.flows import X, node, out, program
from whimbrel.graph.render import literal_text, render_mermaid, render_text
from whimbrel.model.interface import Interface
from whimbrel.model.literals import IntLiteral, ListLiteral, MapLiteral, NoneLiteral, StrLiteral, UnionLiteral
from whimbrel.model.program import (
    BranchCase,
    BranchTarget,
    Comparison,
    Graph,
    Junction,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    TaskTarget,
    WorkflowTarget,
)

BIG = Comparison(">", X, LiteralBinding(IntLiteral(3)))
SMALL = Junction("and", BIG, Comparison("==", out("n0", "a", 1), LiteralBinding(StrLiteral('"q"'))))

PROGRAM = program(
    node("n0", "with_default", x=X, by=LiteralBinding(IntLiteral(2))),
    Node(
        "n1",
        TaskTarget("inc"),
        {"x": ListBinding((out("n0"), MapBinding({"k": X})))},
        ("n0", "n3"),
        name="named",
        overrides=Metadata(retries=2),
    ),
    Node(
        "n2", BranchTarget("c", (BranchCase(SMALL, node("n2-n0", x=X)),), node("n2-n1", x=out("n1")), ""), {}, ("n0",)
    ),
    Node("n3", WorkflowTarget("other"), {}, ("n2",)),
    Node("n4", BranchTarget("d", (BranchCase(BIG, node("n4-n0", x=X)),), None, "too small")),
    output=out("n2"),
    other=Graph("other", Interface()),
)


def test_text() -> None:
    assert render_text(PROGRAM, "wf") == (
        """
workflow wf(x: int) -> o0: int
  n0: with_default(x=x, by=2)
  n1: inc(x=[n0.o0, {k: x}]) [named]  after n3  with retries=2
  n2: conditional c  after n0
    if (x > 3 and n0.o0.a[1] == '"q"'):
      n2-n0: inc(x=x)
    else:
      n2-n1: inc(x=n1.o0)
  n3: workflow other()  after n2
  n4: conditional d
    if x > 3:
      n4-n0: inc(x=x)
    else: fail 'too small'
  return o0=n2.o0

workflow other()
""".strip()
    )


def test_mermaid() -> None:
    assert render_mermaid(PROGRAM, "wf") == (
        """
flowchart TD
  node_start_node(["x"])
  node_n0["with_default"]
  node_n1["named"]
  node_n2{"c"}
  node_n2_n0["inc"]
  node_n2 -- "(x &gt; 3 and n0.o0.a[1] == '&quot;q&quot;')" --> node_n2_n0
  node_n2_n1["inc"]
  node_n2 -- "else" --> node_n2_n1
  node_n3[["other"]]
  node_n4{"d"}
  node_n4_n0["inc"]
  node_n4 -- "x &gt; 3" --> node_n4_n0
  node_end_node(["o0"])
  node_start_node -- "x" --> node_n0
  node_n0 -- "x" --> node_n1
  node_start_node -- "x" --> node_n1
  node_n3 -.-> node_n1
  node_start_node --> node_n2
  node_n0 --> node_n2
  node_n1 --> node_n2
  node_n2 -.-> node_n3
  node_start_node --> node_n4
  node_n2 -- "o0" --> node_end_node
""".strip()
    )


def test_constants_are_short() -> None:
    nested = MapLiteral({"a": ListLiteral((IntLiteral(1), NoneLiteral())), "b": UnionLiteral(0, StrLiteral("x"))})
    assert literal_text(nested) == "{a: [1, None], b: 'x'}"
    assert literal_text(StrLiteral("x" * 100)) == "'" + "x" * 58 + "…"
