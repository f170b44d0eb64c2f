"""What Flyte's messages hold of things that flytekit has not, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from flyteidl.core import literals_pb2, types_pb2

from tests.unit.wire import flyte_flows as flows
from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.declared import Declarations, NodeDeclaration
from whimbrel.model.launch_plan import FixedRate, LaunchPlanSpec
from whimbrel.model.literal_types import DATE, DATETIME, DURATION, INTEGER, STRING, StructType, UnionType
from whimbrel.model.program import GateKind, GateTarget, Graph, Node, Program, PromiseBinding
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.literals import decode_literal, encode_literal
from whimbrel.wire.flyte.program import Message, encode_program
from whimbrel.wire.flyte.types import decode_type, encode_type
from whimbrel.wire.names import dns_name

REGISTRATION = Registration("p", "d", "v", image="host/default:tag", images={"gpu": "host/gpu:2"})


def registered(*roots: object) -> dict[str, Message]:
    program = whole_program(roots)
    found = encode_program(program, declarations(roots, program), REGISTRATION)
    return {f"{message.kind} {message.name}": message for message in found}


def nodes_of(workflow: object, name: str) -> dict[str, Any]:
    found = registered(workflow).values()
    (message,) = [message for message in found if message.kind == "workflow" and message.name.endswith(f".{name}")]
    return {node.id: node for node in message.body.template.nodes}


# --- programs ---------------------------------------------------------------------------------------------------------


def test_brackets_become_edges() -> None:
    nodes = nodes_of(flows.bracketed, "bracketed")
    order = {id: set(node.upstream_node_ids) for id, node in nodes.items()}
    assert order == {"n0": set(), "n1": {"n0"}, "n2": {"n0"}, "n3": {"n1", "n2"}}


def test_an_arm_of_several_nodes_is_a_workflow_inside() -> None:
    found = registered(flows.deep)
    (name,) = [name for name in found if name.startswith("workflow")]
    spec = found[name].body
    (node,) = spec.template.nodes
    inside = node.branch_node.if_else.case.then_node.workflow_node.sub_workflow_ref
    assert [template.id for template in spec.sub_workflows] == [inside]
    assert [kind.partition(" ")[0] for kind in found] == ["task", "workflow", "launch_plan"]


def test_messages_come_in_the_order_in_which_they_can_be_registered() -> None:
    names = [name for name in registered(flows.outer) if name.startswith("workflow")]
    assert [name.rpartition(".")[2] for name in names] == ["inner", "outer"]


def test_bytes_are_the_same_each_time() -> None:
    first = {name: message.data() for name, message in registered(flows.outer).items()}
    assert first == {name: message.data() for name, message in registered(flows.outer).items()}


def test_images_are_filled_in() -> None:
    assert REGISTRATION.image_of("") == "host/default:tag"
    assert REGISTRATION.image_of("other:1") == "other:1"
    assert REGISTRATION.image_of("{{.image.gpu.fqn}}-x:{{ .image.default.version }}") == "host/gpu-x:tag"
    assert REGISTRATION.image_of("{{.images.gpu}}") == "host/gpu:2"
    with pytest.raises(InputInvalid, match="no image 'tpu'"):
        REGISTRATION.image_of("{{.image.tpu.fqn}}")


def test_two_nodes_of_one_id_are_refused() -> None:
    program = whole_program([flows.chain])
    same = NodeDeclaration(id="same")
    declared = Declarations(nodes={flows.chain.name: {"n0": same, "n1": same}})
    with pytest.raises(InputInvalid, match="several nodes are called same"):
        encode_program(program, declared, REGISTRATION)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Read_Rows", "read-rows"),
        ("My Node!", "my-node"),
        ("HTTPServer2", "h-t-t-p-server2"),
        ("A_B__C", "a-b--c"),
        ("-lead-", "lead"),
        ("x" * 70, "e5afcce453-" + "x" * 52),
    ],
)
def test_ids_of_nodes_are_flytekits(name: str, id: str) -> None:
    assert dns_name(name) == id


def test_a_sleep_whose_span_is_computed_is_refused() -> None:
    node = Node("n0", GateTarget("sleep", GateKind.SLEEP), {"duration": PromiseBinding("start-node", "span")})
    program = Program(workflows={"wf": Graph("wf", flows.outer.interface, (node,))})
    with pytest.raises(InputInvalid, match="give it a span"):
        encode_program(program, declarations([], program), REGISTRATION)


def test_rates_of_seconds_are_refused() -> None:
    graph = Graph("wf", flows.outer.interface)
    plan = LaunchPlanSpec("plan", "wf", schedule=FixedRate(timedelta(seconds=90).total_seconds()))
    program = Program(workflows={"wf": graph}, launch_plans={"plan": plan})
    with pytest.raises(InputInvalid, match="whole minutes"):
        encode_program(program, declarations([], program), REGISTRATION)


# --- types and literals -----------------------------------------------------------------------------------------------


def test_types_are_bare_unless_asked() -> None:
    assert encode_type(DATE) == types_pb2.LiteralType(simple=types_pb2.DATETIME)
    assert decode_type(encode_type(DATE, exact=True)) == DATE
    assert not encode_type(INTEGER, exact=True).HasField("annotation")  # nothing would be lost


def test_what_flyte_has_and_whimbrel_has_not_is_refused() -> None:
    schema = types_pb2.LiteralType(schema=types_pb2.SchemaType())
    with pytest.raises(InputInvalid, match="no type like Flyte's schema"):
        decode_type(schema)
    with pytest.raises(InputInvalid, match="no type like Flyte's nothing"):
        decode_type(types_pb2.LiteralType())


def test_broken_literals_are_refused() -> None:
    with pytest.raises(InputInvalid):
        decode_literal(literals_pb2.Literal(), INTEGER)
    torn = literals_pb2.Literal()
    torn.scalar.binary.tag, torn.scalar.binary.value = "msgpack", b"\x82\xa1"
    with pytest.raises(InputInvalid, match="cannot be read"):
        decode_literal(torn, StructType())
    kind = StructType("", {"day": DATE, "span": DURATION})
    wrong = encode_literal(lit.MapLiteral({"day": lit.StrLiteral("no day")}), StructType())
    with pytest.raises(InputInvalid, match="ISO 8601"):
        decode_literal(wrong, kind)


def test_a_value_of_another_union_is_refused() -> None:
    union = encode_literal(lit.UnionLiteral(0, lit.IntLiteral(1)), UnionType((INTEGER, STRING)))
    with pytest.raises(InputInvalid, match="none of its types"):
        decode_literal(union, UnionType((STRING, DATE)))


def test_moments_of_other_zones_are_read_as_utc() -> None:
    text = encode_literal(lit.MapLiteral({"at": lit.StrLiteral("2024-01-01T12:00:00+02:00")}), StructType())
    kind = StructType("", {"at": DATETIME})
    read = decode_literal(text, kind)
    assert isinstance(read, lit.MapLiteral)
    moment = read.items["at"]
    assert isinstance(moment, lit.DatetimeLiteral)
    assert (moment.value.isoformat(), moment.zone) == ("2024-01-01T10:00:00+00:00", "+02:00")


def test_nobody_imports_protobuf_who_does_not_ask_for_it() -> None:
    names = "[name for name in sys.modules if name.startswith(('google', 'flyteidl'))]"
    code = f"import sys, whimbrel, whimbrel.cli.program; print({names})"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
