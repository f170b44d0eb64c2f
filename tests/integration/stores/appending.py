"""A process that writes until it is killed: prints what it was told is durable, line by line."""

from __future__ import annotations

import asyncio
import sys

from tests.unit.stores.samples import event, summary
from whimbrel.model.run import AttemptId
from whimbrel.stores.home import open_home

RUNS = 4


async def main(path: str) -> None:
    home = open_home(path, exclusive=True)
    store = home.store

    async def write(run: str) -> None:
        if not [row for row in await store.summaries() if row.id == run]:
            await store.create(summary(run), [event(1)])
            print(run, 1, 0, flush=True)
        claimed = await store.claim(run, "appending")
        seq = len(await store.events(run)) + 1
        while True:
            many = 1 + seq % 7
            store.log_nowait(AttemptId(run, "n0", 1), "stdout", str(seq), 1.0)
            blob = home.blobs.put(f"runs/{run}/{seq}", str(seq).encode() * 100)
            await store.append(run, claimed.epoch, seq, [event(seq + n, worker=blob) for n in range(many)])
            seq += many
            print(run, seq - 1, claimed.epoch, flush=True)

    await asyncio.gather(*[write(f"r{n}") for n in range(RUNS)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
