"""A body that holds its event loop up is told of, with the stack."""

import threading
import time
from dataclasses import dataclass

import pytest

from whimbrel import eager, task
from whimbrel.errors import InputInvalid
from whimbrel.runtime.watchdog import VARIABLE, Watchdog, threshold
from whimbrel.testing.engine import TestEngine


@task
def add_one(x: int) -> int:
    return x + 1


release = threading.Event()


def computes() -> None:
    """Ends when the test has seen the warning."""
    assert release.wait(10)


@eager
async def blocks(x: int) -> int:
    before = await add_one(x=x)
    computes()
    return await add_one(x=before)


@eager
async def does_not(x: int) -> int:
    for _ in range(20):
        x = await add_one(x=x)
    return x


def told(engine: TestEngine) -> list[str]:
    return [line.text for line in engine.logs if "held its event loop up" in line.text]


def test_a_warning_with_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "0.02")
    release.clear()
    threading.Timer(0.6, release.set).start()
    engine = TestEngine(skip_time=False)
    assert engine.run(blocks, x=1) == 3
    warnings = [text for text in told(engine) if "computes()" in text]
    assert len(warnings) == 1, "once for each time"
    assert "the eager body n0" in warnings[0]
    assert "in blocks" in warnings[0]
    assert "asyncio/base_events.py" not in warnings[0]


def test_off_and_unhurried_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    release.set()
    for seconds, entity in (("0", blocks), ("5", does_not)):
        monkeypatch.setenv(VARIABLE, seconds)
        engine = TestEngine(skip_time=False)
        engine.run(entity, x=1)
        assert not told(engine)


def test_the_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert threshold() == 1.0
    monkeypatch.setenv(VARIABLE, "0.5")
    assert threshold() == 0.5
    for wrong in ("soon", "-1", "nan", "inf"):
        monkeypatch.setenv(VARIABLE, wrong)
        with pytest.raises(InputInvalid, match=wrong):
            threshold()


@dataclass
class Still:
    busy_since: float | None


def test_one_thread_as_long_as_it_is_needed() -> None:
    dog = Watchdog()
    heard = threading.Event()
    with dog.watching(Still(None), 0.001, lambda *_: heard.set()):
        with dog.watching(Still(time.monotonic() - 5), 0.001, lambda *_: heard.set()):
            assert heard.wait(10)
        heard.clear()
        assert dog._thread is not None
        thread = dog._thread
    thread.join(10)
    assert not thread.is_alive()
    assert not heard.is_set()
