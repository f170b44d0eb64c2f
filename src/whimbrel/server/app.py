"""Composition of the server: a home, an engine over it, Flyte's services and REST, one port.

Knows: which implementation of each port a server uses, and in which order things start and stop. Must not know:
options, signals, output, what a service does.

Starting: the home (whoever has it keeps it), the port, the engine, the services, the doors; then what was unfinished
is resumed. Stopping: nothing new, what runs gets ``drain`` seconds, event streams end, runs stay as they are on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from whimbrel.authoring.secret_sources import EnvironmentSecrets, FileSecrets, SecretSources
from whimbrel.controlplane.backfills import Backfills, ended_in
from whimbrel.controlplane.catalogue import Catalogue
from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.registering import Registrar
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.scheduler import Scheduler
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.errors import Overloaded, WhimbrelError
from whimbrel.executors.bundled import BundledExecutor
from whimbrel.executors.commands import CommandExecutor
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.executors.routed import RoutedExecutor
from whimbrel.model.access import Place
from whimbrel.model.attempt import AttemptEnd, Launch, LogChunk, Progress, Report
from whimbrel.model.events import Event
from whimbrel.model.run import Phase
from whimbrel.model.scheduled import Firing
from whimbrel.server.auth.access import Access, made_access
from whimbrel.server.auth.attempts import ATTEMPT_VARIABLES, TOKEN
from whimbrel.server.draining import DrainingExecutor
from whimbrel.server.feed import Feed
from whimbrel.server.grpc.services import registrations
from whimbrel.server.grpc.serving import GrpcServing
from whimbrel.server.house import Auth, House, ServerConfig, is_loopback, must_be_safe
from whimbrel.server.http.application import application
from whimbrel.server.http.serving import HttpServing
from whimbrel.server.limits import Limits
from whimbrel.server.metrics import Metrics
from whimbrel.server.port import Front
from whimbrel.server.referring import ReferringExecutor
from whimbrel.server.tls import tls_context
from whimbrel.stores.bundles import Bundles
from whimbrel.stores.home import open_home
from whimbrel.stores.secrets import SecretStore

log = logging.getLogger("whimbrel.server")

UNFINISHED = tuple(phase for phase in Phase if not phase.terminal)
RESUMED_AT_A_TIME = 16
"""Runs that are read and folded at once after a start; more would keep requests waiting."""
_PAGE = 500
_CLEANING = 600.0
"""Seconds between two looks at what has expired."""
_GRACE = 2.0
"""Seconds that calls and requests have to end when the server stops; they are short, and streams are told."""


class Server:
    """See the module. ``start`` it once, and ``stop`` it however that went."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self._stack = contextlib.AsyncExitStack()
        self._draining = False
        self._port = 0
        self._resuming: asyncio.Task[None] | None = None
        self._house: House | None = None
        self._hurry: Callable[[], None] = lambda: None

    @property
    def house(self) -> House:
        """The engine and its home, once started."""
        assert self._house is not None, "start the server first"
        return self._house

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients find the server."""
        if self.config.public_url:
            return self.config.public_url.rstrip("/")
        return f"{'https' if self.config.tls_cert is not None else 'http'}://{self.address}"

    @property
    def address(self) -> str:
        """Host and port, for clients on this machine."""
        host = self.config.host
        host = "localhost" if is_loopback(host) or host in ("0.0.0.0", "::") else host
        return f"{f'[{host}]' if ':' in host else host}:{self._port}"

    async def start(self) -> None:
        """Be ready for clients. Raises ``HomeLocked`` and the other ``StoreError`` of ``open_home``; ``InputInvalid``
        for an address that cannot be listened on."""
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise

    async def _start(self) -> None:
        config, stack = self.config, self._stack
        must_be_safe(config)
        tls = tls_context(config.tls_cert, config.tls_key) if config.tls_cert is not None else None
        home = stack.enter_context(open_home(config.home, exclusive=True))
        inner = _inner_sockets(stack)
        clock, ids = SystemClock(), RandomIds()
        metrics, feed = Metrics(), Feed(ids.new_run_id())
        home.store.watch_commits = metrics.commits.observe
        front = Front(
            grpc=str(inner / "grpc"),
            http=str(inner / "http"),
            tls=tls,
            limits=config.limits,
            count=lambda kind: metrics.count("whimbrel_connections_total", f'kind="{kind}"'),
        )
        self._port = front.bind(config.host, config.port)
        stack.push_async_callback(front.close)

        secret_store = SecretStore(home.path)
        secrets = SecretSources((EnvironmentSecrets(), FileSecrets(), secret_store))
        bundles = Bundles(home.path / "bundles")
        bundles.sweep()

        access = None
        if config.auth is not Auth.OFF:
            access = await made_access(
                home.store,
                clock.now,
                url=lambda: self.url,
                oidc=config.oidc if config.auth is Auth.OIDC else None,
                trusts_proxy=config.behind_proxy,
                limits=config.limits,
            )

        def ended(report: Report) -> None:
            if access is not None and isinstance(report, AttemptEnd):
                access.attempts.end(report.attempt)
            metrics.count("whimbrel_attempts_total", f'outcome="{type(report).__name__}"')

        async def credentials(launch: Launch) -> dict[str, str]:
            assert access is not None
            origin = (await home.store.summary(launch.attempt.run)).origin
            # A run that is in no place has a token that is good in none.
            return {TOKEN: access.attempts.issue(launch.attempt, Place(origin.project, origin.domain), origin.version)}

        def changed(run: Run, event: Event | LogChunk | Progress) -> None:
            if isinstance(event, LogChunk | Progress):
                feed.whisper(run.id)
            else:
                feed.tell(run.id)
                if self._house is not None:
                    self._house.executions.note(run)

        workers = ProcessExecutor(blobs=home.blobs.location, workers=config.workers, secrets=secrets)
        commands = CommandExecutor(
            directory=home.path / "commands",
            blobs=home.blobs,
            workers=config.workers,
            images=config.images,
            # Eager tasks of flytekit's call others by its own client: it finds us there. Where strangers would need a
            # certificate, those of this machine's own go in behind it.
            environment={
                "FLYTE_PLATFORM_URL": f"unix:{inner / 'grpc'}" if tls is not None else f"localhost:{self._port}",
                "FLYTE_PLATFORM_INSECURE": "true",
                **(ATTEMPT_VARIABLES if access is not None else {}),
            },
            secrets=secrets,
            credentials=credentials if access is not None else None,
        )
        registry = Registry(store=home.store, clock=clock)
        bundled = BundledExecutor(
            workers, root_of=bundles.root_of, reference_of=bundles.reference_of, without_place=bundles.without_place
        )
        routed = RoutedExecutor(commands=commands, others=bundled)
        executor = DrainingExecutor(ReferringExecutor(routed, resolve=registry.resolved), ended=ended)
        plane = ControlPlane(
            store=home.store,
            executor=executor,
            clock=clock,
            ids=ids,
            owner=f"{socket.gethostname()}:{os.getpid()}",
            watch=changed,
            broken=_log_broken,
            admit=lambda: _must_have_room(config.limits, plane.driven, executor.queued),
        )
        self._hurry = executor.hurry
        await plane.start()
        stack.push_async_callback(plane.close)
        executions = Executions(registry=registry, store=home.store, plane=plane, clock=clock, ids=ids)

        def fired(firing: Firing) -> None:
            metrics.count("whimbrel_firings_total", f'outcome="{firing.outcome.value}"')
            metrics.lateness.observe(max(firing.at - firing.due, 0.0))

        scheduler = Scheduler(store=home.store, launcher=executions, clock=clock, catch_up=config.catch_up, told=fired)
        home.store.watch_plans = scheduler.changed
        backfills = Backfills(
            store=home.store, launcher=executions, clock=clock, ids=ids, ended=ended_in(plane), told=fired
        )
        stack.push_async_callback(executions.close)

        async def has_bundle(digest: str) -> bool:
            return await asyncio.to_thread(bundles.holds, digest)

        self._house = house = House(
            config=config,
            home=home,
            bundles=bundles,
            secrets=secret_store,
            plane=plane,
            registry=registry,
            catalogue=Catalogue(registry=registry, store=home.store, text_of=bundles.text),
            registrar=Registrar(registry=registry, store=home.store, clock=clock, has_bundle=has_bundle),
            executions=executions,
            scheduler=scheduler,
            backfills=backfills,
            executor=executor,
            clock=clock,
            ids=ids,
            feed=feed,
            metrics=metrics,
            url=lambda: self.url,
            queued=lambda: executor.queued,
            draining=lambda: self._draining,
            access=access,
        )
        # Last in, first out: the doors close before the engine does.
        grpc = GrpcServing(str(inner / "grpc"), registrations(house), config.limits, trusts_proxy=config.behind_proxy)
        http = HttpServing(str(inner / "http"), application(house), config.limits)
        await grpc.start()
        stack.push_async_callback(grpc.stop, _GRACE)
        await http.start()
        stack.push_async_callback(http.stop, _GRACE)

        async def drain() -> None:
            self._draining = True
            await front.stop_accepting()
            await scheduler.stop()
            await backfills.close()
            await grpc.drain()
            feed.close()
            left = await executor.drain(config.drain)
            if left:
                log.warning("%d tasks have not ended in %g seconds: the next start runs them again", left, config.drain)

        stack.push_async_callback(drain)
        front.start()
        scheduler.start()
        if access is not None:
            stack.push_async_callback(_stopped, asyncio.ensure_future(_cleaning(access, clock.now)))
        await backfills.resume()
        self._resuming = asyncio.ensure_future(_resume(house))
        stack.push_async_callback(_stopped, self._resuming)

    def hurry(self) -> None:
        """While it stops: wait for no task any more."""
        self._hurry()

    async def stop(self) -> None:
        """Take nothing new, give what runs its time, and let go of everything."""
        self._draining = True
        await self._stack.aclose()


def _inner_sockets(stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> Path:
    """A directory that only this user may enter. Not in the home: the names of sockets are short."""
    directory = Path(tempfile.mkdtemp(prefix="whimbrel-"))
    stack.callback(shutil.rmtree, directory, ignore_errors=True)
    return directory


async def _resume(house: House) -> None:
    """Carry on with everything that was under way when the last owner of the home left."""
    parked = set(await house.plane.wake_parked())
    room = asyncio.Semaphore(RESUMED_AT_A_TIME)

    async def one(run: str) -> None:
        async with room:
            try:
                await house.plane.resume(run)
                log.info("run %s is resumed", run)
            except WhimbrelError as error:
                # One that cannot be carried on must not keep the others.
                log.error("run %s could not be resumed: %s", run, error)

    before = ""
    while True:
        page = await house.home.store.summaries(limit=_PAGE, before=before, phases=UNFINISHED)
        await asyncio.gather(*(one(run.id) for run in page if run.id not in parked and not run.wake_at))
        if len(page) < _PAGE:
            return
        before = page[-1].id


def _must_have_room(limits: Limits, runs: int, queued: int) -> None:
    if runs >= limits.runs:
        raise Overloaded(f"{runs} runs are under way, and no more are taken; launch it again when some have ended")
    if queued >= limits.queue:
        raise Overloaded(f"{queued} tasks wait for a worker, and no more are taken; launch it again in a while")


def _log_broken(run: str, error: BaseException) -> None:
    log.error("run %s is driven no more: %s", run, error, exc_info=None if isinstance(error, WhimbrelError) else error)


async def _cleaning(access: Access, now: Callable[[], float]) -> None:
    """Forget tokens and codes that have expired, from time to time."""
    while True:
        try:
            await access.clean(now())
        except WhimbrelError as error:
            # A full disk ends by itself, or the runs say so.
            log.warning("what has expired could not be forgotten: %s", error)
        await asyncio.sleep(_CLEANING)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
