"""The types of the fields of a class: annotations resolved, type variables filled in.

Knows: typing. Must not know: any one kind of class.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from whimbrel.errors import UnsupportedType
from whimbrel.types.hooks import Transformers
from whimbrel.types.mismatch import full_name
from whimbrel.types.transformer import Transformer


def field_transformers(python_type: Any, names: Iterable[str], registry: Transformers) -> dict[str, Transformer]:
    """The transformer of each named field of a class, or of a parametrised generic class.

    Raises ``UnsupportedType`` that names the field whose annotation cannot be resolved or has no transformer.
    """
    hints = field_hints(python_type)
    made = {}
    for name in names:
        if name not in hints:
            raise UnsupportedType(f"field {name!r} of {full_name(python_type)}: it has no annotation")
        try:
            made[name] = registry.transformer(hints[name])
        except UnsupportedType as error:
            raise UnsupportedType(f"field {name!r} of {full_name(python_type)}: {error}") from None
    return made


def field_hints(python_type: Any) -> dict[str, Any]:
    """The annotations of a class and its bases, resolved, with their metadata, and with type arguments for type
    variables.
    """
    served = typing.get_origin(python_type) or python_type
    hints = _resolved(served)
    bindings = type_bindings(python_type)
    if not any(bindings.values()):
        return hints
    filled = {}
    for name, hint in hints.items():
        owner = next((base for base in served.__mro__ if name in inspect.get_annotations(base)), served)
        filled[name] = substitute(hint, bindings.get(owner, {}))
    return filled


def _resolved(served: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(served, include_extras=True)
    except Exception:
        # A class made in a function may name itself; anything else that is local there is out of reach.
        try:
            return typing.get_type_hints(served, localns={served.__name__: served}, include_extras=True)
        except Exception as error:
            raise _unresolved(served, error) from None


def _unresolved(served: type, error: Exception) -> UnsupportedType:
    for base in reversed(served.__mro__):
        for name, annotation in inspect.get_annotations(base).items():
            if not isinstance(annotation, str):
                continue
            scope = dict(vars(sys.modules.get(base.__module__, typing))) | {served.__name__: served}
            try:
                # As typing.get_type_hints does; the annotation is the author's own code.
                eval(annotation, scope)
            except Exception as trouble:
                return UnsupportedType(
                    f"field {name!r} of {full_name(served)}: the annotation {annotation!r} cannot be resolved "
                    f"({trouble}); "
                    "define what it names at module level, where it can be found without `if TYPE_CHECKING`"
                )
    return UnsupportedType(f"the annotations of {full_name(served)} cannot be resolved: {error}")


def type_bindings(python_type: Any) -> dict[type, dict[Any, Any]]:
    """What each type variable of a class, and of each of its generic bases, stands for."""
    bindings: dict[type, dict[Any, Any]] = {}
    _bind(python_type, {}, bindings)
    return bindings


def _bind(python_type: Any, outer: Mapping[Any, Any], bindings: dict[type, dict[Any, Any]]) -> None:
    origin = typing.get_origin(python_type) or python_type
    if not isinstance(origin, type) or origin is typing.Generic or origin in bindings:
        return
    parameters = getattr(origin, "__parameters__", ())
    arguments = [substitute(argument, outer) for argument in typing.get_args(python_type)]
    if len(arguments) == len(parameters):
        own = dict(zip(parameters, arguments, strict=True))
    else:
        own = {parameter: unbound(parameter) for parameter in parameters}
    bindings[origin] = own
    for base in getattr(origin, "__orig_bases__", origin.__bases__):
        _bind(base, own, bindings)


def unbound(parameter: Any) -> Any:
    """What a type variable that nobody filled in may be taken for: its default, its bound, one of its constraints, or
    itself.
    """
    has_default = getattr(parameter, "has_default", None)
    if has_default is not None and has_default():
        return parameter.__default__
    if getattr(parameter, "__bound__", None) is not None:
        return parameter.__bound__
    if getattr(parameter, "__constraints__", ()):
        return typing.Union[parameter.__constraints__]  # noqa: UP007  built from a tuple
    return parameter


def substitute(hint: Any, binding: Mapping[Any, Any]) -> Any:
    """``hint`` with its type variables replaced."""
    if isinstance(hint, typing.TypeVar):
        return binding.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if isinstance(hint, type) or not parameters or not any(parameter in binding for parameter in parameters):
        return hint
    return hint[tuple(binding.get(parameter, parameter) for parameter in parameters)]
