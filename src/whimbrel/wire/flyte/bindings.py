"""Bindings and conditions as messages: what a node is given, and what a branch asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.core import condition_pb2, literals_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import (
    ANY,
    ListType,
    LiteralType,
    MapType,
    StructType,
    UnionType,
    attribute,
)
from whimbrel.model.program import (
    START,
    Binding,
    Comparison,
    Condition,
    ListBinding,
    LiteralBinding,
    MapBinding,
    PromiseBinding,
)
from whimbrel.wire.flyte.literals import encode_literal, encode_scalar
from whimbrel.wire.flyte.types import FieldDefaults

OPERATORS = {
    "==": condition_pb2.ComparisonExpression.EQ,
    "!=": condition_pb2.ComparisonExpression.NEQ,
    ">": condition_pb2.ComparisonExpression.GT,
    ">=": condition_pb2.ComparisonExpression.GTE,
    "<": condition_pb2.ComparisonExpression.LT,
    "<=": condition_pb2.ComparisonExpression.LTE,
}


class BindingEncoder:
    """Encodes what stands in one workflow. ``ids`` are the nodes that have other ids there than in the model."""

    def __init__(self, ids: Mapping[str, str], defaults: FieldDefaults) -> None:
        self._ids = {START: "", **ids}
        self._defaults = defaults

    def node(self, id: str) -> str:
        """What the node ``id`` is called there; "" for the workflow's inputs."""
        return self._ids.get(id, id)

    def bindings(self, bindings: Mapping[str, Binding], kinds: Mapping[str, LiteralType]) -> list[Any]:
        """``Binding`` messages, by name: that is flytekit's order."""
        return [
            literals_pb2.Binding(var=name, binding=self.binding(bindings[name], kinds.get(name, ANY)))
            for name in sorted(bindings)
        ]

    def binding(self, binding: Binding, kind: LiteralType) -> Any:
        """What is bound where a value of type ``kind`` is wanted, as ``BindingData``."""
        message = literals_pb2.BindingData()
        match binding:
            case PromiseBinding():
                self._promise(message, binding)
            case LiteralBinding(value=value):
                _encode_constant(message, value, kind, self._defaults)
            case ListBinding(items=items):
                message.collection.SetInParent()
                message.collection.bindings.extend(self.binding(item, _part(kind, 0)) for item in items)
            case MapBinding(items=fields):
                message.map.SetInParent()
                for key, item in fields.items():
                    message.map.bindings[key].CopyFrom(self.binding(item, _part(kind, key)))
        return message

    def _promise(self, message: Any, promise: PromiseBinding) -> None:
        message.promise.var = promise.var
        message.promise.node_id = self.node(promise.node)
        for step in promise.path:
            if isinstance(step, str):
                message.promise.attr_path.add(string_value=step)
            else:
                message.promise.attr_path.add(int_value=step)

    # --- conditions --------------------------------------------------------------------------------------------------

    def condition(self, condition: Condition) -> Any:
        """A ``BooleanExpression``. Promises are named as ``branch_inputs`` names them."""
        message = condition_pb2.BooleanExpression()
        if isinstance(condition, Comparison):
            message.comparison.operator = OPERATORS[condition.op]
            message.comparison.left_value.CopyFrom(self._operand(condition.left))
            message.comparison.right_value.CopyFrom(self._operand(condition.right))
            return message
        junction = condition_pb2.ConjunctionExpression
        message.conjunction.operator = junction.OR if condition.op == "or" else junction.AND
        message.conjunction.left_expression.CopyFrom(self.condition(condition.left))
        message.conjunction.right_expression.CopyFrom(self.condition(condition.right))
        return message

    def _operand(self, binding: Binding) -> Any:
        match binding:
            case PromiseBinding():
                return condition_pb2.Operand(var=self._operand_name(binding))
            case LiteralBinding(value=value):
                return _constant_operand(value)
            case _:
                raise InputInvalid("a condition compares a list or a dict, which Flyte's cannot; compare in a task.")

    def _operand_name(self, promise: PromiseBinding) -> str:
        """``n0.o0``, ``.x`` for an input of the workflow."""
        return f"{self.node(promise.node)}.{promise.var}"

    def branch_inputs(self, promises: Iterable[PromiseBinding]) -> list[Any]:
        """The bindings of a branch node: of every promise in its conditions."""
        found: dict[str, Any] = {}
        for promise in promises:
            message = literals_pb2.BindingData()
            self._promise(message, promise)
            found[self._operand_name(promise)] = message
        return [literals_pb2.Binding(var=name, binding=found[name]) for name in sorted(found)]


def _part(kind: LiteralType, step: str | int) -> LiteralType:
    return attribute(kind, step) or ANY


def _encode_constant(message: Any, value: lit.Literal, kind: LiteralType, defaults: FieldDefaults) -> None:
    # A list in a union stands as it is: BindingData has no union of its own, and flytekit gives it so.
    while isinstance(kind, UnionType) and isinstance(value, lit.UnionLiteral) and value.variant < len(kind.variants):
        chosen = kind.variants[value.variant]
        if not isinstance(chosen, ListType | MapType):
            break
        kind, value = chosen, value.value
    match value, kind:
        case lit.ListLiteral(items=items), ListType(item=item):
            message.collection.SetInParent()
            for each in items:
                _encode_constant(message.collection.bindings.add(), each, item, defaults)
        case lit.MapLiteral(items=fields), MapType(value=inner):
            message.map.SetInParent()
            for key, each in fields.items():
                _encode_constant(message.map.bindings[key], each, inner, defaults)
        case lit.RefLiteral(), _:
            raise InputInvalid("a constant is too large to stand in a Flyte message; make it the output of a task.")
        case _:
            message.scalar.CopyFrom(encode_scalar(value, kind, defaults))


def _constant_operand(value: lit.Literal) -> Any:
    while isinstance(value, lit.UnionLiteral):
        value = value.value
    operand = condition_pb2.Operand()
    scalar = encode_literal(value, StructType("any")).scalar
    match value:
        case lit.IntLiteral(value=number):
            operand.primitive.integer = number
        case lit.FloatLiteral(value=number):
            operand.primitive.float_value = number
        case lit.StrLiteral(value=text):
            operand.primitive.string_value = text
        case lit.BoolLiteral(value=truth):
            operand.primitive.boolean = truth
        case _:
            operand.scalar.CopyFrom(scalar)
    return operand
