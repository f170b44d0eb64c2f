"""The two eager decorators, as plain Python: everything awaited, or flytekit 1.16's mixture."""

import asyncio
import threading

import pytest

from flytekit import eager as mixed
from flytekit import task, workflow
from flytekit.configuration import Config
from flytekit.exceptions.eager import EagerException as SameException
from flytekit.experimental import EagerException, eager
from union.remote import FlyteRemote
from whimbrel.authoring.eager import Eager
from whimbrel.errors import CallMismatch, ForgottenAwait, ValueMismatch


@task
def add_one(x: int) -> int:
    return x + 1


@task
async def add_one_async(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@task
def refuse(x: int) -> int:
    raise KeyError(x)


@task
async def refuse_async(x: int) -> int:
    raise KeyError(x)


@workflow
def plus_two(x: int) -> int:
    return add_one(x=add_one(x=x))


@eager
async def awaited(x: int) -> int:
    values = await asyncio.gather(*[add_one(x=i) for i in range(x)])
    return await plus_two(x=sum(values))


@eager
async def awaited_catching(x: int) -> int:
    try:
        return await refuse(x=x)
    except KeyError as error:
        return -1 if isinstance(error, EagerException) else -2


@mixed
async def blocking(x: int) -> int:
    values = [add_one(x=i) for i in range(x)]
    return plus_two(x=sum(values)) + await add_one_async(x=0)


@mixed
async def blocking_gathered(x: int) -> list[int]:
    return await asyncio.gather(*[add_one_async(x=i) for i in range(x)])


@mixed
async def nesting(x: int) -> int:
    below = await blocking(x=x)
    return add_one(x=below) + await awaited(x=x)


@mixed
async def blocking_catching(x: int) -> list[str]:
    caught = []
    for call in (refuse, plus_refuse):
        try:
            call(x=x)
        except EagerException as error:
            caught.append(type(error).__name__)
    try:
        await refuse_async(x=x)
    except EagerException as error:
        caught.append(type(error).__name__)
    return caught


@workflow
def plus_refuse(x: int) -> int:
    return refuse(x=x)


@mixed
async def blocking_on_the_same_thread() -> bool:
    return thread_of() == threading.get_ident()


@task
def thread_of() -> int:
    return threading.get_ident()


@mixed
async def forgetting(x: int) -> int:
    return add_one(x=add_one_async(x=x))  # type: ignore[arg-type]


@mixed
async def mistyped(x: int) -> int:
    return add_one(x="one")  # type: ignore[arg-type]


@eager(
    remote=FlyteRemote(config=Config.for_sandbox(), default_project="p", default_domain="d"),
    client_secret_group="group",
    client_secret_key="key",
)
async def remote(x: int) -> int:
    return await add_one(x=x)


def test_everything_is_awaited_in_experimental_eager() -> None:
    assert isinstance(awaited, Eager)
    assert asyncio.run(awaited(x=3)) == 8
    assert asyncio.run(awaited_catching(x=7)) == -1


def test_what_is_not_async_blocks_in_eager_of_1_16() -> None:
    assert isinstance(blocking, Eager)
    assert asyncio.run(blocking(x=3)) == 9
    assert asyncio.run(blocking_gathered(x=3)) == [1, 2, 3]
    assert asyncio.run(blocking_on_the_same_thread())


def test_both_kinds_nest() -> None:
    assert asyncio.run(nesting(x=3)) == 10 + 8


def test_failures_are_of_both_classes_whether_they_blocked_or_not() -> None:
    assert asyncio.run(blocking_catching(x=1)) == ["KeyError", "KeyError", "KeyError"]


def test_the_signature_is_the_authors() -> None:
    assert list(blocking.interface.inputs) == ["x"]
    assert blocking.name.endswith("test_eager.blocking")
    line = blocking.spec().line
    assert line is not None
    assert line.text == "async def blocking(x: int) -> int:"
    assert line.file == __file__


def test_a_forgotten_await_and_a_wrong_argument_are_told() -> None:
    with pytest.raises(ForgottenAwait, match="Write `await` before the call"):
        asyncio.run(forgetting(x=1))
    with pytest.raises(ValueMismatch, match="expected int"):
        asyncio.run(mistyped(x=1))


def test_the_options_of_remote_runs_are_accepted() -> None:
    assert asyncio.run(remote(x=1)) == 2


def test_there_is_one_eager_exception() -> None:
    assert SameException is EagerException


def test_a_local_entry_point_needs_a_remote_to_call() -> None:
    async def lonely(x: int) -> int:
        return await add_one(x=x)

    with pytest.raises(CallMismatch, match="Give it remote="):
        eager(lonely, local_entrypoint=True)
