"""Transformers that were written for flytekit: in plain calls, on the engine, in eager bodies; and their errors."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import pytest

from flytekit import FlyteContext, FlyteContextManager, Literal, LiteralType, Scalar, task, workflow
from flytekit.core.type_engine import (
    AsyncTypeTransformer,
    RestrictedTypeError,
    SimpleTransformer,
    TypeEngine,
    TypeTransformer,
    TypeTransformerFailedError,
    get_underlying_type,
    is_annotated,
)
from flytekit.models.core.types import BlobType, EnumType
from flytekit.models.literals import (
    Binary,
    Blob,
    BlobMetadata,
    LiteralCollection,
    LiteralMap,
    Primitive,
    Schema,
    StructuredDataset,
    StructuredDatasetMetadata,
    Union,
    Void,
)
from flytekit.models.types import SchemaType, SimpleType, StructuredDatasetType, UnionType
from tests.unit.compat import written_for_flytekit as theirs
from tests.unit.compat.written_for_flytekit import Colour, Measure, MyDataset, Note
from whimbrel.errors import UnsupportedType, ValueMismatch
from whimbrel.testing.engine import TestEngine
from whimbrel.types.mismatch import type_name
from whimbrel.types.registry import default_registry

CTX = FlyteContextManager.current_context()
STRING = LiteralType(simple=SimpleType.STRING)


def text(value: str) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(string_value=value)))


# --- carried by runs --------------------------------------------------------------------------------------------------

CASES: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (theirs.painting, {"a": Colour(0, 0, 0), "b": Colour(200, 100, 50)}, Colour(100, 50, 25)),
    (theirs.measuring, {"n": 3}, "0.75 3 int ['a', 'b']"),
    (theirs.noting, {"text": "hum"}, "HUM"),
    (theirs.scoring, {"n": 7}, "{'a': 7, 'b': None}"),
    (theirs.packing, {"n": 1}, [1, 2]),
]


@pytest.mark.parametrize(("entity", "inputs", "expected"), CASES, ids=range(len(CASES)))
def test_values_travel(entity: Callable[..., Any], inputs: dict[str, Any], expected: Any) -> None:
    assert entity(**inputs) == expected
    assert TestEngine().run(entity, **inputs) == expected


def test_directories_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert theirs.dataset_wf() == TestEngine().run(theirs.dataset_wf) == "x=xxx y=yyy"


def test_in_eager_bodies() -> None:
    expected = "LA [(1, 1, 1), (4, 4, 4)] (2, 2, 2)"
    assert asyncio.run(theirs.durable(text="la")) == expected
    engine = TestEngine()
    assert engine.run(theirs.durable, text="la") == expected
    assert engine.rerun() == expected


def test_the_engine_sees_the_literal_type() -> None:
    registry = default_registry()
    assert str(registry.transformer(list[Colour]).literal_type) == str(registry.transformer(list[str]).literal_type)
    assert registry.transformer(Measure).encode(Measure(0.5, 2, [])) == registry.transformer(dict).encode(
        {"value": 0.5, "count": 2, "tags": []}
    )


def test_a_value_that_does_not_fit() -> None:
    with pytest.raises(ValueMismatch, match=r"expected Colour, got str '#fff'"):
        theirs.darker(colour="#fff")  # type: ignore[arg-type]  # the mistake

    class Picky(theirs.ColourTransformer):
        def assert_type(self, t: Any, v: Any) -> None:
            raise TypeTransformerFailedError("too bright")

    class Bright(Colour):
        pass

    TypeEngine.register_additional_type(Picky(), Bright)
    with pytest.raises(ValueMismatch, match="too bright"):
        default_registry().transformer(Bright).check(Bright(255, 255, 255))


def test_the_same_content_is_the_same_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a transformer calls remote is a path of chance; what the engine keeps is named by the content."""
    monkeypatch.chdir(tmp_path)
    kept = set()
    for _ in range(2):
        engine = TestEngine()
        engine.run(theirs.generate)
        kept.update(re.findall(r"memory:directories/[0-9a-f]+/\w+", str(engine.events)))
    assert len(kept) == 1


# --- the engine of types ----------------------------------------------------------------------------------------------


@dataclass
class Point:
    x: int
    when: dt.datetime


MOMENT = dt.datetime(2024, 5, 6, tzinfo=dt.UTC)
KNOWN: list[tuple[Any, Any]] = [
    (int, 3),
    (float, 0.5),
    (str, "a"),
    (bool, True),
    (type(None), None),
    (dt.datetime, MOMENT),
    (dt.date, dt.date(2024, 5, 6)),
    (dt.timedelta, dt.timedelta(hours=3)),
    (bytes, b"\x00"),
    (list[int], [1, 2]),
    (dict[str, list[float]], {"a": [0.5]}),
    (dict, {"a": [1, {"b": None}]}),
    (int | None, None),
    (int | None, 4),
    (Point, Point(1, MOMENT)),
    (list[Point], [Point(1, MOMENT)]),
    (tuple[int, str], (1, "a")),
    (Colour, Colour(1, 2, 3)),
    (Annotated[Colour, "warm"], Colour(1, 2, 3)),
    (dict[str, Colour], {"a": Colour(1, 2, 3)}),
]


@pytest.mark.parametrize(("python_type", "value"), KNOWN, ids=[type_name(python_type) for python_type, _ in KNOWN])
def test_values_go_there_and_back(python_type: Any, value: Any) -> None:
    expected = TypeEngine.to_literal_type(python_type)
    made = TypeEngine.to_literal(CTX, value, python_type, expected)
    assert TypeEngine.to_python_value(CTX, made, python_type) == value
    made = asyncio.run(TypeEngine.async_to_literal(CTX, value, python_type, expected))
    assert asyncio.run(TypeEngine.async_to_python_value(CTX, made, python_type)) == value


def test_literals_and_types_are_flytekits() -> None:
    assert TypeEngine.to_literal_type(dict[str, list[int]]) == LiteralType(
        map_value_type=LiteralType(collection_type=LiteralType(simple=SimpleType.INTEGER))
    )
    assert TypeEngine.to_literal_type(Point) == LiteralType(simple=SimpleType.STRUCT)
    assert TypeEngine.to_literal_type(Colour) == STRING
    assert TypeEngine.to_literal(CTX, [1], list[int], TypeEngine.to_literal_type(list[int])) == Literal(
        collection=LiteralCollection([Literal(scalar=Scalar(primitive=Primitive(integer=1)))])
    )
    assert TypeEngine.to_literal(CTX, "a", str, STRING) == text("a")
    assert TypeEngine.to_literal(CTX, Colour(255, 0, 0), Colour, STRING) == text("#ff0000")
    struct = TypeEngine.to_literal(CTX, Point(1, MOMENT), Point, LiteralType(simple=SimpleType.STRUCT))
    assert struct.scalar is not None
    assert dict(struct.scalar.generic) == {"x": 1.0, "when": "2024-05-06T00:00:00+00:00"}


class Box:
    """What a value is kept as is said from outside."""

    kind = STRING
    literal = Literal()


class BoxTransformer(TypeTransformer[Box]):
    def get_literal_type(self, t: Any) -> LiteralType:
        return Box.kind

    def to_literal(self, ctx: Any, python_val: Box, python_type: Any, expected: LiteralType) -> Literal:
        return Box.literal

    def to_python_value(self, ctx: Any, lv: Literal, expected_python_type: Any) -> Any:
        return lv


TypeEngine.register(BoxTransformer("box", Box))


def number(n: int) -> Literal:
    return Literal(scalar=Scalar(primitive=Primitive(integer=n)))


INTEGER = LiteralType(simple=SimpleType.INTEGER)
CSV = BlobType("csv", BlobType.BlobDimensionality.SINGLE)
TABLE = StructuredDatasetType([StructuredDatasetType.DatasetColumn("x", INTEGER)], "parquet")
MAYBE = LiteralType(union_type=UnionType([INTEGER, LiteralType(simple=SimpleType.NONE)]))
BOXED: list[tuple[LiteralType, Literal]] = [
    (INTEGER, number(2**62)),
    (LiteralType(simple=SimpleType.NONE), Literal(scalar=Scalar(none_type=Void()))),
    (LiteralType(enum_type=EnumType(["a", "b"])), text("a")),
    (LiteralType(blob=CSV), Literal(scalar=Scalar(blob=Blob(BlobMetadata(CSV), "s3://bucket/a.csv")))),
    (MAYBE, Literal(scalar=Scalar(union=Union(number(1), INTEGER)))),
    (LiteralType(simple=SimpleType.BINARY), Literal(scalar=Scalar(binary=Binary(b"\x00\x01", "raw")))),
    (
        LiteralType(structured_dataset_type=StructuredDatasetType(format="parquet")),
        Literal(
            scalar=Scalar(
                structured_dataset=StructuredDataset(
                    "s3://bucket/t", StructuredDatasetMetadata(StructuredDatasetType(format="parquet"))
                )
            )
        ),
    ),
    (LiteralType(map_value_type=INTEGER), Literal(map=LiteralMap({"a": number(1)}))),
]


@pytest.mark.parametrize(("kind", "value"), BOXED, ids=range(len(BOXED)))
def test_every_kind_of_literal(kind: LiteralType, value: Literal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Box, "kind", kind)
    monkeypatch.setattr(Box, "literal", value)
    # The registry keeps what it was told of a type: an annotation of its own has it ask again.
    transformer = default_registry().transformer(Annotated[Box, object()])
    assert transformer.decode(transformer.encode(Box())) == value
    assert value.value is not None


def test_tables_of_the_old_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = SchemaType([SchemaType.SchemaColumn("x", SchemaType.SchemaColumn.SchemaColumnType.INTEGER)])
    monkeypatch.setattr(Box, "kind", LiteralType(schema=schema))
    monkeypatch.setattr(Box, "literal", Literal(scalar=Scalar(schema=Schema("s3://bucket/t", schema))))
    transformer = default_registry().transformer(Annotated[Box, object()])
    found = transformer.decode(transformer.encode(Box()))
    assert found.scalar.structured_dataset.uri == "s3://bucket/t"
    monkeypatch.setattr(Box, "kind", LiteralType(structured_dataset_type=TABLE))
    assert TypeEngine.to_literal_type(Box) == LiteralType(structured_dataset_type=TABLE)


@pytest.mark.parametrize(
    ("literal", "message"),
    [
        (Literal(), "expected a Literal that holds something"),
        (Literal(scalar=Scalar()), "expected a Scalar that holds something"),
        (Literal(scalar=Scalar(primitive=Primitive())), "expected a Primitive that holds something"),
        ("text", "expected a Literal, from to_literal"),
        (Literal(scalar=Scalar(generic=3)), "a google.protobuf.Struct or a dict"),
    ],
)
def test_literals_that_hold_nothing(literal: Any, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Box, "literal", literal)
    with pytest.raises(ValueMismatch, match=message):
        default_registry().transformer(Annotated[Box, object()]).encode(Box())


@pytest.mark.parametrize("kind", [LiteralType(), LiteralType(simple=SimpleType.ERROR), "string", None])
def test_literal_types_that_say_nothing(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Box, "kind", kind)
    with pytest.raises(UnsupportedType, match=r"LiteralType"):
        default_registry().transformer(Annotated[Box, object()])


def test_maps_of_literals() -> None:
    made = TypeEngine.dict_to_literal_map(CTX, {"x": 1, "c": Colour(0, 0, 0)}, {"x": float})
    assert made.literals["c"] == text("#000000")
    assert TypeEngine.literal_map_to_kwargs(CTX, made, {"x": float, "c": Colour}) == {"x": 1.0, "c": Colour(0, 0, 0)}
    with pytest.raises(ValueError, match="no Python type is given for c"):
        TypeEngine.literal_map_to_kwargs(CTX, made, {"x": float})


def test_types_are_guessed() -> None:
    assert TypeEngine.guess_python_type(LiteralType(collection_type=INTEGER)) == list[int]
    assert TypeEngine.guess_python_type(LiteralType(map_value_type=STRING)) == dict[str, str]
    assert TypeEngine.guess_python_type(STRING) is str
    with pytest.raises(ValueError, match="No transformers could reverse"):
        TypeEngine.guess_python_type(LiteralType(blob=BlobType("", 0)))
    simple = SimpleTransformer("s", Colour, STRING, lambda c: text(""), lambda lv: Colour(0, 0, 0))
    assert simple.guess_python_type(STRING) is Colour
    assert simple.base_type is Colour
    with pytest.raises(ValueError, match="cannot reverse"):
        simple.guess_python_type(INTEGER)


def test_registering() -> None:
    with pytest.raises(ValueError, match=r"colour cannot serve .*Colour, which has a transformer already"):
        TypeEngine.register(theirs.ColourTransformer())
    with pytest.raises(ValueError, match=r"cannot serve builtins\.int"):
        TypeEngine.register(BoxTransformer("box", int))  # type: ignore[arg-type]  # the mistake
    assert Colour in TypeEngine.get_available_transformers()
    assert isinstance(TypeEngine.get_transformer(Colour), theirs.ColourTransformer)
    assert isinstance(TypeEngine.get_transformer(Note), AsyncTypeTransformer)
    assert TypeEngine.get_transformer(Note).is_async
    assert not TypeEngine.get_transformer(int).is_async
    with pytest.raises(UnsupportedType):
        TypeEngine.get_transformer(PurePosixPath)


def test_types_that_are_ruled_out() -> None:
    class Forbidden:
        pass

    TypeEngine.register_restricted_type("forbidden", Forbidden)

    @task
    def taking(x: Forbidden) -> None: ...

    with pytest.raises(RestrictedTypeError, match="forbidden was ruled out"):
        TypeEngine.to_literal_type(Forbidden)


def test_classes_that_only_whimbrel_knows_can_be_served() -> None:
    class Served(PurePosixPath):
        pass

    TypeEngine.register(BoxTransformer("path", Served))  # type: ignore[arg-type]  # any class does
    assert TypeEngine.to_literal_type(Served) == STRING


def test_the_base_class_refuses() -> None:
    bare: TypeTransformer[Any] = TypeTransformer("bare", Box)
    for refused in (
        lambda: bare.get_literal_type(Box),
        lambda: bare.to_literal(CTX, Box(), Box, STRING),
        lambda: bare.to_python_value(CTX, text("a"), Box),
    ):
        with pytest.raises(NotImplementedError):
            refused()
    with pytest.raises(TypeTransformerFailedError, match="got 'a' of type"):
        bare.assert_type(Box, "a")
    bare.assert_type(Annotated[Box, 1], Box())
    with pytest.raises(TypeTransformerFailedError):
        bare.isinstance_generic(3, list[int])
    with pytest.raises(TypeTransformerFailedError, match="'cbor' cannot be read"):
        bare.from_binary_idl(Binary(b"", "cbor"), int)
    assert bare.to_html(CTX, "<b>", Box) == TypeEngine.to_html(CTX, "<b>", str) == "&lt;b&gt;"


def test_annotations() -> None:
    assert is_annotated(Annotated[int, 1])
    assert not is_annotated(int)
    assert get_underlying_type(Annotated[int, 1]) is int


def test_files_are_moved(tmp_path: Path) -> None:
    access = FlyteContext.current_context().file_access
    source = tmp_path / "a.txt"
    source.write_text("a")
    remote = access.get_random_remote_path("b.txt")
    assert remote.endswith("/b.txt")
    assert access.upload(source, remote) == remote
    assert access.exists(remote)
    assert not access.is_remote(remote)
    assert access.is_remote("s3://bucket/key")
    access.download(remote, tmp_path / "deep" / "c.txt")
    assert (tmp_path / "deep" / "c.txt").read_text() == "a"
    access.get_data(source.as_uri(), tmp_path / "d.txt")
    assert (tmp_path / "d.txt").read_text() == "a"
    assert Path(access.put_raw_data(tmp_path / "deep")).joinpath("c.txt").read_text() == "a"
    assert access.join("s3://bucket/", "/a", "b") == "s3://bucket/a/b"
    assert access.join("/data", "a b", unstrip=True) == "file:///data/a%20b"
    assert access.join("s3://bucket", "a", unstrip=True) == "s3://bucket/a"
    assert remote.startswith(access.raw_output_prefix)
    with pytest.raises(LookupError, match="there is nothing at"):
        access.get_data(tmp_path / "missing", tmp_path / "e.txt")


def test_a_workflow_of_them_compiles() -> None:
    @workflow
    def through(a: Colour, d: MyDataset) -> str:
        theirs.darker(colour=a)
        return theirs.consume(d=d)

    assert [str(port.type) for port in through.interface.inputs.values()]
