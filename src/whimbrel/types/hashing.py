"""``Annotated[T, HashMethod(function)]``: what counts of a value when a cache is asked, by the author's own word.

A value goes out under the author's hash instead of the digest of its content: a file or table carries it as its digest,
any other value as that of its reference into the store. So equal hashes hit the cache, whatever the bytes are.

Knows: literals. Must not know: any one kind of type, caches.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from whimbrel.model import codec
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BlobType
from whimbrel.types.held import HeldHashed
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.paths import Located
from whimbrel.types.transformer import Transformer

T = TypeVar("T")


class HashMethod(Generic[T]):
    """``function(value)`` gives the text that stands for a value in cache keys: equal texts, equal values.

    It is asked when a value of a type so annotated is returned by a task, given by an eager body to a call, or given to
    a run. Plain Python calls have no cache and don't ask it.
    """

    def __init__(self, function: Callable[[T], str]) -> None:
        self._function = function

    def calculate(self, obj: T) -> str:
        """The text for ``obj``. Raises ``ValueMismatch`` unless it is one, and what the function raises."""
        text = self._function(obj)
        if not isinstance(text, str):
            raise mismatch("a str, from the function of a HashMethod", text)
        return text

    def __repr__(self) -> str:
        return f"HashMethod({getattr(self._function, '__qualname__', self._function)!s})"


def _methods(python_type: Any) -> list[HashMethod[Any]]:
    if typing.get_origin(python_type) is not typing.Annotated:
        return []
    return [item for item in python_type.__metadata__ if isinstance(item, HashMethod)]


def _matches(python_type: Any) -> bool:
    return bool(_methods(python_type))


def _build(python_type: Any, registry: Transformers) -> Transformer:
    method = _methods(python_type)[0]
    others = tuple(item for item in python_type.__metadata__ if not isinstance(item, HashMethod))
    declared = python_type.__origin__
    inner = registry.transformer(typing.Annotated[(declared, *others)] if others else declared)

    def encode(value: Any) -> lit.Literal:
        bare = isinstance(value, str | os.PathLike) and not isinstance(value, Located)
        if bare and isinstance(inner.literal_type, BlobType):
            # A path where a file is declared: the function is given the file.
            value = inner.decode(inner.encode(value))
        # First: encoding may use an iterator up.
        digest = codec.digest(("hashed", method.calculate(value)))
        return HeldHashed("", digest, 0, (), literal=inner.encode(value))

    def decode(literal: lit.Literal) -> Any:
        return inner.decode(literal.literal if isinstance(literal, HeldHashed) else literal)

    return Transformer(
        python_type,
        inner.literal_type,
        check=inner.check,
        encode=encode,
        decode=decode,
        name=inner.name,
        classes=inner.classes,
        remade=inner.remade,
    )


HOOK: Final = Hook(_matches, _build)
