"""A compiled program as text, and as a Mermaid flowchart.

Knows: the graph IR. Must not know: how it came about, or how it runs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from whimbrel.graph.interfaces import all_nodes, workflows_in
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import describe
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Binding,
    BranchTarget,
    Comparison,
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
    SourceLine,
    Target,
    TaskKind,
    TaskTarget,
    WorkflowTarget,
)
from whimbrel.wire.literal_json import dump, to_json

_SHOWN = 60
"""Characters of a constant."""


# --- text ----------------------------------------------------------------------------------------------


def as_text(program: Program, workflow: str, here: str) -> str:
    """The workflow and every one inside it: a node a line, with what it takes. Files are relative to ``here``."""
    return "\n\n".join("\n".join(_graph_lines(program, name, here)) for name in _reachable(program, workflow))


def _reachable(program: Program, workflow: str) -> list[str]:
    found: list[str] = []
    waiting = [workflow]
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in program.workflows:
            continue
        found.append(name)
        waiting += workflows_in(all_nodes(program.workflows[name]), program.launch_plans)
    return found


def _with_arms(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node.target, BranchTarget):
        for case in node.target.cases:
            yield from _with_arms(case.node)
        if node.target.otherwise is not None:
            yield from _with_arms(node.target.otherwise)


def _graph_lines(program: Program, name: str, here: str) -> Iterator[str]:
    graph = program.workflows[name]
    yield f"workflow {name}{_signature(graph.interface)}"
    if graph.doc:
        yield f"  {graph.doc.partition(chr(10))[0]}"
    for node in graph.nodes:
        yield from _node_lines(program, node, "  ", here)
    if graph.failure_node is not None:
        yield "  on failure"
        yield from _node_lines(program, graph.failure_node, "    ", here)
    if graph.outputs:
        yield "  returns " + ", ".join(f"{key} = {_binding(value)}" for key, value in graph.outputs.items())


def _signature(interface: Interface) -> str:
    inputs = ", ".join(f"{key}: {describe(item.type)}" for key, item in interface.inputs.items())
    outputs = ", ".join(f"{key}: {describe(item.type)}" for key, item in interface.outputs.items())
    return f"({inputs}) -> {outputs or 'None'}"


def _node_lines(program: Program, node: Node, indent: str, here: str) -> Iterator[str]:
    ordered = [other for other in node.upstream if other not in _sources(node)]
    after = f"  after {', '.join(ordered)}" if ordered else ""
    if isinstance(node.target, BranchTarget):
        yield f"{indent}{node.id} = conditional {node.target.name}{after}{_line(node.line, here)}"
        for case in node.target.cases:
            yield f"{indent}  if {_condition(case.condition)}"
            yield from _node_lines(program, case.node, indent + "    ", here)
        if node.target.otherwise is not None:
            yield f"{indent}  else"
            yield from _node_lines(program, node.target.otherwise, indent + "    ", here)
        elif node.target.message:
            yield f"{indent}  else fail: {node.target.message}"
        return
    inputs = ", ".join(f"{key}={_binding(value)}" for key, value in node.inputs.items())
    said = _metadata(node.overrides)
    yield f"{indent}{node.id} = {_target(program, node.target)}({inputs}){after}{said}{_line(node.line, here)}"


def _target(program: Program, target: Target) -> str:
    match target:
        case TaskTarget(name=name):
            spec = program.tasks.get(name)
            return f"{spec.kind.value if spec is not None else 'task'} {name}"
        case WorkflowTarget(name=name):
            return f"workflow {name}"
        case LaunchPlanTarget(name=name):
            return f"launch plan {name}"
        case ArrayTarget(target=inner, mapped=mapped):
            return f"map over {', '.join(mapped)}: {_target(program, inner)}"
        case GateTarget(name=name, kind=kind):
            return f"{kind.value} {name}"
        case BranchTarget(name=name):
            return f"conditional {name}"


def _metadata(metadata: Metadata) -> str:
    said = []
    for field in ("retries", "timeout"):
        value = getattr(metadata, field)
        if value is not None:
            said.append(f"{field}={value:g}")
    if metadata.cache is not None:
        said.append("cached")
    return f"  [{', '.join(said)}]" if said else ""


def _line(line: SourceLine | None, here: str) -> str:
    if line is None or not line.file:
        return ""
    relative = os.path.relpath(line.file, here)
    return f"  # {line.file if relative.startswith('..') else relative}:{line.line}"


def _sources(node: Node) -> set[str]:
    """The nodes that values come from."""
    found: set[str] = set()
    bindings: list[Binding] = [binding for inner in _with_arms(node) for binding in inner.inputs.values()]
    for inner in _with_arms(node):
        if isinstance(inner.target, BranchTarget):
            for case in inner.target.cases:
                bindings += _operands(case.condition)
    while bindings:
        binding = bindings.pop()
        if isinstance(binding, PromiseBinding):
            found.add(binding.node)
        elif isinstance(binding, ListBinding):
            bindings += binding.items
        elif isinstance(binding, MapBinding):
            bindings += binding.items.values()
    return found


def _operands(condition: Condition) -> list[Binding]:
    if isinstance(condition, Comparison):
        return [condition.left, condition.right]
    return [*_operands(condition.left), *_operands(condition.right)]


def _binding(binding: Binding) -> str:
    match binding:
        case LiteralBinding(value=value):
            text = dump(to_json(value), indent=None)
            return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
        case PromiseBinding(node=node, var=var, path=path):
            steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
            return (var if node == START else f"{node}.{var}") + steps
        case ListBinding(items=items):
            return f"[{', '.join(_binding(item) for item in items)}]"
        case MapBinding(items=fields):
            return "{" + ", ".join(f"{key}: {_binding(item)}" for key, item in fields.items()) + "}"


def _condition(condition: Condition) -> str:
    match condition:
        case Comparison(op=op, left=left, right=right):
            return f"{_binding(left)} {op} {_binding(right)}"
        case Junction(op=op, left=first, right=second):
            return f"({_condition(first)} {op} {_condition(second)})"


# --- mermaid ----------------------------------------------------------------------------------------------


def as_mermaid(program: Program, workflow: str) -> str:
    """A flowchart; sub-workflows are boxes around their nodes."""
    lines = ["flowchart TD"]
    _chart(program, program.workflows[workflow], "", "    ", lines, ())
    return "\n".join(lines)


def _chart(program: Program, graph: Graph, prefix: str, indent: str, lines: list[str], inside: tuple[str, ...]) -> None:
    sources = {source for node in graph.nodes for source in _sources(node)}
    if START in sources:
        inputs = ", ".join(graph.interface.inputs)
        lines.append(f'{indent}{prefix}start(["{_quoted(inputs)}"])')
    for node in graph.nodes:
        _chart_node(program, node, prefix, indent, lines, (*inside, graph.name))
    for node in graph.nodes:
        used = _sources(node)
        for source in dict.fromkeys([*sorted(used), *node.upstream]):
            begin = f"{prefix}start" if source == START else _id(prefix, source)
            arrow = "-->" if source in used else "-.->"
            lines.append(f"{indent}{begin} {arrow} {_id(prefix, node.id)}")
    if graph.failure_node is not None:
        _chart_node(program, graph.failure_node, prefix, indent, lines, (*inside, graph.name))
        whole = f"{prefix}failed"
        lines.append(f'{indent}{whole}(("on failure")) -.-> {_id(prefix, graph.failure_node.id)}')
    ends = {
        source for binding in graph.outputs.values() for source in _sources(Node("", TaskTarget(""), {"o": binding}))
    }
    if graph.outputs:
        lines.append(f'{indent}{prefix}end_(["{_quoted(", ".join(graph.outputs))}"])')
        for source in sorted(ends):
            begin = f"{prefix}start" if source == START else _id(prefix, source)
            lines.append(f"{indent}{begin} --> {prefix}end_")


def _chart_node(
    program: Program, node: Node, prefix: str, indent: str, lines: list[str], inside: tuple[str, ...]
) -> None:
    name = _id(prefix, node.id)
    match node.target:
        case WorkflowTarget(name=target) if target in program.workflows and target not in inside:
            lines.append(f'{indent}subgraph {name}["{node.id} {_quoted(_short(target))}"]')
            _chart(program, program.workflows[target], f"{name}_", indent + "    ", lines, inside)
            lines.append(f"{indent}end")
        case BranchTarget(name=title):
            lines.append(f'{indent}{name}{{"{node.id} {_quoted(title)}"}}')
            for case in node.target.cases:
                _chart_node(program, case.node, prefix, indent, lines, inside)
                lines.append(f'{indent}{name} -->|"{_quoted(_condition(case.condition))}"| {_id(prefix, case.node.id)}')
            if node.target.otherwise is not None:
                _chart_node(program, node.target.otherwise, prefix, indent, lines, inside)
                lines.append(f'{indent}{name} -->|"else"| {_id(prefix, node.target.otherwise.id)}')
        case _:
            spec = program.tasks.get(node.target.name)
            eager = spec is not None and spec.kind is TaskKind.EAGER
            opening, closing = ("[[", "]]") if eager else ("[", "]")
            lines.append(
                f'{indent}{name}{opening}"{node.id} {_quoted(node.name or _short(node.target.name))}"{closing}'
            )


def _id(prefix: str, node: str) -> str:
    return prefix + "".join(letter if letter.isalnum() else "_" for letter in node)


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
