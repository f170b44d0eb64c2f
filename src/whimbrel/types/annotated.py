"""``Annotated`` and ``NewType``: another name for a type, with the hooks of what it stands for.

Knows: hooks. Must not know: what any metadata means.
"""

from __future__ import annotations

import typing
from typing import Any, Final

from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.transformer import Transformer, hooks_of


def _is_annotated(python_type: Any) -> bool:
    return typing.get_origin(python_type) is typing.Annotated


def _build_annotated(python_type: Any, registry: Transformers) -> Transformer:
    inner = python_type.__origin__
    transformer = registry.registered(inner)
    if transformer is not None:
        # A user's transformer may read the metadata.
        return hooks_of(transformer, python_type)
    return registry.transformer(inner).renamed(python_type)


def _is_new_type(python_type: Any) -> bool:
    return isinstance(python_type, typing.NewType)


def _build_new_type(python_type: Any, registry: Transformers) -> Transformer:
    return registry.transformer(python_type.__supertype__).renamed(python_type)


ANNOTATED: Final = Hook(_is_annotated, _build_annotated)
NEW_TYPE: Final = Hook(_is_new_type, _build_new_type)
