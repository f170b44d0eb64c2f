"""Iterators: values that come one after another, in both directions.

An ``Iterator[JSON]`` is a file of JSON lines: what a task yields goes into the store line by line, and who iterates
reads line by line, so neither has more than some lines in memory. Any other ``Iterator[T]`` is a list on the engine's
side (a list may be given where one is declared, and the other way round); its items become values as they are reached.

What a task is given can be iterated once. What is passed on is the whole, however far one has come in it.

Knows: lists, files, JSON-like values. Must not know: other kinds.
"""

from __future__ import annotations

import collections.abc
import os
import typing
from collections.abc import Callable, Iterable, Iterator
from operator import length_hint
from typing import IO, Any, Final, Generic, TypeVar

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import ListType
from whimbrel.types.by_reference import written
from whimbrel.types.files import FlyteFile
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.json import json_value
from whimbrel.types.mismatch import mismatch, type_name, under
from whimbrel.types.paths import transformer_of
from whimbrel.types.sequences import item_transformer, items_of
from whimbrel.types.transformer import Transformer

T = TypeVar("T")

JSON = typing.Union[dict[str, Any], list[Any], bool, float, int, str]  # noqa: UP007  a value, as flytekit has it
"""What a line of an ``Iterator[JSON]`` holds."""

JSONL: Final = "jsonl"
_JSON_CLASSES: Final = frozenset({dict, list, bool, float, int, str})


class FlyteIterator(Iterator[T], Generic[T]):
    """The items of a list, each of which becomes a value when it is reached. ``len()`` is that of the whole list."""

    def __init__(self, items: tuple[lit.Literal, ...], decode: Callable[[lit.Literal], T]) -> None:
        self.items = items
        self._decode = decode
        self._ahead = iter(items)

    def __next__(self) -> T:
        item = next(self._ahead)
        try:
            return self._decode(item)
        except ValueMismatch as error:
            raise under(error, f"[{len(self.items) - length_hint(self._ahead) - 1}]") from None

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"FlyteIterator of {len(self.items)}"


class JSONIterator(Iterator[Any]):
    """The values of a file of JSON lines, read line by line; ``file`` is that file. Empty lines are passed over.

    Raises ``ValueMismatch`` for a line that is no JSON.
    """

    def __init__(self, file: FlyteFile[Any]) -> None:
        self.file = file
        self._lines: IO[Any] | None = None
        self._number = 0
        self._over = False

    def __next__(self) -> Any:
        import json

        if self._lines is None and not self._over:
            self._lines = self.file.open("rb")
        for line in self._lines or ():
            self._number += 1
            if not line.strip():
                continue
            try:
                return json.loads(line)
            except ValueError as error:
                self.close()
                raise mismatch(f"JSON in line {self._number} of {self.file.uri}", line, str(error)) from None
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Read no further."""
        self._over = True
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"JSONIterator({self.file.uri!r})"


def _item_of(python_type: Any) -> Any:
    arguments = typing.get_args(python_type)
    return arguments[0] if arguments else Any


def _matches(python_type: Any) -> bool:
    return (typing.get_origin(python_type) or python_type) in _ITERATORS


_ITERATORS: Final = (collections.abc.Iterator, collections.abc.Generator, FlyteIterator, JSONIterator)


def _is_json(python_type: Any) -> bool:
    if python_type is JSONIterator:
        return True
    arguments = typing.get_args(_item_of(python_type))
    return frozenset(typing.get_origin(each) or each for each in arguments) == _JSON_CLASSES


def _build(python_type: Any, registry: Transformers) -> Transformer:
    if _is_json(python_type):
        return _json_lines(python_type, registry)
    item = item_transformer(_item_of(python_type), registry)
    name = type_name(python_type)

    def check(value: Any) -> None:
        _iterable(name, value)
        if isinstance(value, list | tuple):
            for position, each in enumerate(value):
                _at(position, item.check, each)

    def encode(value: Any) -> lit.Literal:
        _iterable(name, value)
        if isinstance(value, FlyteIterator):
            return lit.ListLiteral(value.items)
        return lit.ListLiteral(tuple([_at(position, item.encode, each) for position, each in enumerate(value)]))

    def decode(literal: lit.Literal) -> Any:
        return FlyteIterator(items_of(literal, name), item.decode)

    return Transformer(
        python_type, ListType(item.literal_type), check=check, encode=encode, decode=decode, name=name, remade=True
    )


def _json_lines(python_type: Any, registry: Transformers) -> Transformer:
    name = type_name(python_type)
    file = transformer_of(FlyteFile.formatted(JSONL))
    line = json_value(registry)

    def check(value: Any) -> None:
        if isinstance(value, FlyteFile | str | os.PathLike):
            file.check(value)
        elif not isinstance(value, JSONIterator):
            _iterable(name, value)
            if isinstance(value, list | tuple):
                for position, each in enumerate(value):
                    _at(position, line.check, each)

    def encode(value: Any) -> lit.Literal:
        if isinstance(value, JSONIterator):
            return file.encode(value.file)
        if isinstance(value, FlyteFile | str | os.PathLike):
            return file.encode(value)
        _iterable(name, value)
        return file.encode(written(f"items.{JSONL}", lambda stream: _write(value, stream, line)))

    def decode(literal: lit.Literal) -> Any:
        return JSONIterator(file.decode(literal))

    return Transformer(
        python_type, file.literal_type, check=check, encode=encode, decode=decode, name=name, remade=True
    )


def _write(values: Iterable[Any], stream: IO[bytes], line: Transformer) -> None:
    import json

    for position, value in enumerate(values):
        _at(position, line.check, value)
        stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        stream.write(b"\n")


def _iterable(name: str, value: Any) -> None:
    if not isinstance(value, collections.abc.Iterable) or isinstance(value, str | bytes | collections.abc.Mapping):
        raise mismatch(name, value)


def _at(position: int, ask: Callable[[Any], Any], value: Any) -> Any:
    try:
        return ask(value)
    except ValueMismatch as error:
        raise under(error, f"[{position}]") from None


HOOK: Final = Hook(_matches, _build)
