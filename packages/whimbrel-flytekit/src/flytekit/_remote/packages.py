"""Files, packages and directories as what is registered of them: ``flytekit.tools.repo``.

Knows: how modules and entities are found, ``FlyteRemote``. Must not know: how anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from flytekit._remote.archives import copy_of
from flytekit._remote.identifiers import Identifier, ResourceType
from whimbrel.authoring.checking import module_entities
from whimbrel.authoring.declaring import whole_program
from whimbrel.authoring.entity import Entity
from whimbrel.cli.entities import load_file
from whimbrel.cli.failures import LoadFailed
from whimbrel.errors import EntityNotFound, InputInvalid


class NoSerializableEntitiesError(EntityNotFound):
    """There is no task or workflow in these packages."""


def find_common_root(pkgs_or_mods: Sequence[str]) -> Path:
    """The first directory above all of them that is no package. Raises ``InputInvalid`` when there are several."""
    roots = dict.fromkeys(_root(Path(name)) for name in pkgs_or_mods)
    if len(roots) != 1:
        told = ", ".join(str(root) for root in roots) or "nothing"
        raise InputInvalid(f"these belong to {told}; register one project at a time.")
    return next(iter(roots))


def _root(path: Path) -> Path:
    path = path.resolve()
    if not path.exists():
        raise EntityNotFound(f"there is no file or directory {str(path)!r}; name one that is there.")
    folder = path if path.is_dir() else path.parent
    while (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def list_packages_and_modules(project_root: Path, pkgs_or_mods: Iterable[str]) -> list[str]:
    """Dotted names of what is named, as seen from ``project_root``. Those of a plain directory are its own modules and
    packages."""
    found: dict[str, None] = {}
    for name in pkgs_or_mods:
        path = Path(name).resolve()
        if path.is_dir() and not (path / "__init__.py").is_file():
            parts = [child for child in sorted(path.iterdir()) if _is_source(child)]
        else:
            parts = [path]
        for part in parts:
            dotted = part.relative_to(Path(project_root).resolve()).with_suffix("").parts
            found[".".join(dotted[:-1] if dotted[-1] == "__init__" else dotted)] = None
    return list(found)


def _is_source(path: Path) -> bool:
    if path.is_dir():
        return (path / "__init__.py").is_file() and path.name.isidentifier()
    return path.suffix == ".py" and path.stem.isidentifier() and path.stem not in ("setup", "conftest", "__main__")


def modules_in(root: Path, pkgs_or_mods: Iterable[str], *, skip_errors: bool = False) -> Iterator[ModuleType]:
    """The modules that are named, and all below packages, imported. Raises as ``entities_in``."""
    for name in list_packages_and_modules(root, pkgs_or_mods):
        for path in _with_all_below(root.joinpath(*name.split("."))):
            try:
                yield load_file(str(path))
            except LoadFailed as error:
                if not skip_errors:
                    raise
                click.echo(f"left out {path}: {error}", err=True)


def _with_all_below(path: Path) -> Iterator[Path]:
    if not (path / "__init__.py").is_file():
        yield path.with_suffix(".py")
        return
    yield path
    for child in sorted(path.iterdir()):
        if _is_source(child) and child.name != "__init__.py":
            yield from _with_all_below(child.with_suffix(""))


def entities_of(modules: Iterable[ModuleType]) -> list[Entity[..., Any]]:
    """Everything that they define, each once. Raises ``NoSerializableEntitiesError``."""
    found = {entity.name: entity for module in modules for entity in module_entities(module).values()}
    if not found:
        raise NoSerializableEntitiesError("there is no task or workflow in these packages; name others.")
    return list(found.values())


def print_registration_status(
    i: Identifier,
    success: bool = True,
    activation: bool = False,
    dry_run: bool = False,
    console_url: str | None = None,
    verbosity: int = 0,
) -> None:
    """A line for what became of an entity."""
    kind = i.resource_type_name().replace("_", " ").title()
    mark = "✔" if success else "x"
    said = " (activated)" if activation else " (would be registered)" if dry_run else ""
    where = f" {console_url}" if console_url and verbosity else ""
    click.echo(f"[{mark}] {kind}: {i.name}{said}{where}")


def register(
    project: str | None = None,
    domain: str | None = None,
    image_config: Any = None,
    output: str | None = None,
    destination_dir: str | None = None,
    service_account: str | None = None,
    raw_data_prefix: str | None = None,
    version: str | None = None,
    deref_symlinks: bool = False,
    package_or_module: Sequence[str] = (),
    remote: Any = None,
    copy_style: Any = None,
    env: Mapping[str, str] | None = None,
    default_resources: Any = None,
    dry_run: bool = False,
    activate_launchplans: bool = False,
    skip_errors: bool = False,
    show_files: bool = False,
    verbosity: int = 0,
) -> None:
    """Register everything that files, packages and directories define, under one version, and say what became of it.

    What is said of images, destinations and accounts has no effect. Raises ``NoSerializableEntitiesError``,
    ``CompileError``, and as ``FlyteRemote.register_task``.
    """
    root = find_common_root(package_or_module)
    click.echo(f"Registering against {remote.config.platform.endpoint}")
    click.echo(f"Detected Root {root}, using this to create deployable package...")
    entities = entities_of(modules_in(root, package_or_module, skip_errors=skip_errors))
    if dry_run:
        for id in planned(entities, version or "", *remote.place(project, domain)):
            print_registration_status(id, dry_run=True)
        click.echo("Dry run: nothing was registered")
        return
    found = remote.register_entities(
        entities, version=version, project=project, domain=domain, root=root, copy=copy_of(copy_style, "all")
    )
    for each in found:
        activated = activate_launchplans and each.id.resource_type == ResourceType.LAUNCH_PLAN
        if activated:
            remote.activate_launchplan(each.id)
        print_registration_status(each.id, activation=activated, console_url=each.url, verbosity=verbosity)
        if each.remark:
            click.echo(f"    {each.remark}", err=True)
    version = found[0].id.version if found else version
    click.echo(f"Successfully registered {len(found)} entities, version {version}")


def planned(entities: Sequence[Entity[..., Any]], version: str, project: str, domain: str) -> Iterator[Identifier]:
    """What would be registered of ``entities``. Raises ``CompileError``."""
    program = whole_program(entities)
    kinds = ((ResourceType.TASK, program.tasks), (ResourceType.WORKFLOW, program.workflows))
    for kind, there in (*kinds, (ResourceType.LAUNCH_PLAN, program.launch_plans)):
        for name in there:
            yield Identifier(kind, project, domain, name, version)
