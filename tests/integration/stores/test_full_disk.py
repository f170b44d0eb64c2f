"""A disk that takes no more: a limit that the system puts on the size of files stands for it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from whimbrel.stores.home import open_home

# Works until the limit is put on it, meets it in every kind of write, and works on when it is lifted.
PROGRAM = """
import asyncio, resource, sys
from tests.unit.stores.samples import event, key, summary
from whimbrel.errors import StoreFull
from whimbrel.stores.home import open_home

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

async def refused(attempt):
    try:
        await attempt
    except StoreFull as error:
        assert str(error).endswith("Free some space, then resume; nothing finished is lost"), error
        return
    raise AssertionError("it was written")

async def main():
    limit(1000)
    try:
        open_home(sys.argv[1], exclusive=True)
        raise AssertionError("it was made")
    except StoreFull:
        limit(resource.RLIM_INFINITY)
    home = open_home(sys.argv[1], exclusive=True)
    store = home.store
    await store.create(summary("r"), [event(n, worker="w" * 1000) for n in range(1, 200)])
    uri = home.blobs.put("literals/a", b"a" * 100_000)
    limit(50_000)
    for _ in range(3):
        await refused(store.append("r", 1, 200, [event(200, worker="w" * 100_000)]))
        await refused(store.create(summary("s"), [event(1, worker="w" * 100_000)]))
        await refused(store.claim("r", "me"))
        await refused(store.reserve(key(), "me", 2.0, 1.0))
    try:
        home.blobs.put("literals/b", b"b" * 100_000)
    except StoreFull as error:
        print(error)
    assert len(await store.events("r")) == 199
    assert home.blobs.get(uri) == b"a" * 100_000
    limit(resource.RLIM_INFINITY)
    await store.append("r", 1, 200, [event(200)])
    home.blobs.put("literals/b", b"b" * 100_000)
    print(store.check_integrity())
    home.close()

asyncio.run(main())
"""


def test_a_disk_that_is_full_and_then_is_not(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "home")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    told, integrity = run.stdout.splitlines()
    assert told.startswith("blob:literals/b: File too large")
    assert integrity == "[]"
    with open_home(tmp_path / "home", exclusive=True) as home:
        assert len(asyncio.run(home.store.events("r"))) == 200
        assert home.blobs.get("blob:literals/b") == b"b" * 100_000
