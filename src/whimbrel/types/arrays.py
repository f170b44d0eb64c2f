"""``np.ndarray``: kept as a ``.npy`` file; where the store is a directory, mapped into memory instead of read.

``Annotated[np.ndarray, kwtypes(...)]`` takes ``allow_pickle`` (arrays of Python objects), ``mmap_mode`` (as
``numpy.load`` does; what is mapped by default may be changed, and the kept file is not), ``dtype`` and ``order``.

Knows: numpy (lazily), stored files. Must not know: other kinds, any store.
"""

from __future__ import annotations

import io
import typing
from typing import IO, Any, Final, NamedTuple

from whimbrel.errors import EntityNotFound, UnsupportedType
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BlobType
from whimbrel.types.blobs import CHUNK, Outgoing, fetch_file, storage
from whimbrel.types.held import HeldBlob
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import literal_mismatch, mismatch, type_name
from whimbrel.types.paths import LOCAL, local_path
from whimbrel.types.transformer import Transformer

FORMAT: Final = "NumpyArray"
"""What flytekit calls it, so that the types of both are equal."""
_NAME: Final = "array.npy"
_WRITTEN_THROUGH: Final = ("r+", "w+")
_MAPPED_BYTES: Final = 64 * 1024
"""From here on an array is mapped: below, a page fault costs more than reading it."""


class _Options(NamedTuple):
    allow_pickle: bool = False
    mmap_mode: str | None = None
    dtype: Any = None
    order: str = ""


def _options(python_type: Any) -> _Options:
    """What is said of the arrays of a type. Raises ``UnsupportedType`` for an option that there is not."""
    said: dict[str, Any] = {}
    served = python_type
    if typing.get_origin(python_type) is typing.Annotated:
        served = python_type.__origin__
        for item in python_type.__metadata__:
            if isinstance(item, dict):
                said.update(item)
    served = _spelled_out(served)
    unknown = [name for name in said if name not in _Options._fields]
    if unknown:
        raise UnsupportedType(
            f"arrays have no option {unknown[0]!r}; there are {', '.join(_Options._fields)}: "
            "Annotated[np.ndarray, kwtypes(allow_pickle=True)]"
        )
    if (of := typing.get_args(served)) and (wanted := typing.get_args(of[-1])) and isinstance(wanted[0], type):
        said.setdefault("dtype", wanted[0])
    return _Options(**said)


def _spelled_out(kind: Any) -> Any:
    """``NDArray[X]`` as ``ndarray[..., dtype[X]]``: newer versions of numpy have it as a ``type`` statement."""
    alias = typing.get_origin(kind)
    # Aliases of anybody else are of a kind of their own.
    if getattr(alias, "__name__", "") != "NDArray" or not hasattr(alias, "__value__"):
        return kind
    return alias.__value__[typing.get_args(kind)]


def _is_array(kind: Any) -> bool:
    kind = typing.get_origin(_spelled_out(kind)) or kind
    return isinstance(kind, type) and kind.__qualname__ == "ndarray" and kind.__module__ == "numpy"


def _matches(python_type: Any) -> bool:
    return _is_array(python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    import numpy as np

    options = _options(python_type)
    name = type_name(python_type)

    order: Any = options.order or None

    def check(value: Any) -> None:
        if not isinstance(value, np.ndarray):
            raise mismatch(name, value)
        if value.dtype.hasobject and not options.allow_pickle:
            raise mismatch(
                name,
                value,
                f"items of {value.dtype} travel as pickles: Annotated[np.ndarray, kwtypes(allow_pickle=True)]",
            )
        # An abstract class, np.floating, is one of which the items are.
        if options.dtype is not None and not np.issubdtype(value.dtype, options.dtype):
            raise mismatch(f"{name} of {np.dtype(options.dtype)}", value, f"its dtype is {value.dtype}")

    def write(value: Any, stream: IO[bytes]) -> None:
        np.lib.format.write_array(stream, np.asarray(value, order=order), allow_pickle=options.allow_pickle)

    def encode(value: Any) -> lit.Literal:
        check(value)
        return HeldBlob("", FORMAT, value=value, name=_NAME, write=write)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if isinstance(literal, HeldBlob) and isinstance(literal.value, np.ndarray):
            array: Any = literal.value
        elif isinstance(literal, lit.BlobLiteral) and not literal.multipart:
            array = _load(literal, options)
        else:
            raise literal_mismatch("an array", literal)
        check(array)
        return array

    return Transformer(
        python_type,
        BlobType(FORMAT),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(np.ndarray,),
    )


def _load(literal: lit.BlobLiteral, options: _Options) -> Any:
    import numpy as np

    if literal.uri.startswith(LOCAL):
        path = local_path(literal.uri)
    else:
        here = storage()
        if here is None:
            raise EntityNotFound(f"{literal.uri} is in a blob store, and nothing runs here that has one")
        # What writes through is given a copy.
        found = None if options.mmap_mode in _WRITTEN_THROUGH else here.store.path(literal.uri)
        if found is None and options.mmap_mode is None:
            with io.BufferedReader(Outgoing(here.store, literal.uri, literal.size), CHUNK) as stream:
                return _read(literal, stream, options)
        if found is None:
            import tempfile  # what it imports is a good part of the facade's time

            # A place of its own: another may be mapped.
            found = f"{tempfile.mkdtemp(prefix='array-', dir=here.scratch())}/{_NAME}"
            fetch_file(here.store, literal.uri, found)
        path = found
    mode: Any = options.mmap_mode or ("c" if literal.size >= _MAPPED_BYTES and not options.allow_pickle else None)
    if mode is None:
        with open(path, "rb") as stream:
            return _read(literal, stream, options)
    try:
        # As a plain array: what keeps the map open is behind it.
        return np.asarray(np.load(path, mmap_mode=mode))
    except ValueError as error:
        raise literal_mismatch("an array", literal, str(error)) from None


def _read(literal: lit.BlobLiteral, stream: Any, options: _Options) -> Any:
    import numpy as np

    try:
        return np.lib.format.read_array(stream, allow_pickle=options.allow_pickle)
    except (ValueError, EOFError) as error:
        raise literal_mismatch("an array", literal, str(error)) from None


HOOK: Final = Hook(_matches, _build)
