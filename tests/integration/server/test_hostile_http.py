"""Every route of HTTP, given what hostile clients give: it answers with a sentence, never with a fault of its own. The
table of routes drives it: new ones are covered without being asked."""

from __future__ import annotations

import hashlib
import json
import random
import socket
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.server.hostile import NAMES, Served, served
from whimbrel.server.http.application import application, endpoints
from whimbrel.server.http.openapi import Endpoint

ASKED = 8
"""Times that each route is asked."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("hostile")) as found:
        yield found


def routes(server: Served) -> list[tuple[str, str, Endpoint | None]]:
    table = {(row.method, row.path): row for row in endpoints(server.server.house)}
    found = []
    for route in application(server.server.house).routes:
        path = getattr(route, "path", "")
        for method in sorted(getattr(route, "methods", None) or ["GET"]):
            found.append((method, path, table.get((method, path))))
    assert len(found) > len(table)
    return found


def fields(shape: Any) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(shape)] if shape is not None else ["x"]


# Not by Hypothesis: shrinking what is said to sixty routes at once takes longer than reading it.
@pytest.mark.parametrize("seed", range(ASKED))
def test_every_route_answers_with_a_sentence(server: Served, seed: int) -> None:
    chance = random.Random(seed)
    for method, path, row in routes(server):
        asked = path
        while "{" in asked:
            before, _, rest = asked.partition("{")
            name, _, after = rest.partition("}")
            safe = chance.choice(["", "/"]) if name.endswith(":path") else ""
            asked = before + escaped(a_name(chance), safe) + after
        query = [name for name in fields(row.query if row else None) if chance.random() < 0.4]
        # Not `params`: what is wrong with them is the server's to say.
        asked += "?" + "&".join(f"{escaped(name)}={escaped(a_name(chance))}" for name in query)
        headers = {"content-type": chance.choice(KINDS)}
        for name in ("accept", "last-event-id", "range", "authorization", "content-md5", "if-none-match"):
            if chance.random() < 0.25:
                headers[name] = chance.choice(SAID)
        content = b""
        if method in ("POST", "PUT"):
            body: Any = a_value(chance)
            if chance.random() < 0.8:
                body = {name: a_value(chance) for name in fields(row.takes if row else None) if chance.random() < 0.8}
            content = json.dumps(body).encode("utf-8", "surrogatepass")
            if "msgpack" in headers["content-type"]:
                content = msgspec.msgpack.encode(body) if chance.random() < 0.8 else chance.randbytes(40)
            content = content[: chance.choice([len(content), len(content), len(content) // 2])]
        must_be_said(server, method, asked, headers, content)


KINDS = ("application/json", "application/json", "application/msgpack", "application/gzip", "text/html", "x")
SAID = ("*/*", "text/event-stream", "application/msgpack", "bytes=9-1", "bytes=-", "bytes=0-", "x-9", "0", "\xe9")


def a_name(chance: random.Random) -> str:
    if chance.random() < 0.8:
        return chance.choice(NAMES)
    return "".join(chr(chance.choice([chance.randrange(0xD800), chance.randrange(128)])) for _ in range(9))


def a_value(chance: random.Random, depth: int = 3) -> Any:
    match chance.randrange(9 if depth else 6):
        case 0:
            return None
        case 1:
            return chance.random() < 0.5
        case 2:
            return chance.choice([0, -1, 1, 2**31, 2**63 - 1, 1.5, 1e308, -0.0])
        case 3 | 4 | 5:
            return a_name(chance)
        case 6:
            return [a_value(chance, depth - 1) for _ in range(chance.randrange(4))]
        case _:
            return {a_name(chance): a_value(chance, depth - 1) for _ in range(chance.randrange(4))}


def escaped(text: str, safe: str = "") -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=safe)


def must_be_said(server: Served, method: str, path: str, headers: dict[str, str], content: bytes) -> None:
    said = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    with server.http.stream(method, path, headers=said, content=content) as answer:
        context = f"{method} {path} {headers} {content[:200]!r}"
        unbuilt = answer.status_code == 503 and path.startswith("/console")
        assert answer.status_code < 500 or unbuilt, f"{context}: {answer.status_code} {answer.read()!r}"
        streams = answer.headers.get("content-type", "").startswith("text/event-stream")
        if answer.status_code >= 400 and not streams and not unbuilt:
            text = answer.read().decode()
            kind = answer.headers.get("content-type", "")
            assert kind.startswith(("application/problem+json", "text/plain", "application/json")) or not text, context
            assert "Traceback" not in text, context


@pytest.mark.parametrize(
    "path",
    [
        "/uploads/../../../../escaped",
        "/uploads/a/b/c/..%2f..%2f..%2fescaped",
        "/uploads/..%2f..%2f..%2f/b/c/escaped",
        "/uploads/%2e%2e/%2e%2e/%2e%2e/escaped",
        "/uploads/a/b/c/%00",
        "/uploads/a/b/c/" + "x" * 300,
        "/uploads/a/b/c/.",
        "/api/v1/blobs/..%2f..%2fescaped",
        "/downloads/files/..%2f..%2fescaped",
        "/downloads/files//etc/passwd",
    ],
)
def test_no_path_leads_out(server: Served, path: str) -> None:
    before = server.tree()
    for method in ("PUT", "GET"):
        url = httpx.URL(server.server.url).copy_with(raw_path=path.encode())
        answer = server.http.request(method, url, content=b"x" if method == "PUT" else None)
        assert 400 <= answer.status_code < 500, answer.text
    assert server.tree() - before <= {"uploads"}


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-md5": b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()}, 400),
        ({"content-md5": "!!!"}, 400),
        ({"content-length": "-5"}, 400),
        ({"content-length": "12, 13"}, 400),
        ({"content-length": "99999999999999999999"}, 400),
        ({"transfer-encoding": "gzip, identity"}, 501),
    ],
)
def test_an_upload_that_is_not_what_it_says_leaves_nothing(server: Served, headers: dict[str, str], code: int) -> None:
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    length = "" if {"content-length", "transfer-encoding"} & set(headers) else "content-length: 4\r\n"
    head = f"PUT /uploads/p/d/r/refused HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{said}{length}\r\n"
    answer = told(server, f"{head}body".encode())
    assert answer.startswith(f"HTTP/1.1 {code} ".encode()) or (code == 501 and answer.startswith(b"HTTP/1.1 4")), answer
    uploads = server.server.config.home / "uploads"
    assert not [path for path in uploads.rglob("*") if path.name == "refused" or path.name.endswith(".part")]


def told(server: Served, said: bytes) -> bytes:
    """What the port answers until it hangs up."""
    with socket.create_connection(("127.0.0.1", server.server.port), timeout=60) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        heard = b""
        try:
            while chunk := connection.recv(65536):
                heard += chunk
        except ConnectionResetError:
            return heard
    return heard


preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113, section 4.1."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A field of HPACK that is in no table: RFC 7541, section 6.2.2."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


CALL = (
    preface
    + frame(4, 0, 0, b"")
    + frame(
        1,
        4,
        1,
        literal(b":method", b"POST")
        + literal(b":scheme", b"http")
        + literal(b":path", b"/flyteidl.service.AdminService/GetVersion")
        + literal(b":authority", b"localhost")
        + literal(b"content-type", b"application/grpc")
        + literal(b"te", b"trailers"),
    )
    + frame(0, 1, 1, b"\0\0\0\0\0")
)
REQUEST = (
    b"POST /api/v1/runs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
)


def test_the_call_that_is_mutated_is_one(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.server.port), timeout=60) as connection:
        connection.sendall(CALL)
        heard = b""
        while b"v1.16" not in heard:
            more = connection.recv(65536)
            assert more, heard
            heard += more
    assert told(server, REQUEST).startswith(b"HTTP/1.1 400 ")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    said = bytearray(draw(st.sampled_from([CALL, REQUEST])))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(said) - 1, 0)))
        match draw(st.integers(0, 3)):
            case 0:
                said[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del said[at:]
            case 2:
                said[at:at] = draw(st.binary(max_size=30))
            case _:
                said[at:at] = frame(*draw(st.tuples(*[st.integers(0, 255)] * 3)), draw(st.binary(max_size=40)))
    return bytes(said)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(said=st.one_of(mutated(), st.binary(max_size=200), st.binary(max_size=60).map(lambda rest: preface + rest)))
def test_whatever_comes_on_the_port_it_lives(server: Served, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.server.port), timeout=60) as connection:
        connection.sendall(said)
    assert server.http.get("/healthz").text == "ok\n"
