"""Programs to run: a task or an eager workflow that is run by itself becomes a workflow of one node.

Knows the IR only; entities come as their specs.
"""

from __future__ import annotations

from typing import Protocol

from whimbrel.model.program import START, Binding, Graph, Node, Program, PromiseBinding, TaskSpec, TaskTarget


class Runnable(Protocol):
    """What has a program and a name: any entity."""

    @property
    def entry_name(self) -> str:
        """The name of the workflow in its program that runs it."""
        ...

    def program(self) -> Program:
        """Everything that a run of it needs."""
        ...


def entry_program(entity: Runnable) -> tuple[Program, str]:
    """The program of ``entity``, and the name of the workflow in it to run. Raises ``CompileError``."""
    return entity.program(), entity.entry_name


def single_task_program(spec: TaskSpec) -> Program:
    """``spec``, and a workflow of its name whose only node ``n0`` runs it."""
    inputs: dict[str, Binding] = {name: PromiseBinding(START, name) for name in spec.interface.inputs}
    outputs: dict[str, Binding] = {name: PromiseBinding("n0", name) for name in spec.interface.outputs}
    node = Node("n0", TaskTarget(spec.name), inputs, line=spec.line)
    graph = Graph(spec.name, spec.interface, (node,), outputs, doc=spec.doc, line=spec.line)
    return Program({spec.name: spec}, {spec.name: graph})
