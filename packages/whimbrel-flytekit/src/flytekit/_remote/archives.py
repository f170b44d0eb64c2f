"""The code of a project as an archive, by flytekit's names: ``flytekit.tools.fast_registration``.

Knows: whimbrel's bundles. Must not know: servers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whimbrel.client.bundles import Bundle, Copy, all_files, make_bundle
from whimbrel.errors import InputInvalid


@dataclass(frozen=True)
class FastPackageOptions:
    """Which files go along. What git ignores never does; ``ignores`` of one's own are not called."""

    ignores: list[Any] = field(default_factory=list)
    keep_default_ignores: bool = True
    copy_style: Any = None
    show_files: bool = False


def copy_of(style: Any, otherwise: Copy) -> Copy:
    """flytekit's ``CopyFileDetection``, its text, or ``None``, as ours. Raises ``InputInvalid``."""
    text = str(getattr(style, "name", style) or otherwise).lower()
    known: dict[str, Copy] = {"all": "all", "auto": "auto", "loaded_modules": "auto", "none": "none", "no_copy": "none"}
    if text not in known:
        raise InputInvalid(f"copy_style is {style!r}; it is one of all, auto, none.")
    return known[text]


def bundled(root: str | os.PathLike[str], options: FastPackageOptions | None) -> Bundle:
    """The bundle of everything below ``root``."""
    made = make_bundle(Path(root), (), "all")
    if options is not None and options.show_files:
        print_ls_tree(root, made.files)
    return made


def fast_package(
    source: str | os.PathLike[str],
    output_dir: str | os.PathLike[str],
    deref_symlinks: bool = False,
    options: FastPackageOptions | None = None,
) -> Path:
    """Everything below ``source`` as an archive in ``output_dir``; its path. Links are left out.

    Raises ``InputInvalid``.
    """
    made = bundled(source, options)
    path = Path(output_dir) / f"fast{made.digest[:32]}.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(made.data)
    return path


def compute_digest(
    source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], filter: Callable[[str], bool] | None = None
) -> str:
    """The MD5 of files, their names and what is in them: of all below a directory, or of those that are listed.
    ``filter`` says which names are left out."""
    if isinstance(source, str | os.PathLike):
        root = Path(source)
        files = sorted((name, root / name) for name in all_files(root))
    else:
        files = sorted((str(path), Path(path)) for path in source)
    digest = hashlib.md5(usedforsecurity=False)
    for name, path in files:
        if filter is None or not filter(name):
            digest.update(name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def get_additional_distribution_loc(remote_location: str, identifier: str) -> str:
    """Where the archive ``identifier`` is, below ``remote_location``."""
    return f"{remote_location.rstrip('/')}/{identifier}.tar.gz"


def print_ls_tree(source: str | os.PathLike[str], ls: Iterable[str]) -> None:
    """Print the names of files, a line each."""
    print(f"files below {source}:")
    for name in sorted(ls):
        print(f"  {name}")
