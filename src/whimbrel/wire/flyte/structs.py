"""``google.protobuf.Struct``: JSON-like values as messages, and back. Its numbers are doubles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def set_struct(message: Any, value: Mapping[str, Any]) -> None:
    """Make ``message``, a ``Struct``, hold ``value`` and nothing else."""
    message.Clear()
    message.SetInParent()
    for key, item in value.items():
        _set(message.fields[key], item)


def _set(slot: Any, value: Any) -> None:
    if value is None:
        slot.null_value = 0
    elif isinstance(value, bool):
        slot.bool_value = value
    elif isinstance(value, int | float):
        slot.number_value = value
    elif isinstance(value, str):
        slot.string_value = value
    elif isinstance(value, Mapping):
        slot.struct_value.SetInParent()
        for key, item in value.items():
            _set(slot.struct_value.fields[str(key)], item)
    else:
        slot.list_value.SetInParent()
        for item in value:
            _set(slot.list_value.values.add(), item)


def plain(message: Any) -> dict[str, Any]:
    """What a ``Struct`` holds."""
    return {key: _plain(slot) for key, slot in message.fields.items()}


def _plain(slot: Any) -> Any:
    match slot.WhichOneof("kind"):
        case "struct_value":
            return plain(slot.struct_value)
        case "list_value":
            return [_plain(item) for item in slot.list_value.values]
        case None | "null_value":
            return None
        case kind:
            return getattr(slot, kind)
