"""What real flytekit compiles is read as programs that our checks accept, and that give the same messages again."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from google.protobuf.json_format import ParseDict

from tests.integration.differential import corpus
from tests.integration.differential.comparing import differences
from tests.integration.differential.environment import flytekit_python
from whimbrel.graph.check import check_program
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.program import encode_program
from whimbrel.wire.flyte.reading import decode_program

REGISTRATION = Registration("project", "development", "v1")


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    return corpus.compile_with(flytekit_python(), "compile_with_flytekit.py")


def read(messages: dict[str, Any], kind: str, shape: Any) -> list[Any]:
    return [ParseDict(said, shape()) for name, said in messages.items() if name.startswith(f"{kind} ")]


@pytest.mark.parametrize("name", corpus.names())
def test_flytekits_messages_come_back(theirs: dict[str, Any], name: str) -> None:
    messages = theirs[name]["messages"]
    tasks = [each.template for each in read(messages, "task", task_pb2.TaskSpec)]
    workflows = [each.template for each in read(messages, "workflow", workflow_pb2.WorkflowSpec)]
    plans = read(messages, "launch_plan", launch_plan_pb2.LaunchPlan)
    program, declared = decode_program(tasks, workflows, plans)
    again = {f"{one.kind} {one.name}": one.json() for one in encode_program(program, declared, REGISTRATION)}
    for said in (*messages.values(), *again.values()):
        said.pop("description", None)  # beside the templates, and not read
    found = differences(name, messages, again)
    assert [str(one) for one in found if not one.path.endswith("/runtime/version")] == []
    if not program.references:  # of those, the messages do not say the interfaces
        assert [str(problem) for problem in check_program(program)] == []
