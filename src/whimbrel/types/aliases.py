"""``type X = ...`` (``TypeAliasType``), and type variables that say what they may be.

Knows: hooks, fields. Must not know: any one kind of type.
"""

from __future__ import annotations

import sys
import typing
from typing import Any, Final

import typing_extensions

from whimbrel.errors import UnsupportedType
from whimbrel.types.fields import substitute, unbound
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.transformer import Transformer

# Python 3.12's own class is typing_extensions' from there on.
_ALIAS: Final = typing_extensions.TypeAliasType


def _is_alias(python_type: Any) -> bool:
    return isinstance(typing.get_origin(python_type) or python_type, _ALIAS)


def _build_alias(python_type: Any, registry: Transformers) -> Transformer:
    alias = typing.get_origin(python_type) or python_type
    binding = dict(zip(alias.__type_params__, typing.get_args(python_type), strict=False))
    try:
        value = alias.__value__
        if isinstance(value, str):
            # The backport's way to write a recursive alias.
            value = eval(value, vars(sys.modules[alias.__module__]))
    except NameError as error:
        raise UnsupportedType(f"the type alias {alias.__name__} cannot be resolved: {error}") from None
    return registry.transformer(substitute(value, binding)).renamed(python_type)


def _is_bounded(python_type: Any) -> bool:
    return isinstance(python_type, typing.TypeVar) and unbound(python_type) is not python_type


def _build_bounded(python_type: Any, registry: Transformers) -> Transformer:
    return registry.transformer(unbound(python_type)).renamed(python_type)


ALIAS: Final = Hook(_is_alias, _build_alias, recursive=True)
TYPE_VARIABLE: Final = Hook(_is_bounded, _build_bounded)
