"""G12, the server's half: pages of runs out of a hundred thousand, over HTTP, by filter. Goal: 50 ms at the 95th
percentile.

The home is filled through the store, as runs fill it; the lists are asked of a server on a real port, one after
another, so that what is measured is what somebody waits who looks at the console.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from harness import ENVIRONMENTS

from whimbrel.model.registered import EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase, RunOrigin, RunSummary
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig
from whimbrel.stores.home import open_home

RUNS = 100_000
ASKED = 200
GOAL = 0.050
ONCE = 0.500
"""For what is asked once for a list, beside its first page."""
_TOGETHER = 2_000

QUESTIONS: dict[str, dict[str, str]] = {
    "newest": {},
    "phase, common": {"phase": "SUCCEEDED"},
    "phase, rare": {"phase": "ABORTED"},
    "two phases": {"phase": "FAILED,RUNNING"},
    "project and domain": {"project": "p3", "domain": "production"},
    "project": {"project": "p3"},
    "project and rare phase": {"project": "p3", "domain": "production", "phase": "ABORTED"},
    "entity": {"entity": "flows.wf7"},
    "entity and phase": {"entity": "wf7", "phase": "FAILED"},
    "label": {"label": "team=t3"},
    "label, rare": {"label": "ticket=77"},
    "text, common": {"text": "wf1"},
    "text, rare": {"text": "needle"},
    "text, nowhere": {"text": "no such thing"},
    "text in a project": {"text": "disk is full", "project": "p3"},
    "time span": {"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T06:00:00Z"},
}


async def fill(home: Path) -> None:
    """Runs of two weeks from 2026-01-01 on."""
    chance = random.Random(1)
    opened = open_home(home, exclusive=True)
    phases = [Phase.SUCCEEDED] * 92 + [Phase.FAILED] * 7 + [Phase.ABORTED]

    def row(number: int) -> RunSummary:
        # Nothing is left under way: the server would carry on with it.
        phase = Phase.ABORTED if number % 9999 == 0 else phases[chance.randrange(99)]
        message = "the disk is full" if phase is Phase.FAILED else "needle" if number == 55_555 else ""
        labels = {"team": f"t{number % 10}", "ticket": str(number % 5_000)}
        domain = ("development", "staging", "production")[number % 3]
        plan = f"flows.wf{number % 50}"
        origin = RunOrigin(f"p{number % 7}", domain, f"e{number}", "launch_plan", plan, "v1", labels)
        at = 1_767_225_600.0 + number * 12.0
        return RunSummary(
            f"r{chance.getrandbits(60):x}", plan, phase, at, at, at + 9, 1, "me", str(number), message, 0.0, origin
        )

    for first in range(0, RUNS, _TOGETHER):
        await asyncio.gather(*(opened.store.create(row(number), []) for number in range(first, first + _TOGETHER)))
    opened.close()


def counted(port: int) -> dict[str, list[float]]:
    """Seconds of what a page of the console asks once: how long the list is, what there is to filter it by."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = {}
    for name, path in (
        ("length", "run-pages?limit=200"),
        ("length, text", "run-pages?limit=200&text=needle"),
        ("length, project", "run-pages?limit=200&project=p3"),
        ("what to filter by", "filters"),
    ):
        taken = []
        for _ in range(ASKED // 10):
            begun = time.perf_counter()
            connection.request("GET", f"/api/v1/{path}")
            answer = connection.getresponse()
            said = answer.read()
            taken.append(time.perf_counter() - begun)
            assert answer.status == 200, said
        found[name] = taken
    connection.close()
    return found


def ask(port: int, question: dict[str, str]) -> list[float]:
    """Seconds of each page, on from the newest, begun again at the end."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    taken, cursor = [], ""
    for _ in range(ASKED):
        asked = {**question, "limit": "100", **({"cursor": cursor} if cursor else {})}
        begun = time.perf_counter()
        connection.request("GET", f"/api/v1/runs?{urlencode(asked)}")
        answer = connection.getresponse()
        said = answer.read()
        taken.append(time.perf_counter() - begun)
        assert answer.status == 200, said
        cursor = json.loads(said)["next"] or ""
    connection.close()
    return taken


async def executions(server: Server) -> dict[str, list[float]]:
    """The same of Flyte's lists, at the store: pages by offset."""
    store = server.house.home.store
    asked = {
        "executions, first page": ({}, ()),
        "executions, page 300": ({"offset": 4_500, "limit": 15}, ()),
        "executions, phase": ({}, (Filter("phase", Operator.VALUE_IN, ("FAILED",)),)),
        "executions, plan": ({}, (Filter("launch_plan.name", Operator.EQ, ("flows.wf9",)),)),
        "executions, tag": ({}, (Filter("execution_tag.key", Operator.EQ, ("none",)),)),
    }
    found = {}
    for name, (page, filters) in asked.items():
        query = EntityQuery(EntityKind.EXECUTION, "p3", "production", **page)
        taken = []
        for _ in range(ASKED // 4):
            begun = time.perf_counter()
            for row in await store.executions(query, filters):
                origin = row.origin
                await store.entity(EntityId(EntityKind.EXECUTION, origin.project, origin.domain, origin.name))
            taken.append(time.perf_counter() - begun)
        found[name] = taken
    return found


async def main() -> int:
    """One JSON line a question; 1 if any is slower than the goal."""
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        home = Path(directory) / "home"
        begun = time.perf_counter()
        await fill(home)
        print(json.dumps({"filled": RUNS, "us_a_run": round((time.perf_counter() - begun) / RUNS * 1e6)}))
        server = Server(ServerConfig(home, port=0, workers=1))
        await server.start()
        slow = 0
        try:
            taken = {name: await asyncio.to_thread(ask, server.port, of) for name, of in QUESTIONS.items()}
            for name, seconds in (taken | await executions(server)).items():
                p95 = statistics.quantiles(seconds, n=20)[-1]
                slow += p95 > GOAL
                median = statistics.median(seconds)
                print(json.dumps({"g12": name, "median_ms": round(median * 1e3, 1), "p95_ms": round(p95 * 1e3, 1)}))
            for name, seconds in (await asyncio.to_thread(counted, server.port)).items():
                slow += max(seconds) > ONCE
                median = statistics.median(seconds)
                said = {"median_ms": round(median * 1e3, 1), "longest_ms": round(max(seconds) * 1e3, 1)}
                print(json.dumps({"g12": name, **said}))
        finally:
            await server.stop()
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
