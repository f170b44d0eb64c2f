"""Classes, and transformers for them, as flytekit's documentation shows how to write them. Nothing of whimbrel's."""

# mypy: allow-untyped-defs

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

from flytekit import (
    Blob,
    BlobMetadata,
    BlobType,
    Literal,
    LiteralType,
    Scalar,
    dynamic,
    eager,
    map_task,
    task,
    workflow,
)
from flytekit.core.type_engine import AsyncTypeTransformer, SimpleTransformer
from flytekit.extend import TypeEngine, TypeTransformer
from flytekit.models.literals import Binary, LiteralCollection, LiteralMap, Primitive, Union, Void
from flytekit.models.types import SimpleType, UnionType


class Colour:
    """Kept as a string: ``#ff8800``."""

    def __init__(self, red: int, green: int, blue: int) -> None:
        self.parts = (red, green, blue)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Colour) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)


class ColourTransformer(TypeTransformer[Colour]):
    def __init__(self) -> None:
        super().__init__(name="colour", t=Colour)

    def get_literal_type(self, t: type[Colour]) -> LiteralType:
        return LiteralType(simple=SimpleType.STRING)

    def to_literal(self, ctx: Any, python_val: Colour, python_type: type[Colour], expected: LiteralType) -> Literal:
        text = "#" + "".join(f"{part:02x}" for part in python_val.parts)
        return Literal(scalar=Scalar(primitive=Primitive(string_value=text)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Colour]) -> Colour:
        assert lv.scalar is not None
        assert lv.scalar.primitive is not None
        text = lv.scalar.primitive.string_value or ""
        return Colour(*(int(text[at : at + 2], 16) for at in (1, 3, 5)))


class Measure:
    """Kept as a ``Struct``."""

    def __init__(self, value: float, count: int, tags: list[str]) -> None:
        self.value, self.count, self.tags = value, count, tags


class MeasureTransformer(TypeTransformer[Measure]):
    def __init__(self) -> None:
        super().__init__(name="measure", t=Measure)

    def get_literal_type(self, t: type[Measure]) -> LiteralType:
        return LiteralType(simple=SimpleType.STRUCT)

    def to_literal(self, ctx: Any, python_val: Measure, python_type: type[Measure], expected: LiteralType) -> Literal:
        return Literal(scalar=Scalar(generic=ParseDict(vars(python_val), Struct())))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Measure]) -> Measure:
        assert lv.scalar is not None
        fields = MessageToDict(lv.scalar.generic)
        return Measure(fields["value"], int(fields["count"]), fields["tags"])


class MyDataset:
    """A directory: the class of flytekit's page on custom types."""

    def __init__(self, base_dir: str | None = None) -> None:
        self._files: list[str] = []
        self.base_dir = base_dir or ""

    def new_file(self, name: str) -> str:
        self._files.append(os.path.join(self.base_dir, name))
        return self._files[-1]


class MyDatasetTransformer(TypeTransformer[MyDataset]):
    _TYPE_INFO = BlobType(format="binary", dimensionality=BlobType.BlobDimensionality.MULTIPART)

    def __init__(self) -> None:
        super().__init__(name="mydataset-transform", t=MyDataset)

    def get_literal_type(self, t: type[MyDataset]) -> LiteralType:
        return LiteralType(blob=self._TYPE_INFO)

    def to_literal(
        self, ctx: Any, python_val: MyDataset, python_type: type[MyDataset], expected: LiteralType
    ) -> Literal:
        remote_dir = ctx.file_access.get_random_remote_directory()
        ctx.file_access.upload_directory(python_val.base_dir, remote_dir)
        return Literal(scalar=Scalar(blob=Blob(uri=remote_dir, metadata=BlobMetadata(type=self._TYPE_INFO))))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[MyDataset]) -> MyDataset:
        assert lv.scalar is not None
        assert lv.scalar.blob is not None
        local_dir = ctx.file_access.get_random_local_directory()
        ctx.file_access.download_directory(lv.scalar.blob.uri, local_dir)
        return MyDataset(base_dir=local_dir)


class Note:
    """Kept as a file."""

    def __init__(self, text: str) -> None:
        self.text = text


class NoteTransformer(AsyncTypeTransformer[Note]):
    _TYPE_INFO = BlobType(format="txt", dimensionality=BlobType.BlobDimensionality.SINGLE)

    def __init__(self) -> None:
        super().__init__(name="note", t=Note)

    def get_literal_type(self, t: type[Note]) -> LiteralType:
        return LiteralType(blob=self._TYPE_INFO)

    async def async_to_literal(
        self, ctx: Any, python_val: Note, python_type: type[Note], expected: LiteralType
    ) -> Literal:
        local = ctx.file_access.get_random_local_path()
        Path(local).write_text(python_val.text)  # noqa: ASYNC240  as users write it
        uri = ctx.file_access.put_raw_data(local)
        return Literal(scalar=Scalar(blob=Blob(uri=uri, metadata=BlobMetadata(type=self._TYPE_INFO))))

    async def async_to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Note]) -> Note:
        assert lv.scalar is not None
        assert lv.scalar.blob is not None
        local = ctx.file_access.get_random_local_path(lv.scalar.blob.uri)
        ctx.file_access.get_data(lv.scalar.blob.uri, local)
        return Note(Path(local).read_text())  # noqa: ASYNC240


class Palette:
    """Kept as a list of what its items are kept as."""

    def __init__(self, colours: list[Colour]) -> None:
        self.colours = colours


class PaletteTransformer(TypeTransformer[Palette]):
    def __init__(self) -> None:
        super().__init__(name="palette", t=Palette)

    def get_literal_type(self, t: type[Palette]) -> LiteralType:
        return LiteralType(collection_type=TypeEngine.to_literal_type(Colour))

    def to_literal(self, ctx: Any, python_val: Palette, python_type: type[Palette], expected: LiteralType) -> Literal:
        item = expected.collection_type
        assert item is not None
        items = [TypeEngine.to_literal(ctx, colour, Colour, item) for colour in python_val.colours]
        return Literal(collection=LiteralCollection(items))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Palette]) -> Palette:
        assert lv.collection is not None
        return Palette([TypeEngine.to_python_value(ctx, item, Colour) for item in lv.collection.literals])


class Scores:
    """Kept as a map of numbers, each there or not."""

    def __init__(self, **scores: int | None) -> None:
        self.scores = scores


MAYBE = LiteralType(union_type=UnionType([LiteralType(simple=SimpleType.INTEGER), LiteralType(simple=SimpleType.NONE)]))


def _score(score: int | None) -> Literal:
    if score is None:
        return Literal(scalar=Scalar(none_type=Void()))
    return Literal(scalar=Scalar(primitive=Primitive(integer=score)))


def scores_literal(value: Scores) -> Literal:
    assert MAYBE.union_type is not None
    made = {}
    for name, score in value.scores.items():
        stored = MAYBE.union_type.variants[score is None]
        made[name] = Literal(scalar=Scalar(union=Union(_score(score), stored)))
    return Literal(map=LiteralMap(made))


def scores_value(literal: Literal) -> Scores:
    assert literal.map is not None
    found: dict[str, int | None] = {}
    for name, each in literal.map.literals.items():
        assert each.scalar is not None
        assert each.scalar.union is not None
        inner = each.scalar.union.value.scalar
        assert inner is not None
        found[name] = inner.primitive.integer if inner.primitive is not None else None
    return Scores(**found)


class Packed:
    """Kept as MessagePack."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers


class PackedTransformer(TypeTransformer[Packed]):
    def __init__(self) -> None:
        super().__init__(name="packed", t=Packed)

    def get_literal_type(self, t: type[Packed]) -> LiteralType:
        return LiteralType(simple=SimpleType.STRUCT)

    def to_literal(self, ctx: Any, python_val: Packed, python_type: type[Packed], expected: LiteralType) -> Literal:
        data = bytes([0x90 + len(python_val.numbers), *python_val.numbers])  # MessagePack: few and small numbers
        return Literal(scalar=Scalar(binary=Binary(value=data, tag="msgpack")), hash=str(sum(python_val.numbers)))

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: type[Packed]) -> Packed:
        assert lv.scalar is not None
        binary = lv.scalar.binary
        assert binary is not None
        return Packed(TypeEngine.get_transformer(list[int]).from_binary_idl(binary, list[int]) or [])


for transformer in (
    ColourTransformer(),
    MeasureTransformer(),
    MyDatasetTransformer(),
    NoteTransformer(),
    PaletteTransformer(),
    SimpleTransformer("scores", Scores, LiteralType(map_value_type=MAYBE), scores_literal, scores_value),
    PackedTransformer(),
):
    TypeEngine.register(transformer)


# --- tasks ------------------------------------------------------------------------------------------------------------


@task
def mixed(a: Colour, b: Colour) -> Colour:
    return Colour(*(sum(pair) // 2 for pair in zip(a.parts, b.parts, strict=True)))


@task
def palette(colours: list[Colour]) -> Palette:
    return Palette(colours)


@task
def brightest(colours: Palette) -> Colour:
    return max(colours.colours, key=lambda colour: sum(colour.parts))


@task
def darker(colour: Colour) -> Colour:
    return Colour(*(part // 2 for part in colour.parts))


@workflow
def painting(a: Colour, b: Colour) -> Colour:
    mixture = mixed(a=a, b=b)
    return brightest(colours=palette(colours=[a, mixture, darker(colour=b)]))


@task
def measure(n: int) -> Measure:
    return Measure(n / 4, n, ["a", "b"])


@task
def said(m: Measure) -> str:
    return f"{m.value} {m.count} {type(m.count).__name__} {m.tags}"


@workflow
def measuring(n: int) -> str:
    return said(m=measure(n=n))


@task
def generate() -> MyDataset:
    made = MyDataset(base_dir=os.path.join(os.getcwd(), "generated"))
    os.makedirs(made.base_dir, exist_ok=True)
    for name in ("x", "y"):
        Path(made.new_file(name)).write_text(name * 3)
    return made


@task
def consume(d: MyDataset) -> str:
    return " ".join(f"{name}={(Path(d.base_dir) / name).read_text()}" for name in sorted(os.listdir(d.base_dir)))


@workflow
def dataset_wf() -> str:
    return consume(d=generate())


@task
def note(text: str) -> Note:
    return Note(text)


@task
def shout(note: Note) -> Note:
    return Note(note.text.upper())


@task
def read(note: Note) -> str:
    return note.text


@workflow
def noting(text: str) -> str:
    return read(note=shout(note=note(text=text)))


@task
def scored(n: int) -> Scores:
    return Scores(a=n, b=None)


@task
def sum_of(scores: Scores) -> str:
    return str(scores.scores)


@workflow
def scoring(n: int) -> str:
    return sum_of(scores=scored(n=n))


@task
def packed(n: int) -> Packed:
    return Packed([n, n + 1])


@task
def unpacked(p: Packed) -> list[int]:
    return p.numbers


@workflow
def packing(n: int) -> list[int]:
    return unpacked(p=packed(n=n))


@dynamic
def dyed(colours: list[Colour]) -> Colour:
    return brightest(colours=palette(colours=[darker(colour=colour) for colour in colours]))


@eager
async def durable(text: str) -> str:
    first = note(text=text)
    assert first.text == text
    colour = mixed(a=Colour(0, 2, 4), b=Colour(4, 2, 0))
    many = map_task(darker)(colour=[colour, Colour(8, 8, 8)])
    return f"{read(note=shout(note=first))} {[each.parts for each in many]} {dyed(colours=many).parts}"
