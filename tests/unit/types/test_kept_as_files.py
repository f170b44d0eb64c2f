"""Values that are files on the engine's side: images, estimators, large pickles, and what users' transformers write."""

from __future__ import annotations

import asyncio
import hashlib
import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Annotated, Any

import numpy as np
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.struct_pb2 import Struct
from PIL import Image
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from whimbrel import eager, task, workflow
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.errors import ValueMismatch
from whimbrel.model.literal_types import BinaryType, BlobType, StructType
from whimbrel.model.literals import BlobLiteral, BytesLiteral, StrLiteral
from whimbrel.runtime.values import keep_files
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types.by_reference import FileTransformer
from whimbrel.types.images import ImageFormat, thumbnail
from whimbrel.types.kinds import KINDS
from whimbrel.types.pickle import LARGE, FlytePickle, Pickle
from whimbrel.types.registry import Registry, default_registry
from whimbrel.types.tensors import PyTorchCheckpoint


def transformer(kind: Any) -> Any:
    return default_registry().transformer(kind)


@pytest.fixture(params=["in an attempt", "outside"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    store = MemoryBlobs()
    if request.param == "outside":
        yield store
        return
    token = current.set(Direct(ExecutionContext(files=store, working_directory=str(tmp_path))))
    yield store
    current.reset(token)


def kept(made: Any, value: Any, store: MemoryBlobs) -> BlobLiteral:
    literal = keep_files(made.encode(value), store)
    assert isinstance(literal, BlobLiteral)
    return literal


def within(store: MemoryBlobs, tmp_path: Path, ask: Callable[[], Any]) -> Any:
    token = current.set(Direct(ExecutionContext(files=store, working_directory=str(tmp_path))))
    try:
        return ask()
    finally:
        current.reset(token)


def drawn(mode: str = "RGB") -> Image.Image:
    image = Image.new("RGB", (64, 32), "red")
    image.putpixel((3, 4), (1, 2, 3))
    return image.convert(mode)


# --- images


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_an_image_arrives_pixel_for_pixel(mode: str, blobs: MemoryBlobs, tmp_path: Path) -> None:
    made = transformer(Image.Image)
    assert made.literal_type == BlobType("png")
    image = drawn("I").convert("I;16") if mode == "I;16" else drawn(mode)
    literal = kept(made, image, blobs)
    assert literal.uri == f"memory:files/{literal.digest}/image.png"
    assert literal.digest == hashlib.sha256(blobs.get(literal.uri)).hexdigest()
    assert kept(made, image.copy(), blobs) == literal
    back = within(blobs, tmp_path, lambda: made.decode(literal))
    assert (back.mode, back.size, back.tobytes()) == (image.mode, image.size, image.tobytes())


def test_the_format_of_an_image_is_declared(blobs: MemoryBlobs) -> None:
    made = transformer(Annotated[Image.Image, ImageFormat(".JPG", quality=10)])
    assert made.literal_type == BlobType("jpeg")
    literal = kept(made, drawn(), blobs)
    assert blobs.get(literal.uri).startswith(b"\xff\xd8\xff")
    assert kept(transformer(Annotated[Image.Image, ImageFormat("tiff")]), drawn("CMYK"), blobs).format == "tiff"
    with pytest.raises(ValueMismatch, match=r"Annotated\[Image, ImageFormat"):
        kept(transformer(Image.Image), drawn("CMYK"), blobs)
    for wrong in (3, "path.png", None):
        with pytest.raises(ValueMismatch):
            transformer(Image.Image).check(wrong)


def test_a_thumbnail_is_small_and_stands_alone() -> None:
    for mode in ("RGB", "P", "1", "CMYK", "LA"):
        text = thumbnail(drawn("L").convert("LA") if mode == "LA" else drawn(mode), 16)
        assert text.startswith('<img src="data:image/png;base64,iVBOR')
        assert 'width="16" height="8" alt="image of 64 by 32 pixels">' in text


@task
def made(size: int) -> Image.Image:
    return Image.new("L", (size, size), 7)


@task
def brightness(image: Image.Image) -> int:
    return int(image.getpixel((0, 0)))


@workflow
def looking(size: int) -> int:
    return brightness(image=made(size=size))


@eager
async def looking_eagerly(size: int) -> int:
    image = await made(size=size)
    assert image.size == (size, size)
    return await brightness(image=image)


def test_images_go_everywhere() -> None:
    engine = TestEngine(always_replay=True)
    assert looking(size=3) == engine.run(looking, size=3) == 7
    assert asyncio.run(looking_eagerly(size=3)) == engine.run(looking_eagerly, size=3) == 7


# --- estimators


@task
def fitted(slope: float) -> LinearRegression:
    return LinearRegression().fit(np.array([[0.0], [1.0], [2.0]]), np.array([0.0, slope, 2 * slope]))


@task
def predicted(model: BaseEstimator, x: float) -> float:
    return round(float(model.predict(np.array([[x]]))[0]), 6)


@workflow
def fitting(slope: float) -> float:
    return predicted(model=fitted(slope=slope), x=10.0)


def test_estimators_go_everywhere(blobs: MemoryBlobs) -> None:
    assert fitting(slope=2.0) == TestEngine().run(fitting, slope=2.0) == 20.0
    model = fitted.fn(slope=2.0)
    literal = kept(transformer(LinearRegression), model, blobs)
    assert literal.format == "joblib"
    assert kept(transformer(BaseEstimator), fitted.fn(slope=2.0), blobs) == literal
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    transformer(BaseEstimator).check(pipeline)
    with pytest.raises(ValueMismatch, match="expected LinearRegression"):
        transformer(LinearRegression).check(pipeline)


def test_a_file_with_another_estimator_is_refused(tmp_path: Path) -> None:
    store = MemoryBlobs()
    literal = kept(transformer(BaseEstimator), StandardScaler(), store)
    with pytest.raises(ValueMismatch, match="so says the file"):
        within(store, tmp_path, lambda: transformer(LinearRegression).decode(literal))


# --- pickles


class Model:
    def __init__(self, weights: bytes) -> None:
        self.weights = weights


@task
def trained(size: int) -> Annotated[Model, Pickle]:
    return Model(random.Random(1).randbytes(size))


@task
def weighed(model: FlytePickle[Model]) -> int:
    return len(model.weights)


@workflow
def training(size: int) -> int:
    return weighed(model=trained(size=size))


@eager
async def training_eagerly(size: int) -> int:
    return await weighed(model=await trained(size=size))


@pytest.mark.parametrize("size", [10, LARGE // 2, 2 * LARGE])
def test_pickles_of_any_size(size: int) -> None:
    engine = TestEngine(always_replay=True)
    assert training(size=size) == engine.run(training, size=size) == engine.run(training_eagerly, size=size) == size
    assert isinstance(engine.blobs, MemoryBlobs)
    files = [uri for uri in engine.blobs.contents if uri.startswith("memory:files/")]
    assert len(files) == (size > LARGE)


def test_a_large_pickle_is_a_file_with_a_digest(tmp_path: Path) -> None:
    store = MemoryBlobs()
    made = transformer(FlytePickle)
    literal = within(store, tmp_path, lambda: made.encode(b"x" * (LARGE + 1)))
    assert isinstance(literal, BlobLiteral)
    assert (literal.format, literal.digest) == ("pickle", hashlib.sha256(store.get(literal.uri)).hexdigest())
    assert store.get(literal.uri) == pickle.dumps(b"x" * (LARGE + 1), 5)
    assert within(store, tmp_path, lambda: made.decode(literal)) == b"x" * (LARGE + 1)
    assert within(store, tmp_path, lambda: made.encode(b"x" * (LARGE - 100))).encoding == "pickle"


def test_what_cannot_be_pickled_is_told_what_to_do(tmp_path: Path) -> None:
    made = transformer(FlytePickle)
    for value in (lambda: None, [b"x" * LARGE, b"y" * LARGE, lambda: None]):
        with pytest.raises(ValueMismatch, match="at the top of a module"):
            within(MemoryBlobs(), tmp_path, lambda value=value: made.encode(value))  # type: ignore[misc]
    with pytest.raises(ValueMismatch):
        made.decode(StrLiteral("x"))


# --- protobuf


def test_messages() -> None:
    made = transformer(FieldMask)
    assert made.literal_type == BinaryType("protobuf", "google.protobuf.field_mask_pb2.FieldMask")
    literal = made.encode(FieldMask(paths=["a", "b"]))
    assert isinstance(literal, BytesLiteral)
    assert made.decode(literal) == FieldMask(paths=["a", "b"])
    for wrong in (3, Struct(), {"paths": []}):
        with pytest.raises(ValueMismatch):
            made.check(wrong)
    with pytest.raises(ValueMismatch):
        made.decode(BytesLiteral(b"x"))
    with pytest.raises(ValueMismatch, match="cannot be read"):
        made.decode(BytesLiteral(b"\xff\xff", "protobuf"))


def test_a_struct_is_json_like() -> None:
    struct = Struct()
    struct.update({"a": 1, "b": [True, None, {"c": "x"}], "d": {}})
    made = transformer(Struct)
    assert made.literal_type == StructType()
    assert made.decode(made.encode(struct)) == struct
    assert transformer(dict).decode(made.encode(struct)) == {"a": 1.0, "b": [True, None, {"c": "x"}], "d": {}}


@task
def masked(struct: Struct) -> FieldMask:
    return FieldMask(paths=sorted(struct.fields))


@task
def paths(mask: FieldMask) -> list[str]:
    return list(mask.paths)


@eager
async def masking() -> list[str]:
    struct = Struct()
    struct.update({"b": 1, "a": 2})
    return await paths(mask=await masked(struct=struct))


def test_messages_go_everywhere() -> None:
    assert asyncio.run(masking()) == TestEngine(always_replay=True).run(masking) == ["a", "b"]


# --- a transformer of the user's


class Grid:
    def __init__(self, rows: list[bytes]) -> None:
        self.rows = rows


class GridTransformer(FileTransformer[Grid]):
    python_type = Grid
    format = "grid"

    def write(self, value: Grid, stream: IO[bytes], python_type: Any) -> None:
        for row in value.rows:
            stream.write(row + b"\n")

    def read(self, stream: IO[bytes], python_type: Any) -> Grid:
        return Grid(stream.read().splitlines())


def test_a_users_class_by_reference(blobs: MemoryBlobs, tmp_path: Path) -> None:
    registry = Registry(KINDS)
    registry.register(GridTransformer())
    made = registry.transformer(Grid)
    assert made.literal_type == BlobType("grid")
    literal = kept(made, Grid([b"ab", b"cd"]), blobs)
    assert literal.uri == f"memory:files/{literal.digest}/grid.grid"
    assert blobs.get(literal.uri) == b"ab\ncd\n"
    assert within(blobs, tmp_path, lambda: made.decode(literal)).rows == [b"ab", b"cd"]
    nested = registry.transformer(dict[str, list[Grid]])
    again = keep_files(nested.encode({"x": [Grid([b"ab", b"cd"])]}), blobs)
    assert within(blobs, tmp_path, lambda: nested.decode(again))["x"][0].rows == [b"ab", b"cd"]
    with pytest.raises(ValueMismatch):
        made.encode(3)


def test_nothing_is_kept_of_what_could_not_be_written(blobs: MemoryBlobs) -> None:
    registry = Registry(KINDS)
    registry.register(GridTransformer())
    with pytest.raises(TypeError):
        kept(registry.transformer(Grid), Grid([b"ab", None]), blobs)  # type: ignore[list-item]
    assert blobs.contents == {}


# --- torch's classes themselves are tried by hand: torch is too large for these tests


class Stateful:
    def state_dict(self) -> dict[str, int]:
        return {"weight": 1}


@dataclass
class Settings:
    rate: float = 0.5


def test_a_checkpoint_holds_states_and_hyperparameters() -> None:
    checkpoint = PyTorchCheckpoint(Stateful(), Settings(), Stateful())
    assert vars(checkpoint) == {
        "module_state": {"weight": 1},
        "optimizer_state": {"weight": 1},
        "hyperparameters": {"rate": 0.5},
    }
    assert PyTorchCheckpoint(hyperparameters={"a": 1}).module_state is None
    with pytest.raises(ValueError, match="needs a module"):
        PyTorchCheckpoint()
    with pytest.raises(TypeError, match="a dict, a dataclass"):
        PyTorchCheckpoint(hyperparameters=3)
    assert transformer(PyTorchCheckpoint).literal_type == BlobType("pt")
    with pytest.raises(ValueMismatch):
        transformer(PyTorchCheckpoint).check(3)
