"""Decks, secrets and progress on the engine, in memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.authoring import secret_flows as flows
from whimbrel.errors import SecretLeak, SecretNotDeclared, SecretNotFound
from whimbrel.model import codec
from whimbrel.testing.engine import TestEngine

SECRETS = {
    "db/password": "hunter2-db",
    "token": "tok-12345",
    "tls/cert": "-----BEGIN-----\nabc",
    "group/one": "first-of-group",
}


@pytest.fixture(params=[True, False], ids=["simulated", "inline"])
def engine(request: pytest.FixtureRequest) -> TestEngine:
    return TestEngine(skip_time=request.param, secrets=SECRETS)


def everything(engine: TestEngine) -> bytes:
    """All that was written down."""
    blobs: Any = engine.blobs
    parts = [codec.encode(event) for event in engine.events]
    parts += [codec.encode(deck) for deck in engine.decks] + [codec.encode(said) for said in engine.progress]
    return b"\n".join([*parts, *blobs.contents.values()])


def decks_of(engine: TestEngine) -> dict[tuple[str, int, str], str]:
    blobs: Any = engine.blobs
    return {
        (deck.attempt.path, deck.attempt.number, deck.name): (
            blobs.contents[deck.uri].decode() if deck.uri else deck.html
        )
        for deck in engine.decks
    }


def test_declared_secrets_are_handed_over_and_mounted(engine: TestEngine) -> None:
    assert engine.run(flows.flow) == len("hunter2-db")
    assert "TOKEN" not in os.environ
    assert b"hunter2" not in everything(engine)


@pytest.mark.parametrize(
    ("entity", "error", "words"),
    [
        (flows.undeclared, SecretNotDeclared, "undeclared has not declared"),
        (flows.missing, SecretNotFound, "no secret 'no/such'"),
        (flows.returns_it, SecretLeak, "what the task returned holds the secret 'db/password'"),
        (flows.passes_it_on, SecretLeak, "holds the secret 'db/password'"),
    ],
)
def test_what_is_not_allowed_says_so(engine: TestEngine, entity: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        engine.run(entity)
    assert b"hunter2" not in everything(engine)


@pytest.mark.parametrize("fail", [False, True])
def test_secrets_are_masked_in_all_that_is_kept(engine: TestEngine, fail: bool) -> None:
    def masked(work: Callable[[], Any]) -> None:
        if fail:
            with pytest.raises(ValueError, match=r"\*\*\*") as caught:
                work()
            assert "hunter2" not in repr(caught.value.__dict__) + str(caught.value.args)
        else:
            work()
        assert b"hunter2" not in everything(engine)

    masked(lambda: engine.run(flows.tells_it, fail=fail))
    shown = decks_of(engine)
    assert shown["n0", 1, "mine"] == "<b>***</b>"
    assert "***" in shown["n0", 1, "escaped"]
    assert [said.message for said in engine.progress] == ["with ***"]
    masked(lambda: engine.run(flows.uses_it, fail=fail))
    assert decks_of(engine)["n0", 1, "body"] == "<i>***</i>"


def test_a_driver_that_is_made_anew_has_its_secrets() -> None:
    engine = TestEngine(always_replay=True, secrets=SECRETS)
    assert engine.run(flows.uses_it) == len("hunter2-db")
    assert engine.rebuilt > 0


def test_the_decks_of_a_task(engine: TestEngine) -> None:
    assert engine.run(flows.falsy, number=0, text="", items=[]) is False
    shown = {name: html for (_, _, name), html in decks_of(engine).items()}
    assert list(shown) == ["Input", "Source Code", "Dependencies", "Output"]
    assert "<pre>0</pre>" in shown["Input"]
    assert "<pre>&quot;&quot;</pre>" in shown["Input"]
    assert "<pre>[]</pre>" in shown["Input"]
    assert "<pre>false</pre>" in shown["Output"]
    assert "None" not in shown["Input"] + shown["Output"]
    assert "falsy" in shown["Source Code"]
    assert "whimbrel" in shown["Dependencies"]
    engine.run(flows.two)
    assert "&lt;b&gt;" in decks_of(engine)["n0", 1, "Output"]


def test_decks_are_off_unless_they_are_enabled_and_always_on_in_eager_bodies(engine: TestEngine) -> None:
    engine.run(flows.quiet)
    assert engine.decks == []
    engine.run(flows.has_a_deck)
    assert list(decks_of(engine).items()) == [(("n0", 1, "Summary"), "<b>one</b>")]


def test_decks_of_attempts_that_fail_are_kept(engine: TestEngine) -> None:
    with pytest.raises(ValueError, match="no"):
        engine.run(flows.fails_with_decks, x=3)
    shown = decks_of(engine)
    assert "attempt 1 of &lt;x&gt;" in shown["n0", 1, "before"]
    assert "attempt 2 of &lt;x&gt;" in shown["n0", 2, "before"]
    assert ("n0", 1, "Output") not in shown


def test_progress_is_kept(engine: TestEngine) -> None:
    assert engine.run(flows.goes_through, count=50) == sum(range(50))
    (said,) = engine.progress
    assert (said.attempt.path, said.done, said.total, said.message) == ("n0", 50.0, 50.0, "rows")


def test_a_plain_call_shows_nothing_and_goes_on() -> None:
    assert flows.goes_through(count=3) == 3
    assert flows.falsy(number=1, text="x", items=[]) is False
