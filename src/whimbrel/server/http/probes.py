"""Whether the server lives, whether it may be given work, and its figures.

Knows: the house. Must not know: routes.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from whimbrel.errors import WhimbrelError
from whimbrel.model.run import Phase
from whimbrel.server.house import House
from whimbrel.server.metrics import CONTENT_TYPE, gauge_lines


class Probes:
    """Handlers of ``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def alive(self, request: Request) -> Response:
        """200 for as long as the event loop turns."""
        return PlainTextResponse("ok\n")

    async def ready(self, request: Request) -> Response:
        """200 when work is taken; 503 with the reason while the server drains or its store cannot be read."""
        if self._house.draining():
            return PlainTextResponse("draining\n", status_code=503)
        try:
            await self._house.home.store.summaries(limit=1)
        except WhimbrelError as error:
            return PlainTextResponse(f"the store cannot be read: {error}\n", status_code=503)
        return PlainTextResponse("ready\n")

    async def metrics(self, request: Request) -> Response:
        """The figures, in Prometheus's text format."""
        house = self._house
        phases = await house.home.store.phase_counts()
        lines = [
            *gauge_lines(
                "whimbrel_runs",
                "Runs that the store has, by phase.",
                {f'phase="{phase.value}"': phases.get(phase, 0) for phase in Phase},
            ),
            *gauge_lines("whimbrel_runs_driven", "Runs in memory.", {"": house.plane.driven}),
            *gauge_lines("whimbrel_runs_parked", "Runs that only wait, and are on disk.", {"": house.plane.parked}),
            *gauge_lines(
                "whimbrel_attempts_running",
                "Attempts that were launched, the queue included.",
                {"": len(house.executor.running())},
            ),
            *gauge_lines("whimbrel_queue_depth", "Attempts that wait for a worker.", {"": house.queued()}),
            *gauge_lines("whimbrel_followers", "Event streams that are open.", {"": house.feed.followers}),
            *house.metrics.counter_lines("whimbrel_attempts_total", "Attempts that ended, by outcome."),
            *gauge_lines(
                "whimbrel_schedules", "Active launch plans with a schedule.", {"": len(house.scheduler.planned)}
            ),
            *house.metrics.counter_lines("whimbrel_firings_total", "Due times of schedules, by what came of them."),
            *house.metrics.lateness.lines(
                "whimbrel_firing_late_seconds", "From the time that a schedule is due to its launch."
            ),
            *house.metrics.counter_lines("whimbrel_connections_total", "Connections, by what they spoke."),
            *house.metrics.commits.lines("whimbrel_commit_seconds", "From a write that waits to its being on disk."),
        ]
        return Response("\n".join(lines) + "\n", media_type=CONTENT_TYPE)
