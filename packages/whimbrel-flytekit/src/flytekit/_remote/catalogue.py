"""Registering, and what is registered, by the names of ``FlyteRemote``.

Knows: flytekit's signatures, which of their arguments mean something here. Must not know: executions.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from flytekit._remote.archives import FastPackageOptions, copy_of
from flytekit._remote.connected import Connected
from flytekit._remote.entities import CLASSES, FlyteLaunchPlan, FlyteTask, FlyteWorkflow, LazyEntity
from flytekit._remote.identifiers import (
    Identifier,
    ResourceType,
)
from flytekit._remote.refusals import Refused, in_flytekits_words
from flytekit.configuration import SerializationSettings
from flytekit.exceptions.user import FlyteEntityNotExistException
from whimbrel.authoring.checking import looked_through
from whimbrel.authoring.imperative import ImperativeWorkflow
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.maps import MapTask
from whimbrel.authoring.references import ReferenceLaunchPlan, ReferenceWorkflow
from whimbrel.authoring.registration import Options
from whimbrel.authoring.workflow import Workflow
from whimbrel.client.executions import RemoteEntity
from whimbrel.model.registered import EntityKind
from whimbrel.wire.rest.entities import EntityRow
from whimbrel.wire.rest.registering import Registered

_EVERY = 10_000
"""Entities of a list that has no limit of its own."""


class Project(NamedTuple):
    """A project."""

    id: str
    name: str
    description: str
    domains: list[str]


class RegisteredAs(NamedTuple):
    """What became of an entity that was registered."""

    id: Identifier
    created: bool
    url: str
    remark: str


class Catalogue(Connected):
    """See the module."""

    # --- registering -------------------------------------------------------------------------------------------------

    def register_entities(
        self,
        entities: Sequence[Any],
        *,
        version: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        root: str | os.PathLike[str] | None = None,
        copy: Any = "auto",
    ) -> list[RegisteredAs]:
        """Register entities, and all that they name, under one version. Raises ``CompileError``, and as ``execute``."""
        with in_flytekits_words():
            done = self.whimbrel_remote.register(
                entities, version=version or "", project=project, domain=domain, copy=copy_of(copy, "auto"), root=root
            )
        return [self._registered_as(each, project, domain) for each in done.entities]

    def _registered_as(self, each: Registered, project: str | None, domain: str | None) -> RegisteredAs:
        place = self.place(project, domain)
        id = Identifier(ResourceType[EntityKind(each.kind).name], *place, each.name, each.version)
        return RegisteredAs(id, each.created, self.generate_console_url(id), each.remark)

    def _register(
        self,
        entity: Any,
        kind: EntityKind,
        settings: SerializationSettings | None,
        version: str | None,
        project: str | None = None,
        domain: str | None = None,
        *,
        copy: str = "auto",
        root: str | os.PathLike[str] | None = None,
    ) -> Any:
        said = settings or SerializationSettings()
        place = (project or said.project or None, domain or said.domain or None)
        found = self.register_entities(
            [entity],
            version=version or said.version,
            project=place[0],
            domain=place[1],
            copy=copy,
            root=root or said.source_root,
        )
        name = entity_of(entity).name
        one = next(
            each.id for each in found if each.id.name == name and each.id.resource_type == ResourceType[kind.name]
        )
        return self._fetch(kind, *place, one.name, one.version)

    def register_task(
        self, entity: Any, serialization_settings: SerializationSettings | None = None, version: str | None = None
    ) -> FlyteTask:
        """Register a task or eager workflow, and all that it names, with the code that they need."""
        made: FlyteTask = self._register(entity, EntityKind.TASK, serialization_settings, version)
        return made

    def register_workflow(
        self,
        entity: Any,
        serialization_settings: SerializationSettings | None = None,
        version: str | None = None,
        default_launch_plan: bool | None = True,
        options: Options | None = None,
    ) -> FlyteWorkflow:
        """The same for a workflow. The launch plan of its name always comes with it."""
        made: FlyteWorkflow = self._register(entity, EntityKind.WORKFLOW, serialization_settings, version)
        return made

    def fast_register_workflow(
        self,
        entity: Any,
        serialization_settings: SerializationSettings | None = None,
        version: str | None = None,
        default_launch_plan: bool | None = True,
        options: Options | None = None,
        fast_package_options: FastPackageOptions | None = None,
    ) -> FlyteWorkflow:
        """The same as ``register_workflow``: code always goes along."""
        made: FlyteWorkflow = self._register(entity, EntityKind.WORKFLOW, serialization_settings, version)
        return made

    def register_launch_plan(
        self,
        entity: Any,
        version: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        options: Options | None = None,
        serialization_settings: SerializationSettings | None = None,
    ) -> FlyteLaunchPlan:
        """The same for a launch plan, with its workflow."""
        made: FlyteLaunchPlan = self._register(
            entity, EntityKind.LAUNCH_PLAN, serialization_settings, version, project, domain
        )
        return made

    def register_script(
        self,
        entity: Any,
        image_config: Any = None,
        version: str | None = None,
        project: str | None = None,
        domain: str | None = None,
        destination_dir: str = ".",
        copy_all: bool = False,
        default_launch_plan: bool = True,
        options: Options | None = None,
        source_path: str | None = None,
        module_name: str | None = None,
        envs: dict[str, str] | None = None,
        default_resources: Any = None,
        fast_package_options: FastPackageOptions | None = None,
    ) -> FlyteTask | FlyteWorkflow | FlyteLaunchPlan:
        """Register an entity with the files that it imports; with ``copy_all`` all below ``source_path``."""
        kind = kind_of(entity)
        copy = "all" if copy_all else "auto"
        made: FlyteTask | FlyteWorkflow | FlyteLaunchPlan = self._register(
            entity, kind, None, version, project, domain, copy=copy, root=source_path
        )
        return made

    # --- what is registered ------------------------------------------------------------------------------------------

    def _fetch(
        self, kind: EntityKind, project: str | None, domain: str | None, name: str | None, version: str | None
    ) -> Any:
        if not name:
            raise Refused("the name of what is to be fetched is missing; give name=")
        with in_flytekits_words():
            ask = getattr(self.whimbrel_remote, f"fetch_{kind.value}")
            entity: RemoteEntity = ask(name, version, project=project, domain=domain)
        return CLASSES[kind](entity)

    def fetch_entity(
        self,
        kind: str,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> Any:
        """What is registered as a ``task``, ``workflow`` or ``launch_plan``: the active version of a launch plan if it
        has one, else the latest."""
        if kind == EntityKind.LAUNCH_PLAN and version is None:
            active = self.fetch_active_launchplan(project, domain, name)
            if active is not None:
                return active
        return self._fetch(EntityKind(kind), project, domain, name, version)

    def fetch_task(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> FlyteTask:
        """A task: the version that is named, else the latest. Raises ``FlyteEntityNotExistException``."""
        found: FlyteTask = self._fetch(EntityKind.TASK, project, domain, name, version)
        return found

    def fetch_workflow(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> FlyteWorkflow:
        """The same for a workflow."""
        found: FlyteWorkflow = self._fetch(EntityKind.WORKFLOW, project, domain, name, version)
        return found

    def fetch_launch_plan(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> FlyteLaunchPlan:
        """The same for a launch plan."""
        found: FlyteLaunchPlan = self._fetch(EntityKind.LAUNCH_PLAN, project, domain, name, version)
        return found

    def fetch_active_launchplan(
        self, project: str | None = None, domain: str | None = None, name: str | None = None
    ) -> FlyteLaunchPlan | None:
        """The version of a launch plan that is active; ``None`` when none is."""
        try:
            return self.fetch_launch_plan(project, domain, name, "active")
        except FlyteEntityNotExistException:
            return None

    def fetch_task_lazy(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> LazyEntity[FlyteTask]:
        """A task that is fetched when something of it is asked for."""
        return LazyEntity(str(name), lambda: self.fetch_task(project, domain, name, version))

    def fetch_workflow_lazy(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> LazyEntity[FlyteWorkflow]:
        """The same for a workflow."""
        return LazyEntity(str(name), lambda: self.fetch_workflow(project, domain, name, version))

    def fetch_launch_plan_lazy(
        self,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
    ) -> LazyEntity[FlyteLaunchPlan]:
        """The same for a launch plan."""
        return LazyEntity(str(name), lambda: self.fetch_launch_plan(project, domain, name, version))

    def entity_rows(
        self,
        kind: str,
        name: str = "",
        version: str = "",
        *,
        project: str | None = None,
        domain: str | None = None,
        limit: int = _EVERY,
    ) -> list[EntityRow]:
        """What is registered, each in its latest version; of one ``name`` its versions, the newest first."""
        with in_flytekits_words():
            found = self.whimbrel_remote.list_entities(
                EntityKind(kind), name=name, limit=limit, project=project, domain=domain
            )
        return [row for row in found if version in ("", row.version)]

    def list_tasks_by_version(
        self, version: str, project: str | None = None, domain: str | None = None, limit: int | None = 100
    ) -> list[FlyteTask]:
        """The tasks that were registered under a version."""
        found: list[FlyteTask] = []
        for row in self.entity_rows("task", project=project, domain=domain):
            if len(found) < (limit or _EVERY):
                try:
                    found.append(self.fetch_task(project, domain, row.name, version))
                except FlyteEntityNotExistException:
                    continue
        return found

    def list_projects(
        self, limit: int | None = 100, filters: Sequence[Any] | None = None, sort_by: Any = None
    ) -> list[Project]:
        """The projects."""
        no_filters(filters)
        with in_flytekits_words():
            rows = self.whimbrel_remote.projects()
        return [Project(row.id, row.name, row.description, list(row.domains)) for row in rows][:limit]

    def get_domains(self) -> list[str]:
        """The domains that every project has."""
        return list(dict.fromkeys(domain for project in self.list_projects(None) for domain in project.domains))

    def activate_launchplan(self, ident: Identifier) -> None:
        """Make a version of a launch plan the active one: its schedule fires, and the others' do not."""
        with in_flytekits_words():
            self.whimbrel_remote.activate_launch_plan(
                ident.name, ident.version, project=ident.project, domain=ident.domain
            )

    def deactivate_launchplan(self, ident: Identifier) -> None:
        """Have a version of a launch plan fire no more."""
        with in_flytekits_words():
            self.whimbrel_remote.deactivate_launch_plan(
                ident.name, ident.version, project=ident.project, domain=ident.domain
            )


def entity_of(entity: Any) -> Any:
    """The entity that is meant. Raises ``FlyteInvalidInputException``."""
    found = looked_through(getattr(entity, "entity", entity))
    if found is None:
        raise Refused(
            f"{entity!r} is no task, workflow or launch plan; give one, or what fetch_task and the like gave."
        )
    return found


def kind_of(entity: Any) -> EntityKind:
    """What an entity of this process is to a registry. Eager and dynamic workflows are tasks: they have code."""
    found = entity_of(entity)
    if isinstance(found, LaunchPlan | ReferenceLaunchPlan):
        return EntityKind.LAUNCH_PLAN
    whole = isinstance(found, Workflow | ImperativeWorkflow | MapTask | ReferenceWorkflow)
    return EntityKind.WORKFLOW if whole else EntityKind.TASK


def no_filters(filters: Sequence[Any] | None) -> None:
    if filters:
        raise Refused("filters are Flyte's messages; here whimbrel_remote.recent(entity=, label=, text=) has them.")
