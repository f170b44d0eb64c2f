"""From entities of this process to what is sent to register them: one closed program, and the bundle of its code.

Roots of code become relative to the bundle, and so do the files that lines name: the same project gives the same
version on every machine. What is installed (in site-packages) stays where it is, and is expected where tasks run.

Knows: entities, bundles, programs as nested structs. Must not know: how anything is sent.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from msgspec import Struct

from whimbrel.authoring.checking import check_module, looked_through, module_entities
from whimbrel.authoring.compiling import union
from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.authoring.entity import Configured, Entity
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.maps import MapTask
from whimbrel.client.bundles import Bundle, Copy, all_files, make_bundle
from whimbrel.errors import CompileError, EntityNotFound, InputInvalid
from whimbrel.model import codec
from whimbrel.model.program import CodeRef, Program, SourceLine
from whimbrel.model.registered import EntityKind
from whimbrel.runtime.loading import load_module, locate
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.program_files import keep_program_files
from whimbrel.wire.rest.registering import Registration

_VERSION_DIGITS = 24
"""Of a version that nobody chose: 96 bits."""


class Prepared(Struct, frozen=True):
    """What is to be registered. The version is that of ``registration``."""

    registration: Registration
    bundle: Bundle


def entities_in(source: Any) -> list[Entity[..., Any]]:
    """What ``source`` holds: a path to a file or to a directory of them, a dotted module name, a module, an entity, or
    several of these. Raises ``EntityNotFound``, ``InputInvalid``, ``CompileError``, what a module raises."""
    if isinstance(source, Configured):
        return [source.entity]
    entity = looked_through(source)
    if entity is not None:
        return [entity]
    if isinstance(source, ModuleType):
        return _of_module(source)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if path.is_dir() and not (path / "__init__.py").is_file():
            return _of_directory(path)
        location = locate(os.fspath(source))
        return _of_module(load_module(location.module, location.root))
    if isinstance(source, Iterable):
        return [entity for each in source for entity in entities_in(each)]
    raise InputInvalid(f"{source!r} cannot be registered: give a path, a module, a task or a workflow.")


def _of_module(module: ModuleType) -> list[Entity[..., Any]]:
    problems = check_module(module)
    if problems:
        raise CompileError(problems)
    found = module_entities(module)
    if not found:
        raise EntityNotFound(
            f"the module {module.__name__!r} has no task, workflow or eager workflow at its top level. Name another."
        )
    return list(found.values())


def python_files(source: str | os.PathLike[str]) -> list[str]:
    """The modules that are loaded for ``source``: itself, or the files of a directory that is no package."""
    path = Path(source)
    if not path.is_dir() or (path / "__init__.py").is_file():
        return [os.fspath(source)]
    names = [name for name in all_files(path.resolve()) if name.endswith(".py")]
    # What is run as a program, by Python or by pip, is not to be imported.
    return [str(path / name) for name in names if not name.endswith(("__main__.py", "setup.py"))]


def _of_directory(path: Path) -> list[Entity[..., Any]]:
    found: list[Entity[..., Any]] = []
    for file in python_files(path):
        location = locate(file)
        module = load_module(location.module, location.root)
        problems = check_module(module)
        if problems:
            raise CompileError(problems)
        found += module_entities(module).values()
    if not found:
        raise EntityNotFound(f"no file below {str(path)!r} has a task or workflow at its top level. Name another.")
    return list(dict.fromkeys(found))


def launched_as(entity: Entity[..., Any], program: Program) -> tuple[EntityKind, str]:
    """What is launched to run ``entity`` of a registered ``program``: its kind and name there. Eager and dynamic
    workflows are tasks to a registry: they have code, and no graph."""
    if isinstance(entity, LaunchPlan):
        return EntityKind.LAUNCH_PLAN, entity.name
    if isinstance(entity, MapTask):
        return EntityKind.WORKFLOW, entity.entry_name
    return EntityKind.TASK if entity.name in program.tasks else EntityKind.WORKFLOW, entity.name


def prepare(
    entities: Sequence[Entity[..., Any]],
    store: BlobStore,
    *,
    version: str = "",
    copy: Copy = "auto",
    root: str | os.PathLike[str] | None = None,
) -> Prepared:
    """What registers ``entities`` and all that they name. ``root`` is the directory that the bundle is made of, found
    from the program where it is not given; ``store`` takes the local files that the program names.

    Raises ``CompileError``, ``InputInvalid``.
    """
    program = union(
        [whole_program(entities), *(entity.program() for entity in entities if isinstance(entity, MapTask))]
    )
    declared = declarations(entities, program)
    program = keep_program_files(program, store)
    codes = {spec.code.module: spec.code.root for spec in program.tasks.values() if not _is_installed(spec.code.root)}
    base = _base(root, codes.values())
    inside = _Relative(base)
    modules = [module for module, place in codes.items() if place]
    bundle = (
        Bundle()
        if base is None
        else make_bundle(
            base,
            modules,
            copy,
            paths=sorted({inside.path(place) for place in codes.values()}),
            more=_sources(program, base),
        )
    )
    moved: Program = inside.of(program)
    registration = Registration(
        version or _version(bundle, moved, declared),
        bundle.digest,
        f"{sys.version_info.major}.{sys.version_info.minor}",
        moved,
        inside.of(declared),
    )
    return Prepared(registration, bundle)


def _version(bundle: Bundle, program: Program, declared: Any) -> str:
    return codec.digest([bundle.content, codec.digest(program), codec.digest(declared)])[:_VERSION_DIGITS]


def _base(root: str | os.PathLike[str] | None, roots: Iterable[str]) -> Path | None:
    """The directory of the bundle: what all roots of code are below; ``None`` for a program without code."""
    found = sorted({os.path.realpath(place) for place in roots if place})
    if root is not None:
        base = Path(root).resolve()
        outside = [place for place in found if not Path(place).is_relative_to(base)]
        if not base.is_dir() or outside:
            raise InputInvalid(
                f"the root {str(base)!r} "
                + ("is no directory." if not base.is_dir() else f"does not hold {outside[0]!r}.")
            )
        return base
    return Path(os.path.commonpath(found)) if found else None


def _is_installed(root: str) -> bool:
    if not root:
        return True
    places = sysconfig.get_paths()
    return any(Path(root).is_relative_to(places[name]) for name in ("purelib", "platlib", "stdlib"))


def _sources(program: Program, base: Path) -> set[str]:
    """The files in which workflows are written: nothing runs them, and people want to read them."""
    files = {graph.line.file for graph in program.workflows.values() if graph.line is not None}
    return {
        Path(file).resolve().relative_to(base).as_posix()
        for file in files
        if file and Path(file).resolve().is_relative_to(base)
    }


class _Relative:
    """Structs with their paths relative to the root of a bundle."""

    def __init__(self, base: Path | None) -> None:
        self._base = base

    def path(self, place: str) -> str:
        """A directory of code; "" for one that is installed."""
        if self._base is None or _is_installed(place):
            return ""
        return Path(place).resolve().relative_to(self._base).as_posix()

    def of(self, value: Any) -> Any:
        """``value`` itself where nothing changes."""
        if isinstance(value, CodeRef):
            return msgspec.structs.replace(value, root=self.path(value.root))
        if isinstance(value, SourceLine):
            return msgspec.structs.replace(value, file=self._file(value.file))
        if isinstance(value, msgspec.Struct):
            fields = {name: getattr(value, name) for name in value.__struct_fields__}
            made = {name: self.of(field) for name, field in fields.items()}
            changed = {name: field for name, field in made.items() if field is not fields[name]}
            return msgspec.structs.replace(value, **changed) if changed else value
        if isinstance(value, dict):
            entries = {key: self.of(item) for key, item in value.items()}
            return value if all(entries[key] is value[key] for key in value) else entries
        if isinstance(value, tuple):
            items = tuple([self.of(item) for item in value])
            return value if all(one is other for one, other in zip(items, value, strict=True)) else items
        return value

    def _file(self, file: str) -> str:
        if not file or self._base is None or not os.path.isabs(file):
            return file
        path = Path(file).resolve()
        return path.relative_to(self._base).as_posix() if path.is_relative_to(self._base) else file
