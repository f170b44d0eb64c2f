"""A simulated world for the laws of the engine: it runs what is launched, in any order, badly.

Attempts start or don't, succeed, fail, are lost, run out of time; reports come late and twice; the control plane dies
and another one takes the run over; a user aborts. After every event, everything that can be said is checked.
"""

from __future__ import annotations

import random
from typing import Any

import msgspec
from msgspec import Struct

from tests.laws.engine_bodies import Driver
from tests.laws.engine_programs import Oracle, compute, gate_names, poisoned, reply, unfolded
from whimbrel.engine.nodes import Kind, NodeState, Stage
from whimbrel.engine.run import Run
from whimbrel.model.attempt import (
    AttemptFault,
    Cancel,
    Deliver,
    FireTimer,
    Launch,
    Lost,
    Parked,
    Started,
    Succeeded,
    Unfolded,
)
from whimbrel.model.commands import EndRun, LookUpCache, ReleaseCache, SetTimer, WriteCache
from whimbrel.model.events import (
    AbortRequested,
    CacheHit,
    CacheMiss,
    CleanupDue,
    Event,
    GateDue,
    OwnerChanged,
    RunRequested,
    SignalReceived,
    TimeoutDue,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import Literal, Literals, StrLiteral
from whimbrel.model.program import GateKind, GateTarget, Program, TaskKind
from whimbrel.model.run import AttemptId, Phase, RunOptions

# No program that is drawn needs a tenth of it: a run that does is stuck in a circle.
STEPS = 20_000


class Weather(Struct, frozen=True):
    """How bad the world is: chances per step or attempt. ``merciful``: no allowance is ever used up, nobody aborts."""

    faults: float = 0.0
    losses: float = 0.0
    repeats: float = 0.0
    crashes: float = 0.0
    aborts: float = 0.0
    impatience: float = 0.02
    parks: float = 0.0
    signals: float = 0.0
    """Answers to gates that have not been reached, are over, or take something else."""
    merciful: bool = True


class Working(Struct):
    """An attempt that somebody runs; ``wanted`` until the engine gives it up."""

    launch: Launch
    driver: Driver | None = None
    started: bool = False
    wanted: bool = True
    late: list[Deliver] = []
    """What is on its way to the driver."""
    cancelled: bool = False
    given_up: bool = False
    """Another owner was told that it is gone, or the engine did not wait for its end."""


class World:
    """See the module. ``play`` drives a run to its end."""

    def __init__(
        self,
        program: Program,
        inputs: Literals,
        rng: random.Random,
        weather: Weather,
        options: RunOptions | None = None,
    ) -> None:
        self.program = program
        self.rng = rng
        self.weather = weather
        self.run = Run()
        self.log: list[Event] = []
        self.snapshots: list[bytes] = []
        self.now = 1.0
        self.working: dict[AttemptId, Working] = {}
        self.timers: list[SetTimer] = []
        self.lookups: list[LookUpCache] = []
        self.cache: dict[str, Literals] = {}
        self.reserved: dict[str, str] = {}
        self.said: list[Event] = []
        self.launched: set[AttemptId] = set()
        self.user_faults: dict[str, int] = {}
        self.system_faults: dict[str, int] = {}
        self.ends: list[EndRun] = []
        self.request = RunRequested("r", "main", program, inputs, options or RunOptions(), self.now)

    # --- telling the engine ------------------------------------------------------------------------------------------

    def post(self, event: Event) -> None:
        """An event happens."""
        aborted = self.run.phase is Phase.ABORTED
        commands = self.run.handle(event)
        self.log.append(event)
        assert self.run.seq == len(self.log)
        self.run.check_invariants()
        self.snapshots.append(self.run.snapshot())
        assert not (aborted and commands)
        if isinstance(event, OwnerChanged):
            commands = self.run.outstanding()
        for command in commands:
            self.obey(command)

    def post_in_vain(self, event: Event) -> None:
        """An event happens that must change nothing."""
        before = state(self.run)
        lines = len(self.snapshots)
        commands = self.run.handle(event)
        self.log.append(event)
        assert state(self.run) == before, f"{event} changed the state"
        # A call that is begun twice is answered twice: the first answer may be what was lost.
        assert all(isinstance(command, Deliver) for command in commands), f"{event} led to {commands}"
        for command in commands:
            self.obey(command)
        if len(self.snapshots) == lines:
            self.snapshots.append(self.run.snapshot())

    def obey(self, command: Any) -> None:
        """Carry out what the engine wants."""
        match command:
            case Launch():
                self.begin(command)
            case Cancel():
                # The engine may wait for the end of what it cancels.
                working = self.working[command.attempt]
                working.cancelled = True
                node = self.run.nodes[command.attempt.path]
                waits = node.live_attempt is not None and len(node.attempts) == command.attempt.number
                working.wanted = working.wanted and waits
                working.given_up = not working.wanted
            case Deliver():
                working = self.working[command.attempt]
                assert working.wanted
                assert working.driver is not None
                if working.late or self.rng.random() < self.weather.parks:
                    working.late.append(command)
                else:
                    working.driver.deliver(command.entries)
            case SetTimer():
                self.timers.append(command)
            case LookUpCache():
                self.lookups.append(command)
            case WriteCache():
                assert self.run.nodes[command.path].phase is Phase.SUCCEEDED
                self.cache[repr(command.key)] = command.outputs
                self.release(command.path, repr(command.key))
            case ReleaseCache():
                assert self.run.nodes[command.path].phase.terminal
                self.release(command.path, repr(command.key))
            case EndRun():
                assert command.phase.terminal
                self.ends.append(command)

    def release(self, path: str, key: str) -> None:
        """End a reservation."""
        if self.reserved.get(key) == path:
            del self.reserved[key]

    def begin(self, launch: Launch) -> None:
        """Run an attempt."""
        assert not self.run.phase.terminal, "launched after the end"
        node = self.run.nodes[launch.attempt.path]
        assert not node.phase.terminal, "launched after its node's end"
        assert launch.task == node.spec
        if launch.attempt in self.working and self.working[launch.attempt].wanted:
            return  # Asked again by a new owner, of an executor that still runs it.
        assert launch.attempt not in self.launched, "launched twice"
        self.launched.add(launch.attempt)
        working = self.working[launch.attempt] = Working(launch)
        if launch.task.kind is TaskKind.EAGER:
            working.driver = Driver(launch, self.program, self.rng)
        if node.closes is not None:
            self.torn_down(node)
        if node.metadata.shielded:
            driver = node.called_by
            assert driver is not None
            still = [one for one in self.working.values() if one.cancelled and one.wanted]
            paths = [one.launch.attempt.path for one in still]
            assert not [path for path in paths if path.startswith(f"{driver.path}/")], "it meets what is being stopped"
        limit = self.run.options.max_parallelism
        busy = [one for one in self.working.values() if one.wanted and one.driver is None]
        assert not limit or len(busy) <= limit

    def torn_down(self, node: NodeState) -> None:
        """A teardown begins: its setup was launched, and nothing that it waits for is at work any more."""
        assert node.closes is not None
        setup = node.closes.setup
        assert setup is None or setup.cached or any(one.path == setup.path for one in self.launched), (
            "torn down, but never set up"
        )
        inside = tuple(one.path for one in node.closes.watched)
        for one in self.working.values():
            path = one.launch.attempt.path
            at_work = not one.given_up and any(path == above or path.startswith(f"{above}/") for above in inside)
            assert not at_work, f"{node.path} begins while {path} is at work"

    # --- what happens next -------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Until the run is over."""
        self.post(self.request)
        for _ in range(STEPS):
            if self.run.phase.terminal:
                break
            self.step()
        else:
            raise AssertionError("the run does not end:\n" + "\n".join(self.run.story()))
        for _ in range(10):
            if not self.linger():
                break
        assert len(self.ends) == 1
        end = self.ends[0]
        assert (end.phase, end.outputs, end.failure) == (self.run.phase, self.run.outputs, self.run.failure)

    def step(self) -> None:
        """One thing happens."""
        self.now += 0.125
        weather, rng = self.weather, self.rng
        if rng.random() < weather.aborts:
            self.post(AbortRequested("enough", self.now))
            return
        if rng.random() < weather.crashes:
            self.crash()
            return
        if self.said and rng.random() < weather.repeats:
            self.post_in_vain(self.again(rng.choice(self.said[-20:])))
            return
        if rng.random() < weather.signals and (names := gate_names(self.program)):
            name = rng.choice(names)
            self.signal(name, StrLiteral("what?") if rng.random() < 0.3 and self.known(name) else reply(name))
            return
        if rng.random() < weather.parks and (idle := [one for one in self.working.values() if self.may_park(one)]):
            self.park(rng.choice(idle))
            return
        choices: list[Any] = [one for one in self.working.values() if self.speaks(one)]
        choices += [one.late[0] for one in self.working.values() if one.late]
        # A clean-up is mostly in time.
        choices += [timer for timer in self.timers if self.may_ring(timer) and not isinstance(timer.event, CleanupDue)]
        if not choices or rng.random() < weather.impatience:
            choices += [timer for timer in self.timers if isinstance(timer.event, CleanupDue)]
        choices += [lookup for lookup in self.lookups if self.may_answer(lookup)]
        choices += self.run.waiting
        assert choices, "nothing can happen:\n" + "\n".join(self.run.story())
        chosen = rng.choice(choices)
        if isinstance(chosen, SetTimer):
            self.timers.remove(chosen)
            if isinstance(chosen.event, TimeoutDue) and self.timed(chosen.event.path, chosen.event.number):
                self.spend(self.user_faults, chosen.event.path)
            self.post(msgspec.structs.replace(chosen.event, at=max(self.now, chosen.due)))
        elif isinstance(chosen, Deliver):
            self.hear(self.working[chosen.attempt])
        elif isinstance(chosen, NodeState):
            assert isinstance(chosen.target, GateTarget)
            self.signal(rng.choice([chosen.target.name, chosen.path]), reply(chosen.target.name))
        elif isinstance(chosen, LookUpCache):
            self.lookups.remove(chosen)
            self.answer(chosen)
        else:
            self.speak(chosen)

    def signal(self, gate: str, value: Literal) -> None:
        """Somebody answers."""
        event = SignalReceived(gate, value, "somebody", self.now, f"s{len(self.log)}")
        self.said.append(event)
        self.post(event)
        assert self.run.refusal(event.id) is not None

    def known(self, gate: str) -> bool:
        """Whether somebody waits at such a gate, who must refuse what does not fit."""
        return any(node.target is not None and node.target.name == gate for node in self.run.waiting)

    def hear(self, working: Working) -> None:
        """What was on its way to a driver arrives."""
        assert working.driver is not None
        working.driver.deliver(working.late.pop(0).entries)

    def linger(self) -> bool:
        """Something happens after the end: it must change nothing."""
        late = [one for one in self.working.values() if self.speaks(one)]
        if not late:
            return False
        before = state(self.run)
        self.speak(self.rng.choice(late))
        assert state(self.run) == before
        return True

    def speaks(self, working: Working) -> bool:
        """Whether an attempt has something to say."""
        return working.driver is None or not working.started or bool(working.driver.outbox)

    def live(self, path: str, number: int) -> bool:
        """Whether the engine waits for this attempt, which has started."""
        working = self.working.get(AttemptId("r", path, number))
        return working is not None and working.wanted and working.started

    def timed(self, path: str, number: int) -> bool:
        """Whether a time-out of this attempt would count."""
        node = self.run.nodes[path]
        return self.live(path, number) or (node.stage is Stage.PARKED and number == len(node.attempts))

    def may_park(self, working: Working) -> bool:
        """Whether an attempt is that of a body which only waits: for calls, or for timers that have not fired."""
        driver = working.driver
        return (
            driver is not None
            and working.started
            and working.wanted
            and not self.run.phase.terminal
            and all(isinstance(report, FireTimer) for report in driver.outbox)
        )

    def park(self, working: Working) -> None:
        """A driver leaves memory; now and then before it has heard of what came last."""
        assert working.driver is not None
        attempt = working.launch.attempt
        wake_at = 5.0 if working.driver.outbox else 0.0
        del self.working[attempt]
        self.post(Parked(attempt, working.driver.heard, wake_at, self.now))

    def may_ring(self, timer: SetTimer) -> bool:
        """A merciful world lets no attempt run out of time for the last time."""
        event = timer.event
        if isinstance(event, GateDue) and self.weather.merciful:
            node = self.run.nodes[event.path]
            return not isinstance(node.target, GateTarget) or node.target.kind is GateKind.SLEEP
        if not isinstance(event, TimeoutDue) or not self.timed(event.path, event.number):
            return True
        allowed = self.run.nodes[event.path].metadata.retries or 0
        return not self.weather.merciful or self.user_faults.get(event.path, 0) < allowed

    def may_answer(self, lookup: LookUpCache) -> bool:
        """A serialised look-up waits while another holds the reservation."""
        holder = self.reserved.get(repr(lookup.key))
        return not (lookup.serialize and holder is not None and repr(lookup.key) not in self.cache)

    def answer(self, lookup: LookUpCache) -> None:
        """The cache answers."""
        key = repr(lookup.key)
        node = self.run.nodes[lookup.path]
        if node.kind is Kind.TASK and not poisoned(node.entity) and self.rng.random() < 0.3:
            self.cache[key] = compute(node.entity, node.inputs)
        if key in self.cache:
            event: Event = CacheHit(lookup.path, self.cache[key], "computed before", self.now)
        else:
            event = CacheMiss(lookup.path, "never computed", self.now)
            if lookup.serialize and not self.run.nodes[lookup.path].phase.terminal:
                self.reserved[key] = lookup.path
        self.said.append(event)
        self.post(event)

    def user_faults_left(self, working: Working) -> bool:
        """Whether the author's allowance has something left."""
        allowed = working.launch.metadata.retries or 0
        return not self.weather.merciful or self.user_faults.get(working.launch.attempt.path, 0) < allowed

    def system_faults_left(self, working: Working) -> bool:
        """Whether the machine's allowance has something left."""
        spent = self.system_faults.get(working.launch.attempt.path, 0)
        return not self.weather.merciful or spent < self.run.options.system_retries

    def spend(self, faults: dict[str, int], path: str) -> None:
        """Count a fault."""
        faults[path] = faults.get(path, 0) + 1

    def speak(self, working: Working) -> None:
        """An attempt says the next thing."""
        attempt, rng = working.launch.attempt, self.rng
        vain = not working.wanted or self.run.phase.terminal
        post = self.post_in_vain if vain else self.post
        if not working.started and (working.driver is not None or rng.random() < 0.9):
            working.started = True
            event: Event = Started(attempt, "worker", self.now)
            self.said.append(event)
            post(event)
            if working.driver is not None:
                working.driver.start()
            return
        if working.driver is not None:
            if rng.random() < self.weather.losses and self.system_faults_left(working):
                self.end(working, Lost(attempt, "gone", self.now))
                return
            report = msgspec.structs.replace(working.driver.outbox.popleft(), at=self.now)
            if isinstance(report, Succeeded) and rng.random() < self.weather.faults and self.user_faults_left(working):
                report = AttemptFault(attempt, Failure(Fault.USER, "bad luck"), self.now)
            if isinstance(report, Succeeded | AttemptFault):
                self.end(working, report)
                return
            self.said.append(report)
            post(report)
            return
        task, inputs = working.launch.task.name, working.launch.inputs
        if working.cancelled and rng.random() < 0.5:
            failure = Failure(Fault.CANCELLED, "cancelled", recoverable=False)
            self.end(working, AttemptFault(attempt, failure, self.now))
        elif rng.random() < self.weather.losses and self.system_faults_left(working):
            self.end(working, Lost(attempt, "gone", self.now))
        elif poisoned(task):
            self.end(working, AttemptFault(attempt, Failure(Fault.USER, "poison", recoverable=False), self.now))
        elif rng.random() < self.weather.faults and self.user_faults_left(working):
            self.end(working, AttemptFault(attempt, Failure(Fault.USER, "bad luck"), self.now))
        elif working.launch.task.kind is TaskKind.DYNAMIC:
            graph = unfolded(self.program, task, inputs)
            if graph.nodes:
                self.end(working, Unfolded(attempt, graph, Program(), self.now))
            else:
                self.end(working, Succeeded(attempt, Oracle(self.program).graph(graph, {}), self.now))
        else:
            self.end(working, Succeeded(attempt, compute(task, inputs), self.now))

    def end(self, working: Working, event: Succeeded | Unfolded | AttemptFault | Lost) -> None:
        """An attempt's last word."""
        del self.working[event.attempt]
        path = event.attempt.path
        if working.wanted and not self.run.phase.terminal:
            if isinstance(event, Lost):
                self.spend(self.system_faults, path)
            elif isinstance(event, AttemptFault):
                self.spend(self.user_faults, path)
            self.said.append(event)
            self.post(event)
        else:
            self.post_in_vain(event)

    def again(self, event: Event) -> Event:
        """The same event, delivered a second time."""
        return msgspec.structs.replace(event, at=self.now)

    def crash(self) -> None:
        """The control plane dies; another takes over, and finds some attempts running still."""
        before = self.run.snapshot()
        self.run = Run.replay(self.log)
        assert self.run.snapshot() == before
        wanted = [one for one in self.working.values() if one.wanted]
        gone = [one for one in wanted if self.rng.random() < 0.7]
        for one in gone:
            one.wanted = False
            one.given_up = True
            if self.rng.random() < 0.5:
                del self.working[one.launch.attempt]
        self.timers.clear()
        self.lookups.clear()
        self.post(OwnerChanged(2, "other", self.now, tuple(one.launch.attempt.path for one in gone)))


def state(run: Run) -> Any:
    """What a run remembers, without the counts of events and of answers."""
    told = msgspec.msgpack.decode(run.snapshot())
    del told["seq"]
    for node in told["nodes"]:
        for attempt in node["attempts"]:
            del attempt["delivered"]
    return told
