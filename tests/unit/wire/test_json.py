"""Programs as JSON, there and back."""

import json
import math

import pytest
from msgspec.structs import replace

from tests.unit.graph.flows import X, node, out, program
from whimbrel.errors import InputInvalid
from whimbrel.model.literals import FloatLiteral, StrLiteral
from whimbrel.model.program import LiteralBinding, Program
from whimbrel.wire.json import decode_graph, decode_program, encode

PROGRAM = program(node("n0", x=X), node("n1", x=out("n0")), output=out("n1"))


def with_constant(literal: FloatLiteral | StrLiteral) -> Program:
    graph = PROGRAM.workflows["wf"]
    nodes = (replace(graph.nodes[0], inputs={"x": LiteralBinding(literal)}), *graph.nodes[1:])
    return Program(PROGRAM.tasks, {"wf": replace(graph, nodes=nodes)})


def test_there_and_back() -> None:
    assert decode_program(encode(PROGRAM)) == PROGRAM
    assert decode_program(encode(PROGRAM, indent=2)) == PROGRAM
    graph = PROGRAM.workflows["wf"]
    assert decode_graph(encode(graph)) == graph


def test_it_is_json_that_others_read() -> None:
    read = json.loads(encode(PROGRAM, indent=2))
    assert read["workflows"]["wf"]["nodes"][1]["inputs"]["x"] == {"type": "promise", "node": "n0", "var": "o0"} | {
        "path": []
    }


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1.5, -0.0])
def test_floats_that_json_lacks(value: float) -> None:
    program = with_constant(FloatLiteral(value))
    for data in (encode(program), encode(program, indent=2)):
        json.loads(data, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
        binding = decode_program(data).workflows["wf"].nodes[0].inputs["x"]
        assert isinstance(binding, LiteralBinding)
        assert isinstance(binding.value, FloatLiteral)
        assert repr(binding.value.value) == repr(value)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_strings_of_the_same_text_stay_strings(text: str) -> None:
    program = with_constant(StrLiteral(text))
    assert decode_program(encode(program)) == program


NEITHER = encode(with_constant(FloatLiteral(math.nan))).replace(b"NaN", b"Nan") + b' "NaN"'


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"tasks": 3}', b"\xff", NEITHER])
def test_what_is_no_program_is_refused(data: bytes) -> None:
    with pytest.raises(InputInvalid, match="not the JSON of a program"):
        decode_program(data)
