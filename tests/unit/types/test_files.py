"""Files and directories without an engine, and over a store that says who handed it out."""

from __future__ import annotations

import asyncio
import copy
import io
import os
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, TypeVar

import pytest
from pydantic import BaseModel, ValidationError

from whimbrel import eager, task, workflow
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.errors import EntityNotFound, UnsupportedType, ValueMismatch
from whimbrel.model.literal_types import BlobType, holds_files
from whimbrel.model.literals import BlobLiteral, StrLiteral, UnionLiteral
from whimbrel.runtime.values import keep_files
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types import formats
from whimbrel.types.directories import BatchSize, FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.registry import default_registry

csv = TypeVar("csv")


class Model(BaseModel):
    file: FlyteFile
    more: list[FlyteFile[Literal["csv"]]]
    folder: FlyteDirectory | None = None


class Watched(MemoryBlobs):
    """Knows what was read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[tuple[str, int]] = []

    def get(self, uri: str) -> bytes:
        data = super().get(uri)
        self.reads.append((uri, len(data)))
        return data

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        data = MemoryBlobs.get(self, uri)[start : start + length]
        self.reads.append((uri, len(data)))
        return data


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Watched]:
    blobs = Watched()
    token = current.set(Direct(ExecutionContext(files=blobs, working_directory=str(tmp_path / "scratch"))))
    (tmp_path / "scratch").mkdir()
    yield blobs
    current.reset(token)


def read(file: Any) -> str:
    """Its text, by a stream."""
    with file.open() as stream:
        return str(stream.read())


def transformer(kind: Any) -> Any:
    return default_registry().transformer(kind)


def stored(blobs: MemoryBlobs, value: Any, kind: Any = FlyteFile) -> Any:
    """``value`` as a task that is given it sees it."""
    made = transformer(kind)
    return made.decode(keep_files(made.encode(value), blobs))


# --- types


@pytest.mark.parametrize(
    ("kind", "literal_type"),
    [
        (FlyteFile, BlobType()),
        (FlyteFile["csv"], BlobType("csv")),
        (FlyteFile[".CSV"], BlobType("csv")),
        (FlyteFile[csv], BlobType("csv")),
        (FlyteFile[Literal["csv"]], BlobType("csv")),
        (Annotated[FlyteFile["csv"], "metadata"], BlobType("csv")),
        (FlyteDirectory, BlobType("", True)),
        (FlyteDirectory["tfrecord"], BlobType("tfrecord", True)),
    ],
)
def test_literal_types(kind: Any, literal_type: BlobType) -> None:
    assert transformer(kind).literal_type == literal_type
    assert holds_files(transformer(dict[str, list[kind] | None]).literal_type)


def test_a_format_is_one_class() -> None:
    assert FlyteFile["csv"] is FlyteFile["csv"]
    assert FlyteFile[""] is FlyteFile
    assert FlyteFile["csv"].extension() == "csv"
    assert issubclass(FlyteFile["csv"], FlyteFile)
    assert FlyteFile["csv"] is not FlyteDirectory["csv"]
    with pytest.raises(TypeError, match="takes the name of a format"):
        FlyteFile[1]


def test_a_pure_path_says_to_use_a_file() -> None:
    with pytest.raises(UnsupportedType, match="FlyteFile"):
        transformer(PurePath)


@pytest.mark.parametrize(
    ("alias", "format_"),
    [
        (formats.CSVFile, "csv"),
        (formats.HDF5EncodedFile, "hdf5"),
        (formats.HTMLPage, "html"),
        (formats.JPEGImageFile, "jpeg"),
        (formats.JSONLFile, "jsonl"),
        (formats.JoblibSerializedFile, "joblib"),
        (formats.ONNXFile, "onnx"),
        (formats.PDFFile, "pdf"),
        (formats.PNGImageFile, "png"),
        (formats.PythonNotebook, "ipynb"),
        (formats.PythonPickledFile, "python_pickle"),
        (formats.SVGImageFile, "svg"),
        (formats.TFRecordFile, "tfrecord"),
        (formats.TFRecordsDirectory, "tfrecords_dir"),
        (formats.TensorboardLogs, "tensorboard"),
        (FlyteFile[Annotated[str, formats.FileExt(".csv")]], "csv"),
    ],
)
def test_common_formats_have_names(alias: Any, format_: str) -> None:
    assert alias.extension() == format_
    assert transformer(alias).literal_type == BlobType(format_, issubclass(alias, FlyteDirectory))


@pytest.mark.parametrize(
    ("format_", "head", "wrong"),
    [
        ("png", b"\x89PNG\r\n\x1a\n...", ""),
        ("png", b"\xff\xd8\xff\xe0", "it begins like jpeg"),
        ("png", b"", "it does not begin like png"),
        ("jpg", b"\xff\xd8\xff\xe0", ""),
        ("pdf", b"<html>", "it does not begin like pdf"),
        ("csv", b"%PDF-1.7", "it begins like pdf"),
        ("csv", b"BMW,1\n", ""),
        ("csv", b"", ""),
        ("mine", b"%PDF-1.7", ""),
    ],
)
def test_the_first_bytes_of_a_file_may_contradict_its_format(
    format_: str, head: bytes, wrong: str, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(head)
    made = transformer(FlyteFile[format_])  # type: ignore[valid-type]  # a format by its name
    for ask in (made.check, made.encode):
        if wrong:
            with pytest.raises(ValueMismatch, match=wrong):
                ask(tmp_path / "x")
        else:
            ask(tmp_path / "x")


@pytest.mark.parametrize("kind", [FlyteFile, FlyteDirectory])
@pytest.mark.parametrize("value", [3, None, b"x", "/no/such/thing", StrLiteral])
def test_what_is_none_is_refused(kind: Any, value: Any) -> None:
    for ask in (transformer(kind).check, transformer(kind).encode):
        with pytest.raises(ValueMismatch):
            ask(value)
    with pytest.raises(ValueMismatch):
        transformer(kind).decode(StrLiteral("x"))
    with pytest.raises(ValueMismatch):
        transformer(kind).decode(BlobLiteral("blob:x", "", kind is FlyteFile))


def test_formats_do_not_mix(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    path = str(tmp_path / "x")
    with pytest.raises(ValueMismatch):
        transformer(FlyteFile["csv"]).encode(FlyteFile["png"](path))
    assert transformer(FlyteFile["csv"]).encode(FlyteFile(path)).format == "csv"
    assert transformer(FlyteFile).encode(FlyteFile["png"](path)).format == "png"
    assert transformer(FlyteFile).decode(BlobLiteral("blob:x", "png")).extension() == "png"


def test_in_a_union_a_path_is_text_and_a_file_is_a_file(tmp_path: Path) -> None:
    made = transformer(FlyteFile | str)
    (tmp_path / "x").touch()
    path = str(tmp_path / "x")
    assert made.decode(made.encode(FlyteFile(path))) == FlyteFile(path)
    assert made.encode(path) == UnionLiteral(1, StrLiteral(path))


@pytest.mark.parametrize("name", ["plain", "sp ace", "ü#1?%20"])
def test_a_local_file_travels_by_its_path(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("x")
    made = transformer(FlyteFile)
    back = made.decode(made.encode(tmp_path / name))
    assert back.path == str(tmp_path / name)
    assert read(back) == "x"


# --- by reference


def test_nothing_is_read_until_somebody_looks(store: Watched, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("hello")
    file = stored(store, tmp_path / "in.txt")
    assert file.size == 5
    assert repr(file) == f"FlyteFile({file.uri!r})"
    assert file.remote_source == file.uri
    again = stored(store, file)
    assert again == file
    assert again.digest == file.digest
    assert not file.downloaded
    assert store.reads == []
    assert read(file) == "hello"
    assert store.reads == [(file.uri, 5)]


def test_a_file_is_downloaded_once_into_the_scratch_directory(store: Watched, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("hello")
    file = stored(store, tmp_path / "in.txt")
    assert Path(file).read_text() == "hello"
    reads = list(store.reads)
    assert str(file) == os.fspath(file) == file.path == file.download()
    assert Path(file).name == "in.txt"
    assert Path(file).is_relative_to(tmp_path / "scratch")
    assert read(file) == "hello"
    assert store.reads == reads


def test_ranges_are_read_and_no_more(store: Watched, tmp_path: Path) -> None:
    (tmp_path / "in.bin").write_bytes(b"0123456789" * 1_000_000)
    file = stored(store, tmp_path / "in.bin")
    with file.open("rb", buffering=4096) as stream:
        stream.seek(5_000_003)
        assert stream.read(3) == b"345"
        stream.seek(-1, os.SEEK_END)
        assert stream.read() == b"9"
    assert sum(size for _, size in store.reads) <= 2 * 4096


def test_a_new_file_streams_into_the_store(store: Watched) -> None:
    file = FlyteFile["csv"].new_remote_file("rows.csv")
    with pytest.raises(FileNotFoundError):
        file.open()
    with pytest.raises(ValueMismatch, match="nothing was written to it, or its stream is open"):
        transformer(FlyteFile).encode(file)
    with file.open("w") as stream:
        stream.write("a,b\n")
        stream.write("ü,2\n")
    assert store.contents[file.uri] == "a,b\nü,2\n".encode()
    assert file.uri.endswith("/rows.csv")
    assert stored(store, file).size == 9
    with pytest.raises(io.UnsupportedOperation, match="is kept as it was written"):
        file.open("w")
    assert list(file.open()) == ["a,b\n", "ü,2\n"]


def test_what_is_written_at_the_path_of_a_new_file_is_kept(store: Watched) -> None:
    file = FlyteFile.new_remote_file("rows.csv")
    Path(file).write_text("1")
    assert store.contents == {}
    assert stored(store, file).open("rb").read() == b"1"


@pytest.mark.parametrize("mode", ["a", "r+", "rw", ""])
def test_other_modes_are_refused(store: Watched, mode: str, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    file = stored(store, tmp_path / "x")
    with pytest.raises(ValueError, match="is opened with r, rb, w or wb"):
        file.open(mode)


def test_equal_contents_have_equal_literals(store: Watched, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text("other" if name == "c" else "same")
    first, second, third = (
        keep_files(transformer(FlyteFile).encode(tmp_path / name / "x"), store) for name in ("a", "b", "c")
    )
    assert first == second != third


def test_files_inside_values(store: Watched, tmp_path: Path) -> None:
    @dataclass
    class Part:
        name: str
        file: FlyteFile | None = None

    (tmp_path / "x").write_text("x")
    made = transformer(dict[str, list[Part]])
    literal = keep_files(made.encode({"a": [Part("n"), Part("f", FlyteFile(tmp_path / "x"))]}), store)
    value = made.decode(literal)
    assert read(value["a"][1].file) == "x"
    assert keep_files(literal, store) is literal


def test_a_uri_of_an_unknown_place_is_passed_on_and_not_read(store: Watched) -> None:
    file = stored(store, "ftp://host/key.csv")
    assert file.uri == "ftp://host/key.csv"
    for look in (file.open, file.download):
        with pytest.raises(EntityNotFound, match=r"ftp://host/key\.csv cannot be read: a file is read from a local"):
            look()
    with pytest.raises(EntityNotFound, match="cannot be read"):
        FlyteDirectory("ftp://host/tree").listdir()


def test_outside_an_engine_a_stored_file_says_where_to_open_it() -> None:
    with pytest.raises(EntityNotFound, match="open it in a task"):
        FlyteFile("blob:files/x/y").open()


def test_files_are_values() -> None:
    file = transformer(FlyteFile["csv"]).decode(BlobLiteral("blob:files/x/y", "csv", False, "d", 3))
    for other in (copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert other == file
        assert (type(other), other.digest, other.size, hash(other)) == (FlyteFile["csv"], "d", 3, hash(file))
    assert file != FlyteFile("blob:files/x/y")


def test_a_model_of_pydantic_has_files(store: Watched, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    model = Model(file=str(tmp_path / "x.csv"), more=[FlyteFile(tmp_path / "x.csv")])  # type: ignore[arg-type]
    value = stored(store, model, Model)
    assert read(value.file) == read(value.more[0]) == "x"
    assert value.model_dump() == {"file": value.file.uri, "more": [value.more[0].uri], "folder": None}
    with pytest.raises(ValidationError, match="a path or a FlyteFile is wanted"):
        Model(file=3)  # type: ignore[arg-type]


def test_a_new_file_in_the_scratch_directory(store: Watched, tmp_path: Path) -> None:
    file = FlyteFile.new("rows.csv")
    assert not file.exists()
    Path(file).write_text("1")
    assert Path(file).is_relative_to(tmp_path / "scratch")
    assert file.exists()
    assert (file.get_size(), file.remote_path) == (1, None)
    again = stored(store, file)
    assert (again.exists(), again.get_size(), again.remote_path) == (True, 1, again.uri)
    assert not FlyteFile("blob:files/no/x").exists()
    fresh = FlyteFile.new_remote_file("x")
    assert not fresh.exists()


def test_a_downloader_is_asked_once_and_late(tmp_path: Path) -> None:
    calls = []

    def fetch() -> None:
        calls.append(1)
        (tmp_path / "x").write_text("fetched")

    file: Any = FlyteFile(str(tmp_path / "x"), fetch)
    transformer(FlyteFile).check(file)
    assert calls == []
    assert read(file) == Path(file).read_text() == "fetched"
    assert calls == [1]


@task
def suffix(file: os.PathLike[str], path: Path) -> str:
    assert isinstance(path, Path)
    return Path(file).read_text() + path.read_text()


@task
def written(text: str, folder: str) -> Path:
    made = Path(folder, "written.txt")
    made.write_text(text)
    return made


@workflow
def by_paths(folder: str) -> str:
    made = written(text="a", folder=folder)
    return suffix(file=made, path=made)


@eager
async def by_paths_eagerly(folder: str) -> str:
    made = await written(text="a", folder=folder)
    return await suffix(file=made, path=made) + made.read_text()


def test_paths_are_files(tmp_path: Path) -> None:
    assert by_paths(folder=str(tmp_path)) == "aa"
    assert asyncio.run(by_paths_eagerly(folder=str(tmp_path))) == "aaa"
    engine = TestEngine(always_replay=True)
    assert engine.run(by_paths, folder=str(tmp_path)) == "aa"
    assert engine.run(by_paths_eagerly, folder=str(tmp_path)) == "aaa"
    for kind in (Path, os.PathLike, os.PathLike[str]):
        assert transformer(kind).literal_type == BlobType()


# --- directories


@pytest.mark.parametrize(
    "kind", [FlyteDirectory, Annotated[FlyteDirectory, BatchSize(1)], Annotated[FlyteDirectory, BatchSize(3)]]
)
def test_a_tree_is_fetched_some_files_at_a_time(kind: Any, store: Watched, tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / "many" / f"d{number}").mkdir(parents=True)
        (tmp_path / "many" / f"d{number}" / "x").write_text(str(number))
    local = Path(stored(store, tmp_path / "many", kind))
    assert sorted(int(path.read_text()) for path in local.rglob("x")) == list(range(20))
    with pytest.raises(ValueError):
        BatchSize(0)


def test_a_file_of_a_tree_is_found_by_its_path(store: Watched, tree: Path) -> None:
    for directory in (FlyteDirectory(tree), stored(store, tree, FlyteDirectory)):
        assert read(directory.file("sub/b.txt")) == "bb"
        assert directory.exists()
        with pytest.raises(EntityNotFound, match="there is no file 'nope'"):
            directory.file("nope")
    assert (FlyteDirectory(tree).sep, FlyteDirectory(tree).remote_directory) == (os.sep, None)


def test_a_directory_may_go_to_another_path(tree: Path, tmp_path: Path) -> None:
    directory = FlyteDirectory(tree, remote_directory=str(tmp_path / "there"))
    literal = transformer(FlyteDirectory).encode(directory)
    assert literal.uri == f"file:{tmp_path}/there"
    assert transformer(FlyteDirectory).decode(literal).download() == str(tmp_path / "there")
    assert (tmp_path / "there" / "sub" / "b.txt").read_text() == "bb"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub" / "b.txt").write_text("bb")
    (root / "sub" / "deep" / "c.txt").write_text("ccc")
    (root / "z.txt").write_text("z")
    return root


def names(directory: Any) -> list[str]:
    return [Path(one.uri.replace("#", "/")).name for one in FlyteDirectory.listdir(directory)]


@pytest.mark.parametrize("kept", [False, True])
def test_a_directory_is_listed_and_crawled(kept: bool, store: Watched, tree: Path) -> None:
    directory = stored(store, tree, FlyteDirectory) if kept else FlyteDirectory(tree)
    assert names(directory) == ["a.txt", "sub", "z.txt"]
    assert {path for _, path in directory.crawl()} == {"a.txt", "z.txt", "sub/b.txt", "sub/deep/c.txt"}
    assert [path for _, path in directory.crawl(maxdepth=1)] == ["a.txt", "z.txt"]
    assert next(directory.crawl(topdown=False)) == (directory.uri, "sub/deep/c.txt")
    details = dict(pair for _, found in directory.crawl(detail=True) for pair in found.items())
    assert details["sub/b.txt"] == {"name": "sub/b.txt", "size": 2, "type": "file"}
    inner = directory.listdir()[1]
    assert isinstance(inner, FlyteDirectory)
    assert names(inner) == ["b.txt", "deep"]
    assert names(inner.listdir()[1]) == ["c.txt"]
    assert Path(inner, "deep", "c.txt").read_text() == "ccc"
    assert read(directory.listdir()[0]) == "a"


def test_a_listing_reads_the_list_alone(store: Watched, tree: Path) -> None:
    directory = stored(store, tree, FlyteDirectory)
    assert directory.size == 7
    assert store.reads == []
    directory.listdir()
    list(directory.crawl())
    assert [uri for uri, _ in store.reads] == [directory.uri]


def test_a_part_of_a_directory_is_passed_on(store: Watched, tree: Path) -> None:
    inner = stored(store, tree, FlyteDirectory).listdir()[1]
    puts = dict(store.contents)
    received = stored(store, inner, FlyteDirectory)
    assert received == inner
    assert store.contents == puts
    assert Path(received, "b.txt").read_text() == "bb"


def test_a_directory_is_downloaded(store: Watched, tree: Path) -> None:
    local = Path(stored(store, tree, FlyteDirectory))
    assert (local / "sub" / "deep" / "c.txt").read_text() == "ccc"
    assert sorted(path.name for path in local.rglob("*.txt")) == ["a.txt", "b.txt", "c.txt", "z.txt"]


def test_a_new_directory(store: Watched) -> None:
    made = FlyteDirectory.new_remote("out")
    with made.new_file("x/y.txt").open("w") as stream:
        stream.write("y")
    Path(made.new_dir("d"), "z.txt").write_text("z")
    directory = stored(store, made, FlyteDirectory)
    assert [path for _, path in directory.crawl()] == ["d/z.txt", "x/y.txt"]
    for write in (directory.new_file, directory.new_dir):
        with pytest.raises(PermissionError, match="is kept as it was written"):
            write("more")


# --- plain calls


@task
def double(source: FlyteFile[Literal["txt"]], folder: str) -> FlyteFile[Literal["txt"]]:
    target = Path(folder, "doubled.txt")
    target.write_text(read(source) * 2)
    return str(target)  # type: ignore[return-value]


@task
def parts(folder: str) -> tuple[FlyteFile, list[FlyteFile]]:
    paths = []
    for name in ("a", "b"):
        (Path(folder) / name).write_text(name)
        paths.append(Path(folder) / name)
    return paths[0], paths  # type: ignore[return-value]


@task
def length(source: FlyteFile) -> int:
    return len(read(source))


@workflow
def chain(source: FlyteFile, folder: str) -> int:
    return length(source=double(source=double(source=source, folder=folder), folder=folder))


@eager
async def body(folder: str) -> str:
    first, both = await parts(folder=folder)
    made = FlyteFile.new_remote_file("new.txt")
    with made.open("w") as stream:
        stream.write("abc")
    doubled = await double(source=made, folder=folder)
    return str(read(first) + read(both[1]) + read(doubled))


@task
def defaulted(source: FlyteFile = __file__) -> bool:  # type: ignore[assignment]
    with source.open() as stream:
        return bool(stream.read())


def test_a_default_may_be_a_path() -> None:
    assert defaulted()
    assert isinstance(defaulted.signature.decode_inputs({})["source"], FlyteFile)


def test_plain_calls_pass_local_files(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("ab")
    made = double(source=str(tmp_path / "in.txt"), folder=str(tmp_path))  # type: ignore[arg-type]
    assert isinstance(made, FlyteFile["txt"])
    assert made.path == str(tmp_path / "doubled.txt")
    assert chain(source=FlyteFile(tmp_path / "in.txt"), folder=str(tmp_path)) == 8
    assert asyncio.run(body(folder=str(tmp_path))) == "ababcabc"
    with pytest.raises(ValueMismatch, match="no such file"):
        length(source=FlyteFile(tmp_path / "missing"))
