"""Everything that can be wrong with a compiled program, found at once: types on edges, inputs, outputs, cycles.

Works on literal types alone, so that the server checks what it is sent with the same code that checked it on the
author's machine. Must not know Python types or functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from whimbrel.errors import Problem
from whimbrel.graph.conformance import kind_of, misfit
from whimbrel.graph.failure_input import error_literal
from whimbrel.graph.interfaces import (
    Called,
    Interfaces,
    all_nodes,
    called,
    node_outputs,
    program_interfaces,
    target_interface,
    workflows_in,
)
from whimbrel.graph.passes import arms, find_cycle, node_promises
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literal_types import (
    ANY,
    NONE,
    STRING,
    ListType,
    LiteralType,
    MapType,
    StructType,
    TupleType,
    UnionType,
    assignable,
    attribute,
    describe,
)
from whimbrel.model.program import (
    START,
    Binding,
    Bracket,
    BranchTarget,
    Comparison,
    Condition,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskTarget,
    WorkflowTarget,
)

Known: TypeAlias = Mapping[str, Mapping[str, LiteralType]]
"""Literal types by node and output; the workflow's inputs under ``START``."""


def check_program(program: Program) -> list[Problem]:
    """Everything wrong with ``program``, workflow by workflow, in order."""
    interfaces = program_interfaces(program)
    found = [problem for graph in program.workflows.values() for problem in check_graph(graph, interfaces)]
    return found + check_calls(program)


def check_calls(program: Program) -> list[Problem]:
    """What is wrong between the workflows of ``program``: names, and workflows that contain themselves."""
    found: list[Problem] = []
    for kind, entities in (
        ("task", program.tasks),
        ("workflow", program.workflows),
        ("launch plan", program.launch_plans),
    ):
        for name, entity in entities.items():
            if entity.name != name:
                line = None if isinstance(entity, LaunchPlanSpec) else entity.line
                found.append(_problem(f"the {kind} {entity.name} stands under the name {name}", "", line))
    calls = {name: workflows_in(all_nodes(graph), program.launch_plans) for name, graph in program.workflows.items()}
    cycle = find_cycle(calls)
    if cycle:
        line = program.workflows[cycle[0]].line
        # The cycle reads callee before caller; people think the other way round.
        chain = " calls ".join([cycle[0], *reversed(cycle)])
        found.append(_problem(f"{chain}: it would never end", "Recurse in an @eager workflow instead.", line))
    return found


def check_graph(graph: Graph, interfaces: Interfaces) -> list[Problem]:
    """Everything wrong with one workflow."""
    return _GraphCheck(graph, interfaces).run()


class _GraphCheck:
    def __init__(self, graph: Graph, interfaces: Interfaces) -> None:
        self.graph = graph
        self.interfaces = interfaces
        self.problems: list[Problem] = []

    def run(self) -> list[Problem]:
        graph = self.graph
        known: dict[str, Mapping[str, LiteralType]] = {
            START: {name: parameter.type for name, parameter in graph.interface.inputs.items()}
        }
        seen: dict[str, Node] = {}
        for node in graph.nodes:
            if node.id in seen or node.id == START:
                self._wrong(f"two nodes of {graph.name} are called {node.id}", "Give one another id.", node.line)
            seen[node.id] = node
            known[node.id] = node_outputs(node, self.interfaces)
        for name, parameter in graph.interface.inputs.items():
            if parameter.default is not None and (fault := misfit(parameter.default, parameter.type)):
                self._wrong(
                    f"{graph.name}: the default of {name!r} does not fit its type: {fault}",
                    "Change the default or the annotation.",
                    graph.line,
                )
        for node in graph.nodes:
            self._node(node, known)
            told = {promise.node for promise in node_promises(node)}
            for above in node.upstream:
                if above != START and above not in seen and above not in told:
                    self._wrong(f"{node.id} waits for {above}, which is no node of {graph.name}", "", node.line)
        if graph.failure_node is not None:
            self._failure_node(graph.failure_node, known)
        self._cycle(seen)
        for bracket in graph.brackets:
            self._bracket(bracket, seen)
        self._outputs(known)
        return self.problems

    def _wrong(self, message: str, remedy: str, line: SourceLine | None) -> None:
        self.problems.append(_problem(message, remedy, line))

    def _failure_node(self, node: Node, known: Known) -> None:
        graph = self.graph
        told = graph.failure_error
        interface = None if isinstance(node.target, BranchTarget) else target_interface(node.target, self.interfaces)
        parameter = None if interface is None else interface.inputs.get(told)
        if told and interface is not None and (parameter is None or error_literal(parameter.type, "", "") is None):
            self._wrong(
                f"the failure node of {graph.name} is told the error by its input {told!r}",
                f"Declare it: `{told}: FlyteError | None`.",
                node.line,
            )
        elif told and told not in node.inputs and parameter is not None:
            literal = error_literal(parameter.type, "", "")
            assert literal is not None
            node = replace(node, inputs={**node.inputs, told: LiteralBinding(literal)})
        # It runs when anything may have failed: of the nodes it can take nothing.
        self._node(node, {START: known[START]})

    # --- nodes -------------------------------------------------------------------------------------------------------

    def _node(self, node: Node, known: Known) -> None:
        target = node.target
        if isinstance(target, BranchTarget):
            for case in target.cases:
                self._condition(case.condition, target.name, known, node.line)
            for arm in arms(target):
                self._node(arm, known)
            return
        interface = target_interface(target, self.interfaces)
        if interface is None:
            assert not isinstance(target, GateTarget)
            entity = called(target)
            self._wrong(f"{node.id} runs the {_noun(entity)} {entity.name}, which is not in the program", "", node.line)
            return
        short = target.name.rpartition(".")[2]
        for name, parameter in interface.inputs.items():
            binding = node.inputs.get(name)
            if binding is None:
                if parameter.default is None:
                    self._wrong(
                        f"{short}() lacks the input {name!r} ({describe(parameter.type)})",
                        f"Give it: `{short}({name}=...)`.",
                        node.line,
                    )
                continue
            self._binding(binding, parameter.type, f"{short}(), input {name!r}", known, node.line)
        for name in node.inputs:
            if name not in interface.inputs:
                takes = f"it takes {', '.join(interface.inputs)}" if interface.inputs else "it takes none"
                self._wrong(f"{short}() has no input {name!r}; {takes}", "Take it away, or rename it.", node.line)

    def _condition(self, condition: Condition, name: str, known: Known, line: SourceLine | None) -> None:
        if not isinstance(condition, Comparison):
            self._condition(condition.left, name, known, line)
            self._condition(condition.right, name, known, line)
            return
        where = f"conditional({name!r})"
        left, right = (self._kind_of(side, where, known, line) for side in (condition.left, condition.right))
        if left is None or right is None or _comparable(left, right, condition.op):
            return
        self._wrong(
            f"{where} compares {describe(left)} {condition.op} {describe(right)}",
            "Compare values of one type; work others out in a task that returns a bool.",
            line,
        )

    def _kind_of(self, binding: Binding, where: str, known: Known, line: SourceLine | None) -> LiteralType | None:
        if isinstance(binding, PromiseBinding):
            return self._promise(binding, where, known, line)
        return kind_of(binding.value) if isinstance(binding, LiteralBinding) else None

    # --- edges -------------------------------------------------------------------------------------------------------

    def _binding(
        self, binding: Binding, wanted: LiteralType, where: str, known: Known, line: SourceLine | None
    ) -> None:
        if isinstance(binding, PromiseBinding):
            kind = self._promise(binding, where, known, line)
            if kind is not None and not assignable(kind, wanted):
                self._wrong(
                    f"{where}: expected {describe(wanted)}, got {describe(kind)} from {_source(binding)}",
                    f"Pass {describe(wanted)}, or change one of the two annotations.",
                    line,
                )
        elif isinstance(binding, LiteralBinding):
            fault = misfit(binding.value, wanted)
            if fault:
                self._wrong(f"{where}: {fault}", f"Pass {describe(wanted)}.", line)
        else:
            self._container(binding, wanted, where, known, line)

    def _container(
        self,
        binding: ListBinding | MapBinding,
        wanted: LiteralType,
        where: str,
        known: Known,
        line: SourceLine | None,
    ) -> None:
        if isinstance(wanted, UnionType):
            shapes = [variant for variant in wanted.variants if _takes(binding, variant)]
            # With several to choose from, what fits is only known at run time.
            if len(shapes) != 1:
                if not shapes:
                    self._wrong_shape(binding, wanted, where, line)
                return
            wanted = shapes[0]
        if not _takes(binding, wanted):
            self._wrong_shape(binding, wanted, where, line)
        elif isinstance(binding, ListBinding):
            kinds: Iterable[LiteralType | None]
            kinds = wanted.items if isinstance(wanted, TupleType) else [attribute(wanted, 0)] * len(binding.items)
            for position, (item, kind) in enumerate(zip(binding.items, kinds, strict=True)):
                self._binding(item, kind or ANY, f"{where} at [{position}]", known, line)
        else:
            for key, item in binding.items.items():
                step = attribute(wanted, key)
                if step is None:
                    self._wrong(f"{where}: {describe(wanted)} has no field {key!r}", "", line)
                else:
                    self._binding(item, step, f"{where} at .{key}", known, line)

    def _wrong_shape(
        self, binding: ListBinding | MapBinding, wanted: LiteralType, where: str, line: SourceLine | None
    ) -> None:
        got = f"a list of {len(binding.items)}" if isinstance(binding, ListBinding) else "a dict"
        self._wrong(f"{where}: expected {describe(wanted)}, got {got}", f"Pass {describe(wanted)}.", line)

    def _promise(
        self, binding: PromiseBinding, where: str, known: Known, line: SourceLine | None
    ) -> LiteralType | None:
        outputs = known.get(binding.node)
        if outputs is None:
            self._wrong(
                f"{where}: takes {_source(binding)}, which is not a node of {self.graph.name}",
                "A result made inside an arm of a conditional is there only in that arm: use the conditional's result.",
                line,
            )
            return None
        kind = outputs.get(binding.var)
        if kind is None:
            there = f"there {'are' if len(outputs) > 1 else 'is'} {', '.join(outputs) or 'none'}"
            missing = _source(binding).removeprefix("the ")
            self._wrong(f"{where}: there is no {missing}; {there}", self._why_not(binding), line)
            return None
        for step in binding.path:
            inner = attribute(kind, step)
            if inner is None:
                self._wrong(f"{where}: {describe(kind)} from {_source(binding)} has nothing at {step!r}", "", line)
                return None
            kind = inner
        return kind

    def _why_not(self, binding: PromiseBinding) -> str:
        node = next((node for node in self.graph.nodes if node.id == binding.node), None)
        if node is not None and isinstance(node.target, BranchTarget):
            return "Every arm of a conditional must give the output, and there must be an `else_()`."
        return ""

    # --- the whole ---------------------------------------------------------------------------------------------------

    def _cycle(self, nodes: Mapping[str, Node]) -> None:
        cycle = find_cycle({id: node.upstream for id, node in nodes.items()})
        if not cycle:
            return
        names = " >> ".join(_label(nodes[id]) for id in [*cycle, cycle[0]])
        # The node made first waits for a later one: that edge is the one that was drawn the wrong way round.
        self._wrong(
            f"{self.graph.name}: nodes wait for each other: {names}",
            "Turn one `>>` round, or take it away.",
            nodes[cycle[0]].line,
        )

    def _bracket(self, bracket: Bracket, nodes: Mapping[str, Node]) -> None:
        graph = self.graph
        named = (bracket.setup, bracket.teardown, *bracket.members)
        missing = [id for id in named if id not in nodes]
        if missing or len(set(named)) < len(named):
            what = f"names {', '.join(missing)}, not in it" if missing else "names a node twice"
            self._wrong(f"a bracket of {graph.name} {what}", "", graph.line)
            return
        members = set(bracket.members)
        fed = {above for member in members for above in nodes[member].upstream}
        line = nodes[bracket.teardown].line
        for id in bracket.members:
            above = nodes[id].upstream
            if not members.intersection(above) and bracket.setup not in above:
                self._wrong(f"{id} does not wait for {bracket.setup}, the setup of its bracket", "", line)
            if id not in fed and id not in nodes[bracket.teardown].upstream:
                self._wrong(f"{bracket.teardown}, the teardown of a bracket, does not wait for {id}", "", line)
        target = nodes[bracket.teardown].target
        interface = None if isinstance(target, BranchTarget) else target_interface(target, self.interfaces)
        if bracket.error and interface is not None:
            parameter = interface.inputs.get(bracket.error)
            if parameter is None or not assignable(UnionType((STRING, NONE)), parameter.type):
                self._wrong(
                    f"{target.name} is told the error by its input {bracket.error!r}",
                    f"Declare it: `{bracket.error}: str | None`.",
                    line,
                )

    def _outputs(self, known: Known) -> None:
        graph = self.graph
        declared = graph.interface.outputs
        for name, variable in declared.items():
            binding = graph.outputs.get(name)
            if binding is None:
                self._wrong(f"{graph.name}: the output {name!r} is not bound", "Return it.", graph.line)
            else:
                self._binding(binding, variable.type, f"{graph.name}, output {name!r}", known, graph.line)
        for name in graph.outputs:
            if name not in declared:
                self._wrong(f"{graph.name}: {name!r} is bound, but it is no output", "", graph.line)


def _takes(binding: ListBinding | MapBinding, wanted: LiteralType) -> bool:
    """Whether a value of this shape may go where ``wanted`` is declared."""
    if wanted == ANY:
        return True
    if isinstance(binding, ListBinding):
        if isinstance(wanted, TupleType):
            return len(wanted.items) == len(binding.items)
        return isinstance(wanted, ListType)
    return isinstance(wanted, MapType | StructType)


def _comparable(left: LiteralType, right: LiteralType, op: str) -> bool:
    if NONE in (left, right) and op in ("==", "!="):
        return True
    return assignable(left, right) or assignable(right, left) or any(map(_optional_of, (left, right), (right, left)))


def _optional_of(kind: LiteralType, other: LiteralType) -> bool:
    """Whether ``kind`` is a union with a member that ``other`` can be compared with."""
    return isinstance(kind, UnionType) and any(
        assignable(variant, other) or assignable(other, variant) for variant in kind.variants
    )


def _source(binding: PromiseBinding) -> str:
    path = "".join(f".{step}" if isinstance(step, str) else f"[{step}]" for step in binding.path)
    if binding.node == START:
        return f"the input {binding.var!r}{path}"
    return f"the output {binding.var!r} of {binding.node}{path}"


def _noun(target: Called) -> str:
    match target:
        case TaskTarget():
            return "task"
        case WorkflowTarget():
            return "workflow"
        case LaunchPlanTarget():
            return "launch plan"


def _label(node: Node) -> str:
    return f"{node.id} ({node.name or node.target.name.rpartition('.')[2]})"


def _problem(message: str, remedy: str, line: SourceLine | None) -> Problem:
    file, number = (line.file or None, line.line) if line is not None else (None, 0)
    return Problem(message, remedy=remedy, file=file, line=number)
