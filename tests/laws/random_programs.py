"""Random programs: a tree that says what to do, and one eager workflow that does it.

The same function runs under the engine and as plain asyncio (the oracle), in virtual time, with the same durations.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from hypothesis import strategies as st

from whimbrel import dynamic, eager, map_task, task, workflow
from whimbrel.testing.world import PlaneLoop, World

Tree = list[Any]

STRETCH = 0.003
"""By how much durations differ between the two runs of the oracle: a program whose end changes with it is decided by a
photo finish, which no law speaks of."""


@task
async def work(name: int, takes: float) -> int:
    await asyncio.sleep(takes)
    return name


@task
async def fail(name: int, takes: float) -> int:
    await asyncio.sleep(takes)
    raise ValueError(f"work {name}")


@task
async def odd(name: int, takes: float) -> int:
    await asyncio.sleep(takes)
    if name % 2 == 0:
        raise ValueError(f"work {name} is even")
    return name


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
def sums(x: int) -> int:
    return add(x=add(x=x, y=1), y=add(x=x, y=2))


@dynamic
def laid_out(x: int) -> int:
    """What it calls depends on what it is given."""
    if x % 3 == 0:
        return x
    return add(x=sums(x=x), y=x) if x % 2 else add(x=x, y=map_task(add)(x=[x, 1], y=[1, 2])[0])


@eager
async def nested(program: str) -> str:
    return json.dumps(await evaluate(json.loads(program)))


@eager
async def interpret(program: str) -> str:
    return json.dumps(await outcome(evaluate(json.loads(program))))


async def outcome(doing: Any) -> Any:
    """A value, or an exception in words."""
    try:
        return await doing
    except Exception as error:
        return worded(error)


def worded(error: BaseException) -> Any:
    if isinstance(error, ExceptionGroup):
        return ["group", *sorted(str(worded(member)) for member in error.exceptions)]
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    return f"{type(error).__mro__}: {error}"


async def evaluate(tree: Tree) -> Any:
    """Do what the tree says."""
    kind, *rest = tree
    return await _DO[kind](*rest)


async def _call(name: int, takes: float) -> Any:
    return await work(name=name, takes=takes)


async def _fail(name: int, takes: float) -> Any:
    return await fail(name=name, takes=takes)


async def _sub(name: int, takes: float) -> Any:
    return await sums(x=await work(name=name, takes=takes))


async def _map(name: int, takes: float) -> Any:
    return await map_task(work, concurrency=2)(name=[name, name + 1000, name + 2000], takes=[takes, takes / 2, takes])


async def _lossy(name: int, takes: float) -> Any:
    return await map_task(odd, min_successes=1)(name=[1, name, 3], takes=[takes, takes / 2, takes])


async def _dynamic(name: int, takes: float) -> Any:
    return await laid_out(x=await work(name=name, takes=takes))


async def _sleep(_name: int, takes: float) -> Any:
    await asyncio.sleep(takes)
    return "slept"


async def _seq(trees: list[Tree]) -> Any:
    return [await evaluate(tree) for tree in trees]


async def _gather(trees: list[Tree]) -> Any:
    return list(await asyncio.gather(*[evaluate(tree) for tree in trees]))


async def _collect(trees: list[Tree]) -> Any:
    found = await asyncio.gather(*[evaluate(tree) for tree in trees], return_exceptions=True)
    return [worded(one) if isinstance(one, BaseException) else one for one in found]


async def _group(trees: list[Tree]) -> Any:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(evaluate(tree)) for tree in trees]
    return [one.result() for one in tasks]


async def _race(trees: list[Tree]) -> Any:
    tasks = [asyncio.create_task(evaluate(tree)) for tree in trees]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        won = [[i, await outcome(one)] for i, one in enumerate(tasks) if one in done]
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return won


async def _timeout(takes: float, tree: Tree) -> Any:
    async with asyncio.timeout(takes):
        return await evaluate(tree)


async def _wait_for(takes: float, tree: Tree) -> Any:
    return await asyncio.wait_for(evaluate(tree), takes)


async def _shield(takes: float, tree: Tree) -> Any:
    inner = asyncio.create_task(evaluate(tree))
    try:
        return await asyncio.wait_for(asyncio.shield(inner), takes)
    except TimeoutError:
        return ["late", await inner]
    finally:
        inner.cancel()
        await asyncio.gather(inner, return_exceptions=True)


async def _try(tree: Tree, handler: Tree) -> Any:
    try:
        return await evaluate(tree)
    except Exception as error:
        return [worded(error), await evaluate(handler)]


async def _finally(tree: Tree, last: Tree) -> Any:
    try:
        return await evaluate(tree)
    finally:
        await evaluate(last)


async def _cancel(takes: float, tree: Tree) -> Any:
    inner = asyncio.create_task(evaluate(tree))
    try:
        await asyncio.sleep(takes)
    finally:
        inner.cancel()
        found = (await asyncio.gather(inner, return_exceptions=True))[0]
    return worded(found) if isinstance(found, BaseException) else found


async def _nested(tree: Tree) -> Any:
    return json.loads(await nested(program=json.dumps(tree)))


_DO: dict[str, Callable[..., Any]] = {
    "call": _call,
    "fail": _fail,
    "sub": _sub,
    "map": _map,
    "lossy": _lossy,
    "dynamic": _dynamic,
    "sleep": _sleep,
    "seq": _seq,
    "gather": _gather,
    "collect": _collect,
    "group": _group,
    "race": _race,
    "timeout": _timeout,
    "wait_for": _wait_for,
    "shield": _shield,
    "try": _try,
    "finally": _finally,
    "cancel": _cancel,
    "nested": _nested,
}

TIMED = frozenset({"race", "timeout", "wait_for", "shield", "cancel"})
"""What makes the end depend on how long things take; so does a failure beside which something else runs."""


def kinds(tree: Any) -> set[str]:
    """What there is in a tree."""
    if not isinstance(tree, list):
        return set()
    here = {tree[0]} if tree and isinstance(tree[0], str) else set()
    return here.union(*[kinds(part) for part in tree])


def calm(tree: Tree) -> bool:
    """Whether the end is the same however long things take."""
    here = kinds(tree)
    return not here & TIMED and not ("fail" in here and here & {"gather", "group"})


# --- what trees there are

_takes = st.integers(1, 40).map(lambda n: n / 10)
_leaf = st.one_of(
    st.builds(lambda takes: ["call", takes], _takes),
    st.builds(lambda takes: ["call", takes], _takes),
    st.builds(lambda takes: ["fail", takes], _takes),
    st.builds(lambda kind, takes: [kind, takes], st.sampled_from(["sub", "map", "lossy", "dynamic"]), _takes),
    st.builds(lambda takes: ["sleep", takes], _takes),
)


def _grown(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(trees, min_size=1, max_size=4)
    return st.one_of(
        st.builds(
            lambda kind, row: [kind, row], st.sampled_from(["seq", "gather", "collect", "group", "race"]), several
        ),
        st.builds(
            lambda kind, takes, tree: [kind, takes, tree],
            st.sampled_from(["timeout", "wait_for", "shield", "cancel"]),
            _takes,
            trees,
        ),
        st.builds(lambda kind, one, two: [kind, one, two], st.sampled_from(["try", "finally"]), trees, trees),
        st.builds(lambda tree: ["nested", tree], trees),
    )


def _numbered(tree: Any, count: list[int]) -> Any:
    """Give each leaf a name, and each duration a fraction of its own."""
    if not isinstance(tree, list):
        return tree
    if tree and tree[0] in ("call", "fail", "sub", "map", "lossy", "dynamic", "sleep"):
        count[0] += 1
        return [tree[0], count[0], _own(tree[1], count[0])]
    if tree and isinstance(tree[0], str) and tree[0] in TIMED and isinstance(tree[1], float):
        count[0] += 1
        return [tree[0], _own(tree[1], count[0]), _numbered(tree[2], count)]
    return [_numbered(part, count) for part in tree]


def _own(takes: float, number: int) -> float:
    return round(takes + (number * 0.6180339887) % 1.0 * 0.05, 9)


trees: st.SearchStrategy[Tree] = st.recursive(_leaf, _grown, max_leaves=12).map(lambda tree: _numbered(tree, [0]))


# --- the oracle


class OracleLoop(PlaneLoop):
    """Virtual time for plain asyncio; threads are waited for."""

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        working = self._world.real_work()
        working.__enter__()
        future.add_done_callback(lambda _: working.__exit__(None, None, None))
        return future


def oracle(tree: Tree, stretch: float = 0.0) -> str:
    """What plain asyncio makes of it, with each duration longer by a share of its own of ``stretch``."""
    world = World()
    with asyncio.Runner(loop_factory=lambda: OracleLoop(world)) as runner:
        return runner.run(_plain(json.dumps(_stretched(tree, stretch, [0]))))


async def _plain(program: str) -> str:
    return await interpret(program=program)


def _stretched(tree: Any, stretch: float, count: list[int]) -> Any:
    if isinstance(tree, list):
        return [_stretched(part, stretch, count) for part in tree]
    if isinstance(tree, float):
        count[0] += 1
        return tree * (1 + stretch * ((count[0] * 0.754877666) % 1.0))
    return tree
