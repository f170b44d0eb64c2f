"""Workflows as ``flyteidl.admin.WorkflowSpec``: the template, and those of the workflows inside it."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import workflow_pb2 as admin_pb2
from flyteidl.core import workflow_pb2

from whimbrel.model.declared import Declarations
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.program import FailurePolicy, Graph, Program
from whimbrel.wire.flyte.ids import WORKFLOW, Registration
from whimbrel.wire.flyte.interface import encode_interface
from whimbrel.wire.flyte.nodes import NodeEncoder
from whimbrel.wire.flyte.targets import subworkflows
from whimbrel.wire.flyte.tasks import describe

_POLICIES = {
    FailurePolicy.FAIL_IMMEDIATELY: workflow_pb2.WorkflowMetadata.FAIL_IMMEDIATELY,
    FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE: (
        workflow_pb2.WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    ),
}


def encode_workflow(graph: Graph, program: Program, declared: Declarations, registration: Registration) -> Any:
    """A ``WorkflowSpec`` message."""
    message = admin_pb2.WorkflowSpec()
    message.template.CopyFrom(encode_template(graph, program, declared, registration))
    for name in subworkflows(graph, program):
        message.sub_workflows.append(encode_template(program.workflows[name], program, declared, registration))
    describe(message.description, graph.doc)
    return message


def encode_template(graph: Graph, program: Program, declared: Declarations, registration: Registration) -> Any:
    """A ``WorkflowTemplate`` message."""
    message = workflow_pb2.WorkflowTemplate()
    message.id.CopyFrom(registration.identifier(WORKFLOW, graph.name))
    message.metadata.on_failure = _POLICIES[graph.failure_policy]
    message.metadata.SetInParent()
    message.metadata_defaults.interruptible = bool(graph.metadata.interruptible)
    message.metadata_defaults.SetInParent()
    message.interface.CopyFrom(encode_interface(graph.interface, declared.defaults))
    encoder = NodeEncoder(graph.name, program, declared, registration)
    message.nodes.extend(encoder.encode(node) for node in graph.nodes)
    kinds: dict[str, LiteralType] = {name: output.type for name, output in graph.interface.outputs.items()}
    for name, binding in graph.outputs.items():
        message.outputs.add(var=name, binding=encoder.bindings.binding(binding, kinds[name]))
    if graph.failure_node is not None:
        message.failure_node.CopyFrom(encoder.encode(graph.failure_node))
    return message
