"""Files in other places: a bucket (in memory, by the code that talks to S3), and a real web server on this machine."""

from __future__ import annotations

import asyncio
import hashlib
import http.server
import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from whimbrel import FlyteDirectory, FlyteFile, eager, task, workflow
from whimbrel.errors import EntityNotFound, StoreError, UserError, ValueMismatch
from whimbrel.model.literals import BlobLiteral
from whimbrel.runtime.values import keep_files
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types.registry import default_registry
from whimbrel.types.web import ATTEMPTS, Web

BODY = bytes(range(256)) * 8192
"""2 MiB, every offset of which is told from its neighbours."""


class Site(http.server.ThreadingHTTPServer):
    """What it was asked, and how it misbehaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[tuple[str, str, str | None]] = []
        self.failures = 0
        self.break_after = 0
        self.tag = '"one"'
        self.sent = 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that had enough has hung up."""

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Page(http.server.BaseHTTPRequestHandler):
    server: Site

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        site, path = self.server, self.path.partition("?")[0]
        wanted = self.headers.get("Range")
        site.asked.append((self.command, self.path, wanted))
        if site.failures:
            site.failures -= 1
            return self.send_error(503)
        if path == "/signed" and not body:
            return self.send_error(403)
        if path in ("/secret", "/missing"):
            return self.send_error(401 if path == "/secret" else 404)
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/data.bin")
            return self.end_headers()
        begin, end = 0, len(BODY)
        if wanted and path != "/no-ranges":
            if self.headers.get("If-Match", site.tag) != site.tag:
                return self.send_error(412)
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            begin, end = int(first), int(last) + 1 if last else end
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(BODY)}")
        else:
            self.send_response(200)
        if path != "/unmeasured":
            self.send_header("Content-Length", str(end - begin))
        self.send_header("ETag", site.tag)
        self.end_headers()
        if body:
            data = BODY[begin:end]
            if site.break_after:
                data, site.break_after = data[: site.break_after], 0
            site.sent += len(data)
            self.wfile.write(data)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Site()
    # A short poll: shutting down waits for one.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, noted and not made."""
    pauses: list[float] = []
    monkeypatch.setattr("whimbrel.types.places._PLACES", dict.fromkeys(("http", "https"), Web(pause=pauses.append)))
    return pauses


def read(uri: str) -> bytes:
    with FlyteFile(uri).open("rb") as stream:
        data = stream.read()
        assert isinstance(data, bytes)
        return data


# --- the web


@pytest.mark.parametrize("path", ["data.bin", "moved", "no-ranges", "unmeasured", "signed?key=a%2Fb", "sp ace/ü.bin"])
def test_a_web_file_is_read_and_fetched(site: Site, path: str) -> None:
    assert read(site.url(path)) == BODY
    assert Path(FlyteFile(site.url(path))).read_bytes() == BODY
    with FlyteFile(site.url(path)).open("rb") as stream:
        stream.seek(1_000_003)
        assert stream.read(300) == BODY[1_000_003:1_000_303]
        stream.seek(7)
        assert stream.read(3) == BODY[7:10]


def test_reading_through_is_one_request_and_looking_elsewhere_a_range(site: Site) -> None:
    with FlyteFile(site.url("data.bin")).open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        assert stream.read() == BODY[-4:]
    assert [wanted for _, _, wanted in site.asked] == [None, f"bytes={len(BODY) - 4}-"]
    site.asked.clear()
    assert read(site.url("data.bin")) == BODY
    assert len(site.asked) == 1


def test_sizes_and_names(site: Site) -> None:
    assert FlyteFile(site.url("data.bin")).get_size() == len(BODY)
    assert FlyteFile(site.url("signed?x=1")).get_size() == len(BODY)
    assert FlyteFile(site.url("unmeasured")).get_size() == -1
    assert Path(FlyteFile(site.url("data.bin?x=/y"))).name == "data.bin"
    assert FlyteFile(site.url("data.bin")).exists()
    assert not FlyteFile(site.url("missing")).exists()


def test_what_passes_is_tried_again(site: Site, quick: list[float]) -> None:
    site.failures = 2
    site.break_after = 1_000_000
    assert read(site.url("data.bin")) == BODY
    assert quick == [0.2, 0.4, 0.2]
    assert site.asked[-1] == ("GET", "/data.bin", "bytes=1000000-")


def test_what_does_not_pass_is_an_error(site: Site, quick: list[float]) -> None:
    site.failures = ATTEMPTS
    with pytest.raises(StoreError, match="503"):
        read(site.url("data.bin"))
    assert len(site.asked) == ATTEMPTS
    with pytest.raises(EntityNotFound, match="404"):
        read(site.url("missing"))
    with pytest.raises(UserError, match="401"):
        read(site.url("secret"))
    with pytest.raises(UserError, match="only read"):
        FlyteFile(site.url("new")).open("w")
    with pytest.raises(UserError, match="no directories"):
        FlyteDirectory(site.url("tree")).listdir()


def test_a_file_that_changes_under_its_reader_is_not_mixed(site: Site, quick: list[float]) -> None:
    with FlyteFile(site.url("data.bin")).open("rb", buffering=10) as stream:
        assert stream.read(5) == BODY[:5]
        site.tag = '"two"'
        stream.seek(1_500_000)
        with pytest.raises(StoreError, match="changed while it was read"):
            stream.read(10)


# --- buckets


def bucket(name: str) -> str:
    return f"memory://{name}-{os.urandom(4).hex()}"


def test_a_bucket_is_written_and_read() -> None:
    uri = f"{bucket('b')}/sub dir/out#1.bin"
    file = FlyteFile(uri)
    assert not file.exists()
    with file.open("wb") as stream:
        stream.write(BODY)
    assert (file.size, file.digest) == (len(BODY), hashlib.sha256(BODY).hexdigest())
    assert read(uri) == BODY
    with FlyteFile(uri).open("rb") as stream:
        stream.seek(-3, io.SEEK_END)
        assert stream.read() == BODY[-3:]
        assert stream.read() == b""
    assert FlyteFile(uri).get_size() == len(BODY)
    assert Path(FlyteFile(uri)).name == "out#1.bin"
    with pytest.raises(EntityNotFound, match="there is no memory://"):
        read(f"{uri}x")
    with pytest.raises(UserError, match="names no file"):
        FlyteFile(f"{bucket('b')}/").open("w")


def test_a_directory_in_a_bucket(tmp_path: Path) -> None:
    root = f"{bucket('tree')}/data"
    directory = FlyteDirectory(root)
    assert not directory.exists()
    with pytest.raises(EntityNotFound, match="nothing below"):
        FlyteDirectory(root).listdir()
    for name in ("b.txt", "sub/a.txt", "sub/deep/c.txt"):
        with directory.new_file(name).open("w") as stream:
            stream.write(name)
    directory = FlyteDirectory(root)
    assert [path for _, path in directory.crawl()] == ["b.txt", "sub/a.txt", "sub/deep/c.txt"]
    assert [one.uri for one in directory.listdir()] == [f"{root}/b.txt", f"{root}/sub"]
    inner = directory.listdir()[1]
    assert isinstance(inner, FlyteDirectory)
    assert [one.uri for one in FlyteDirectory.listdir(inner)] == [f"{root}/sub/a.txt", f"{root}/sub/deep"]
    assert (Path(directory) / "sub" / "deep" / "c.txt").read_text() == "sub/deep/c.txt"
    assert directory.file("sub/a.txt").open().read() == "sub/a.txt"
    assert directory.exists()


@task
def published(folder: str, where: str) -> FlyteFile[Literal["csv"]]:
    made = Path(folder, "made.csv")
    made.write_text("a,b\n")
    return FlyteFile[Literal["csv"]](made, remote_path=where)


@task
def published_tree(folder: str, where: str) -> FlyteDirectory:
    (Path(folder) / "tree" / "sub").mkdir(parents=True, exist_ok=True)
    (Path(folder) / "tree" / "sub" / "x").write_text("x")
    return FlyteDirectory(Path(folder, "tree"), remote_directory=where)


@task
def streamed(where: str) -> FlyteFile:
    file = FlyteFile.new_remote_file("streamed.txt", alt=where)
    with file.open("w") as stream:
        stream.write("streamed")
    return file


@task
def size(file: FlyteFile) -> int:
    with file.open("rb") as stream:
        return len(stream.read())


@workflow
def publishing(folder: str, where: str) -> tuple[FlyteFile, FlyteDirectory, FlyteFile, int]:
    file = published(folder=folder, where=where)
    return (
        file,
        published_tree(folder=folder, where=where),
        streamed(where=where),
        size(file=file),
    )


@eager
async def publishing_eagerly(folder: str, where: str) -> tuple[FlyteFile, FlyteDirectory, FlyteFile, int]:
    file = await published(folder=folder, where=where)
    return (
        file,
        await published_tree(folder=folder, where=where),
        await streamed(where=where),
        await size(file=file),
    )


@pytest.mark.parametrize("way", ["direct", "compiled", "eager", "eager, direct"])
def test_a_task_says_where_its_file_goes(way: str, tmp_path: Path) -> None:
    root = bucket("out")
    inputs = {"folder": str(tmp_path), "where": f"{root}/made.csv"}
    engine = TestEngine(always_replay=True)
    if way == "direct":
        file, tree, other, length = publishing(**inputs)
    elif way == "eager, direct":
        file, tree, other, length = asyncio.run(publishing_eagerly(**inputs))
    else:
        entity: Any = publishing if way == "compiled" else publishing_eagerly
        file, tree, other, length = engine.run(entity, **inputs)
    assert file.uri == file.remote_source == file.remote_path == f"{root}/made.csv"
    assert file.digest == hashlib.sha256(b"a,b\n").hexdigest()
    assert tree.remote_directory == f"{root}/made.csv"
    assert [path for _, path in FlyteDirectory(tree.uri).crawl()] == ["streamed.txt", "sub/x"]
    assert other.uri == f"{root}/made.csv/streamed.txt"
    assert length == 4
    assert read(file.uri) == b"a,b\n"
    assert isinstance(engine.blobs, MemoryBlobs)
    assert not [uri for uri in engine.blobs.contents if uri.startswith("memory:files/")]


@task
def unmoved(folder: str) -> FlyteFile:
    path = Path(folder, "large.bin")
    path.write_bytes(BODY)
    return FlyteFile(path, remote_path=False)


@task
def elsewhere(folder: str) -> FlyteFile:
    path = Path(folder, "made.txt")
    path.write_text("made")
    return FlyteFile(path, remote_path=str(Path(folder, "out", "there.txt")))


@eager
async def staying(folder: str) -> tuple[FlyteFile, FlyteFile, int]:
    large = await unmoved(folder=folder)
    return large, await elsewhere(folder=folder), await size(file=large)


def test_a_file_may_stay_where_it_is(tmp_path: Path) -> None:
    engine = TestEngine()
    large, there, length = engine.run(staying, folder=str(tmp_path))
    assert isinstance(engine.blobs, MemoryBlobs)
    assert not [uri for uri in engine.blobs.contents if uri.startswith("memory:files/")]
    assert large.path == str(tmp_path / "large.bin")
    assert there.path == str(tmp_path / "out" / "there.txt")
    assert Path(there).read_text() == "made"
    assert length == len(BODY)


@eager
async def passing(file: FlyteFile) -> FlyteFile:
    return await passed(file=file)


@task
def passed(file: FlyteFile) -> FlyteFile:
    return file


def test_passing_on_moves_nothing(site: Site) -> None:
    engine = TestEngine()
    for uri in (site.url("data.bin"), "s3://bucket/key", "gs://b/k", "az://b/k"):
        assert engine.run(passing, file=FlyteFile(uri)).uri == uri
    assert site.asked == []
    assert isinstance(engine.blobs, MemoryBlobs)
    assert not [uri for uri in engine.blobs.contents if uri.startswith("memory:files/")]


@task(cache=True, cache_version="1")
def measured(file: FlyteFile) -> int:
    return file.get_size()


@task
def pinned(uri: str) -> FlyteFile:
    return FlyteFile(uri).pin()


@workflow
def measuring(file: FlyteFile) -> int:
    return measured(file=file)


@workflow
def measuring_pinned(uri: str) -> int:
    return measured(file=pinned(uri=uri))


def test_what_nobody_vouches_for_is_not_cached(site: Site) -> None:
    engine = TestEngine()
    for _ in range(2):
        assert engine.run(measuring, file=FlyteFile(site.url("data.bin"))) == len(BODY)
    assert engine.executions["measured"] == 2


def test_a_pinned_version_is_cached(site: Site) -> None:
    engine = TestEngine()
    for tag, executions in (('"one"', 1), ('"one"', 1), ('"two"', 2)):
        site.tag = tag
        assert engine.run(measuring_pinned, uri=site.url("data.bin")) == len(BODY)
        assert engine.executions["measured"] == executions
    assert site.sent == 0
    site.tag = 'W/"weak"'
    with pytest.raises(ValueMismatch, match="no entity tags"):
        FlyteFile(site.url("data.bin")).pin()


def test_a_password_gets_into_no_literal() -> None:
    made = default_registry().transformer(FlyteFile)
    for ask in (made.check, made.encode):
        with pytest.raises(ValueMismatch, match="password in it") as caught:
            ask("https://me:hunter2@host/x")
        assert "hunter2" not in str(caught.value)
    assert made.encode("abfss://box@account.dfs.core.windows.net/x") is not None


def test_own_blobs_are_not_taken_for_a_bucket() -> None:
    literal = keep_files(BlobLiteral("memory://x/y"), MemoryBlobs())
    assert literal == BlobLiteral("memory://x/y")
