"""What a run waits for, in words, and the command that answers it.

Knows: gates of a run, to read. Must not know: stores, terminals.
"""

from __future__ import annotations

import shlex

from whimbrel.controlplane.describing import waits_for
from whimbrel.engine.gates import awaited_type, gate_of
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.model.literal_types import EnumType, SimpleType
from whimbrel.model.program import GateKind
from whimbrel.runtime.literal_text import example


def command_for(run: Run, node: NodeState, home_option: str = "") -> str:
    """What to type to answer a gate: by its name, or by its path where others of that name wait for something else."""
    target = gate_of(node)
    same = [other for other in run.gates(target.name) if other.phase is node.phase]
    gate = shlex.quote(target.name if len(same) < 2 else node.path)
    wanted = awaited_type(node)
    if target.kind is GateKind.APPROVE or wanted is None:
        return f"whimbrel approve {run.id} {gate}{home_option}"
    value = shlex.quote(example(wanted)) if isinstance(wanted, SimpleType | EnumType) else "VALUE"
    return f"whimbrel signal {run.id} {gate} {value}{home_option}"


def waiting_lines(run: Run, home_option: str = "") -> list[str]:
    """One line for each gate that waits for somebody."""
    return [
        f"{node.path} {gate_of(node).name} {waits_for(node)}: {command_for(run, node, home_option)}"
        for node in run.waiting
    ]
