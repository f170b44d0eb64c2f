"""Servers that want to know who asks, and people who log in without a browser."""

from __future__ import annotations

import html
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

WHIMBREL = str(Path(sys.executable).with_name("whimbrel"))
PASSWORD = "correct horse battery staple"
LIMIT = 60.0


class Site(NamedTuple):
    """A server, its home, and the secret of the client ``ci``."""

    url: str
    home: Path
    log: Path
    secret: str

    @property
    def address(self) -> str:
        """Host and port."""
        return self.url.partition("//")[2]


def auth(home: Path, *command: str, said: str = "") -> str:
    """What `whimbrel auth` prints."""
    done = subprocess.run(
        [WHIMBREL, "auth", *command, "--home", str(home)], input=said, capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def running(directory: Path, *options: str, accounts: bool = True) -> Iterator[Site]:
    """``whimbrel up`` with ``options``; a client ``ci`` that is a runner, and ``ada``, who administers."""
    home, log = directory / "home", directory / "log"
    secret = ""
    if accounts:
        secret = auth(home, "client", "create", "ci", "--role", "runner")
        auth(home, "user", "create", "ada", "--role", "admin", said=PASSWORD + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("WHIMBREL_", "FLYTE_"))}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [WHIMBREL, "up", "--home", str(home), "--port", "0", "--log-level", "debug", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "ready at" in line, log.read_text()
            yield Site(line.split()[-1], home, log, secret)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT)
            if process.stdout is not None:
                process.stdout.close()


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def log_in(browser: httpx.Client, url: str, *, answer: str = "yes", password: str = PASSWORD) -> httpx.Response:
    """What the server answers to the form at ``url``, filled in by ada."""
    page = browser.get(url)
    assert page.status_code == 200, page.text
    said = {**fields(page.text), "username": "ada", "password": password, "answer": answer}
    return browser.post(url.partition("?")[0], data=said, headers={"origin": url.partition("/oauth2")[0]})


if __name__ == "__main__":
    # As $BROWSER: opens an address, logs in, and goes where that leads.
    ca = os.environ.get("TESTS_CA")
    with httpx.Client(verify=ca or True, timeout=LIMIT) as client:
        answered = log_in(client, sys.argv[1])
        assert answered.status_code == 303, answered.text
        client.get(answered.headers["location"])
