"""Values of runs over REST: what pages are told of them, and whose bytes they can have."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whimbrel.model.access import ALL_SCOPES, Place, PrincipalKind, Role
from whimbrel.model.events import RunRequested
from whimbrel.model.interface import Interface, Parameter
from whimbrel.model.literal_types import ANY
from whimbrel.model.literals import (
    BlobLiteral,
    DatasetLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.model.program import Graph, Program
from whimbrel.model.run import Phase, RunOptions, RunOrigin, RunSummary
from whimbrel.runtime.values import write_literals
from whimbrel.server.app import Server
from whimbrel.server.auth.accounts import Accounts
from whimbrel.server.auth.tokens import Login, Tokens, new_family
from whimbrel.server.contents import CELL, ROWS
from whimbrel.server.house import Auth, ServerConfig
from whimbrel.server.http.application import application
from whimbrel.server.http.values import ENTRIES, TEXT_PAGE
from whimbrel.server.showing import ITEMS
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.types.blobs import keep_directory, keep_file

RUN = "a-run"
V1 = f"/api/v1/runs/{RUN}"
PLACE = Place("flytesnacks", "development")
Asks = Callable[[httpx.AsyncClient, Server], Awaitable[None]]


def values(tmp_path: Path, inputs: Literals, scenario: Asks, auth: Auth = Auth.OFF) -> None:
    """A server with a run that was given ``inputs`` as they are, whatever they say."""

    async def main() -> None:
        server = Server(ServerConfig(tmp_path / "home", port=0, workers=1, drain=0.0, auth=auth))
        await server.start()
        try:
            home = server.house.home
            graph = Graph("wf", Interface({name: Parameter(ANY) for name in inputs}))
            program = Program(workflows={"wf": graph})
            written = write_literals({}, home.blobs) | inputs
            origin = RunOrigin(project=PLACE.project, domain=PLACE.domain, name=RUN)
            requested = RunRequested(RUN, "wf", program, written, RunOptions(), 1.0)
            await home.store.create(RunSummary(RUN, "wf", Phase.RUNNING, 1.0, origin=origin), [requested])
            transport = httpx.ASGITransport(application(server.house))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
                await scenario(http, server)
        finally:
            await server.stop()

    asyncio.run(main())


async def shown(http: httpx.AsyncClient, name: str) -> Any:
    answer = await http.get(f"{V1}/about")
    assert answer.status_code == 200, answer.text
    return next(each for each in answer.json()["inputs"] if each["name"] == name)


def test_a_long_list_is_read_page_by_page_and_downloaded_whole(tmp_path: Path) -> None:
    items = [IntLiteral(at) for at in range(ITEMS * 2 + 10)]
    fields: dict[str, Literal] = {f"k{at}": IntLiteral(at) for at in range(ITEMS + 1)}
    text = "é" * TEXT_PAGE + "end"
    inputs: Literals = {
        "numbers": ListLiteral(tuple(items)),
        "fields": UnionLiteral(0, MapLiteral({"inner": MapLiteral(fields)})),
        "text": StrLiteral(text),
    }

    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        async def part(name: str, **said: Any) -> Any:
            answer = await http.get(f"{V1}/value", params={"side": "inputs", "name": name, **said})
            assert answer.status_code == 200, answer.text
            return answer.json()

        first = await shown(http, "numbers")
        seen = first["value"]["items"]
        offset: int | None = len(seen)
        while offset is not None:
            page = await part("numbers", offset=offset)
            seen += page["value"]["items"]
            offset = page["next"]
        assert seen == list(range(ITEMS * 2 + 10))
        whole = await http.get(first["link"])
        assert whole.json() == seen
        assert whole.headers["content-disposition"].startswith('attachment; filename="numbers.json"')

        rest = await part("fields", at=json.dumps(["inner"]), offset=ITEMS)
        assert rest == {"value": {"kind": "map", "length": 1, "fields": [[f"k{ITEMS}", ITEMS]]}, "next": None}
        rest = await part("text", offset=TEXT_PAGE)
        assert rest == {"value": "end", "next": None}
        assert (await http.get((await shown(http, "text"))["link"])).text == text
        for said in ({"name": "nothing"}, {"name": "fields", "at": '["x"]'}, {"name": "numbers", "at": "[999]"}):
            assert (await http.get(f"{V1}/value", params={"side": "inputs", **said})).status_code == 404
        for at in ("nonsense", "{}", "[1.5]", "[[]]"):
            params = {"side": "inputs", "name": "text", "at": at}
            assert (await http.get(f"{V1}/value", params=params)).status_code == 400

    values(tmp_path, inputs, scenario)


def outside(home: Path) -> list[str]:
    """Addresses that lead out of what may be read, of things that are there."""
    secret = home.parent / "secret"
    pq.write_table(pa.table({"told": ["told"]}), secret)
    (home / "blobs").mkdir(parents=True, exist_ok=True)
    (home / "uploads").mkdir(parents=True, exist_ok=True)
    (home / "uploads" / "link").symlink_to(secret)
    (home / "uploads" / "way-out").symlink_to(home.parent)
    return [
        f"file://{secret}",
        str(secret),
        "file:///etc/passwd",
        f"file://{home}/uploads/../../secret",
        f"file://{home}/uploads/link",
        f"file://{home}/uploads/way-out/secret",
        f"file://{home}/whimbrel.db",
        f"file://{home}/secrets.key",
        "file://localhost/etc/passwd",
        "blob:../whimbrel.db",
        "blob:../../secret",
        "blob:./../../secret",
        "blob:files/../../whimbrel.db",
        "blob:/etc/passwd",
        "blob:./../whimbrel.db",
        "blob:",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/",
        "s3://bucket/key",
        "etc/passwd",
        "\0",
        "",
    ]


@pytest.mark.parametrize("form", ["file", "directory", "dataset", "csv", "reference"])
def test_no_address_that_a_run_writes_leads_out(tmp_path: Path, form: str) -> None:
    (tmp_path / "home").mkdir()
    forms: dict[str, Callable[[str], Literal]] = {
        "file": lambda uri: BlobLiteral(uri),
        "directory": lambda uri: BlobLiteral(uri, multipart=True),
        "dataset": lambda uri: DatasetLiteral(uri, "parquet"),
        "csv": lambda uri: DatasetLiteral(uri, "csv"),
        "reference": lambda uri: RefLiteral(uri, "d", 5, ()),
    }
    inputs = {f"x{at}": forms[form](uri) for at, uri in enumerate(outside(tmp_path / "home"))}

    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        for each in (await http.get(f"{V1}/about")).json()["inputs"]:
            for entry in ("", "passwd", "../secret", "secret"):
                params = {"side": "inputs", "name": each["name"], "entry": entry}
                for rest in ("/table", "/entries", "/head", ""):
                    answer = await http.get(f"{V1}/value{rest}", params=params)
                    assert answer.status_code in (200, 400, 404), answer.text
                    said = answer.json()
                    if rest == "/table" and answer.status_code == 200:
                        assert (said["rows"], said["columns"]) == ([], [])
                        assert said["remark"]
                    else:
                        assert answer.status_code != 200 or rest == "", (each, rest, answer.text)
                    assert "root:" not in answer.text
                    assert "told" not in answer.text
            answer = await http.get(each["link"])
            assert answer.status_code == 404, (each, answer.text)

    values(tmp_path, inputs, scenario)


def test_a_directory_is_listed_and_links_in_it_do_not_lead_out(tmp_path: Path) -> None:
    tree = tmp_path / "home" / "uploads" / "tree"
    (tree / "inner").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tree / "out").symlink_to(tmp_path / "secret")
    (tree / "inner" / "up").symlink_to(tmp_path)
    (tree / "inner" / "<b>.txt").write_text("text")
    big = tmp_path / "big"
    big.mkdir()
    for at in range(ENTRIES + 5):
        (big / f"{at:04}").write_text(str(at))
    # A list of files that somebody else has written.
    lying = msgspec.json.encode([{"path": path, "uri": uri, "digest": "", "size": 1} for path, uri in LIES])
    inputs: Literals = {"local": BlobLiteral(f"file://{tree}", multipart=True)}

    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        async def entries(name: str, offset: int = 0) -> Any:
            params = {"side": "inputs", "name": name, "offset": offset}
            answer = await http.get(f"{V1}/value/entries", params=params)
            assert answer.status_code == 200, answer.text
            return answer.json()

        found = await entries("local")
        assert [each["path"] for each in found["entries"]] == ["inner/<b>.txt"]
        assert (await http.get(found["entries"][0]["link"])).content == b"text"

    values(tmp_path, inputs, scenario)

    home = tmp_path / "second"

    async def stored(http: httpx.AsyncClient, server: Server) -> None:
        first = (await http.get(f"{V1}/value/entries", params={"side": "inputs", "name": "big"})).json()
        assert (len(first["entries"]), first["count"], first["next"]) == (ENTRIES, ENTRIES + 5, ENTRIES)
        params = {"side": "inputs", "name": "big", "offset": first["next"]}
        rest = (await http.get(f"{V1}/value/entries", params=params)).json()
        assert (len(rest["entries"]), rest["next"]) == (5, None)
        assert (await http.get(rest["entries"][-1]["link"])).text == str(ENTRIES + 4)
        lies = (await http.get(f"{V1}/value/entries", params={"side": "inputs", "name": "lies"})).json()
        for each in lies["entries"]:
            assert (await http.get(each["link"])).status_code == 404, each

    store = ObjectBlobs(home / "home" / "blobs")
    kept: Literals = {
        "big": BlobLiteral(keep_directory(store, str(big)).uri, multipart=True),
        "lies": BlobLiteral(store.put(f"directories/{'0' * 64}/x", lying), multipart=True),
    }
    values(home, kept, stored)


LIES = (
    ("a", "file:///etc/passwd"),
    ("b", "blob:../whimbrel.db"),
    ("c", "http://localhost/"),
    ("../d", "blob:files/../../whimbrel.db"),
)


def test_the_head_of_a_table_is_read(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": list(range(1000)),
            "<img>": [None, *("y" * 10_000 for _ in range(999))],
            **{f"c{at}": [1.5] * 1000 for at in range(100)},
        }
    )
    pq.write_table(table, tmp_path / "data.parquet")
    (tmp_path / "bad.parquet").write_text("no table")
    store = ObjectBlobs(tmp_path / "home" / "blobs")
    kept = keep_file(store, str(tmp_path / "data.parquet"))
    bad = keep_file(store, str(tmp_path / "bad.parquet"))
    inputs: Literals = {
        "good": DatasetLiteral(kept.uri, "parquet"),
        "some": DatasetLiteral(kept.uri, "parquet", ("n",)),
        "file": BlobLiteral(kept.uri),
        "bad": DatasetLiteral(bad.uri, "parquet"),
        "odd": DatasetLiteral(kept.uri, "nonsense"),
        "plain": IntLiteral(1),
    }

    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        async def head(name: str) -> Any:
            answer = await http.get(f"{V1}/value/table", params={"side": "inputs", "name": name})
            assert answer.status_code == 200, answer.text
            return answer.json()

        for name in ("good", "file"):
            found = await head(name)
            assert (found["count"], found["width"], len(found["rows"])) == (1000, 102, ROWS)
            assert found["columns"][:2] == [
                {"name": "n", "type": "int64", "number": True},
                {"name": "<img>", "type": "string", "number": False},
            ]
            assert found["rows"][0][:2] == ["0", None]
            assert len(found["rows"][1][1]) == CELL
        assert (await head("some"))["width"] == 1
        for name in ("bad", "odd"):
            found = await head(name)
            assert found["rows"] == []
            assert found["remark"].startswith("It cannot be read as a table")
        assert (await http.get(f"{V1}/value/table", params={"side": "inputs", "name": "plain"})).status_code == 400

    values(tmp_path, inputs, scenario)


PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


def test_bytes_are_downloads_that_can_do_nothing(tmp_path: Path) -> None:
    store = ObjectBlobs(tmp_path / "home" / "blobs")
    names = {"a.png": PNG, "page.html": b"<script>1</script>", "a.svg": b"<svg/>", "lie.png": b"<html>", "b.gif": PNG}
    inputs: Literals = {}
    for at, (name, data) in enumerate(names.items()):
        inputs[f"x{at}"] = BlobLiteral(store.put(f"files/{at}/{name}", data))
    odd = tmp_path / "home" / "uploads" / 'we"ird\r\nx: y é.txt'
    odd.parent.mkdir()
    odd.write_bytes(b"0123456789")
    inputs["bad"] = BlobLiteral(f"file://{odd}")

    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        kinds = []
        for at in range(len(names)):
            answer = await http.get((await shown(http, f"x{at}"))["link"])
            kinds.append(answer.headers["content-type"])
            assert answer.headers["content-disposition"].startswith("attachment")
            assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
            assert answer.headers["x-content-type-options"] == "nosniff"
        octets = "application/octet-stream"
        assert kinds == ["image/png", octets, "image/svg+xml", octets, "image/png"]
        link = (await shown(http, "bad"))["link"]
        part = await http.get(link, headers={"range": "bytes=2-4"})
        assert (part.status_code, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
        assert part.headers["content-disposition"].startswith('attachment; filename="we_ird__x_ y _.txt"')
        assert (await http.get(link, headers={"range": "bytes=20-"})).status_code == 416
        for key in ("x", "e30", "W10", "a" * 3000, link.rpartition("/")[2][:-4]):
            assert (await http.get(f"/values/{RUN}/{key}")).status_code == 404

    values(tmp_path, inputs, scenario)


def test_who_may_not_read_a_run_reads_none_of_its_values(tmp_path: Path) -> None:
    async def scenario(http: httpx.AsyncClient, server: Server) -> None:
        house = server.house
        accounts = Accounts(house.home.store, house.clock.now)
        tokens = Tokens(house.home.store, accounts, house.clock.now)
        headers = {}
        for name, place in (("reader", PLACE), ("stranger", Place("flytesnacks", "production"))):
            await accounts.grant(f"user:{name}", Role.VIEWER, place)
            issued = await tokens.issue(Login(PrincipalKind.USER, name, "c", (ALL_SCOPES,), new_family()))
            headers[name] = {"authorization": f"Bearer {issued.access}"}
        for rest in ("about", "value", "value/table", "value/entries", "value/head"):
            params = {"side": "inputs", "name": "text"} if rest != "about" else {}
            for who, status in (("stranger", {403}), ("reader", {200, 400})):
                answer = await http.get(f"{V1}/{rest}", params=params, headers=headers[who])
                assert answer.status_code in status, (rest, who, answer.text)
            assert (await http.get(f"{V1}/{rest}", params=params)).status_code == 401
        said = (await http.get(f"{V1}/about", headers=headers["reader"])).json()
        link = said["inputs"][0]["link"]
        # An address carries its permission, for that value alone and for a while.
        assert (await http.get(link)).text == "words"
        bare = link.partition("?")[0]
        assert (await http.get(bare)).status_code == 401
        assert (await http.get(link.replace(RUN, "another"))).status_code == 401
        assert (await http.get(f"{bare[:-2]}AA?{link.partition('?')[2]}")).status_code == 401

    values(tmp_path, {"text": StrLiteral("words")}, scenario, Auth.BUILTIN)
