"""The files that a container of Flyte's reads and writes: inputs.pb, outputs.pb, error.pb, futures.pb.

Knows: messages, and what flytekit says in them. Must not know: where the files are, who runs the container.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from typing import Any

from flyteidl.core import dynamic_job_pb2, errors_pb2, execution_pb2, literals_pb2
from google.protobuf.message import DecodeError

from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Variable
from whimbrel.model.literal_types import NONE, ListType, LiteralType, MapType, UnionType
from whimbrel.model.program import Graph, Program
from whimbrel.wire.flyte.literals import decode_literals, encode_literals
from whimbrel.wire.flyte.reading import decode_dynamic

_TITLE = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: (?P<words>.*))?", re.DOTALL)
_PARTS = re.compile(r"\s*Trace:\n\n(?P<trace>.*?)\n\s*Message:\n\n(?P<message>.*)", re.DOTALL)
_USER = "USER:"


def inputs_file(inputs: lit.Literals, kinds: Mapping[str, LiteralType]) -> bytes:
    """``inputs``, whose types are ``kinds``, as a container reads them."""
    data: bytes = encode_literals(inputs, kinds).SerializeToString(deterministic=True)
    return data


def read_outputs(data: bytes, kinds: Mapping[str, LiteralType]) -> lit.Literals:
    """What a container gave, whose outputs are of the types ``kinds``. Raises ``InputInvalid``."""
    found = decode_literals(_parsed(literals_pb2.LiteralMap(), data, "outputs"), kinds)
    return {name: _fitted(literal, kinds[name]) if name in kinds else literal for name, literal in found.items()}


def read_futures(data: bytes, name: str, outputs: Mapping[str, Variable]) -> tuple[Graph, Program]:
    """What a dynamic task wants to be run in its place, and what that needs. Raises ``InputInvalid``."""
    return decode_dynamic(_parsed(dynamic_job_pb2.DynamicJobSpec(), data, "graph"), name, outputs)


def read_error(data: bytes) -> Failure:
    """Why a container failed. Raises ``InputInvalid``."""
    error = _parsed(errors_pb2.ErrorDocument(), data, "error").error
    recoverable = error.kind == errors_pb2.ContainerError.RECOVERABLE
    by_user = error.origin == execution_pb2.ExecutionError.USER or error.code.startswith(_USER)
    trace, said = "", error.message
    if parts := _PARTS.fullmatch(error.message):
        trace, said = _dedented(parts["trace"]), _dedented(parts["message"])
    fault = Fault.USER if by_user else Fault.SYSTEM
    name, words = error.code.removeprefix(_USER), said.strip()
    if (title := _TITLE.fullmatch(words)) and (trace or title["type"] == name):
        name, words = title["type"], title["words"] or ""
    # What flytekit's own exceptions are told as begins with the code.
    words = words.removeprefix(f"{error.code}: error=")
    if not by_user and not trace:
        return Failure(fault, words, recoverable=recoverable, notes=(error.code,) if error.code else ())
    return Failure(fault, words, type=_qualified(name, trace), traceback=trace, recoverable=recoverable)


def _qualified(name: str, trace: str) -> str:
    """``module:Name`` of the class: the document says its last name alone, the traceback, at its end, all of it."""
    if isinstance(getattr(builtins, name, None), type):
        return f"builtins:{name}"
    told = re.findall(rf"^(\w[\w.]*)\.{re.escape(name)}(?::|$)", trace, re.MULTILINE)
    return f"{told[-1]}:{name}" if told else name


def _dedented(text: str) -> str:
    lines = text.strip("\n").split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def _parsed(message: Any, data: bytes, what: str) -> Any:
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise InputInvalid(f"the {what} that it wrote cannot be read: {error}; run it again.") from None
    return message


def _fitted(literal: lit.Literal, kind: LiteralType) -> lit.Literal:
    """``literal`` as a variant of a union where it is a bare value of one, as items give it of a map that lets some
    fail."""
    match literal, kind:
        case lit.ListLiteral(items=items), ListType(item=item):
            return lit.ListLiteral(tuple(_fitted(each, item) for each in items))
        case lit.MapLiteral(items=fields), MapType(value=value):
            return lit.MapLiteral({key: _fitted(each, value) for key, each in fields.items()})
        case lit.UnionLiteral(), _:
            return literal
        case lit.NoneLiteral(), UnionType(variants=variants) if NONE in variants:
            return lit.UnionLiteral(variants.index(NONE), literal)
        case _, UnionType(variants=variants):
            return lit.UnionLiteral(next((at for at, each in enumerate(variants) if each != NONE), 0), literal)
        case _:
            return literal
