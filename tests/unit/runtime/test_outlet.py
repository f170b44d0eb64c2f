"""What an attempt shows: as often as it changes, and no oftener than can be seen."""

from __future__ import annotations

from typing import Any

from tests.unit.runtime.shelf import Shelf
from whimbrel import Deck, Html
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.run import AttemptId
from whimbrel.model.secrets import SecretValue
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.outlet import INLINE_CHARACTERS, INTERVAL, Outlet

AT = AttemptId("r", "n0", 1)


class Stage:
    """An outlet, what came out of it, and a hand on its clock."""

    def __init__(self, *, decks_on: bool = True, secret: bytes = b"") -> None:
        self.said: list[Any] = []
        self.now = 0.0
        self.shelf = Shelf()
        mask = Mask([SecretValue("g", "k", secret)] if secret else [])
        self.outlet = Outlet(
            AT,
            send=self.said.append,
            blobs=self.shelf,  # type: ignore[arg-type]  # decks are only put
            mask=mask,
            decks_on=decks_on,
            clock=lambda: 5.0,
            ticks=lambda: self.now,
        )


def deck(name: str, html: str) -> Deck:
    return Deck(name, Html(html), auto_add_to_deck=False)


def test_a_deck_is_sent_when_it_has_changed() -> None:
    stage = Stage()
    one, two = deck("one", "<b>1</b>"), deck("two", "2")
    stage.outlet.publish([one, two])
    stage.outlet.publish([one, two])
    two.append(Html("3"))
    stage.outlet.publish([one, two])
    assert stage.said == [
        DeckUpdate(AT, "one", 0, "<b>1</b>", 5.0),
        DeckUpdate(AT, "two", 1, "2", 5.0),
        DeckUpdate(AT, "two", 1, "2\n3", 5.0),
    ]


def test_decks_of_one_name_are_one() -> None:
    stage = Stage()
    stage.outlet.publish([deck("a", "1"), deck("a", "2")])
    assert [said.html for said in stage.said] == ["1\n2"]


def test_a_large_deck_is_a_blob_and_masked_there_too() -> None:
    stage = Stage(secret=b"hunter2")
    stage.outlet.publish([deck("big hunter2", "x" * INLINE_CHARACTERS + "hunter2")])
    (said,) = stage.said
    assert (said.name, said.html) == ("big ***", "")
    assert stage.shelf.get(said.uri) == b"x" * INLINE_CHARACTERS + b"***"


def test_decks_that_are_off_are_not_sent() -> None:
    stage = Stage(decks_on=False)
    stage.outlet.publish([deck("a", "1")])
    assert stage.said == []


def test_progress_is_sent_as_often_as_it_can_be_seen_and_its_end_always() -> None:
    stage = Stage()
    for done in range(100):
        stage.outlet.progress(done, None, f"at {done}")
        stage.now += INTERVAL / 16
    assert 6 <= len(stage.said) <= 8
    assert stage.said[0].done == 0.0
    stage.outlet.close()
    assert stage.said[-1] == Progress(AT, 99.0, 0.0, "at 99", 5.0)
    sent = len(stage.said)
    stage.outlet.close()
    assert len(stage.said) == sent


def test_the_last_of_a_known_number_is_sent_at_once() -> None:
    stage = Stage()
    for done in range(4):
        stage.outlet.progress(done, 3, "")
    assert [(said.done, said.total) for said in stage.said] == [(0.0, 3.0), (3.0, 3.0)]
