"""Everything in some packages as the messages that Flyte registers: ``pyflyte package``, ``flytekit.tools.repo``.

Knows: how modules and entities are found, whimbrel's encoder (extra ``flyte``). Must not know: servers.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from flytekit.configuration import SerializationSettings, TaskConfig
from whimbrel.authoring.checking import module_entities
from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.authoring.entity import Entity
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.graph.digest import program_digest


def modules_of(names: Sequence[str], source: Path) -> Iterator[Any]:
    """The modules of the packages; without any, those of ``source``."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    if not names:
        names = [found.name for found in pkgutil.iter_modules([root])]
    for name in names:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            raise EntityNotFound(
                f"there is no package {name!r} under {root}; name it with -k, its root with -s"
            ) from None
        yield module
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."):
            yield importlib.import_module(found.name)


def messages_of(
    packages: Sequence[str], source: Path, images: Mapping[str, str], version: str, project: str = "", domain: str = ""
) -> list[Any]:
    """Everything that is registered of the packages. Raises ``CompileError``, ``EntityNotFound``, ``InputInvalid``."""
    # Only here: they need the extra ``flyte``.
    try:
        ids = importlib.import_module("whimbrel.wire.flyte.ids")
        encoding = importlib.import_module("whimbrel.wire.flyte.program")
    except ModuleNotFoundError as error:
        raise InputInvalid(f"compiled output needs {error.name}: pip install 'whimbrel[flyte]'") from None
    entities: dict[str, Entity[..., Any]] = {}
    for module in modules_of(packages, source):
        entities |= {entity.name: entity for entity in module_entities(module).values()}
    if not entities:
        raise EntityNotFound("there is nothing to serialize: no task or workflow in these packages")
    program = whole_program(list(entities.values()))
    named = dict(images)
    place = TaskConfig.auto()
    registration = ids.Registration(
        project or place.project,
        domain or place.domain,
        version or program_digest(program)[:16],
        image=named.pop("default", "whimbrel:latest"),
        images=named,
    )
    found: list[Any] = encoding.encode_program(program, declarations(list(entities.values()), program), registration)
    return found


def write_messages(found: Sequence[Any], directory: Path) -> list[Path]:
    """A file for each, in the order in which they are registered; their paths."""
    output = importlib.import_module("whimbrel.cli.flyte_output")
    written: list[Path] = output.write_files(list(found), directory, json=False)
    return written


def write_archive(found: Sequence[Any], output: Path) -> None:
    """An archive of them."""
    with tempfile.TemporaryDirectory() as directory, tarfile.open(output, "w:gz") as archive:
        for path in write_messages(found, Path(directory)):
            data = path.read_bytes()
            member = tarfile.TarInfo(path.name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


# --- by flytekit's names ----------------------------------------------------------------------------------------------


def _by_settings(pkgs: Sequence[str], settings: SerializationSettings, source: str | None) -> list[Any]:
    config = settings.image_config
    images = {image.name: image.full for image in config.images} if config else {}
    if config and config.default_image:
        images["default"] = config.default_image.full
    place = Path(source or settings.source_root or ".")
    return messages_of(pkgs, place, images, settings.version or "", settings.project or "", settings.domain or "")


def serialize_load_only(
    pkgs: Sequence[str], settings: SerializationSettings, local_source_root: str | None = None
) -> None:
    """Import the packages, and compile nothing. Raises ``EntityNotFound``."""
    for _ in modules_of(pkgs, Path(local_source_root or settings.source_root or ".")):
        pass


def serialize_to_folder(
    pkgs: Sequence[str],
    settings: SerializationSettings,
    local_source_root: str | None = None,
    folder: str = ".",
    options: Any = None,
) -> None:
    """Write a file for each task, workflow and launch plan. Raises ``CompileError``, ``EntityNotFound``."""
    write_messages(_by_settings(pkgs, settings, local_source_root), Path(folder))


def serialize_and_package(
    pkgs: Sequence[str],
    settings: SerializationSettings,
    source: str = ".",
    output: str = "./flyte-package.tgz",
    deref_symlinks: bool = False,
    options: Any = None,
    fast_options: Any = None,
) -> None:
    """Write an archive of all tasks, workflows and launch plans. Raises ``CompileError``, ``EntityNotFound``."""
    write_archive(_by_settings(pkgs, settings, source), Path(output))
