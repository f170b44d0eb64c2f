"""Arrays: kept as .npy files, mapped from a local store, read as streams from others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from whimbrel import kwtypes, task, workflow
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.errors import EntityNotFound, UnsupportedType, ValueMismatch
from whimbrel.model.literal_types import BlobType
from whimbrel.model.literals import BlobLiteral, BoolLiteral, FloatLiteral, IntLiteral, StrLiteral
from whimbrel.runtime.values import keep_files
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.types.blobs import FileStore
from whimbrel.types.registry import default_registry


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileStore]:
    blobs = MemoryBlobs() if request.param == "memory" else ObjectBlobs(tmp_path / "blobs")
    (tmp_path / "scratch").mkdir()
    token = current.set(Direct(ExecutionContext(files=blobs, working_directory=str(tmp_path / "scratch"))))
    yield blobs
    current.reset(token)


def transformer(kind: Any) -> Any:
    return default_registry().transformer(kind)


def stored(store: FileStore, value: Any, kind: Any = np.ndarray, into: Any = None) -> Any:
    return transformer(into or kind).decode(keep_files(transformer(kind).encode(value), store))


@pytest.mark.parametrize("kind", [np.ndarray, npt.NDArray[np.float64], Annotated[np.ndarray, kwtypes(mmap_mode="r")]])
def test_literal_types(kind: Any) -> None:
    assert transformer(kind).literal_type == BlobType("NumpyArray")


@given(
    array=arrays.arrays(
        arrays.boolean_dtypes() | arrays.integer_dtypes() | arrays.floating_dtypes() | arrays.unicode_string_dtypes(),
        arrays.array_shapes(min_dims=0, min_side=0, max_dims=3),
    ),
    fortran=st.booleans(),
)
def test_arrays_come_back_as_they_were(array: npt.NDArray[Any], fortran: bool) -> None:
    blobs = MemoryBlobs()
    token = current.set(Direct(ExecutionContext(files=blobs)))
    try:
        back = stored(blobs, np.asfortranarray(array) if fortran else array)
    finally:
        current.reset(token)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize("mode", ["default", "r", "c", "r+"])
def test_a_large_array_may_be_changed_and_the_kept_one_is_not(store: FileStore, mode: str) -> None:
    array = np.arange(100_000, dtype=np.float64).reshape(100, 1000)
    kind: Any = np.ndarray if mode == "default" else Annotated[np.ndarray, kwtypes(mmap_mode=mode)]
    literal = keep_files(transformer(kind).encode(array), store)
    first = transformer(kind).decode(literal)
    assert type(first) is np.ndarray
    assert first.flags.writeable is (mode != "r")
    if mode != "r":
        first[0, 0] = -1
    assert transformer(kind).decode(literal)[0, 0] == 0
    assert first[0, 0] == (0 if mode == "r" else -1)


def test_in_a_directory_it_is_mapped(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path)
    token = current.set(Direct(ExecutionContext(files=blobs)))
    try:
        back = stored(blobs, np.zeros(100_000))
        assert isinstance(back.base, np.memmap)
        assert not isinstance(stored(blobs, np.zeros(10)).base, np.memmap)
    finally:
        current.reset(token)


def test_objects_are_pickled_where_it_is_said(store: FileStore) -> None:
    array = np.array([{"a": 1}, None], dtype=object)
    with pytest.raises(ValueMismatch, match=r"kwtypes\(allow_pickle=True\)"):
        transformer(np.ndarray).encode(array)
    kind = Annotated[np.ndarray, kwtypes(allow_pickle=True)]
    assert list(stored(store, array, kind)) == list(array)
    with pytest.raises(ValueMismatch, match="allow_pickle"):
        stored(store, array, kind, np.ndarray)


def test_what_is_said_of_the_items_and_their_order(store: FileStore) -> None:
    with pytest.raises(ValueMismatch, match="its dtype is int64"):
        transformer(npt.NDArray[np.float64]).check(np.arange(3))
    transformer(Annotated[np.ndarray, kwtypes(dtype=np.integer)]).check(np.arange(3))
    assert stored(store, np.ones((2, 3)), Annotated[np.ndarray, kwtypes(order="F")]).flags.f_contiguous
    with pytest.raises(UnsupportedType, match="arrays have no option 'shape'"):
        transformer(Annotated[np.ndarray, kwtypes(shape=3)])


@pytest.mark.parametrize("value", [3, None, [1.0], "x", np.float64(1)])
def test_what_is_no_array_is_refused(value: Any) -> None:
    for ask in (transformer(np.ndarray).check, transformer(np.ndarray).encode):
        with pytest.raises(ValueMismatch):
            ask(value)
    with pytest.raises(ValueMismatch) as caught:
        transformer(dict[str, np.ndarray]).encode({"x": value})
    assert caught.value.path == "$.x"


def test_a_file_that_is_no_array(store: FileStore) -> None:
    uri = store.put("files/x/a.npy", b"nonsense")
    with pytest.raises(ValueMismatch, match="an array"):
        transformer(np.ndarray).decode(BlobLiteral(uri))
    with pytest.raises(ValueMismatch, match="an array"):
        transformer(np.ndarray).decode(StrLiteral("x"))
    with pytest.raises(EntityNotFound):
        transformer(np.ndarray).decode(BlobLiteral(uri + "y", "NumpyArray", False, "", 9))


def test_a_local_file_is_an_array(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    literal = BlobLiteral((tmp_path / "a.npy").as_uri(), "NumpyArray")
    assert list(transformer(np.ndarray).decode(literal)) == [0, 1, 2]


@task
def doubled(array: np.ndarray) -> np.ndarray:
    return array * 2


@workflow
def twice(array: np.ndarray) -> np.ndarray:
    return doubled(array=doubled(array=array))


def test_a_plain_call_writes_nothing() -> None:
    assert list(twice(array=np.arange(3))) == [0, 4, 8]


@pytest.mark.parametrize(
    ("kind", "value", "literal"),
    [
        (int, np.int64(3), IntLiteral(3)),
        (int, np.uint8(3), IntLiteral(3)),
        (float, np.float32(0.5), FloatLiteral(0.5)),
        (float, np.float64(0.5), FloatLiteral(0.5)),
        (float, np.int32(2), FloatLiteral(2.0)),
        (bool, np.bool_(True), BoolLiteral(True)),
    ],
)
def test_what_one_takes_out_of_an_array_is_a_number(kind: Any, value: Any, literal: Any) -> None:
    transformer(kind).check(value)
    assert transformer(kind).encode(value) == literal


@pytest.mark.parametrize(
    ("kind", "value"),
    [(int, np.float64(3)), (int, np.bool_(True)), (float, np.bool_(True)), (bool, np.int64(1)), (int, np.arange(1))],
)
def test_one_of_another_kind_is_none(kind: Any, value: Any) -> None:
    with pytest.raises(ValueMismatch):
        transformer(kind).check(value)
