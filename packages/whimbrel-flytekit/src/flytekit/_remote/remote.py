"""``FlyteRemote``: flytekit's words for whimbrel's client.

Knows: flytekit's signatures, which of their arguments mean something here. Must not know: transports.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flytekit._remote.archives import copy_of
from flytekit._remote.backfills import SIDE_BY_SIDE, backfilled
from flytekit._remote.catalogue import Catalogue, entity_of, kind_of
from flytekit._remote.entities import LazyEntity, RegisteredEntity
from flytekit._remote.executions import FlyteWorkflowExecution
from flytekit._remote.identifiers import ResourceType
from flytekit._remote.refusals import Refused, in_flytekits_words
from flytekit._remote.runs import Runs
from flytekit.configuration import SerializationSettings
from flytekit.exceptions.user import FlyteEntityAlreadyExistsException, FlyteEntityNotExistException
from whimbrel.authoring.registration import Options
from whimbrel.client.executions import RemoteEntity
from whimbrel.wire.rest.launching import LaunchOptions
from whimbrel.wire.rest.schedules import BackfillDetail, NewBackfill

_SUFFIX_BYTES = 5


class FlyteRemote(Catalogue, Runs):
    """A server, and the project and domain that are meant unless others are named.

    Errors are of flytekit's classes and of whimbrel's at once: ``FlyteEntityNotExistException`` is an
    ``EntityNotFound``, ``FlyteInvalidInputException`` an ``InputInvalid``, ``FlyteSystemUnavailableException`` a
    ``ServerUnreachable``. ``whimbrel_remote`` is the client underneath, which can do more.
    """

    # --- launching ---------------------------------------------------------------------------------------------------

    def execute(
        self,
        entity: Any,
        inputs: Mapping[str, Any] | None = None,
        project: str | None = None,
        domain: str | None = None,
        name: str | None = None,
        version: str | None = None,
        execution_name: str | None = None,
        execution_name_prefix: str | None = None,
        image_config: Any = None,
        options: Options | None = None,
        wait: bool = False,
        type_hints: Mapping[str, Any] | None = None,
        overwrite_cache: bool | None = None,
        interruptible: bool | None = None,
        envs: Mapping[str, str] | None = None,
        tags: Sequence[str] | None = None,
        cluster_pool: str | None = None,
        execution_cluster_label: str | None = None,
        serialization_settings: SerializationSettings | None = None,
        *,
        copy: Any = "auto",
    ) -> FlyteWorkflowExecution:
        """Launch ``entity`` with Python values: what was fetched as it is there, an entity of this process after it was
        registered, unless the server has that ``version`` of it.

        An execution of the name ``execution_name`` that is there already is given back. What is said of images and
        clusters has no effect. Raises ``FlyteInvalidInputException``, ``FlyteEntityNotExistException``.
        """
        said = serialization_settings or SerializationSettings()
        project, domain = project or said.project or None, domain or said.domain or None
        version = version or said.version or ""
        target = self._target(entity, name, version, project, domain)
        kind = target.kind if isinstance(target, RemoteEntity) else kind_of(target)
        try:
            with in_flytekits_words():
                made = self.whimbrel_remote.execute(
                    target,
                    inputs,
                    version=version,
                    name=_execution_name(execution_name, execution_name_prefix),
                    project=project,
                    domain=domain,
                    options=_launch_options(options, overwrite_cache, interruptible, envs, tags),
                    type_hints=type_hints,
                    copy=copy_of(copy, "auto"),
                    root=said.source_root,
                )
                self.whimbrel_remote.sync(made, nodes=False)
        except FlyteEntityAlreadyExistsException:
            # Of another request, or a version of another body: then there is nothing to give back.
            there = self._adopted(project, domain, execution_name) if execution_name else None
            if there is None:
                raise
            return there
        execution = FlyteWorkflowExecution(self, made, ResourceType[kind.name])
        execution.hint(type_hints or {})
        return self.wait(execution) if wait else execution

    def _adopted(self, project: str | None, domain: str | None, name: str) -> FlyteWorkflowExecution | None:
        try:
            return self.fetch_execution(project, domain, name)
        except FlyteEntityNotExistException:
            return None

    def _target(
        self, entity: Any, name: str | None, version: str, project: str | None, domain: str | None
    ) -> RemoteEntity | Any:
        if isinstance(entity, LazyEntity):
            entity = entity.entity
        if isinstance(entity, RegisteredEntity):
            return entity.remote_entity
        ours = entity_of(entity)
        if version and not hasattr(ours, "id"):
            # What is registered under this version is what is meant; only a new one is registered from here.
            try:
                found: RegisteredEntity = self._fetch(kind_of(ours), project, domain, name or ours.name, version)
                return found.remote_entity
            except FlyteEntityNotExistException:
                pass
        if name not in (None, ours.name):
            raise Refused(f"{ours.name} is registered under its own name, not as {name}. Leave name= out.")
        return entity

    execute_local_task = execute
    execute_local_workflow = execute
    execute_local_launch_plan = execute
    execute_reference_task = execute
    execute_reference_workflow = execute
    execute_reference_launch_plan = execute
    execute_remote_task_lp = execute
    execute_remote_wf = execute

    def launch_backfill(
        self,
        project: str,
        domain: str,
        from_date: dt.datetime,
        to_date: dt.datetime,
        launchplan: str,
        launchplan_version: str | None = None,
        execution_name: str | None = None,
        version: str | None = None,
        dry_run: bool = False,
        execute: bool = True,
        parallel: bool = False,
        failure_policy: Any = None,
        overwrite_cache: bool | None = None,
    ) -> BackfillDetail:
        """Launch what the schedule of a launch plan would have launched from one moment to another, both included; its
        due times, each with the execution that is there for it or will be.

        Each is an execution of its own, named by its time: what has been launched is not launched again, and the
        server carries on by itself. ``dry_run``, or ``execute=False``, launches nothing. One execution at a time
        unless ``parallel``. Without a version it is the active one, else the latest.
        """
        if version or execution_name:
            raise Refused("a backfill makes no workflow and no execution of its own; leave version and name out.")
        found = self.fetch_entity("launch_plan", project, domain, launchplan, launchplan_version).id
        asked = NewBackfill(
            from_date.isoformat(), to_date.isoformat(), SIDE_BY_SIDE if parallel else 1, dry_run or not execute
        )
        with in_flytekits_words():
            return backfilled(self.whimbrel_remote, found, asked)


def _execution_name(name: str | None, prefix: str | None) -> str:
    if name and prefix:
        raise Refused("execution_name and execution_name_prefix are both given; give one of them.")
    return name or (f"{prefix}-{secrets.token_hex(_SUFFIX_BYTES)}" if prefix else "")


def _launch_options(
    options: Options | None,
    overwrite_cache: bool | None,
    interruptible: bool | None,
    envs: Mapping[str, str] | None,
    tags: Sequence[str] | None,
) -> LaunchOptions:
    said = options or Options()
    return LaunchOptions(
        max_parallelism=said.max_parallelism or 0,
        overwrite_cache=overwrite_cache if overwrite_cache is not None else said.overwrite_cache,
        interruptible=interruptible,
        environment=dict(envs or {}),
        labels=dict(said.labels.values) if said.labels else {},
        annotations=dict(said.annotations.values) if said.annotations else {},
        tags=tuple(tags or ()),
    )
