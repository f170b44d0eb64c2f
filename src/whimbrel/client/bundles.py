"""The code of a project as an archive that a server runs it from: which files, in a form that is the same everywhere.

``auto`` takes the modules of the program and every module of the project that they import, wherever in their files the
import stands; what is imported by a computed name, and files that are read, it cannot know: that is what ``all`` is
for, which takes every file below the root that git would not ignore. ``none`` says that the code is installed where
tasks run.

Equal sources make equal archives: names are sorted, and times, owners and modes are left out.

Knows: Python's import system as files, tar. Must not know: servers.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msgspec import Struct

from whimbrel.errors import InputInvalid

Copy: TypeAlias = Literal["auto", "all", "none"]
"""Which files go along."""
COPIES: tuple[Copy, ...] = ("auto", "all", "none")

LIMIT = 100 * 1024 * 1024
"""Bytes of sources, unpacked. More than this is data, which belongs into the inputs of a run."""

_NEVER = frozenset(
    {
        *(".git", ".hg", ".svn", "__pycache__", "node_modules", ".whimbrel", ".venv", "venv", ".tox", ".nox", ".eggs"),
        *(".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".ipynb_checkpoints", ".idea", ".vscode"),
    }
)
"""Directories that are no sources, whether git is told so or not."""
_NEVER_SUFFIXES = (".pyc", ".pyo", ".swp")
_GITIGNORE = ".gitignore"
_TOLD = 5
"""Files that a message about too many bytes names."""


_parsing = threading.Lock()
"""Parsers of Python 3.11 and 3.12 share a counter: two threads at once raise SystemError (gh-106905)."""


class Bundle(Struct, frozen=True):
    """An archive. ``digest`` is the SHA-256 of ``data``, ``content`` that of the files themselves: it does not change
    with the packer. ``files`` are relative to ``root``, with slashes. An empty ``digest`` is no archive at all."""

    root: str = ""
    files: tuple[str, ...] = ()
    data: bytes = b""
    digest: str = ""
    content: str = ""


def make_bundle(
    root: str | Path,
    modules: Iterable[str],
    copy: Copy = "auto",
    *,
    paths: Iterable[str] = (),
    more: Iterable[str] = (),
) -> Bundle:
    """The bundle of the project at ``root`` for ``modules`` (dotted names), which are looked for in ``root`` and in
    the directories ``paths`` below it. ``more`` are files that go along with ``auto`` in any case.

    Raises ``InputInvalid``: a root without any of them, files that cannot be read, more than ``LIMIT`` bytes.
    """
    if copy not in COPIES:
        raise InputInvalid(f"copy is {copy!r}; it is one of {', '.join(COPIES)}.")
    if copy == "none":
        return Bundle()
    base = Path(root).resolve()
    if copy == "auto":
        places = [base, *(base / path for path in paths if path not in ("", "."))]
        found = sorted(imported_files(base, modules, places) | {file for file in more if (base / file).is_file()})
    else:
        found = sorted(all_files(base))
    if not found:
        raise InputInvalid(f"there is nothing to bundle below {str(base)!r}. Name a file of the project.")
    _must_fit(base, found)
    return _packed(base, found)


# --- which files -----------------------------------------------------------------------------------------------------


def imported_files(root: Path, modules: Iterable[str], places: Iterable[Path] = ()) -> set[str]:
    """The files of ``modules`` and of all that they import from below ``root``, relative to it. ``places`` are the
    directories of Python's path, ``root`` if there are none."""
    path = list(places) or [root]
    found: dict[str, None] = {}
    waiting = [module for module in modules if module]
    seen: set[str] = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        parent = module.rpartition(".")[0]
        if parent:
            waiting.append(parent)
        file = next((there for place in path if (there := _file_of(place, module)) is not None), None)
        if file is None:
            continue
        found[file.relative_to(root).as_posix()] = None
        waiting += _imports(file, module)
    return set(found)


def _file_of(root: Path, module: str) -> Path | None:
    path = root.joinpath(*module.split("."))
    package, plain = path / "__init__.py", path.with_name(path.name + ".py")
    return package if package.is_file() else plain if plain.is_file() else None


def _imports(file: Path, module: str) -> list[str]:
    """The modules that a file may import: a name behind ``from`` may be one, or may not."""
    try:
        with _parsing:
            parsed = ast.parse(file.read_bytes(), str(file))
    except (OSError, SyntaxError, ValueError) as error:
        raise InputInvalid(f"{str(file)!r} is imported by the program and cannot be read: {error}. Mend it.") from None
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    found: list[str] = []
    for node in ast.walk(parsed):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            if source is not None:
                found.append(source)
                found += [f"{source}.{alias.name}" if source else alias.name for alias in node.names]
    return [name for name in found if name]


def _absolute(node: ast.ImportFrom, package: str) -> str | None:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    if node.level - 1 > len(parts):
        return None
    kept = parts[: len(parts) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def all_files(root: Path) -> Iterator[str]:
    """Every file below ``root`` that is a source: no link, nothing that git ignores."""
    ignored = _Ignored(root)
    for directory, directories, names in os.walk(root):
        here = Path(directory)
        ignored.enter(here, names)
        directories[:] = sorted(
            name
            for name in directories
            if name not in _NEVER
            and not (here / name).is_symlink()
            and not (here / name / "pyvenv.cfg").is_file()
            and not ignored.takes(here / name, directory=True)
        )
        for name in sorted(names):
            path = here / name
            plain = path.is_file() and not path.is_symlink()
            if plain and not name.endswith(_NEVER_SUFFIXES) and not ignored.takes(path):
                yield path.relative_to(root).as_posix()


class _Ignored:
    """What the ``.gitignore`` files of a project say."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._specs: dict[Path, Any] = {}

    def enter(self, directory: Path, names: list[str]) -> None:
        """A directory is looked at: its own file holds from here on."""
        if _GITIGNORE in names:
            lines = (directory / _GITIGNORE).read_text(encoding="utf-8", errors="replace").splitlines()
            self._specs[directory] = _patterns().GitIgnoreSpec.from_lines(lines)

    def takes(self, path: Path, *, directory: bool = False) -> bool:
        """Whether it is ignored; the file nearest to it has the last word."""
        for above in path.parents:
            spec = self._specs.get(above)
            if spec is not None:
                said = spec.check_file(path.relative_to(above).as_posix() + ("/" if directory else "")).include
                if said is not None:
                    return bool(said)
            if above == self._root:
                break
        return False


def _patterns() -> Any:
    try:
        import pathspec  # only for those who copy all
    except ModuleNotFoundError:
        raise InputInvalid("reading .gitignore needs pathspec: pip install 'whimbrel[client]'.") from None
    return pathspec


def _must_fit(root: Path, files: list[str]) -> None:
    sizes = {name: (root / name).stat().st_size for name in files}
    if (total := sum(sizes.values())) > LIMIT:
        largest = sorted(sizes, key=lambda name: -sizes[name])[:_TOLD]
        told = ", ".join(f"{name} ({sizes[name] // 1024**2} MiB)" for name in largest)
        raise InputInvalid(
            f"the sources below {str(root)!r} are {total // 1024**2} MiB, and {LIMIT // 1024**2} may be sent. The "
            f"largest: {told}. Put what is no source into .gitignore, or copy auto."
        )


# --- the archive -----------------------------------------------------------------------------------------------------


def _packed(root: Path, files: list[str]) -> Bundle:
    taken = hashlib.sha256()
    buffer = io.BytesIO()
    # The name and time in the header of a gzip file are of no use and would be part of the digest.
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name in files:
                try:
                    data = (root / name).read_bytes()
                except OSError as error:
                    raise InputInvalid(f"{str(root / name)!r} cannot be read: {error.strerror or error}.") from None
                taken.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
                taken.update(data)
                member = tarfile.TarInfo(name)
                member.size, member.mode = len(data), 0o644
                archive.addfile(member, io.BytesIO(data))
    data = buffer.getvalue()
    return Bundle(str(root), tuple(files), data, hashlib.sha256(data).hexdigest(), taken.hexdigest())
