"""Values that travel as pickles, for authors who say so: ``Annotated[Model, Pickle]``.

A pickle ties the reader to the writer's code and Python, and reading one runs code: nothing is ever pickled, or read
as a pickle, that was not declared so.

Knows: the standard pickle module. Must not know: other kinds.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Final

from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BinaryType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import full_name, literal_mismatch, mismatch, type_name
from whimbrel.types.transformer import Transformer

ENCODING: Final = "pickle"
# Fixed, so that equal values have equal digests whichever Python writes them. Every supported Python reads it.
_PROTOCOL: Final = 5


class Pickle:
    """The marker that opts in: ``Annotated[T, Pickle]``. The value is pickled with the standard library, and must be
    an instance of ``T`` if ``T`` is a class.
    """


def encode_pickle(value: Any) -> lit.Literal:
    """Any value, as a pickle. Raises ``ValueMismatch`` where it cannot be pickled, for whatever reason."""
    import pickle

    try:
        return lit.BytesLiteral(pickle.dumps(value, _PROTOCOL), ENCODING)
    except Exception as error:
        raise mismatch("a value that can be pickled", value, f"{type(error).__name__}: {error}") from error


def decode_pickle(literal: lit.Literal) -> Any:
    """The inverse of ``encode_pickle``."""
    import pickle

    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.BytesLiteral) or literal.encoding != ENCODING:
        raise literal_mismatch("a pickle", literal)
    try:
        return pickle.loads(literal.value)
    except Exception as error:
        raise literal_mismatch(
            "a pickle", literal, f"it cannot be read here: {type(error).__name__}: {error}"
        ) from error


def untyped(python_type: Any) -> Transformer:
    """The transformer that pickles values of ``python_type``."""
    declared = python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type
    wanted = typing.get_origin(declared) or declared
    # The origin of `X | Y` is a class too, but no value is an instance of it.
    anything = not isinstance(wanted, type) or wanted in (object, Any, types.UnionType)
    name = type_name(declared)

    def check(value: Any) -> None:
        if not anything and not isinstance(value, wanted):
            raise mismatch(name, value)

    def encode(value: Any) -> lit.Literal:
        check(value)
        return encode_pickle(value)

    def decode(literal: lit.Literal) -> Any:
        value = decode_pickle(literal)
        check(value)
        return value

    return Transformer(
        python_type,
        BinaryType(ENCODING, "" if anything else full_name(declared)),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=() if anything else (wanted,),
    )


def _matches(python_type: Any) -> bool:
    return typing.get_origin(python_type) is typing.Annotated and any(
        item is Pickle or isinstance(item, Pickle) for item in python_type.__metadata__
    )


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return untyped(python_type)


HOOK: Final = Hook(_matches, _build)
