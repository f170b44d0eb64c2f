"""Addresses under which clients fetch what is here for a while: files that tasks have written, files that were sent,
decks.

Knows: which directories may be read, how addresses are signed. Must not know: gRPC, HTTP frameworks, what is in a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from whimbrel.errors import EntityNotFound, InputInvalid, NotAuthenticated
from whimbrel.model.registered import EntityId
from whimbrel.server.auth.signing import Signed
from whimbrel.server.house import House

FILES = "/downloads/files"
DECKS = "/downloads/decks"
OPEN_TO_READ = ("uploads", "commands/raw", "commands/checkpoints", "blobs")
"""The directories of a home that files are fetched from."""
USUAL, LONGEST = 3600.0, 7 * 24 * 3600.0
"""Seconds that an address is good: where nobody says, and at most."""

Sign = Callable[[str, str, float], str]
"""What follows an address: for a method, a path, and so many seconds."""


class Downloads:
    """See the module. ``url`` says where clients find the server; ``sign`` is there where addresses are signed."""

    def __init__(
        self, home: Path, url: Callable[[], str], sign: Sign | None = None, now: Callable[[], float] = time.time
    ) -> None:
        self._home = home
        self._url = url
        self._sign = sign
        self._now = now

    def file(self, native: str, seconds: float) -> tuple[str, float]:
        """The address of a file that is known by its path, and until when it is good, in seconds since the epoch.
        Raises ``InputInvalid``, ``EntityNotFound``."""
        path = Path(native.removeprefix("file://"))
        if not path.is_absolute() or "\0" in native:
            raise InputInvalid(f"{native!r} is no file of this server; fetch it from where it is.")
        found = self._readable(path)
        parts = found.relative_to(self._home.resolve()).parts
        return self._link(f"{FILES}/{'/'.join(quote(part, safe='') for part in parts)}", seconds)

    def opened(self, relative: str) -> Path:
        """The file at an address. Raises ``EntityNotFound``."""
        return self._readable(self._home / relative)

    def readable(self, native: str) -> Path:
        """The real path of a file or a directory that may be read. Raises ``EntityNotFound``."""
        path = Path(native)
        if not path.is_absolute() or "\0" in native:
            raise EntityNotFound(f"{native[:200]!r} is no file of this server; fetch it from where it is.")
        return self._readable(path, file=False)

    def _readable(self, path: Path, *, file: bool = True) -> Path:
        home = self._home.resolve()
        try:
            found = path.resolve()
            inside = any(found.is_relative_to(home / each) for each in OPEN_TO_READ)
            if inside and (found.is_file() or (not file and found.is_dir())):
                return found
        except (OSError, ValueError):
            pass  # no name that a file can have
        raise EntityNotFound(f"there is no file {path.name!r} here that may be fetched.")

    def deck(self, execution: EntityId, node: str, seconds: float) -> tuple[str, float]:
        """The address of what a node shows, and until when it is good."""
        return self._link(_deck_path(execution, node), seconds)

    def deck_page(self, execution: EntityId, node: str) -> str:
        """Where a node's deck is, for whoever may read it anyway."""
        return f"{self._url()}{_deck_path(execution, node)}"

    def logs_page(self, run: str, path: str) -> str:
        """Where the output of a node is, for whoever may read it anyway."""
        return f"{self._url()}/api/v1/runs/{quote(run, safe='')}/logs?{urlencode({'node': path})}"

    def check(self, query: Mapping[str, str]) -> None:
        """Where addresses are not signed: raises ``NotAuthenticated`` for one whose time is over."""
        said = query.get("expires", "")
        if self._sign is None and said.isdecimal() and int(said[:20]) <= self._now():
            raise NotAuthenticated("this address was good until a moment that has passed; ask for another.")

    def _link(self, path: str, seconds: float) -> tuple[str, float]:
        seconds = min(seconds or USUAL, LONGEST)
        if seconds < 0:
            raise InputInvalid("expires_in is in the past; say how long the address is to be good.")
        until = self._now() + seconds
        query = self._sign("GET", path, seconds) if self._sign is not None else urlencode({"expires": int(until)})
        return f"{self._url()}{path}?{query}", until


def _deck_path(execution: EntityId, node: str) -> str:
    parts = (execution.project, execution.domain, execution.name, node)
    return f"{DECKS}/{'/'.join(quote(part, safe='') for part in parts)}"


def downloads_of(house: House) -> Downloads:
    """The downloads of a server."""
    access = house.access

    def sign(method: str, path: str, seconds: float) -> str:
        assert access is not None
        return access.signer.query(method, path, Signed(), seconds)

    return Downloads(house.home.path.absolute(), house.url, sign if access is not None else None, house.clock.now)
