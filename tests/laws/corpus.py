"""Sample programs for the durability laws: static and eager, each with its expected result."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from whimbrel import (
    EagerException,
    RecoverableError,
    conditional,
    current_context,
    eager,
    setup_teardown,
    task,
    workflow,
)
from whimbrel.authoring.durable_values import now, random, uuid4
from whimbrel.authoring.mixed_eager import mixed_eager

from .fan_out_samples import (
    bracketed_inside,
    countdown,
    dynamic_everywhere,
    eager_fans_out,
    mapped,
    mapped_losing,
    unfolding,
)


@task
def add_one(x: int) -> int:
    return x + 1


@task
async def double(x: int) -> int:
    await asyncio.sleep(0)
    return x * 2


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def is_large(x: int) -> bool:
    return x > 10


@task
def reject(x: int) -> int:
    raise ValueError(f"{x} is not wanted")


@dataclass
class Reading:
    sensor: str
    values: list[float]


@task
def read(sensor: str) -> Reading:
    return Reading(sensor, [1.0, 2.0, 3.0])


@task
def mean(reading: Reading) -> float:
    return sum(reading.values) / len(reading.values)


class Pair(NamedTuple):
    low: int
    high: int


@task
def spread(x: int) -> Pair:
    return Pair(x - 1, x + 1)


@workflow
def chain(x: int) -> int:
    return double(x=add_one(x=double(x=add_one(x=x))))


@workflow
def fan_out(x: int) -> int:
    return total(xs=[add_one(x=x), double(x=x), add_one(x=7), double(x=8)])


@workflow
def branch(x: int) -> int:
    y = add_one(x=x)
    return conditional("size").if_(y > 10).then(double(x=y)).else_().then(add_one(x=y))


@workflow
def nested(x: int) -> int:
    pair = spread(x=chain(x=x))
    return total(xs=[pair.low, pair.high, chain(x=3)])


@workflow
def structured(sensor: str) -> float:
    reading = read(sensor=sensor)
    return mean(reading=reading)


@eager
async def eager_loop(n: int) -> int:
    value = 0
    for i in range(n):
        value = await add_one(x=value + i)
    return value


async def branch_of(start: int, length: int) -> int:
    value = start
    for _ in range(length):
        value = await double(x=await add_one(x=value))
    return value


@eager
async def eager_gather(x: int) -> list[int]:
    return list(await asyncio.gather(branch_of(x, 2), branch_of(x + 1, 1), branch_of(x + 2, 3)))


@eager
async def eager_catches(x: int) -> str:
    try:
        await reject(x=x)
    except ValueError as error:
        both = isinstance(error, EagerException)
        return f"{error} but {await add_one(x=x)}" if both else "not an EagerException"
    return "accepted"


@eager
async def eager_calls_workflow(x: int) -> int:
    first = await chain(x=x)
    second = await branch(x=first)
    return first + second


@eager
async def inner(x: int) -> int:
    return await double(x=await add_one(x=x))


@eager
async def eager_nested(x: int) -> int:
    first, second = await asyncio.gather(inner(x=x), inner(x=x + 10))
    return await add_one(x=first + second)


@eager
async def eager_race(x: int) -> int:
    tasks = [asyncio.create_task(branch_of(x, n)) for n in (1, 3)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for waiting in pending:
        waiting.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return await add_one(x=min(finished.result() for finished in done))


@eager
async def eager_timeout(x: int) -> int:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(30)
    except TimeoutError:
        return await add_one(x=x)
    return 0


@eager
async def eager_group(x: int) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(branch_of(x + i, 1)) for i in range(3)]
    return sum(finished.result() for finished in tasks)


@eager
async def eager_as_completed(x: int) -> int:
    seen = [await future for future in asyncio.as_completed([branch_of(x + i, 1) for i in range(3)])]
    return await total(xs=sorted(seen))


async def once_more(call: Coroutine[Any, Any, int]) -> int:
    return await add_one(x=await call)


@eager
async def eager_as_completed_of_calls(x: int) -> int:
    seen = [await future for future in asyncio.as_completed([once_more(add_one(x=x + i)) for i in range(3)])]
    return await total(xs=sorted(seen))


@workflow
def eager_inside(x: int) -> int:
    return add_one(x=inner(x=add_one(x=x)))


# --- every construct of asyncio that waits -----------------------------------------------------------------------

_samples = itertools.count(1)


@task
def draw_sample(temperature: float) -> int:
    """A value that no other call gives, whoever asks: as a model's answer does."""
    return next(_samples)


@task
def label(branch: int, first: int, second: int) -> str:
    return f"{branch}/{first}/{second}"


@task
def fail_for(x: int, bad: list[int]) -> int:
    if x in bad:
        raise LookupError(f"no {x}")
    return x


@task(retries=3)
def flaky(x: int) -> int:
    if current_context().attempt < 3:
        raise RecoverableError("not yet")
    return x * 100


@task
def page(number: int) -> list[int]:
    return [number * 10 + i for i in range(3)] if number < 3 else []


@task
def blob(size: int) -> str:
    return "x" * size


@task
def length(text: str) -> int:
    return len(text)


@eager
async def eager_create_task(x: int) -> int:
    first = asyncio.create_task(branch_of(x, 1))
    second = asyncio.create_task(branch_of(x, 2), name="second")
    return await add_one(x=await second) + await first


@eager
async def eager_wait_all(x: int) -> list[int]:
    tasks = [asyncio.create_task(branch_of(x + i, i)) for i in range(3)]
    done, pending = await asyncio.wait(tasks)
    assert not pending
    assert done == set(tasks)
    return [finished.result() for finished in tasks]


@eager
async def eager_wait_first_exception(x: int) -> str:
    tasks = [asyncio.create_task(chain_of(fail_for, x + i, i + 1)) for i in range(3)]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    failed = [i for i, one in enumerate(tasks) if one.done() and one.exception() is not None]
    for one in pending:
        one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return f"{failed} {await add_one(x=len(failed))}"


async def chain_of(entity: Any, x: int, rounds: int) -> int:
    for _ in range(rounds):
        x = await add_one(x=await entity(x=x, bad=[11]))
    return x


@eager
async def eager_wait_for(x: int) -> list[int]:
    in_time = await asyncio.wait_for(branch_of(x, 1), 60)
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.02)
    except TimeoutError:
        return [in_time, await double(x=in_time)]
    return []


@eager
async def eager_wait_for_call(x: int) -> int:
    try:
        return await asyncio.wait_for(branch_of(x, 3), 0.25)
    except TimeoutError:
        return -await add_one(x=x)


@eager
async def eager_timeouts_nested(x: int) -> list[str]:
    seen: list[str] = []
    try:
        async with asyncio.timeout(0.3):
            try:
                async with asyncio.timeout(0.1):
                    seen.append(str(await branch_of(x, 2)))
            except TimeoutError:
                seen.append("inner")
                seen.append(str(await add_one(x=x)))
            seen.append(str(await branch_of(x, 1)))
    except TimeoutError:
        seen.append("outer")
        seen.append(str(await double(x=x)))
    return seen


@eager
async def eager_shield(x: int) -> list[int]:
    work = asyncio.create_task(branch_of(x, 2))
    try:
        async with asyncio.timeout(0.05):
            return [await asyncio.shield(work)]
    except TimeoutError:
        return [await add_one(x=x), await work]


@eager
async def eager_comprehensions(x: int) -> dict[str, int]:
    squares = [await add_one(x=i) for i in range(x)]
    by_name = {str(i): await double(x=i) for i in squares}
    return {name: value for name, value in by_name.items() if value > 2}


async def pages() -> AsyncIterator[int]:
    number = 0
    while items := await page(number=number):
        for item in items:
            yield item
        number += 1


@eager
async def eager_async_generator(limit: int) -> list[int]:
    found = []
    async for item in pages():
        found.append(await add_one(x=item))
        if len(found) == limit:
            break
    return found + [item async for item in pages() if item < 12]


@eager
async def eager_to_thread(x: int) -> int:
    there = await asyncio.to_thread(pow, x, 3)
    both = await asyncio.gather(asyncio.to_thread(pow, x, 2), add_one(x=there))
    return sum(both)


@eager
async def eager_race_cancels(x: int) -> list[int]:
    """The loser is cancelled in the middle of a chain; its clean-up makes calls of its own."""
    cleaned: list[int] = []

    async def runner(start: int, rounds: int) -> int:
        try:
            return await branch_of(start, rounds)
        except asyncio.CancelledError:
            cleaned.append(await add_one(x=start * 100))
            raise

    tasks = [asyncio.create_task(runner(x + i, i + 1)) for i in range(3)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for one in tasks:
        if one in pending:
            one.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return [*[one.result() for one in tasks if one in done], *sorted(cleaned)]


@eager
async def eager_return_exceptions(x: int) -> list[str]:
    results = await asyncio.gather(*[fail_for(x=x + i, bad=[x + 1]) for i in range(3)], return_exceptions=True)
    return [str(result) if isinstance(result, int) else type(result).__name__ for result in results]


@eager
async def eager_exception_group(x: int) -> list[str]:
    seen: list[str] = []
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(chain_of(fail_for, 11, 1))
            group.create_task(branch_of(x, 50))
    except* LookupError as caught:
        seen.extend(str(error) for error in caught.exceptions)
    seen.append(str(await add_one(x=x)))
    return seen


@eager
async def failing_inner(x: int) -> int:
    await asyncio.gather(add_one(x=x), reject(x=x))
    return 0


@eager
async def eager_nested_fails(x: int) -> str:
    try:
        return str(await failing_inner(x=x))
    except ValueError as error:
        return f"{error}, so {await inner(x=x)}"


@eager
async def eager_nested_cancelled(x: int) -> int:
    try:
        async with asyncio.timeout(0.01):
            await sleeper(x=x)
    except TimeoutError:
        return await inner(x=x)
    return 0


@eager
async def sleeper(x: int) -> int:
    await add_one(x=x)
    await asyncio.sleep(3600)
    return x


@eager
async def eager_subworkflows(x: int) -> list[int]:
    return list(await asyncio.gather(chain(x=x), branch(x=x), eager_inside(x=x)))


@eager
async def eager_sleeps(x: int) -> int:
    started = now()
    await asyncio.gather(asyncio.sleep(7200), asyncio.sleep(3600))
    value = await add_one(x=x)
    await asyncio.sleep(60)
    waited = (now() - started).total_seconds()
    return value if 7260 <= waited < 7300 else -1


@eager
async def eager_draws(x: int) -> bool:
    async def one(i: int) -> bool:
        chance, name, moment = random(), uuid4(), now()
        sent = int(chance * 1_000_000) + i
        back = await add_one(x=sent)
        same = await length(text=f"{name} {moment.isoformat()} {chance}")
        return back == sent + 1 and same == len(f"{name} {moment.isoformat()} {chance}")

    return all(await asyncio.gather(*[one(i) for i in range(x)]))


@eager
async def eager_queue(x: int) -> list[int]:
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    found: list[int] = []

    async def produce() -> None:
        for i in range(x):
            await queue.put(await add_one(x=i))

    async def consume() -> None:
        while True:
            found.append(await double(x=await queue.get()))
            queue.task_done()

    consumers = [asyncio.create_task(consume()) for _ in range(2)]
    await produce()
    await queue.join()
    for one in consumers:
        one.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    return sorted(found)


@eager
async def eager_event(x: int) -> list[int]:
    ready = asyncio.Event()
    order: list[int] = []

    async def waiter(i: int) -> None:
        await ready.wait()
        order.append(await add_one(x=i))

    async with asyncio.TaskGroup() as group:
        for i in range(3):
            group.create_task(waiter(i))
        order.append(await double(x=x))
        ready.set()
    return [order[0], *sorted(order[1:])]


@eager
async def eager_semaphore(x: int) -> list[int]:
    limit, running, most = asyncio.Semaphore(2), 0, 0

    async def limited(i: int) -> int:
        nonlocal running, most
        async with limit:
            running += 1
            most = max(most, running)
            value = await branch_of(i, 1)
            running -= 1
        return value

    return [*await asyncio.gather(*[limited(x + i) for i in range(4)]), most]


@eager
async def eager_lock(x: int) -> int:
    lock, balance = asyncio.Lock(), 0

    async def deposit(amount: int) -> None:
        nonlocal balance
        async with lock:
            before = balance
            balance = before + await double(x=amount)

    await asyncio.gather(*[deposit(x + i) for i in range(3)])
    return balance


@eager
async def eager_condition(x: int) -> list[int]:
    condition, stock = asyncio.Condition(), []

    async def take() -> int:
        async with condition:
            await condition.wait_for(lambda: bool(stock))
            return int(stock.pop())

    takers = [asyncio.create_task(take()) for _ in range(2)]
    for i in range(2):
        made = await add_one(x=x + i)
        async with condition:
            stock.append(made)
            condition.notify()
    return sorted(await asyncio.gather(*takers))


@eager
async def eager_futures(x: int) -> list[int]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[int] = loop.create_future()
    seen: list[int] = []
    work = asyncio.create_task(branch_of(x, 1))
    work.add_done_callback(lambda done: seen.append(done.result()))
    loop.call_later(0.5, lambda: answer.set_result(x * 7))
    later = await answer
    await work
    return [later, await add_one(x=later), *seen]


@eager
async def eager_finally(x: int) -> list[int]:
    freed: list[int] = []

    @asynccontextmanager
    async def resource(i: int) -> AsyncIterator[int]:
        handle = await add_one(x=i)
        try:
            yield handle
        finally:
            freed.append(await double(x=handle))

    try:
        async with resource(x) as outer, resource(outer) as held:
            await reject(x=held)
    except ValueError:
        freed.append(-1)
    return freed


@eager
async def eager_samples(branches: int) -> bool:
    """Identical calls in branches of different speeds: each branch keeps its own answers."""

    async def best_of_two(i: int) -> bool:
        first = await draw_sample(temperature=0.7)
        for _ in range(i % 3):
            await add_one(x=i)
        second = await draw_sample(temperature=0.7)
        return await label(branch=i, first=first, second=second) == f"{i}/{first}/{second}"

    return all(await asyncio.gather(*[best_of_two(i) for i in range(branches)]))


@eager
async def eager_retries(x: int) -> int:
    once = await flaky(x=x)
    for attempt in range(3):
        try:
            return once + await fail_for(x=x + attempt, bad=[x, x + 1])
        except LookupError:
            await asyncio.sleep(2**attempt)
    return 0


@eager
async def eager_large_values(size: int) -> int:
    text = await blob(size=size)
    lengths = await asyncio.gather(length(text=text), length(text=text + "y"))
    return sum(lengths)


@eager
async def depth(n: int) -> int:
    return 0 if n == 0 else await add_one(x=await depth(n=n - 1))


@eager
async def eager_waits_in_a_loop(x: int) -> list[int]:
    """One at a time out of a set that shrinks, in the order of ending."""
    pending = {asyncio.create_task(branch_of(x + i, i + 1)) for i in range(3)}
    total_, rounds = 0, 0
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for one in done:
            total_ += one.result()
        rounds = await add_one(x=rounds)
    return [total_, 1 if rounds else 0]


@eager
async def eager_raises(x: int) -> int:
    await add_one(x=x)
    return await reject(x=x)


@task
def acquire() -> str:
    return "held"


@task
def release(name: str, error: str | None) -> None:
    pass


@workflow
@setup_teardown(before=acquire, after=release)
def bracketed(x: int) -> int:
    with setup_teardown(acquire, release):
        parts = [add_one(x=x), double(x=x)]
    return total(xs=parts)


@eager
@setup_teardown(before=acquire, after=release)
async def eager_bracketed(x: int) -> str:
    """The inner bracket fails, and is torn down, before the outer one goes on."""
    try:
        async with setup_teardown(acquire, release) as name:
            assert name == "held"
            await asyncio.gather(double(x=x), reject(x=x))
    except ValueError as error:
        return f"{error}, {await add_one(x=x)}"
    return "accepted"


# --- calls that block --------------------------------------------------------------------------------------------


def stepwise(x: int, steps: int) -> int:
    """No coroutine: its calls are waited for here."""
    for _ in range(steps):
        x = add_one(x=x)
    return x


@mixed_eager
async def eager_blocks(x: int) -> int:
    below = stepwise(x, 2)
    try:
        reject(x=below)
    except EagerException as error:
        below += 100 if isinstance(error, ValueError) else 0
    return chain(x=add_one(x=below)) + await double(x=below)


async def stepping(x: int, steps: int) -> int:
    return stepwise(x, steps) + await double(x=x)


@mixed_eager
async def eager_blocks_side_by_side(x: int) -> list[int]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(stepping(x + i, i)) for i in range(3)]
    await asyncio.sleep(1)
    return [add_one(x=task.result()) for task in tasks]


@mixed_eager
async def eager_blocks_nested(x: int) -> list[int]:
    """Bodies of both kinds, in one another, one by one and side by side."""
    first = await eager_blocks(x=stepwise(x, 1))
    second, third = await asyncio.gather(eager_blocks_side_by_side(x=x), inner(x=x))
    return [stepwise(first, 1), *second, third]


@mixed_eager
async def eager_blocks_cancelled(x: int) -> int:
    """What waits in a call that blocks is cancelled there, and its clean-up blocks as well."""
    cleaned = []

    async def forever() -> None:
        value = 0
        try:
            while True:
                value = stepwise(value, 1)
        finally:
            cleaned.append(stepwise(x, 2))

    running = asyncio.create_task(forever())
    stepwise(x, 3)
    running.cancel()
    await asyncio.wait([running])
    return cleaned[0]


class Sample(NamedTuple):
    """A program, its inputs, and what it must give; ``task_calls`` is how many task executions an undisturbed run
    makes (-1: it may vary). ``racy``: where calls take time, what it gives depends on how long they take."""

    entity: Any
    inputs: dict[str, Any]
    expected: Any
    task_calls: int
    racy: bool = False


SAMPLES = {
    "chain": Sample(chain, {"x": 1}, 10, 4),
    "fan_out": Sample(fan_out, {"x": 1}, 2 + 2 + 8 + 16, 5),
    "branch_small": Sample(branch, {"x": 1}, 3, 2),
    "branch_large": Sample(branch, {"x": 20}, 42, 2),
    "nested": Sample(nested, {"x": 1}, 9 + 11 + 18, 10),
    "structured": Sample(structured, {"sensor": "a"}, 2.0, 2),
    "eager_loop": Sample(eager_loop, {"n": 4}, 10, 4),
    "eager_gather": Sample(eager_gather, {"x": 1}, [10, 6, 38], 12),
    "eager_catches": Sample(eager_catches, {"x": 4}, "4 is not wanted but 5", 2),
    "eager_calls_workflow": Sample(eager_calls_workflow, {"x": 1}, 10 + 22, 6),
    "eager_nested": Sample(eager_nested, {"x": 1}, 4 + 24 + 1, 5),
    "eager_race": Sample(eager_race, {"x": 1}, 5, -1, racy=True),
    "eager_timeout": Sample(eager_timeout, {"x": 1}, 2, 1),
    "eager_group": Sample(eager_group, {"x": 1}, 4 + 6 + 8, 6),
    "eager_as_completed": Sample(eager_as_completed, {"x": 1}, 18, 7),
    "eager_as_completed_of_calls": Sample(eager_as_completed_of_calls, {"x": 1}, 12, 7),
    "eager_inside": Sample(eager_inside, {"x": 1}, 7, 4),
    "eager_create_task": Sample(eager_create_task, {"x": 1}, 15, 7),
    "eager_wait_all": Sample(eager_wait_all, {"x": 1}, [1, 6, 18], 6),
    "eager_wait_first_exception": Sample(eager_wait_first_exception, {"x": 10}, "[1] 2", -1, racy=True),
    "eager_wait_for": Sample(eager_wait_for, {"x": 1}, [4, 8], 3),
    "eager_wait_for_call": Sample(eager_wait_for_call, {"x": 1}, 22, -1, racy=True),
    "eager_timeouts_nested": Sample(eager_timeouts_nested, {"x": 1}, ["10", "4"], -1, racy=True),
    "eager_shield": Sample(eager_shield, {"x": 1}, [10], -1, racy=True),
    "eager_comprehensions": Sample(eager_comprehensions, {"x": 3}, {"2": 4, "3": 6}, 6),
    "eager_async_generator": Sample(eager_async_generator, {"limit": 4}, [1, 2, 3, 11, 0, 1, 2, 10, 11], 10),
    "eager_to_thread": Sample(eager_to_thread, {"x": 3}, 37, 1),
    "eager_race_cancels": Sample(eager_race_cancels, {"x": 1}, [4, 201, 301], -1, racy=True),
    "eager_return_exceptions": Sample(eager_return_exceptions, {"x": 1}, ["1", "LookupError", "3"], 3),
    "eager_exception_group": Sample(eager_exception_group, {"x": 1}, ["no 11", "2"], -1),
    "eager_nested_fails": Sample(eager_nested_fails, {"x": 4}, "4 is not wanted, so 10", -1),
    "eager_nested_cancelled": Sample(eager_nested_cancelled, {"x": 4}, 10, -1),
    "eager_subworkflows": Sample(eager_subworkflows, {"x": 1}, [10, 3, 7], 10),
    "eager_sleeps": Sample(eager_sleeps, {"x": 1}, 2, 1),
    "eager_draws": Sample(eager_draws, {"x": 3}, True, 6),
    "eager_queue": Sample(eager_queue, {"x": 5}, [2, 4, 6, 8, 10], 10),
    "eager_event": Sample(eager_event, {"x": 9}, [18, 1, 2, 3], 4),
    "eager_semaphore": Sample(eager_semaphore, {"x": 1}, [4, 6, 8, 10, 2], 8),
    "eager_lock": Sample(eager_lock, {"x": 1}, 12, 3),
    "eager_condition": Sample(eager_condition, {"x": 1}, [2, 3], 2),
    "eager_futures": Sample(eager_futures, {"x": 1}, [7, 8, 4], 3),
    "eager_finally": Sample(eager_finally, {"x": 1}, [6, 4, -1], 5),
    "eager_samples": Sample(eager_samples, {"branches": 4}, True, 15),
    "eager_retries": Sample(eager_retries, {"x": 1}, 103, 6),
    "eager_large_values": Sample(eager_large_values, {"size": 30_000}, 60_001, 3),
    "eager_depth": Sample(depth, {"n": 4}, 4, 4),
    "bracketed": Sample(bracketed, {"x": 1}, 4, 7),
    "eager_bracketed": Sample(eager_bracketed, {"x": 4}, "4 is not wanted, 5", 7),
    "eager_blocks": Sample(eager_blocks, {"x": 1}, 422 + 206, 9),
    "eager_blocks_side_by_side": Sample(eager_blocks_side_by_side, {"x": 1}, [4, 8, 12], 9),
    "eager_blocks_nested": Sample(eager_blocks_nested, {"x": 1}, [635, 4, 8, 12, 4], -1),
    "eager_blocks_cancelled": Sample(eager_blocks_cancelled, {"x": 1}, 3, -1),
    "eager_waits_in_a_loop": Sample(eager_waits_in_a_loop, {"x": 1}, [56, 1], -1),
    "mapped": Sample(mapped, {"xs": [1, 2, 3]}, 225, 16),
    "mapped_losing": Sample(mapped_losing, {"xs": [1, 2, 3, 4]}, 4, 6),
    "dynamic": Sample(unfolding, {"xs": [1, 2, 3]}, 21, 7),
    "dynamic_nothing": Sample(unfolding, {"xs": []}, 0, 1),
    "dynamic_recursion": Sample(countdown, {"n": 3}, 7, 7),
    "dynamic_bracketed": Sample(bracketed_inside, {"xs": [1, 2, 3]}, 12, 11),
    "dynamic_everywhere": Sample(dynamic_everywhere, {"x": 1}, 85, 44),
    "eager_fans_out": Sample(eager_fans_out, {"x": 1}, [2, 4, 6, 100, 2, 234, 71], -1),
}
