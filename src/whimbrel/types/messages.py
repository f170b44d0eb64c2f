"""protobuf's messages: a ``Struct`` is a JSON-like value, any other message its bytes.

protobuf is never imported here: a program that has a message has imported it, and its classes do all that is needed.

Knows: the public methods of message classes. Must not know: other kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BinaryType, StructType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.json import decode_json
from whimbrel.types.mismatch import full_name, literal_mismatch, mismatch, type_name
from whimbrel.types.transformer import Transformer

ENCODING: Final = "protobuf"
_STRUCT: Final = "google.protobuf.Struct"


def _matches(python_type: Any) -> bool:
    return (
        isinstance(python_type, type)
        and hasattr(getattr(python_type, "DESCRIPTOR", None), "full_name")
        and hasattr(python_type, "SerializeToString")
        and hasattr(python_type, "FromString")
    )


def _build(python_type: Any, registry: Transformers) -> Transformer:
    name = type_name(python_type)
    struct = python_type.DESCRIPTOR.full_name == _STRUCT

    def check(value: Any) -> None:
        if not isinstance(value, python_type):
            raise mismatch(name, value)
        if not value.IsInitialized():
            raise mismatch(name, value, "a required field was not set")

    def encode(value: Any) -> lit.Literal:
        check(value)
        if struct:
            return lit.MapLiteral({key: _item(item) for key, item in value.fields.items()})
        # Maps in the order of their keys: equal messages are equal bytes.
        return lit.BytesLiteral(value.SerializeToString(deterministic=True), ENCODING)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if struct:
            if not isinstance(literal, lit.MapLiteral):
                raise literal_mismatch(name, literal)
            made = python_type()
            made.update(decode_json(literal))
            return made
        if not isinstance(literal, lit.BytesLiteral) or literal.encoding != ENCODING:
            raise literal_mismatch(name, literal)
        try:
            return python_type.FromString(literal.value)
        except Exception as error:
            raise literal_mismatch(name, literal, f"it cannot be read: {error}") from error

    return Transformer(
        python_type,
        StructType() if struct else BinaryType(ENCODING, full_name(python_type)),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(python_type,),
    )


def _item(value: Any) -> lit.Literal:
    kind = value.WhichOneof("kind")
    return _ITEMS[kind](value) if kind is not None else lit.NoneLiteral()


# Numbers of a Struct are doubles, whatever they were made of.
_ITEMS: Final[dict[str, Callable[[Any], lit.Literal]]] = {
    "null_value": lambda value: lit.NoneLiteral(),
    "number_value": lambda value: lit.FloatLiteral(value.number_value),
    "string_value": lambda value: lit.StrLiteral(value.string_value),
    "bool_value": lambda value: lit.BoolLiteral(value.bool_value),
    "struct_value": lambda value: lit.MapLiteral({k: _item(v) for k, v in value.struct_value.fields.items()}),
    "list_value": lambda value: lit.ListLiteral(tuple([_item(item) for item in value.list_value.values])),
}

HOOK: Final = Hook(_matches, _build)
