"""Values that travel as pickles, for authors who say so: ``Annotated[Model, Pickle]``.

A pickle ties the reader to the writer's code and Python, and reading one runs code: nothing is ever pickled, or read
as a pickle, that was not declared so.

A small pickle is part of its literal. A large one is a file: it is written into the store as it is made, and is in
nobody's memory as a whole.

Knows: the standard pickle module, files. Must not know: other kinds.
"""

from __future__ import annotations

import io
import types
import typing
from typing import Any, Final

from whimbrel.errors import EntityNotFound, SystemFault
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BinaryType
from whimbrel.types.blobs import storage
from whimbrel.types.by_reference import written
from whimbrel.types.files import FlyteFile
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import full_name, literal_mismatch, mismatch, type_name
from whimbrel.types.transformer import Transformer

ENCODING: Final = "pickle"
# Fixed, so that equal values have equal digests whichever Python writes them. Every supported Python reads it.
_PROTOCOL: Final = 5


LARGE: Final = 1024 * 1024
"""Bytes of a pickle from which on it is a file of its own."""


class Pickle:
    """The marker that opts in: ``Annotated[T, Pickle]``. The value is pickled with the standard library, and must be
    an instance of ``T`` if ``T`` is a class.
    """


class FlytePickle:
    """``FlytePickle[T]`` is flytekit's way to write ``Annotated[T, Pickle]``; bare it is any value at all."""

    def __class_getitem__(cls, item: Any) -> Any:
        return typing.Annotated[item, Pickle]


class _Small(io.RawIOBase):
    """Keeps what is written as long as it is small."""

    def __init__(self) -> None:
        super().__init__()
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if len(self.data) + len(view) > LARGE:
            raise _TooLarge
        self.data += view
        return len(view)


class _TooLarge(Exception):
    pass


def encode_pickle(value: Any) -> lit.Literal:
    """Any value, as a pickle. Raises ``ValueMismatch`` where it cannot be pickled, for whatever reason."""
    import pickle

    small = _Small()
    try:
        if storage() is None:
            return lit.BytesLiteral(pickle.dumps(value, _PROTOCOL), ENCODING)
        try:
            pickle.Pickler(small, _PROTOCOL).dump(value)
        except _TooLarge:
            # Once more from the start, and into the store this time: one MiB of pickling is all that is done twice.
            file = written("value.pickle", lambda stream: pickle.Pickler(stream, _PROTOCOL).dump(value))
            return lit.BlobLiteral(file.uri, ENCODING, False, file.digest, file.size)
        return lit.BytesLiteral(bytes(small.data), ENCODING)
    except SystemFault:
        raise
    except Exception as error:
        raise mismatch("a value that can be pickled", value, f"{type(error).__name__}: {error}. {_REMEDY}") from error


_REMEDY: Final = (
    "What pickle takes is data, and functions and classes at the top of a module: move it there, or leave out of the "
    "value what is bound to this process (locks, connections, open files)"
)


def decode_pickle(literal: lit.Literal) -> Any:
    """The inverse of ``encode_pickle``."""
    import pickle

    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    try:
        if isinstance(literal, lit.BlobLiteral) and literal.format == ENCODING:
            file: FlyteFile[Any] = FlyteFile.of(literal)
            with file.open("rb") as stream:
                return pickle.load(stream)
        if isinstance(literal, lit.BytesLiteral) and literal.encoding == ENCODING:
            return pickle.loads(literal.value)
    except (SystemFault, EntityNotFound):
        raise
    except Exception as error:
        raise literal_mismatch(
            "a pickle", literal, f"it cannot be read here: {type(error).__name__}: {error}"
        ) from error
    raise literal_mismatch("a pickle", literal)


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
    if python_type is FlytePickle:
        return True
    return typing.get_origin(python_type) is typing.Annotated and any(
        item is Pickle or isinstance(item, Pickle) for item in python_type.__metadata__
    )


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return untyped(Any).renamed(python_type) if python_type is FlytePickle else untyped(python_type)


HOOK: Final = Hook(_matches, _build)
