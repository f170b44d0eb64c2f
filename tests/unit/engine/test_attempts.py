"""Retries, backoff, time-outs, and the cache."""

import pytest

from tests.unit.engine.playing import ONE, Play, attempt, eager, fault, graph, node, out, program, task
from whimbrel.engine import retry
from whimbrel.engine.cachekey import input_digest
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import Cancel, Launch, Lost
from whimbrel.model.codec import digest
from whimbrel.model.commands import EndRun, LookUpCache, ReleaseCache, SetTimer, WriteCache
from whimbrel.model.events import AbortRequested, CacheHit, CacheMiss, OwnerChanged, RetryDue, TimeoutDue
from whimbrel.model.failure import Fault
from whimbrel.model.literals import BlobLiteral, IntLiteral, ListLiteral, MapLiteral, RefLiteral, UnionLiteral
from whimbrel.model.program import CacheSpec, Metadata
from whimbrel.model.run import Phase


def single(**metadata: object) -> Play:
    return Play(program(task(**metadata), graph(node("n0"))))


def test_user_retries_are_counted() -> None:
    play = single(retries=2)
    play.failed("n0", number=1)
    assert play.launched() == [attempt("n0", 2)]
    play.started("n0", 2)
    play.failed("n0", number=2)
    assert play.launched() == [attempt("n0", 3)]
    play.failed("n0", fault("the last"), number=3)
    assert play.only(EndRun).phase is Phase.FAILED
    assert play.node("n0").user_retries == 2
    assert [one.phase for one in play.node("n0").attempts] == [Phase.FAILED] * 3
    assert play.run.failure is not None
    assert play.run.failure.message == "the last"


def test_what_cannot_be_recovered_is_not_retried() -> None:
    play = single(retries=2)
    play.failed("n0", fault(recoverable=False))
    assert play.run.phase is Phase.FAILED


def test_losses_and_system_faults_have_their_own_allowance() -> None:
    play = Play(program(task(retries=1), graph(node("n0"))), system_retries=2)
    play.post(Lost(attempt("n0", 1), "silent", play.now))
    play.failed("n0", fault(fault=Fault.SYSTEM, recoverable=False), 2)
    assert (play.node("n0").user_retries, play.node("n0").system_retries) == (0, 2)
    play.failed("n0", number=3)
    assert play.launched() == [attempt("n0", 4)]
    play.post(Lost(attempt("n0", 4), "silent again", play.now))
    assert play.run.failure is not None
    assert (play.run.failure.fault, play.run.failure.message) == (Fault.LOST, "silent again")


def test_a_body_that_gets_on_has_its_allowance_back() -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"))), system_retries=1, regained=True)
    for number in range(1, 5):
        play.started("n0", number)
        play.call(str(number), driver=number)
        play.succeeded(f"n0/{number}")
        play.post(Lost(attempt("n0", number), "killed", play.now))
        assert play.launched() == [attempt("n0", number + 1)]
    play.post(Lost(attempt("n0", 5), "killed, and had done nothing", play.now))
    assert play.run.phase is Phase.FAILED


def test_backoff_waits_and_doubles() -> None:
    play = single(retries=3, backoff=2.0, backoff_limit=5.0)
    waits = []
    for number in (1, 2, 3):
        at = play.now
        play.failed("n0", number=number)
        timer = play.only(SetTimer)
        waits.append(timer.due - at)
        assert timer.event == RetryDue("n0", number + 1, timer.due)
        assert play.run.outstanding() == [timer]
        play.post(timer.event)
        assert play.launched() == [attempt("n0", number + 1)]
        assert play.post(timer.event) == []
    assert waits == [2.0, 4.0, 5.0]


def test_a_huge_backoff_is_no_overflow() -> None:
    assert retry.delay(Metadata(backoff=1.0, backoff_limit=60.0), 100_000) == 60.0


def test_an_attempt_that_runs_too_long_is_cancelled_and_retried() -> None:
    play = single(retries=1, timeout=30.0)
    at = play.now
    play.started("n0")
    timer = play.only(SetTimer)
    assert timer.due == at + 30.0
    assert play.run.outstanding()[1:] == [timer]
    play.post(timer.event)
    assert play.only(Cancel).attempt == attempt("n0")
    assert play.launched() == [attempt("n0", 2)]
    assert play.failed("n0", fault(fault=Fault.CANCELLED)) == []
    play.started("n0", 2)
    play.post(TimeoutDue("n0", 2, play.now))
    assert play.node("n0").phase is Phase.TIMED_OUT
    assert play.run.failure is not None
    assert play.run.failure.fault is Fault.TIMEOUT
    assert play.run.failure.message == "n0 ran longer than its timeout of 30 s"


def test_a_time_out_of_an_attempt_that_is_over_means_nothing() -> None:
    play = Play(program(task(timeout=30.0), graph(node("n0"), node("n1", above=["n0"]))))
    play.started("n0")
    timer = play.only(SetTimer)
    play.succeeded("n0")
    assert play.post(timer.event) == []


def test_a_worker_may_say_that_time_is_up() -> None:
    play = single(retries=0)
    play.started("n0")
    play.failed("n0", fault(fault=Fault.TIMEOUT))
    assert play.node("n0").phase is Phase.TIMED_OUT


# --- cache -----------------------------------------------------------------------------------------------------------


def cached(serialize: bool = False, **options: object) -> Play:
    spec = task(cache=CacheSpec("v1", serialize=serialize), retries=1)
    return Play(program(spec, graph(node("n0"))), **options)


def test_a_hit_needs_no_attempt() -> None:
    play = cached()
    lookup = play.only(LookUpCache)
    assert (lookup.path, lookup.key.task, lookup.key.version) == ("n0", "t", "v1")
    assert lookup.key.inputs == {"x": digest(IntLiteral(1))}
    assert play.run.outstanding() == [lookup]
    play.post(CacheHit("n0", out(4), "by run q", play.now))
    assert play.run.outputs == out(4)
    assert play.node("n0").cached
    assert play.node("n0").cache_reason == "by run q"
    assert play.node("n0").attempts == ()
    assert play.every(WriteCache) == []


def test_a_miss_launches_and_writes() -> None:
    play = cached()
    key = play.only(LookUpCache).key
    play.post(CacheMiss("n0", "never ran", play.now))
    assert play.launched() == [attempt("n0")]
    assert play.node("n0").cache_reason == "never ran"
    assert play.post(CacheMiss("n0", "never ran", play.now)) == []
    play.succeeded("n0", 3)
    assert play.only(WriteCache) == WriteCache("n0", key, out(3))


def test_an_answer_that_nobody_asked_for_raises() -> None:
    play = single()
    with pytest.raises(IllegalTransition, match="nobody asked"):
        play.run.handle(CacheMiss("n0", "", 1.0))
    with pytest.raises(IllegalTransition, match="no such node"):
        play.run.handle(CacheHit("n9", {}, "", 1.0))


def test_overwriting_writes_without_looking() -> None:
    play = cached(serialize=True, overwrite_cache=True)
    assert play.launched() == [attempt("n0")]
    assert play.node("n0").cache_reason == "not looked up: this run overwrites the cache"
    play.succeeded("n0")
    assert play.only(WriteCache).outputs == out(2)


def test_a_reservation_ends_when_the_node_fails_for_good() -> None:
    play = cached(serialize=True)
    key = play.only(LookUpCache).key
    play.post(CacheMiss("n0", "never ran", play.now))
    play.failed("n0")
    assert play.every(ReleaseCache) == []
    play.failed("n0", number=2)
    assert play.only(ReleaseCache) == ReleaseCache("n0", key)


def test_what_is_not_serialised_reserves_nothing() -> None:
    play = cached()
    play.post(CacheMiss("n0", "never ran", play.now))
    play.failed("n0", fault(recoverable=False))
    assert play.every(ReleaseCache) == []


def test_a_reservation_ends_with_an_abort() -> None:
    play = cached(serialize=True)
    play.post(CacheMiss("n0", "never ran", play.now))
    play.post(AbortRequested("x", play.now))
    assert play.only(ReleaseCache).path == "n0"


def test_ignored_inputs_take_no_part_in_the_key() -> None:
    play = Play(program(task(cache=CacheSpec("v1", ("x",))), graph(node("n0"))))
    assert play.only(LookUpCache).key.inputs == {}


def test_a_node_may_switch_the_cache_off() -> None:
    overrides = Metadata(cache_off=True)
    play = Play(program(task(cache=CacheSpec("v1")), graph(node("n0", overrides=overrides))))
    assert play.only(Launch).inputs == ONE


def test_values_have_one_digest_wherever_they_are() -> None:
    inline = ListLiteral((IntLiteral(1),))
    here, there = RefLiteral("a://1", digest(inline), 10, ()), RefLiteral("b://1", digest(inline), 10, ())
    assert input_digest(here) == input_digest(there) == input_digest(inline)
    assert input_digest(RefLiteral("a://1", "d", 10, (0,))) == input_digest(RefLiteral("b://1", "d", 10, (0,)))
    assert input_digest(RefLiteral("a://1", "d", 10, (0,))) != input_digest(RefLiteral("a://1", "d", 10, (1,)))
    for wrap in (lambda one: ListLiteral((one,)), lambda one: MapLiteral({"k": one}), lambda one: UnionLiteral(0, one)):
        assert input_digest(wrap(here)) == input_digest(wrap(there))
        assert input_digest(wrap(here)) != input_digest(wrap(RefLiteral("a://1", "other", 10, ())))
    assert input_digest(BlobLiteral("a://f", digest="d")) == input_digest(BlobLiteral("b://f", digest="d"))
    assert input_digest(BlobLiteral("a://f")) != input_digest(BlobLiteral("b://f"))


def test_a_new_owner_asks_the_cache_again() -> None:
    play = cached()
    lookup = play.only(LookUpCache)
    run = Run.replay(play.log)
    run.handle(OwnerChanged(2, "b", 50.0))
    assert run.outstanding() == [lookup]
