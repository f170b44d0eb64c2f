"""Proofs that a program survives: a death at every write, a new driver at every await, and thousands of schedules.

For users' own pipelines as for our laws. Each takes what makes an engine (``TestEngine`` when nothing is said; a
function that adds mocks otherwise) and raises ``AssertionError``, or what the program raised, with a note that says
how to see it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from whimbrel.model.run import Phase
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.world import Stuck

ANYTHING: Final = object()
"""No particular value is expected: that of the first, undisturbed run is."""

Make = Callable[..., TestEngine]
"""Makes an engine; takes what ``TestEngine`` takes by keyword."""


class Value(Struct, frozen=True):
    """A run returned this."""

    value: Any


class Raised(Struct, frozen=True):
    """A run failed with an exception of this class, with this message."""

    type: str
    message: str


Outcome = Value | Raised


class Proof(Struct, frozen=True):
    """What was tried. ``writes`` is how many writes an undisturbed run makes, ``crashes`` how many deaths there were,
    ``drivers`` how many drivers were made anew, ``schedules`` how many orders were tried."""

    writes: int = 0
    crashes: int = 0
    drivers: int = 0
    schedules: int = 0


def outcome_of(run: Callable[[], Any]) -> Outcome:
    """How a run ended. A crash, and a run that is stuck, come out."""
    try:
        return Value(run())
    except Stuck:
        raise
    except Exception as error:
        own = [kind for kind in type(error).__mro__ if not kind.__module__.startswith("whimbrel.")]
        return Raised(own[0].__qualname__, str(error))


def for_each_write(
    entity: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    make: Make = TestEngine,
    expected: Any = ANYTHING,
    only: Iterable[int] | None = None,
    racy: bool = False,
    **options: Any,
) -> Proof:
    """Let the engine die before and after each write to its store, resume, and demand the same end each time, with no
    finished call executed again.

    ``only`` limits the writes. ``racy``: the end may depend on what a death costs in time (a race, a time-out of the
    program's), and only has to be the one that the journal tells. ``options`` go to ``make``, which is called for each
    death, since each has a store of its own.
    """
    inputs = inputs or {}
    first = make(**options)
    wanted = outcome_of(lambda: first.run(entity, **inputs))
    _demand(wanted, expected, "the undisturbed run")
    crashes = 0
    for write in only if only is not None else range(1, first.writes + 1):
        for before in (True, False):
            engine = make(**options)
            side = "before" if before else "after"
            with _Noted(f"the engine died {side} write {write} of {first.writes}{_seed(engine)}"):
                crashes += _die_and_resume(engine, entity, inputs, write, before, None if racy else wanted)
    assert crashes >= first.writes or only is not None, f"{crashes} deaths in {first.writes} writes: hardly a test"
    return Proof(writes=first.writes, crashes=crashes)


def _die_and_resume(
    engine: TestEngine, entity: Any, inputs: Mapping[str, Any], write: int, before: bool, wanted: Outcome | None
) -> bool:
    engine.crash_at(write, before=before)
    try:
        found = outcome_of(lambda: engine.run(entity, **inputs))
    except SimulatedCrash:
        found = after_death(engine, entity, inputs)
        crashed = True
    else:
        # How events share a commit can make a run a write shorter.
        crashed = False
    assert wanted is None or found == wanted, f"it ended otherwise: {found}, not {wanted}"
    check_history(engine)
    return crashed


def after_death(engine: TestEngine, entity: Any, inputs: Mapping[str, Any]) -> Outcome:
    """Do what a user does after a death: start again if the run was never kept, read it if it has ended, else resume
    it; and demand that nothing that had finished is executed again."""
    if engine.phase is Phase.UNDEFINED:
        return outcome_of(lambda: engine.run(entity, **inputs))
    if engine.ended:
        return outcome_of(engine.result)
    done = {path for path, node in engine.tree.nodes.items() if node.phase is Phase.SUCCEEDED}
    so_far = len(engine.executed)
    found = outcome_of(engine.resume)
    again = sorted(done & {execution.path for execution in engine.executed[so_far:]})
    assert not again, f"these had succeeded, and were executed again: {', '.join(again)}"
    return found


def check_history(engine: TestEngine) -> None:
    """The log of the last run gives one state each time it is folded, the engine's invariants hold in it, and its eager
    bodies, given the whole journal, take the same road without a new call."""
    replayed = engine.replay()
    assert not replayed.divergences, f"its journal does not give it back: {'; '.join(replayed.divergences)}"
    first, second = engine.tree, engine.tree
    assert first.snapshot() == second.snapshot(), "folding the log twice gives two states"
    first.check_invariants()
    assert first.phase.terminal


def with_always_replay(
    entity: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    make: Make = TestEngine,
    expected: Any = ANYTHING,
    **options: Any,
) -> Proof:
    """Throw the driver away at every await and build it anew from its journal: the same end, since calls take the same
    time in both runs, and no call made twice.

    Bodies run many times over: what they do beside their calls happens many times too.
    """
    inputs = inputs or {}
    plain = make(**options)
    wanted = outcome_of(lambda: plain.run(entity, **inputs))
    _demand(wanted, expected, "the undisturbed run")
    engine = make(always_replay=True, **options)
    with _Noted(f"a new driver at every await{_seed(engine)}"):
        found = outcome_of(lambda: engine.run(entity, **inputs))
        assert found == wanted, f"it ended otherwise: {found}, not {wanted}"
        twice = [place for place, count in _counted(engine).items() if count > 1]
        assert not twice, f"executed more than once: {twice}"
        check_history(engine)
    return Proof(writes=engine.writes, drivers=engine.rebuilt)


def _counted(engine: TestEngine) -> dict[tuple[str, int], int]:
    counted: dict[tuple[str, int], int] = {}
    for execution in engine.executed:
        place = (execution.path, execution.attempt)
        counted[place] = counted.get(place, 0) + 1
    return counted


def for_each_seed(
    entity: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    seeds: Iterable[int],
    make: Make = TestEngine,
    expected: Any = ANYTHING,
    die: bool = False,
    racy: bool = False,
    **options: Any,
) -> Proof:
    """Run it in the order that each seed gives, and demand the same end each time.

    ``die``: in each schedule the engine also dies once, at a write that the seed chooses, and is resumed. ``racy``: see
    ``for_each_write``.
    """
    inputs = inputs or {}
    wanted: Outcome | None = None if expected is ANYTHING else Value(expected)
    count = crashes = 0
    for seed in seeds:
        engine = make(seed=seed, **options)
        with _Noted(f"seed {seed}: TestEngine(seed={seed}) takes the same road"):
            found = outcome_of(lambda engine=engine: engine.run(entity, **inputs))  # type: ignore[misc]
            if wanted is None:
                wanted = found
            assert racy or found == wanted, f"it ended otherwise: {found}, not {wanted}"
            check_history(engine)
            if die:
                write = 1 + seed % engine.writes
                again = make(seed=seed, **options)
                crashes += _die_and_resume(
                    again, entity, inputs, write, bool(seed // engine.writes % 2), None if racy else found
                )
        count += 1
    return Proof(schedules=count, crashes=crashes)


def _demand(found: Outcome, expected: Any, what: str) -> None:
    if expected is not ANYTHING:
        assert found == Value(expected), f"{what} ended with {found}, not with {expected!r}"


def _seed(engine: TestEngine) -> str:
    return "" if engine.seed is None else f", seed {engine.seed}"


class _Noted:
    """Adds a note to what comes out of the block."""

    def __init__(self, note: str) -> None:
        self._note = note

    def __enter__(self) -> None:
        """Nothing is done."""

    def __exit__(self, exc_type: object, exc: BaseException | None, tb: object) -> None:
        if exc is not None:
            exc.add_note(self._note)
