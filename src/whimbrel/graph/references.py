"""References of a program that lead to nothing in it. Knows the IR. Must not know who could resolve them."""

from __future__ import annotations

from collections.abc import Collection

from whimbrel.model.program import Program, Reference, ReferenceKind


def unresolved(program: Program) -> list[Reference]:
    """The references that point at nothing in ``program``: it cannot run."""
    entities: dict[ReferenceKind, Collection[str]] = {
        ReferenceKind.TASK: program.tasks,
        ReferenceKind.WORKFLOW: program.workflows,
        ReferenceKind.LAUNCH_PLAN: program.launch_plans,
    }
    return [each for each in program.references.values() if each.name not in entities[each.kind]]


def unresolved_text(reference: Reference, why: str = "") -> str:
    """What is wrong with a reference that leads nowhere, and what to do."""
    place = "/".join(part for part in (reference.project, reference.domain) if part)
    version = f", version {reference.version}" if reference.version else ""
    where = f" (of {place}{version})" if place or version else ""
    noun = reference.kind.value.replace("_", " ")
    reason = f": {why}" if why else ""
    return (
        f"the {noun} {reference.name}{where} is only referred to, and is not here{reason}. "
        "In a test, let a mock stand in for it (TestEngine.mock, task_mock); to run it here, put its module on the "
        "path; else run on a server that has it."
    )
