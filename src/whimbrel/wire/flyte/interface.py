"""Interfaces as ``TypedInterface``, parameters of launch plans as ``ParameterMap``, and back.

A variable without a description is described by its name, as flytekit does; reading takes that for no description.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core import interface_pb2

from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literals import NoneLiteral, UnionLiteral
from whimbrel.wire.flyte.literals import decode_literal, encode_literal
from whimbrel.wire.flyte.types import FieldDefaults, decode_type, encode_type


def encode_interface(interface: Interface, defaults: FieldDefaults | None = None, *, exact: bool = False) -> Any:
    """``interface`` as a message. It has no defaults: those of inputs go with launch plans. ``exact`` as for types."""
    message = interface_pb2.TypedInterface()
    message.inputs.SetInParent()
    message.outputs.SetInParent()
    for names, into in ((interface.inputs, message.inputs), (interface.outputs, message.outputs)):
        for name, variable in names.items():
            _encode_variable(into.variables[name], name, variable, defaults, exact)
    return message


def decode_interface(message: Any) -> Interface:
    """The interface in a message, variables by name: a map of protobuf has no order. Raises ``InputInvalid``."""
    return Interface(
        {
            name: Parameter(decode_type(variable.type), _description(name, variable))
            for name, variable in sorted(message.inputs.variables.items())
        },
        {
            name: Variable(decode_type(variable.type), _description(name, variable))
            for name, variable in sorted(message.outputs.variables.items())
        },
    )


def encode_parameters(
    inputs: Mapping[str, Parameter], defaults: FieldDefaults | None = None, *, exact: bool = False
) -> Any:
    """``inputs`` as a ``ParameterMap``, defaults included."""
    message = interface_pb2.ParameterMap()
    message.SetInParent()
    for name, parameter in inputs.items():
        slot = message.parameters[name]
        _encode_variable(slot.var, name, parameter, defaults, exact)
        if parameter.default is None:
            slot.required = True
            continue
        default = parameter.default
        while isinstance(default, UnionLiteral) and isinstance(default.value, NoneLiteral):
            default = default.value  # flytekit gives a default of None as it is
        slot.default.CopyFrom(encode_literal(default, parameter.type, defaults, exact=exact))
    return message


def decode_parameters(message: Any) -> dict[str, Parameter]:
    """The parameters in a ``ParameterMap``, by name. Raises ``InputInvalid``."""
    found: dict[str, Parameter] = {}
    for name, slot in sorted(message.parameters.items()):
        kind = decode_type(slot.var.type)
        default = decode_literal(slot.default, kind) if slot.WhichOneof("behavior") == "default" else None
        found[name] = Parameter(kind, _description(name, slot.var), default)
    return found


def _encode_variable(
    slot: Any, name: str, variable: Parameter | Variable, defaults: FieldDefaults | None, exact: bool
) -> None:
    slot.type.CopyFrom(encode_type(variable.type, defaults, exact=exact))
    slot.description = variable.description or name


def _description(name: str, variable: Any) -> str:
    return "" if variable.description == name else str(variable.description)
