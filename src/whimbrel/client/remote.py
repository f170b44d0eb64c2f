"""``Remote``: what ``AsyncRemote`` does, for blocking code. It works where an event loop runs too, which waits then.

Knows: the bridge. Must not know: what any question is.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Concatenate, ParamSpec, TypeVar

from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.blobs import RemoteBlobs
from whimbrel.client.bridge import bridge
from whimbrel.client.configuration import Config
from whimbrel.client.transport import PATIENCE, Credentials, Transport

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    call: Callable[Concatenate[AsyncRemote, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Remote, P], T]:
    @functools.wraps(call)
    def blocked(remote: Remote, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return bridge().run(call(remote.aio, *args, **kwargs))

    return blocked


def _stepwise(
    call: Callable[Concatenate[AsyncRemote, P], AsyncIterator[T]],
) -> Callable[Concatenate[Remote, P], Iterator[T]]:
    @functools.wraps(call)
    def stepped(remote: Remote, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        steps = call(remote.aio, *args, **kwargs)
        try:
            while True:
                try:
                    yield bridge().run(_next(steps))
                except StopAsyncIteration:
                    return
        finally:
            # It holds a connection until it is closed.
            if (close := getattr(steps, "aclose", None)) is not None:
                bridge().run(close())

    return stepped


async def _next(steps: AsyncIterator[T]) -> T:
    return await anext(steps)


class Remote:
    """A server, and the project and domain that are meant unless others are named. ``aio`` is the same as coroutines,
    for the bridge's own event loop; make an ``AsyncRemote`` for one of your own.

    ``patience``: the seconds that a server which has answered before may be away. Use it with ``with``, or ``close``
    it. Methods and errors are those of ``AsyncRemote``.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        project: str | None = None,
        domain: str | None = None,
        credentials: Credentials | None = None,
        patience: float = PATIENCE,
    ) -> None:
        said = config or Config.auto()
        transport = Transport(said, credentials=credentials, patience=patience)
        self.aio = AsyncRemote(said, project=project, domain=domain, credentials=credentials, transport=transport)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def config(self) -> Config:
        """Where the server is."""
        return self.aio.config

    @property
    def project(self) -> str:
        """The project that is meant."""
        return self.aio.project

    @property
    def domain(self) -> str:
        """The domain that is meant."""
        return self.aio.domain

    @property
    def blobs(self) -> RemoteBlobs:
        """The server's files."""
        return self.aio.blobs

    close = _blocking(AsyncRemote.close)
    # what is registered
    register = _blocking(AsyncRemote.register)
    fetch = _blocking(AsyncRemote.fetch)
    fetch_task = _blocking(AsyncRemote.fetch_task)
    fetch_workflow = _blocking(AsyncRemote.fetch_workflow)
    fetch_launch_plan = _blocking(AsyncRemote.fetch_launch_plan)
    describe = _blocking(AsyncRemote.describe)
    list_entities = _blocking(AsyncRemote.list_entities)
    activate_launch_plan = _blocking(AsyncRemote.activate_launch_plan)
    deactivate_launch_plan = _blocking(AsyncRemote.deactivate_launch_plan)
    projects = _blocking(AsyncRemote.projects)
    create_project = _blocking(AsyncRemote.create_project)
    schedules = _blocking(AsyncRemote.schedules)
    firings = _blocking(AsyncRemote.firings)
    backfill = _blocking(AsyncRemote.backfill)
    backfills = _blocking(AsyncRemote.backfills)
    get_backfill = _blocking(AsyncRemote.get_backfill)
    stop_backfill = _blocking(AsyncRemote.stop_backfill)
    # runs
    execute = _blocking(AsyncRemote.execute)
    register_entity = _blocking(AsyncRemote.register_entity)
    launch = _blocking(AsyncRemote.launch)
    relaunch = _blocking(AsyncRemote.relaunch)
    recover = _blocking(AsyncRemote.recover)
    fork = _blocking(AsyncRemote.fork)
    forecast = _blocking(AsyncRemote.forecast)
    run = _blocking(AsyncRemote.run)
    sync = _blocking(AsyncRemote.sync)
    wait = _blocking(AsyncRemote.wait)
    data = _blocking(AsyncRemote.data)
    node_values = _blocking(AsyncRemote.node_values)
    recent = _blocking(AsyncRemote.recent)
    decks = _blocking(AsyncRemote.decks)
    terminate = _blocking(AsyncRemote.terminate)
    approve = _blocking(AsyncRemote.approve)
    reject = _blocking(AsyncRemote.reject)
    signal = _blocking(AsyncRemote.signal)
    events = _stepwise(AsyncRemote.events)
    logs = _stepwise(AsyncRemote.logs)
    watch = _stepwise(AsyncRemote.watch)
    # files and secrets
    upload = _blocking(AsyncRemote.upload)
    download = _blocking(AsyncRemote.download)
    secrets = _blocking(AsyncRemote.secrets)
    set_secret = _blocking(AsyncRemote.set_secret)
    delete_secret = _blocking(AsyncRemote.delete_secret)
