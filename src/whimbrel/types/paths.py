"""What files and directories have in common: where one is, as a path or a URI, and the formats that are told apart.

Knows: blob literals, the ports of the stores. Must not know: registries, who runs the program.
"""

from __future__ import annotations

import os
import typing
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

from msgspec.structs import replace

from whimbrel.errors import EntityNotFound
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BlobType
from whimbrel.model.literals import BlobLiteral
from whimbrel.types.blobs import FileStore, Storage, storage
from whimbrel.types.magic import contradiction
from whimbrel.types.mismatch import literal_mismatch, mismatch, type_name
from whimbrel.types.places import READABLE, place_of, secret_in
from whimbrel.types.remote import Place
from whimbrel.types.transformer import Transformer

LOCAL: Final = "file://"
"""How the URI of a local file begins that the border of an attempt takes into the blob store."""
UNMOVED: Final = "file:/"
"""How that of one begins that stays where it is (``remote_path=False``): both forms are RFC 8089's."""
STORED: Final = "blob:"

Target: TypeAlias = "str | os.PathLike[str] | bool | None"
"""Where a file shall go that is at a local path: ``None`` into the blob store, ``False`` nowhere, else to a URI."""

_formatted: dict[tuple[type, str], type] = {}


def is_uri(text: str) -> bool:
    """Whether ``text`` says where something is in a store, and is no local path."""
    return "://" in text or text.startswith(STORED)


def local_path(uri: str) -> str:
    """The path of a ``file:`` URI."""
    from urllib.parse import unquote, urlsplit

    return unquote(urlsplit(uri).path)


class Located(os.PathLike[str]):
    """A file or a directory: at a local path, or in a store and perhaps fetched from there.

    ``digest`` (SHA-256) and ``size`` are of the content, "" and -1 where nobody has read it yet.
    """

    format: ClassVar[str] = ""
    noun: ClassVar[str]
    multipart: ClassVar[bool]
    _root: ClassVar[type]

    def __init__(
        self,
        path: str | os.PathLike[str],
        downloader: Callable[..., Any] | None = None,
        target: Target = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        text = os.fspath(path)
        if not isinstance(text, str):
            raise mismatch(f"the path or URI of a {self.noun}", path)
        self.digest = ""
        self.size = -1
        self.metadata = dict(metadata) if metadata else {}
        self._uri = ""
        self._path: str | None = None
        self._downloader = downloader
        self._target: str | bool | None = os.fspath(target) if isinstance(target, str | os.PathLike) else target
        # Bound now: the bytes may be asked for in a thread that knows nothing of the attempt.
        self._storage: Storage | None = storage()
        if text.startswith(UNMOVED):
            self._path = local_path(text)
        elif is_uri(text):
            self._uri = text
        else:
            self._path = text

    @classmethod
    def formatted(cls, item: Any) -> Any:
        """The class for one format: ``item`` is its name, or a type that names it."""
        name = item
        if typing.get_origin(item) is typing.Annotated:
            # flytekit's aliases: Annotated[str, FileExt("csv")].
            name = getattr(item.__metadata__[0], "extension", item.__metadata__[0])
        elif isinstance(item, typing.TypeVar):
            name = item.__name__
        elif typing.get_origin(item) is typing.Literal:
            name = typing.get_args(item)[0]
        if not isinstance(name, str):
            raise TypeError(f'{cls._root.__name__}[...] takes the name of a format: {cls._root.__name__}["csv"]')
        name = name.lstrip(".").lower()
        if not name:
            return cls._root
        made = _formatted.get((cls._root, name))
        if made is None:
            title = f"{cls._root.__name__}[{name!r}]"
            body = {"format": name, "__module__": cls._root.__module__, "__qualname__": title}
            made = _formatted[cls._root, name] = type(title, (cls._root,), body)
        return made

    @classmethod
    def extension(cls) -> str:
        """The format that was declared, "" for any."""
        return cls.format

    @classmethod
    def from_source(cls, source: str | os.PathLike[str]) -> Any:
        """The one at a path or URI."""
        return cls(source)

    @property
    def path(self) -> str:
        """The local path. What is in a store is fetched, the first time."""
        return self.download()

    @path.setter
    def path(self, path: str | os.PathLike[str]) -> None:
        """It is at a local path after all."""
        self._path, self._uri, self.digest, self.size = os.fspath(path), "", "", -1

    @property
    def uri(self) -> str:
        """Where it is: a URI, or the local path while it has none."""
        return self._uri or self._path or ""

    @property
    def remote_source(self) -> str | None:
        """The URI in the store, if it is in one."""
        return self._uri or None

    @property
    def downloaded(self) -> bool:
        """Whether it is at a local path."""
        return self._path is not None

    def download(self) -> str:
        """Have it at a local path, and say which."""
        if self._path is None:
            self._path = self._fetched()
        elif self._downloader is not None:
            downloader, self._downloader = self._downloader, None
            downloader()
        return self._path

    @abstractmethod
    def exists(self) -> bool:
        """Whether it is there. Nothing is fetched."""

    @abstractmethod
    def _fetched(self) -> str:
        """Fetch it from the store; the local path."""

    @abstractmethod
    def require(self) -> None:
        """Raise ``ValueMismatch`` unless what a local path says is there."""

    @abstractmethod
    def settle(self) -> None:
        """Bring it to where its author said that it shall go."""

    @property
    def pending(self) -> bool:
        """Whether it has still to go where its author said that it shall go."""
        return isinstance(self._target, str) and self._uri != self._target

    def _store(self) -> FileStore:
        if self._storage is None:
            raise EntityNotFound(
                f"{self.uri} is in a blob store, and nothing runs here that has one: open it in a task or an eager "
                "workflow"
            )
        return self._storage.store

    def _place(self) -> Place | None:
        """Where it is, if that is another place than whimbrel's own store."""
        if "://" not in self._uri or (self._storage is not None and self._storage.store.holds(self._uri)):
            return None
        place = place_of(self._uri)
        if place is None:
            raise EntityNotFound(
                f"{self._uri} cannot be read: a {self.noun} is read from {READABLE} and whimbrel's own blob store. "
                "Fetch it in a task, by a library of your own, and return the path of what you fetched."
            )
        return place

    def _scratch(self) -> str:
        import tempfile  # with its own imports, a good part of what the facade costs

        within = self._storage.scratch() if self._storage is not None else None
        return tempfile.mkdtemp(prefix=f"{self.noun}-" if within else "whimbrel-", dir=within)

    def __fspath__(self) -> str:
        return self.download()

    def __str__(self) -> str:
        return self.download()

    def literal(self) -> BlobLiteral:
        """It as the engine moves it. A local path is put into the blob store at the border of the attempt."""
        from pathlib import Path

        uri = self._uri
        if not uri:
            uri = Path(os.path.abspath(self._path or "")).as_uri()
            if self._target is False:
                uri = UNMOVED + uri.removeprefix(LOCAL).removeprefix("/")
        return BlobLiteral(uri, self.format, self.multipart, self.digest, self.size)

    @classmethod
    def of(cls, literal: BlobLiteral) -> Any:
        """The one that ``literal`` means, in the format of ``cls``, else in that of the literal."""
        kind = cls if cls.format or not literal.format else cls.formatted(literal.format)
        made = kind("")
        if literal.uri.startswith(UNMOVED):
            made._path = local_path(literal.uri)
            made._target = None if literal.uri.startswith(LOCAL) else False
        else:
            made._path, made._uri = None, literal.uri
        made.digest, made.size = literal.digest, literal.size
        return made

    def __reduce__(self) -> Any:
        return _remade, (type(self)._root, self.literal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Located) and type(other) is type(self) and other.literal() == self.literal()

    def __hash__(self) -> int:
        return hash(self.uri)

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({self.uri!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """In a pydantic model it is a field like any other: a path, a URI or one of these; as JSON, its URI."""
        from pydantic_core import core_schema

        def read(value: Any) -> Any:
            if isinstance(value, cls._root):
                return value
            if isinstance(value, str | os.PathLike) and not isinstance(value, Located):
                return cls(value)
            raise ValueError(f"a path or a {cls._root.__name__} is wanted")

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(lambda value: value.uri)
        )


def _remade(root: type[Located], literal: BlobLiteral) -> Any:
    return root.of(literal)


def transformer_of(python_type: type[Located]) -> Transformer:
    """The hooks of a class of files or directories, with or without a format."""
    name, root, multipart = type_name(python_type), python_type._root, python_type.multipart
    noun = python_type.noun

    def fitting(value: Any) -> Located:
        if isinstance(value, str | os.PathLike) and not isinstance(value, Located):
            value = python_type(value)
        if not isinstance(value, root):
            raise mismatch(name, value)
        assert isinstance(value, Located)
        if python_type.format and value.format and value.format != python_type.format:
            raise mismatch(name, value)
        if secret_in(value._uri):
            raise mismatch(
                name,
                f"a {noun} at {value._uri.partition('://')[0]}://…",
                "its URI has a password in it, which every journal would keep: put credentials into the environment",
            )
        value.require()
        if not multipart and value._path is not None and not value._uri and python_type.format:
            wrong = contradiction(value._path, python_type.format)
            if wrong:
                raise mismatch(f"{name}, a file of that format", value._path, wrong)
        return value

    def check(value: Any) -> None:
        fitting(value)

    def encode(value: Any) -> lit.Literal:
        file = fitting(value)
        if file.pending:
            file.settle()
        literal = file.literal()
        return literal if literal.format else replace(literal, format=python_type.format)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.BlobLiteral) or literal.multipart != multipart:
            raise literal_mismatch(f"a {noun}", literal)
        return python_type.of(literal)

    return Transformer(
        python_type,
        BlobType(python_type.format, multipart),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(python_type,),
    )
