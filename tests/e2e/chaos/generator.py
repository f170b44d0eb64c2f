"""Random programs: modules with static workflows, nested eager workflows, and an eager ``main`` that uses asyncio's
constructs. The result depends on every step, on its order within a chain, and on nothing else.
"""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable
from pathlib import Path

STEPS = Path(__file__).with_name("steps.py")

HEAD = '''\
"""Made by tests/e2e/chaos/generator.py with the seed {seed}."""

from __future__ import annotations

import asyncio

from steps import MODULUS, fail, leave, linger, square, step, stumble
from whimbrel import eager, random, workflow


async def chain(x: int, *ks: int) -> int:
    for k in ks:
        x = await step(x=x, k=k)
    return x


async def told(x: int, k: int) -> int:
    return k * await step(x=x, k=k)


async def lingering(x: int) -> int:
    return await linger(x=x)


'''


class Generator:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.parts: list[str] = []
        self.statics = 0
        self.nested = 0

    def program(self, length: int) -> str:
        """The module's text."""
        for _ in range(2):
            self.static()
        body = self.body(length, depth=2)
        self.parts.append(f"@eager\nasync def main(x: int) -> int:\n    leave('body')\n{body}    return x\n")
        return HEAD.format(seed=self.seed) + "\n\n".join(self.parts)

    def k(self) -> int:
        return self.chance.randrange(1, 1000)

    def ks(self, most: int = 3) -> str:
        return ", ".join(str(self.k()) for _ in range(self.chance.randrange(1, most + 1)))

    def static(self) -> None:
        self.statics += 1
        lines = ["a = step(x=x, k=1)"]
        names = ["x", "a"]
        for name in "bcd"[: self.chance.randrange(1, 4)]:
            lines.append(f"{name} = step(x={self.chance.choice(names)}, k={self.k()})")
            names.append(name)
        # The last takes two, so that the graph has a join.
        lines.append(f"return step(x={names[-1]}, k={names[-2]})")
        body = textwrap.indent("\n".join(lines), "    ")
        self.parts.append(f"@workflow\ndef static_{self.statics}(x: int) -> int:\n{body}\n")

    def body(self, length: int, depth: int) -> str:
        kinds: list[Callable[[], str]] = [
            self.chains,
            self.chains,
            self.group,
            self.completed,
            self.first,
            self.loop,
            self.caught,
            self.timed_out,
            self.in_time,
            self.cancelled,
            self.drawn,
            self.thread,
            self.nap,
            self.workflow,
            self.stumbled,
            self.condition,
        ]
        lines = []
        for _ in range(length):
            if depth and self.chance.random() < 0.15:
                lines.append(self.eager(depth - 1))
            else:
                lines.append(self.chance.choice(kinds)())
        lines.append(f"x = await chain(x, {self.ks(4)})")
        return textwrap.indent("\n".join(lines), "    ") + "\n"

    # --- statements ---------------------------------------------------------------------------------------------

    def chains(self) -> str:
        """Chains of unequal lengths, among them two that are equal."""
        equal = self.ks()
        calls = [f"chain(x, {self.ks(4)})", f"chain(x, {equal})", f"chain(x, {equal})"]
        self.chance.shuffle(calls)
        return f"p, q, r = await asyncio.gather({', '.join(calls)})\nx = (p * 31 + q * 17 + r) % MODULUS"

    def group(self) -> str:
        size = self.chance.randrange(2, 4)
        return (
            "async with asyncio.TaskGroup() as group:\n"
            f"    members = [group.create_task(chain(x + i, {self.ks()})) for i in range({size})]\n"
            "x = sum((i + 1) * member.result() for i, member in enumerate(members)) % MODULUS"
        )

    def completed(self) -> str:
        return (
            "total = 0\n"
            f"for done in asyncio.as_completed([told(x, k) for k in range({self.k()}, {self.k() + 2000}, 700)]):\n"
            "    total += await done\n"
            "x = total % MODULUS"
        )

    def first(self) -> str:
        return (
            f"rivals = [asyncio.create_task(told(x, k)) for k in ({self.k()}, {self.k()}, {self.k()})]\n"
            "await asyncio.wait(rivals, return_when=asyncio.FIRST_COMPLETED)\n"
            "if not all(rival.done() for rival in rivals):\n"
            "    await asyncio.wait(rivals)\n"
            "x = sum(rival.result() for rival in rivals) % MODULUS"
        )

    def loop(self) -> str:
        return f"for i in range({self.chance.randrange(2, 5)}):\n    x = await step(x=x, k=i)"

    def caught(self) -> str:
        return f"try:\n    x = await fail(x=x)\nexcept ValueError:\n    x = (x + {self.k()}) % MODULUS"

    def timed_out(self) -> str:
        return (
            "try:\n"
            f"    x = await asyncio.wait_for(linger(x=x), {self.chance.choice([0.005, 0.02])})\n"
            "except TimeoutError:\n"
            f"    x = (x + {self.k()}) % MODULUS"
        )

    def in_time(self) -> str:
        return f"async with asyncio.timeout(600):\n    x = await chain(x, {self.ks()})"

    def cancelled(self) -> str:
        return (
            "unwanted = asyncio.create_task(lingering(x))\n"
            f"x = await step(x=x, k={self.k()})\n"
            "unwanted.cancel()\n"
            "await asyncio.wait([unwanted])\n"
            "x = (x + unwanted.cancelled()) % MODULUS"
        )

    def drawn(self) -> str:
        return "k = int(random() * 1000)\nx = (await step(x=x, k=k) - k) % MODULUS"

    def thread(self) -> str:
        return "x = await asyncio.to_thread(square, x)"

    def nap(self) -> str:
        return "await asyncio.sleep(0.01)\nx = x + 1"

    def workflow(self) -> str:
        return f"x = await static_{self.chance.randrange(1, self.statics + 1)}(x=x)"

    def stumbled(self) -> str:
        return "x = await stumble(x=x)"

    def condition(self) -> str:
        return f"if x % 2:\n    x = await step(x=x, k={self.k()})\nelse:\n{textwrap.indent(self.workflow(), '    ')}"

    def eager(self, depth: int) -> str:
        body = self.body(2, depth)
        self.nested += 1
        name = f"nested_{self.nested}"
        self.parts.append(f"@eager\nasync def {name}(x: int) -> int:\n{body}    return x\n")
        if self.chance.random() < 0.5:
            return f"x = await {name}(x=x)"
        return f"p, q = await asyncio.gather({name}(x=x), {name}(x=x + 1))\nx = (p * 7 + q) % MODULUS"


def write_program(folder: Path, seed: int, length: int = 9) -> Path:
    """Write the program of ``seed`` and what it imports to ``folder``; the file to run. ``length`` is in statements."""
    (folder / "steps.py").write_text(STEPS.read_text())
    file = folder / "flow.py"
    file.write_text(Generator(seed).program(length))
    return file
