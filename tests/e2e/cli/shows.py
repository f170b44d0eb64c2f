"""Tasks that show, tell and keep secrets, for test_shows.py."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

from whimbrel import Deck, Html, Secret, current_context, eager, progress, task, track, workflow

EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
NEEDS = [Secret("db", "password"), Secret("api", "token", env_var="API_TOKEN")]


@task(enable_deck=True)
def report(text: str) -> dict[str, int]:
    Deck("Mine", Html(f"<h1>Report</h1>{EVIL}"))
    Deck("Escaped", text)
    print("printed", text)
    logging.getLogger("lib").warning("logged %s", text)
    return {"zero": 0}


@task
def plain(x: int) -> int:
    return x


@task
def fails(x: int) -> int:
    raise ValueError(EVIL)


@eager
async def many(text: str = EVIL) -> int:
    await report(text=text)
    await asyncio.gather(*(plain(x=n) for n in range(3)))
    try:
        await fails(x=0)
    except ValueError:
        Deck("Body", Html("<b>body</b>"))
    return 0


def note() -> Path:
    return Path(os.environ["FLOW_NOTES"]) / "begun"


@task(enable_deck=True, retries=0)
def ends_badly(how: str) -> int:
    Deck("Before", Html("<b>published before the end</b>"))
    Deck.publish()
    progress(3, 10, "so far")
    if how == "exit":
        os._exit(3)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    note().write_text("")
    while True:
        time.sleep(0.01)


@task(enable_deck=True, timeout=1)
def too_long() -> int:
    Deck("Before", Html("<b>published before the end</b>"))
    Deck.publish()
    while True:
        time.sleep(0.01)


@task(secret_requests=NEEDS, enable_deck=True)
def secretive(how: str) -> int:
    secrets = current_context().secrets
    password = secrets.db.password
    assert os.environ["API_TOKEN"] == secrets.get("api", "token")
    assert "_FSEC_NOT_DECLARED" not in os.environ
    print("password", password)
    print(password, file=sys.stderr)
    os.system(f"echo child {password}; echo child {secrets.api.token} >&2")
    current_context().logging.info("logged %s", password)
    Deck("Mine", Html(password * 2000))
    Deck("Escaped", {"password": password})
    Deck.publish()
    progress(1, 2, password)
    if how == "fail":
        raise ValueError(f"cannot log in with {password}", {"password": password})
    if how == "crash":
        sys.stderr.write(f"last words {password}")
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "leak":
        return int(password)
    return 0


@eager(secret_requests=NEEDS)
async def secretive_body(how: str) -> int:
    password = current_context().secrets.db.password
    print("body", password)
    Deck("Body", Html(password))
    await plain(x=1)
    if how == "fail":
        raise ValueError(password)
    return await secretive(how=how)


@workflow
def secretive_flow(how: str) -> int:
    return secretive(how=how)


@task
def ordered() -> int:
    log = logging.getLogger("lib")
    for n in range(30):
        print(f"{n} out")
        print(f"{n} err", file=sys.stderr)
        log.warning("%d log", n)
    return 0


@task
def chatty(lines: int) -> int:
    for n in range(lines):
        print(f"line {n} of a task that says far too much for its own good")
    return 0


@task
def garbage() -> int:
    sys.stdout.buffer.write(bytes(range(256)) * 4 + b"\n")
    sys.stdout.write("\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m\n")
    sys.stdout.write("x" * 3_000_000 + "\n")
    for percent in range(1000):
        sys.stderr.write(f"\r{percent / 10:5.1f}% done")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return 0


@task
def steps(count: int) -> int:
    return sum(1 for _ in track(range(count), message="rows"))
