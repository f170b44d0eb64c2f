"""The feed: what is delivered, what is passed over, what may be grafted."""

from __future__ import annotations

from whimbrel.durable.journal import Feed
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import Done, Entry, EntryKind, Failed


def done(key: str, digest: str, seq: int, parent: str = "n0") -> Entry:
    outcome = Done({"o0": IntLiteral(seq)})
    return Entry(parent, key, EntryKind.CALL, "task", digest, seq=seq, outcome=outcome, path=f"{parent}/{key}")


def test_entries_come_in_order_and_pending_ones_not_at_all() -> None:
    feed = Feed([done("1", "a", 1), done("2", "b", 2), Entry("n0", "3", EntryKind.CALL)])
    assert [feed.pop().key, feed.pop().key] == ["1", "2"]
    assert feed.peek() is None
    assert ("n0", "3") in feed.known


def test_a_finished_nested_body_answers_as_one_call() -> None:
    feed = Feed([done("1", "x", 1, parent="n0/1"), done("1", "y", 2, parent="n0/1/2"), done("1", "a", 3)])
    assert len(feed) == 1
    assert feed.pop().parent == "n0"


def test_no_graft_while_the_program_repeats_itself() -> None:
    feed = Feed([done("1", "same", 1), done("chain.1:1", "same", 2)])
    assert feed.graft("n0", "2", "same") is None


def test_a_displaced_call_is_grafted_elsewhere() -> None:
    feed = Feed([done("1", "a", 1), done("2", "b", 2)])
    feed.displace(("n0", "1"))
    assert feed.diverged
    found = feed.graft("n0", "2", "a")
    assert found is not None
    assert found.key == "1"
    assert feed.graft("n0", "3", "a") is None, "an outcome is given once"


def test_a_call_that_moved_up_is_found_later_in_its_scope() -> None:
    feed = Feed([done("1", "gone", 1), done("2", "a", 2)])
    feed.displace(("n0", "1"))
    found = feed.graft("n0", "1", "a")
    assert found is not None
    assert found.key == "2"


def test_a_claimed_call_is_not_grafted() -> None:
    feed = Feed([done("1", "a", 1), done("2", "a", 2)])
    feed.claim(("n0", "1"))
    feed.displace(("n0", "2"))
    found = feed.graft("n0", "3", "a")
    assert found is not None
    assert found.key == "2"


def test_failures_are_not_grafted() -> None:
    failed = Entry(
        "n0", "1", EntryKind.CALL, "task", "a", seq=1, outcome=Failed(Failure(Fault.USER, "no")), path="n0/1"
    )
    feed = Feed([failed])
    feed.displace(("n0", "1"))
    assert feed.graft("n0", "2", "a") is None


def test_what_was_passed_over_is_delivered_when_it_is_claimed_after_all() -> None:
    feed = Feed([done("1", "a", 1), done("2", "b", 2)])
    feed.pass_over()
    assert not feed.diverged, "a retried body passes entries over, and comes for them"
    assert feed.pop().key == "2"
    feed.claim(("n0", "1"))
    entry = feed.peek()
    assert entry is not None
    assert entry.key == "1"


def test_an_entry_nobody_came_for_is_a_sign_of_changed_code() -> None:
    feed = Feed([done("1", "a", 1)], changed=True)
    feed.pass_over()
    assert feed.diverged
    found = feed.graft("n0", "renamed.1:1", "a")
    assert found is not None
    assert ("n0", "1") not in feed.known, "whoever comes to its own place makes the call anew"


def test_what_was_given_away_is_not_delivered_at_its_place() -> None:
    feed = Feed([done("1", "gone", 1), done("2", "a", 2), done("3", "b", 3)])
    feed.displace(("n0", "1"))
    assert feed.graft("n0", "1", "a") is not None
    assert feed.pop().key == "3"
