"""``AsyncRemote``: everything that is asked of a server, as coroutines. ``Remote`` is the same for blocking code.

Knows: REST's paths and structs, what is prepared and encoded elsewhere. Must not know: httpx, how streams come back.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET

from whimbrel.authoring.checking import looked_through
from whimbrel.authoring.entity import Configured, Entity
from whimbrel.authoring.references import ReferenceEntity
from whimbrel.client.bundles import Bundle, Copy
from whimbrel.client.catalogue import Catalogue
from whimbrel.client.configuration import Config
from whimbrel.client.executions import Execution, RemoteEntity
from whimbrel.client.registering import Prepared, entities_in, launched_as, prepare
from whimbrel.client.runs import RunLike, Runs, run_path
from whimbrel.client.schedules import Schedules
from whimbrel.client.transfers import Transfers
from whimbrel.client.transport import PATIENCE, V1, Credentials, Transport
from whimbrel.client.values import encode_inputs
from whimbrel.errors import InputInvalid
from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literals
from whimbrel.model.registered import EntityKind
from whimbrel.wire.rest.launching import (
    ExactForesee,
    ExactFork,
    ExactLaunch,
    ExactRelaunch,
    Forecasts,
    Launched,
    LaunchOptions,
    Recover,
)
from whimbrel.wire.rest.registering import BUNDLE_MEDIA_TYPE, MSGPACK, Registered, encode_registration

T = TypeVar("T")

Runnable: TypeAlias = "RemoteEntity | Entity[..., Any] | Configured[..., Any] | Callable[..., Any] | str"

_NAME_BYTES = 9


class RegisteredVersion(msgspec.Struct, frozen=True):
    """What ``register`` did: the version, and what became of each entity."""

    version: str
    bundle: str
    entities: tuple[Registered, ...]


class AsyncRemote(Catalogue, Runs, Schedules, Transfers):
    """A server, and the project and domain that are meant unless others are named.

    Use it with ``async with``, or ``close`` it, on the event loop that it is used on. Errors are those of ``whimbrel``:
    ``EntityNotFound``, ``InputInvalid``, ``AlreadyExists``, ``CompileError``, ``ServerUnreachable``, ``ServerFault``,
    ``NotAuthenticated``, ``NotAllowed``.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        project: str | None = None,
        domain: str | None = None,
        credentials: Credentials | None = None,
        patience: float = PATIENCE,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(
            config,
            project=project,
            domain=domain,
            credentials=credentials,
            patience=patience,
            transport=transport,
        )
        self._known: dict[tuple[Any, ...], Target] = {}

    # --- registering -------------------------------------------------------------------------------------------------

    async def register(
        self,
        source: Any,
        *,
        version: str = "",
        project: str | None = None,
        domain: str | None = None,
        copy: Copy = "auto",
        root: str | os.PathLike[str] | None = None,
    ) -> RegisteredVersion:
        """Register everything in ``source`` (a path, a directory, a module, an entity, or several) under one version,
        with the code that it needs. All or nothing; the same once more changes nothing.

        The version is a digest of program and code where none is given. ``copy`` says which files go along: ``auto``
        (what is imported), ``all`` (what git does not ignore below ``root``), ``none``.
        """
        prepared = await asyncio.to_thread(
            lambda: prepare(entities_in(source), self.blobs, version=version, copy=copy, root=root)
        )
        return await self._register(prepared, project, domain)

    async def _register(self, prepared: Prepared, project: str | None, domain: str | None) -> RegisteredVersion:
        await self._upload_bundle(prepared.bundle)
        registration = prepared.registration
        answer = await self.transport.send(
            "POST",
            f"{self._place(project, domain)}/register",
            body=encode_registration(registration),
            kind=MSGPACK,
            repeat=True,
        )
        return RegisteredVersion(registration.version, registration.bundle, tuple(answer.read(list[Registered])))

    async def _upload_bundle(self, bundle: Bundle) -> None:
        if not bundle.digest:
            return
        path = f"{V1}/bundles/{bundle.digest}"
        there = await self.transport.send("HEAD", path, good=frozenset({404}))
        if there.status == 404:
            await self.transport.send("PUT", path, body=bundle.data, kind=BUNDLE_MEDIA_TYPE)

    # --- launching ---------------------------------------------------------------------------------------------------

    async def execute(
        self,
        what: Runnable,
        inputs: Mapping[str, Any] | None = None,
        *,
        version: str = "",
        name: str = "",
        project: str | None = None,
        domain: str | None = None,
        options: LaunchOptions | None = None,
        type_hints: Mapping[str, Any] | None = None,
        copy: Copy = "auto",
        root: str | os.PathLike[str] | None = None,
        wait: bool = False,
        timeout: float | None = None,
    ) -> Execution:
        """Launch ``what`` with Python values.

        An entity of this process (or its function) is registered first; one that was fetched, or a name, is launched as
        it is there. ``name`` is what the run is to be called: the same request under the same name gives the same run.
        Files and tables are sent, named by their content. Raises ``CallMismatch``, ``ValueMismatch``.
        """
        given = dict(inputs or {})
        entity = what.entity if isinstance(what, Configured) else looked_through(what)
        decoders: Mapping[str, Any] = {}
        result: Callable[[Any], Any] | None = None
        if isinstance(entity, Entity) and not isinstance(entity, ReferenceEntity):
            # Before anything is registered: what does not fit is told at once.
            literals = await self._encoded(entity.interface, given, entity.short_name, entity, type_hints)
            found = await self.register_entity(
                entity, version=version, project=project, domain=domain, copy=copy, root=root
            )
            decoders, result = entity.signature.outputs, entity.signature.assemble
        else:
            if isinstance(what, RemoteEntity):
                target = what
            elif isinstance(entity, ReferenceEntity):
                id = entity.id
                target = await self.fetch(id.name, id.version or None, project=id.project, domain=id.domain)
            elif isinstance(what, str):
                target = await self.fetch(what, version or None, project=project, domain=domain)
            else:
                raise InputInvalid(f"{what!r} cannot be launched: give a task, a workflow, or the name of one.")
            found = Target(target.kind, target.project, target.domain, target.name, target.version)
            literals = await self._encoded(target.interface, given, target.name, None, type_hints)
        execution = await self.launch(found, literals, name=name, options=options)
        execution.tell_decoders(decoders, result)
        return await self.wait(execution, timeout=timeout) if wait else execution

    async def launch(
        self, target: Target, literals: Literals, *, name: str = "", options: LaunchOptions | None = None
    ) -> Execution:
        """Launch what is registered with exact literals, whose files the server has."""
        launch = ExactLaunch(
            project=target.project,
            domain=target.domain,
            kind=target.kind.value,
            name=target.name,
            version=target.version,
            run_name=name or new_name(),
            options=options or LaunchOptions(),
            literals=literals,
        )
        # It has a name: to ask twice is safe.
        answer = await self.transport.send("POST", f"{V1}/runs", packed=launch, repeat=True)
        execution = self._launched(answer.read(Launched))
        execution.entity, execution.version = target.name, target.version
        return execution

    async def register_entity(
        self,
        entity: Entity[..., Any],
        *,
        version: str = "",
        project: str | None = None,
        domain: str | None = None,
        copy: Copy = "auto",
        root: str | os.PathLike[str] | None = None,
    ) -> Target:
        """Register an entity of this process with all that it names; what is launched to run it. Once: its code is
        taken as it was the first time, as Python does."""
        key = (entity, version, project or self.project, domain or self.domain, copy, str(root or ""))
        if (known := self._known.get(key)) is not None:
            return known
        prepared = await asyncio.to_thread(lambda: prepare([entity], self.blobs, version=version, copy=copy, root=root))
        await self._register(prepared, project, domain)
        kind, named = launched_as(entity, prepared.registration.program)
        target = Target(kind, project or self.project, domain or self.domain, named, prepared.registration.version)
        self._known[key] = target
        return target

    async def _encoded(
        self,
        interface: Interface,
        given: Mapping[str, Any],
        what: str,
        entity: Entity[..., Any] | None,
        type_hints: Mapping[str, Any] | None,
    ) -> Literals:
        return await asyncio.to_thread(
            lambda: encode_inputs(interface, given, self.blobs, what=what, entity=entity, type_hints=type_hints)
        )

    def _launched(self, said: Launched) -> Execution:
        execution = Execution(said.run)
        execution.project, execution.domain, execution.name = said.project, said.domain, said.name
        execution.url = said.url or f"{self.config.url}{V1}/runs/{said.run}"
        return execution

    async def relaunch(
        self,
        run: RunLike,
        inputs: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        options: LaunchOptions | None = None,
        type_hints: Mapping[str, Any] | None = None,
        literals: Literals | None = None,
    ) -> Execution:
        """Run again what a run ran, with ``inputs`` (or exact ``literals``) laid over those that it had."""
        if inputs and not isinstance(run, Execution):
            run = await self.run(run)
        version = run.version if isinstance(run, Execution) else ""
        exact = dict(literals or {}) | await self._changed(run, inputs, type_hints, version or None)
        said = ExactRelaunch(exact, UNSET if options is None else options, name or new_name())
        answer = await self.transport.send("POST", f"{run_path(run)}/relaunch", packed=said, repeat=True)
        return self._again(run, answer.read(Launched))

    async def recover(self, run: RunLike, *, name: str = "") -> Execution:
        """A new run of the same that takes over what had succeeded."""
        said = Recover(name or new_name())
        answer = await self.transport.send("POST", f"{run_path(run)}/recover", json=said, repeat=True)
        return self._again(run, answer.read(Launched))

    async def fork(
        self,
        run: RunLike,
        inputs: Mapping[str, Any] | None = None,
        *,
        version: str = "",
        name: str = "",
        options: LaunchOptions | None = None,
        type_hints: Mapping[str, Any] | None = None,
        literals: Literals | None = None,
    ) -> Execution:
        """A new run of ``version`` (the newest registered one for "") with ``inputs`` (or exact ``literals``) laid over
        those that ``run`` had, that takes over what they leave as it was. ``forecast`` says before what that is."""
        exact = await self._changed(run, inputs, type_hints, version or None) | dict(literals or {})
        settings = UNSET if options is None else options
        said = ExactFork(version=version, literals=exact, options=settings, run_name=name or new_name())
        answer = await self.transport.send("POST", f"{run_path(run)}/fork", packed=said, repeat=True)
        return self._again(run, answer.read(Launched))

    async def forecast(
        self,
        run: RunLike,
        inputs: Mapping[str, Any] | None = None,
        *,
        version: str = "",
        recover: bool = False,
        type_hints: Mapping[str, Any] | None = None,
        literals: Literals | None = None,
    ) -> Forecasts:
        """What ``fork`` with the same arguments would take over and run, and why; or with ``recover`` what that
        would."""
        exact = await self._changed(run, inputs, type_hints, version or None) | dict(literals or {})
        how = "recover" if recover else "fork"
        said = ExactForesee(how=how, version=version, literals=exact, limit=sys.maxsize)
        answer = await self.transport.send("POST", f"{run_path(run)}/forecast", packed=said, repeat=True)
        found: Forecasts = answer.read(Forecasts)
        return found

    async def _changed(
        self,
        run: RunLike,
        inputs: Mapping[str, Any] | None,
        type_hints: Mapping[str, Any] | None,
        version: str | None,
    ) -> Literals:
        """Some inputs of what ``run`` ran, by the types that ``version`` (``None``: the newest) wants. The others have
        their values: only those that are given are looked at."""
        if not inputs:
            return {}
        execution = run if isinstance(run, Execution) else await self.run(run)
        known = await self.fetch(execution.entity, version, project=execution.project, domain=execution.domain)
        wanted = {key: known.interface.inputs[key] for key in inputs if key in known.interface.inputs}
        partly = Interface(wanted if len(wanted) == len(inputs) else known.interface.inputs)
        return await self._encoded(partly, inputs, known.name, None, type_hints)

    def _again(self, run: RunLike, said: Launched) -> Execution:
        again = self._launched(said)
        if isinstance(run, Execution):
            again.entity, again.version = run.entity, run.version
            again.tell_decoders(run.decoders, run.assemble)
        return again


class Target(msgspec.Struct, frozen=True):
    """What is launched, by its full id."""

    kind: EntityKind
    project: str
    domain: str
    name: str
    version: str


def new_name() -> str:
    """A name for a run, as no other has it: a letter, then letters and digits."""
    return f"r{secrets.token_hex(_NAME_BYTES)}"
