"""Whatever an archive says: it is refused, or what it brings is inside its directory. Nothing else is touched."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.errors import InputInvalid, TooLarge, UserError
from whimbrel.stores.bundles import Bundles
from whimbrel.stores.unpacking import Limits

SMALL = Limits(archive=64 * 1024, unpacked=256 * 1024, members=40)
PARTS = st.sampled_from(["a", "b", "c.py", "..", ".", "", "x" * 300, "back\\slash", "C:", "ü", "nul\0", "a/../.."])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join) | st.sampled_from(
    ["/etc/passwd", "../outside", "a/../../outside", "//a", "./a", "link/inside", "link/../../outside"]
)
KINDS = st.sampled_from(
    [
        *(tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE),
        *(tarfile.FIFOTYPE, tarfile.CONTTYPE, b"?", tarfile.GNUTYPE_SPARSE),
    ]
)
TARGETS = NAMES | st.sampled_from(["..", "../..", "/", ".", "a", "b", "link", "../coming"])


MEMBERS = st.lists(st.tuples(NAMES, KINDS, TARGETS, st.binary(max_size=600)), max_size=8)


def archive(members: list[tuple[str, bytes, str, bytes]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name, kind, target, data in members:
            info = tarfile.TarInfo(name.replace("\0", "\ufffd"))
            info.type, info.linkname = kind, target.replace("\0", "")
            info.size = len(data) if kind in (tarfile.REGTYPE, tarfile.CONTTYPE) else 0
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@contextmanager
def place() -> Iterator[tuple[Path, Bundles]]:
    """A directory with a file beside the bundles that nobody may touch."""
    with tempfile.TemporaryDirectory() as directory:
        outer = Path(directory)
        (outer / "outside").write_text("mine")
        yield outer, Bundles(outer / "home" / "bundles", SMALL)


def send(bundles: Bundles, data: bytes, digest: str = "") -> bool:
    coming = bundles.coming()
    try:
        for start in range(0, len(data), 4096):
            coming.write(data[start : start + 4096])
        return coming.finish(digest or hashlib.sha256(data).hexdigest())
    finally:
        coming.close()


def check(outer: Path, bundles: Bundles, data: bytes) -> bool:
    """Send it, and see that the world is as it should be. Whether it was taken."""
    digest = hashlib.sha256(data).hexdigest()
    try:
        send(bundles, data)
        taken = True
    except UserError:
        taken = False
    assert {entry.name for entry in outer.iterdir()} == {"outside", "home"}
    assert (outer / "outside").read_text() == "mine"
    assert [entry.name for entry in (outer / "home").iterdir()] == ["bundles"]
    assert {entry.name for entry in (outer / "home" / "bundles").iterdir()} <= {".coming", digest}
    assert list((outer / "home" / "bundles" / ".coming").iterdir()) == []
    assert bundles.holds(digest) is taken
    if taken:
        root = os.path.realpath(outer / "home" / "bundles" / digest)
        for folder, directories, files in os.walk(root):
            for name in directories + files:
                whole = os.path.join(folder, name)
                assert os.path.realpath(whole, strict=True).startswith(root)
                assert os.path.isfile(whole) or os.path.isdir(whole)
    return taken


@given(MEMBERS)
def test_nothing_leaves_its_directory(members: list[tuple[str, bytes, str, bytes]]) -> None:
    with place() as (outer, bundles):
        check(outer, bundles, archive(members))


@given(MEMBERS, st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_damage_is_refused_or_harmless(
    members: list[tuple[str, bytes, str, bytes]], damage: list[tuple[int, int]], inside: bool
) -> None:
    """Bits flipped in the headers, or in what gzip made of them."""
    data = archive([("a.py", tarfile.REGTYPE, "", b"x" * 300), *members])
    body = bytearray(gzip.decompress(data) if inside else data)
    for at, value in damage:
        body[at % len(body)] = value
    with place() as (outer, bundles):
        check(outer, bundles, gzip.compress(bytes(body)) if inside else bytes(body))


@given(st.binary(max_size=2_000))
def test_noise_is_refused(data: bytes) -> None:
    with place() as (outer, bundles):
        check(outer, bundles, data)


def test_code_is_taken_as_it_is_and_once() -> None:
    data = archive(
        [
            ("./pkg", tarfile.DIRTYPE, "", b""),
            ("./pkg/flow.py", tarfile.REGTYPE, "", b"print(1)\n"),
            ("pkg/again.py", tarfile.LNKTYPE, "pkg/flow.py", b""),
            ("latest", tarfile.SYMTYPE, "pkg/flow.py", b""),
            ("deep/down/link", tarfile.SYMTYPE, "../../pkg", b""),
        ]
    )
    digest = hashlib.sha256(data).hexdigest()
    with place() as (outer, bundles):
        assert send(bundles, data)
        assert not send(bundles, data)
        root = Path(bundles.root_of(f"bundle:{digest}"))
        assert (root / "latest").read_text() == (root / "pkg" / "again.py").read_text() == "print(1)\n"
        assert (root / "deep" / "down" / "link" / "flow.py").is_file()
        assert (root / "pkg" / "flow.py").stat().st_mode & 0o222 == 0
        assert bundles.root_of(f"bundle:{digest}/pkg") == str(root / "pkg")
        assert bundles.reference_of(str(root / "pkg")) == f"bundle:{digest}/pkg"
        assert bundles.reference_of(str(outer)) == str(outer)
        said = f'File "{root}/pkg/flow.py", line 1, called from "{outer}/flow.py"'
        assert bundles.without_place(said) == f'File "pkg/flow.py", line 1, called from "{outer}/flow.py"'
        assert bundles.text(digest, "/somewhere/project/pkg/flow.py") == "print(1)\n"
        assert bundles.text(digest, "/somewhere/nothing.py") is None
        assert bundles.text(digest, "../../../outside") is None
        with pytest.raises(InputInvalid):
            bundles.root_of(f"bundle:{digest}/../..")


def _file(name: str, size: int, data: bytes = b"") -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf() + data


BOMBS = {
    "zeros": lambda: gzip.compress(_file("a", 2**22, bytes(2**22))),
    "a file that says more than it has": lambda: gzip.compress(_file("a", 2**40)),
    "many files": lambda: archive([(f"f{n}", tarfile.REGTYPE, "", b"") for n in range(41)]),
    "many directories": lambda: archive([("/".join("d" * 500), tarfile.DIRTYPE, "", b"")]),
    "a header without end": lambda: gzip.compress(
        tarfile.TarInfo("x").create_pax_global_header({"path": "y" * 2**22}) + _file("a", 0)
    ),
    "more than is taken": lambda: archive([("a", tarfile.REGTYPE, "", os.urandom(80 * 1024))]),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_refused_while_they_are_small(bomb: str) -> None:
    with place() as (outer, bundles):
        assert not check(outer, bundles, BOMBS[bomb]())


CHEATS = {
    "a device": [("dev", tarfile.CHRTYPE, "", b"")],
    "a pipe": [("pipe", tarfile.FIFOTYPE, "", b"")],
    "a link out": [("out", tarfile.SYMTYPE, "../../../outside", b"")],
    "a link out by another": [
        ("down/x", tarfile.REGTYPE, "", b""),
        ("hop", tarfile.SYMTYPE, "down", b""),
        ("out", tarfile.SYMTYPE, "hop/../../../../outside", b""),
    ],
    "a link to itself": [("loop", tarfile.SYMTYPE, "loop", b"")],
    "a link to the root": [("root", tarfile.SYMTYPE, "/etc", b"")],
    "a file through a link": [("hop", tarfile.SYMTYPE, "..", b""), ("hop/x", tarfile.REGTYPE, "", b"x")],
    "a second name of what is outside": [("x", tarfile.LNKTYPE, "../../outside", b"")],
    "a second name of a link": [("l", tarfile.SYMTYPE, "../..", b""), ("x", tarfile.LNKTYPE, "l", b"")],
    "one name twice": [("x", tarfile.REGTYPE, "", b"1"), ("x", tarfile.REGTYPE, "", b"2")],
    "a file as a directory": [("x", tarfile.REGTYPE, "", b"1"), ("x/y", tarfile.REGTYPE, "", b"2")],
    "up": [("../x", tarfile.REGTYPE, "", b"")],
    "the root": [("/tmp/x", tarfile.REGTYPE, "", b"")],
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_cheats_are_refused(cheat: str) -> None:
    with place() as (outer, bundles):
        assert not check(outer, bundles, archive(CHEATS[cheat]))


def test_another_digest_is_refused() -> None:
    with place() as (_, bundles), pytest.raises(InputInvalid, match="send it again"):
        send(bundles, archive([("a", tarfile.REGTYPE, "", b"")]), "0" * 64)
    with place() as (_, bundles), pytest.raises(InputInvalid, match="no SHA-256"):
        bundles.holds("../../etc")


def test_what_a_killed_process_left_is_swept() -> None:
    with place() as (outer, bundles):
        left = bundles.coming()
        left.write(b"half")
        bundles.sweep()
        assert not (outer / "home" / "bundles" / ".coming").exists()
        left.close()
        with pytest.raises(TooLarge):
            send(bundles, os.urandom(SMALL.archive + 1))
