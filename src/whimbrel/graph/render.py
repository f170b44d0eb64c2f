"""A graph for people: as text, and as a mermaid flowchart. Knows the IR only."""

from __future__ import annotations

from collections.abc import Iterator

from whimbrel.graph.interfaces import Called
from whimbrel.graph.passes import node_promises, promises
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import (
    BoolLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Binding,
    BranchTarget,
    Condition,
    GateTarget,
    Graph,
    Junction,
    LaunchPlanTarget,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    TaskTarget,
    WorkflowTarget,
)

END = "end-node"
"""The mermaid id of the workflow's outputs."""

# Long constants hide the shape of the graph.
_VALUE_WIDTH = 60


def render_text(program: Program, name: str) -> str:
    """The workflow ``name`` of ``program``, and every workflow that it may run, as indented text."""
    order = [name, *(other for other in program.workflows if other != name)]
    return "\n\n".join("\n".join(_workflow(program.workflows[each])) for each in order)


def _workflow(graph: Graph) -> Iterator[str]:
    yield f"workflow {graph.name}({_inputs(graph.interface)}){_result(graph.interface)}"
    for node in graph.nodes:
        yield from _node(node, "  ")
    if graph.failure_node is not None:
        yield "  on failure:"
        yield from _node(graph.failure_node, "    ")
    if graph.outputs:
        yield "  return " + ", ".join(f"{key}={binding_text(value)}" for key, value in graph.outputs.items())


def _inputs(interface: Interface) -> str:
    parts = []
    for name, parameter in interface.inputs.items():
        default = "" if parameter.default is None else f" = {literal_text(parameter.default)}"
        parts.append(f"{name}: {describe(parameter.type)}{default}")
    return ", ".join(parts)


def _result(interface: Interface) -> str:
    if not interface.outputs:
        return ""
    return " -> " + ", ".join(f"{name}: {describe(output.type)}" for name, output in interface.outputs.items())


def _node(node: Node, indent: str) -> Iterator[str]:
    target = node.target
    bound = {promise.node for binding in node.inputs.values() for promise in promises(binding)}
    waits = [id for id in node.upstream if id not in bound]
    after = f"  after {', '.join(waits)}" if waits else ""
    extras = f"{after}{_overrides(node.overrides)}"
    if isinstance(target, BranchTarget):
        yield f"{indent}{node.id}: conditional {target.name}{extras}"
        for position, case in enumerate(target.cases):
            yield f"{indent}  {'if' if position == 0 else 'elif'} {condition_text(case.condition)}:"
            yield from _node(case.node, indent + "    ")
        if target.otherwise is not None:
            yield f"{indent}  else:"
            yield from _node(target.otherwise, indent + "    ")
        elif target.message:
            yield f"{indent}  else: fail {target.message!r}"
        return
    inputs = ", ".join(f"{key}={binding_text(value)}" for key, value in node.inputs.items())
    label = f" [{node.name}]" if node.name else ""
    yield f"{indent}{node.id}: {_called(target)}({inputs}){label}{extras}"


def _called(target: Called | ArrayTarget | GateTarget) -> str:
    match target:
        case TaskTarget(name=name):
            return name
        case WorkflowTarget(name=name):
            return f"workflow {name}"
        case LaunchPlanTarget(name=name):
            return f"launch plan {name}"
        case ArrayTarget(target=inner, mapped=mapped):
            return f"map over {', '.join(mapped)}: {_called(inner)}"
        case GateTarget(name=name, kind=kind):
            return f"{kind.value} {name}"


def _overrides(metadata: Metadata) -> str:
    said = [
        f"{field}={getattr(metadata, field)!r}"
        for field in Metadata.__struct_fields__
        if getattr(metadata, field) not in (None, "", False, {})
    ]
    return f"  with {', '.join(said)}" if said else ""


def condition_text(condition: Condition) -> str:
    """``x > 1 and y == 'a'``."""
    if isinstance(condition, Junction):
        return f"({condition_text(condition.left)} {condition.op} {condition_text(condition.right)})"
    return f"{binding_text(condition.left)} {condition.op} {binding_text(condition.right)}"


def binding_text(binding: Binding) -> str:
    """A binding as a person would write it: ``n0.o0``, ``x``, ``[n0.o0, 3]``."""
    match binding:
        case PromiseBinding(node=node, var=var, path=path):
            steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            return (var if node == START else f"{node}.{var}") + steps
        case ListBinding(items=items):
            return f"[{', '.join(binding_text(item) for item in items)}]"
        case MapBinding(items=fields):
            return f"{{{', '.join(f'{key}: {binding_text(item)}' for key, item in fields.items())}}}"
        case LiteralBinding(value=value):
            return literal_text(value)


def literal_text(literal: Literal) -> str:
    """A constant, cut where it gets long."""
    text = _full_text(literal)
    return text if len(text) <= _VALUE_WIDTH else text[: _VALUE_WIDTH - 1] + "…"


def _full_text(literal: Literal) -> str:
    match literal:
        case NoneLiteral():
            return "None"
        case IntLiteral(value=value) | FloatLiteral(value=value) | BoolLiteral(value=value) | StrLiteral(value=value):
            return repr(value)
        case ListLiteral(items=items):
            return f"[{', '.join(_full_text(item) for item in items)}]"
        case MapLiteral(items=fields):
            return f"{{{', '.join(f'{key}: {_full_text(item)}' for key, item in fields.items())}}}"
        case UnionLiteral(value=inner):
            return _full_text(inner)
        case _:
            return str(getattr(literal, "value", None) or getattr(literal, "uri", None) or literal)


def render_mermaid(program: Program, name: str) -> str:
    """The workflow ``name`` as a mermaid flowchart; workflows that it runs are drawn as one node each."""
    graph = program.workflows[name]
    lines = ["flowchart TD"]
    if graph.interface.inputs:
        lines.append(f'  {_mermaid_id(START)}(["{_escaped(", ".join(graph.interface.inputs))}"])')
    for node in graph.nodes:
        lines.extend(_mermaid_node(node, "  "))
    if graph.failure_node is not None:
        lines.extend(_mermaid_node(graph.failure_node, "  "))
        lines.append(f'  failed(("on failure")) -.-> {_mermaid_id(graph.failure_node.id)}')
    if graph.outputs:
        lines.append(f'  {_mermaid_id(END)}(["{_escaped(", ".join(graph.outputs))}"])')
    for node in graph.nodes:
        lines.extend(_mermaid_edges(node))
    for name, binding in graph.outputs.items():
        for promise in promises(binding):
            lines.append(f'  {_mermaid_id(promise.node)} -- "{_escaped(name)}" --> {_mermaid_id(END)}')
    return "\n".join(lines)


def _mermaid_node(node: Node, indent: str) -> Iterator[str]:
    target = node.target
    label = _escaped(node.name or target.name.rpartition(".")[2])
    id = _mermaid_id(node.id)
    if isinstance(target, BranchTarget):
        yield f'{indent}{id}{{"{label}"}}'
        for case in target.cases:
            yield from _mermaid_node(case.node, indent)
            yield f'{indent}{id} -- "{_escaped(condition_text(case.condition))}" --> {_mermaid_id(case.node.id)}'
        if target.otherwise is not None:
            yield from _mermaid_node(target.otherwise, indent)
            yield f'{indent}{id} -- "else" --> {_mermaid_id(target.otherwise.id)}'
    elif isinstance(target, WorkflowTarget):
        yield f'{indent}{id}[["{label}"]]'
    else:
        yield f'{indent}{id}["{label}"]'


def _mermaid_edges(node: Node) -> Iterator[str]:
    drawn = set()
    for name, binding in node.inputs.items():
        for promise in promises(binding):
            drawn.add(promise.node)
            yield f'  {_mermaid_id(promise.node)} -- "{_escaped(name)}" --> {_mermaid_id(node.id)}'
    if isinstance(node.target, BranchTarget):
        for id in dict.fromkeys(promise.node for promise in node_promises(node)):
            drawn.add(id)
            yield f"  {_mermaid_id(id)} --> {_mermaid_id(node.id)}"
    for id in node.upstream:
        if id not in drawn:
            yield f"  {_mermaid_id(id)} -.-> {_mermaid_id(node.id)}"


def _mermaid_id(id: str) -> str:
    # "end" is a word of mermaid's, and so may be any id that begins with it.
    return "node_" + id.replace("-", "_")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
