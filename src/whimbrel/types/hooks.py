"""What a kind of type gives to the registry, and what it may ask of it.

Knows: transformers. Must not know: any kind, how the registry keeps what it makes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from whimbrel.types.transformer import Transformer, TypeTransformer


class Transformers(Protocol):
    """The registry, as kinds see it."""

    @property
    def pickle_untyped(self) -> bool:
        """Whether values of unknown type travel as pickles."""
        ...

    def transformer(self, python_type: Any) -> Transformer:
        """The transformer of a type inside the one that is being made. Raises ``UnsupportedType``."""
        ...

    def registered(self, python_type: Any) -> TypeTransformer[Any] | None:
        """The user's own transformer for ``python_type``, if there is one."""
        ...


class Hook(NamedTuple):
    """A kind of type: ``matches`` tells its types, ``build`` makes their transformers.

    ``recursive`` kinds may contain themselves; each of their types must be a class or a type alias.
    """

    matches: Callable[[Any], bool]
    build: Callable[[Any, Transformers], Transformer]
    recursive: bool = False
