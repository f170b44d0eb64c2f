"""``TestEngine``: the real control plane, engine and drivers, in memory and in this process, for tests.

By default a run is simulated: one thing happens at a time, in an order drawn from the seed, and timers cost no time.
With ``skip_time=False`` it is not: threads, clocks and sockets are the machine's.

Composition only. Must not know how any of its parts works.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.entity import Configured, Entity
from whimbrel.authoring.entry import entry_program
from whimbrel.authoring.secret_sources import EnvironmentSecrets, FileSecrets, GivenSecrets, SecretSources
from whimbrel.controlplane.plane import ControlPlane, RunResult
from whimbrel.controlplane.ports import Clock, Executor, LogLine, Store
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.controlplane.rerun import Rerun, reusable
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.attempt import BeginCall, DeckUpdate, Launch, Progress, Report, Unfolded
from whimbrel.model.events import Event, RunRequested, SignalReceived
from whimbrel.model.failure import Failure
from whimbrel.model.program import CodeRef, TaskKind
from whimbrel.model.run import AttemptId, Entry, Phase, RunOptions
from whimbrel.runtime.attempt import load_once
from whimbrel.runtime.driver import Driver
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.program_files import keep_program_files
from whimbrel.runtime.values import keep_files, read_literals
from whimbrel.stores.crashing import CrashingStore, SimulatedCrash
from whimbrel.stores.memory import MemoryStore
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.journals import GoldenJournal, Replayed, replay_journal, write_journal
from whimbrel.testing.mocks import _NOTHING, Cast, Mock
from whimbrel.testing.simulated import SimulatedExecutor
from whimbrel.testing.world import PlaneLoop, World
from whimbrel.types.failures import rebuild
from whimbrel.types.registry import default_registry

T = TypeVar("T")

LATENCY = 0.05
"""How long attempts wait before they start, and before their end is heard, on average, when there is a seed: in
seconds of the world, and of the size of the timers that tests set."""


class Execution(Struct, frozen=True):
    """One execution of a task: the node's path, the task's name, the number of the attempt."""

    path: str
    task: str
    attempt: int


class TestEngine:
    """Runs tasks, workflows and eager workflows as the embedded engine does, without disk and processes.

    ``seed``: in what order things happen, and how long attempts take, is drawn from it; without one, attempts take
    no time and go in the order in which they were launched. ``skip_time``: timers cost no time. ``always_replay``:
    a driver that is to hear of something is thrown away and made anew from its journal. ``store``
    and ``blobs`` are kept between runs, and after a crash. ``runs`` is what the ids of its runs begin with, for engines
    that share a store. ``secrets`` has secrets by ``group/key``; the environment and files are asked after it.

    Entities stand at the top level of their modules, as they must for a worker.
    """

    __test__ = False

    def __init__(
        self,
        *,
        seed: int | None = None,
        skip_time: bool = True,
        always_replay: bool = False,
        latency: float = LATENCY,
        options: RunOptions | None = None,
        store: Store | None = None,
        blobs: BlobStore | None = None,
        runs: str = "run",
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._prefix = runs
        self._secrets = SecretSources((GivenSecrets(secrets or {}), EnvironmentSecrets(), FileSecrets()))
        self.seed = seed
        self.store: Store = store if store is not None else MemoryStore()
        self.blobs: BlobStore = blobs if blobs is not None else MemoryBlobs()
        self.world = World(seed)
        self.executed: list[Execution] = []
        """Every execution of a task, in order, since the engine was made; resumed runs add to it."""
        self.run_id = ""
        """The id of the run that was started last."""
        self.writes = 0
        """How many writes to the store the last ``run`` or ``resume`` made."""
        self.rebuilt = 0
        """How many drivers ``always_replay`` has made anew."""
        self._skip_time = skip_time
        self._always_replay = always_replay
        self._latency = latency
        self._options = options
        self._cast = Cast()
        self._load = load_once()
        self._entity: Entity[..., Any] | None = None
        self._crash: tuple[int, bool] | None = None
        self._runs = 0
        self._found: dict[str, Any] = {}
        self._plane: ControlPlane | None = None
        self._signals = 0
        self._letters: list[tuple[float, SignalReceived]] = []
        """Signals that have not been sent, and how long each is to wait."""

    # --- what stands in for what

    def mock(self, what: Any, *, returns: Any = _NOTHING, side_effect: Any = None, takes: float = 0.0) -> Mock:
        """Let a mock stand in for a task, workflow or eager workflow, or for every entity of a class.

        See ``Mock`` for ``returns``, ``side_effect`` and ``takes``. It stands in for calls that the engine carries
        out: not for a task that another task's function calls as plain Python. Raises ``CallMismatch``.
        """
        return self._cast.add(what, Mock(returns=returns, side_effect=side_effect, takes=takes))

    # --- who answers gates

    def signal(
        self,
        gate: str,
        value: Any,
        *,
        after: float = 0.0,
        by: str = "test",
        expected_type: Any = None,
        reason: str = "",
    ) -> str:
        """Answer a gate of the next ``run`` or ``resume``: ``after`` seconds, or before it is reached.

        ``gate`` is its name, or the path of its node. ``value`` is encoded as ``expected_type``, by default its class.
        Returns the signal's id: ``tree.refusal(id)`` is why it was refused, "" if it was not. Raises
        ``ValueMismatch``, ``UnsupportedType``.
        """
        literal = default_registry().transformer(type(value) if expected_type is None else expected_type).encode(value)
        self._signals += 1
        signal = SignalReceived(gate, literal, by, 0.0, f"signal {self._signals}", reason)
        self._letters.append((after, signal))
        return signal.id

    def approve(self, gate: str, *, after: float = 0.0, by: str = "test") -> str:
        """Say yes at a gate: see ``signal``."""
        return self.signal(gate, True, after=after, by=by)

    def reject(self, gate: str, *, after: float = 0.0, by: str = "test", reason: str = "") -> str:
        """Say no at a gate: see ``signal``."""
        return self.signal(gate, False, after=after, by=by, reason=reason)

    # --- running

    def run(self, entity: Any, /, *args: Any, **inputs: Any) -> Any:
        """Run it to its end and return its value. Raises what it failed with: an instance of the original class and
        of ``EagerException``.

        Raises ``SimulatedCrash`` where ``crash_at`` said; ``Stuck`` when it waits for what nothing will bring.
        """
        if isinstance(entity, Configured):
            entity = entity.entity
        program, workflow = entry_program(entity)
        given = entity.signature.encode_inputs(entity.signature.bind(args, inputs))
        literals = {name: keep_files(literal, self.blobs) for name, literal in given.items()}
        program = keep_program_files(program, self.blobs)
        self._entity = entity
        self._runs += 1
        self.run_id = f"{self._prefix}{self._runs}"
        run_options = entity.run_options(self._options or RunOptions())

        async def begin(plane: ControlPlane) -> None:
            await plane.launch(self._cast.program(program), workflow, literals, options=run_options, run_id=self.run_id)

        return self._value(self._go(begin))

    def resume(self, run_id: str = "") -> Any:
        """Carry on with the last run (or another of the store's) as a new process would, after a crash or a stop."""
        self.run_id = run_id or self.run_id

        async def begin(plane: ControlPlane) -> None:
            await plane.resume(self.run_id)

        return self._value(self._go(begin))

    def rerun(self, *, moved: bool = False) -> Any:
        """Run once more what the last run ran, taking every outcome that it had: ``whimbrel recover``.

        ``moved`` lets equal calls take outcomes that were recorded at other places, as ``whimbrel fork`` does.
        """
        old, events = self.tree, self.events
        request = events[0]
        assert isinstance(request, RunRequested)
        self._runs += 1
        self.run_id = f"{self._prefix}{self._runs}"

        async def begin(plane: ControlPlane) -> None:
            await plane.launch(
                request.program,
                request.workflow,
                request.inputs,
                options=request.options,
                run_id=self.run_id,
                rerun=Rerun(old.id, reusable(old), moved),
            )

        return self._value(self._go(begin))

    def crash_at(self, write: int, *, before: bool = True) -> None:
        """The next ``run`` or ``resume`` dies at that write to the store (from 1), before or after it."""
        self._crash = (write, before)

    @property
    def ended(self) -> bool:
        """Whether the last run has reached its end in the store."""
        return bool(self.run_id) and self.phase.terminal

    @property
    def phase(self) -> Phase:
        """Where the last run stands in the store; ``UNDEFINED`` if the store does not have it."""
        try:
            return self.tree.phase
        except EntityNotFound:
            return Phase.UNDEFINED

    @property
    def events(self) -> list[Event]:
        """The event log of the last run."""
        return self._settle(self.store.events(self.run_id), simulated=False)

    @property
    def logs(self) -> list[LogLine]:
        """What the attempts of the last run have written, warnings of the engine included."""
        return self._settle(self.store.logs(self.run_id), simulated=False)

    @property
    def decks(self) -> list[DeckUpdate]:
        """The decks of the last run, as they were last shown."""
        return self._settle(self.store.decks(self.run_id), simulated=False)

    @property
    def progress(self) -> list[Progress]:
        """How far each attempt of the last run said that it was."""
        return self._settle(self.store.progress(self.run_id), simulated=False)

    @property
    def tree(self) -> Run:
        """The last run, folded from its events: ``tree.nodes`` has every node by path. Raises ``EntityNotFound``."""
        return Run.replay(self.events)

    @property
    def executions(self) -> Counter[str]:
        """How often each task was executed, by its name without the module."""
        return Counter(execution.task.rpartition(".")[2] for execution in self.executed)

    def write_journal(self, path: Path | str, *, forget: Sequence[str] = ()) -> None:
        """Keep the last run in a file: see ``whimbrel.testing.journals``."""
        write_journal(path, self.events, self._large(), forget=forget)

    def replay(self) -> Replayed:
        """Run the bodies of the last run once more, with nothing but its journal."""
        return replay_journal(GoldenJournal("", "", tuple(self.events), self._large()), self._entity)

    def _large(self) -> dict[str, bytes]:
        return dict(self.blobs.contents) if isinstance(self.blobs, MemoryBlobs) else {}

    def result(self) -> Any:
        """The value of the last run, or what it failed with, from the store."""
        run = self.tree
        return self._value(RunResult(run.id, run.phase, run.outputs, run.failure))

    def failure(self) -> Failure | None:
        """Why the last run failed."""
        return self.tree.failure

    # --- inside

    def _value(self, result: RunResult) -> Any:
        if result.phase is Phase.SUCCEEDED:
            assert self._entity is not None, "the run was started by another engine: say what it is with `of`"
            # With a caller whose files are this engine's: the test may open what it is given.
            token = current.set(Direct(ExecutionContext(files=self.blobs)))
            try:
                return self._entity.signature.decode_outputs(read_literals(result.outputs, self.blobs))
            finally:
                current.reset(token)
        if result.failure is not None:
            raise rebuild(result.failure)
        raise SimulatedCrash(f"the run was left {result.phase.value}")

    def of(self, entity: Any) -> TestEngine:
        """Say what the run is that will be resumed, where another engine started it."""
        self._entity = entity
        return self

    def _go(self, begin: Callable[[ControlPlane], Coroutine[Any, Any, None]]) -> RunResult:
        return self._settle(self._driven(begin), simulated=self._skip_time)

    def _settle(self, work: Coroutine[Any, Any, T], *, simulated: bool) -> T:
        """``work`` on an event loop of its own; on a thread of its own where this one has a loop running."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._on_loop(work, simulated)
        outcome: list[T] = []
        errors: list[BaseException] = []

        def main() -> None:
            try:
                outcome.append(self._on_loop(work, simulated))
            except BaseException as error:
                errors.append(error)

        thread = threading.Thread(target=main, name="test engine")
        thread.start()
        thread.join()
        if errors:
            raise errors[0]
        return outcome[0]

    def _on_loop(self, work: Coroutine[Any, Any, T], simulated: bool) -> T:
        factory = (lambda: PlaneLoop(self.world)) if simulated else None
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(work)

    async def _driven(self, begin: Callable[[ControlPlane], Coroutine[Any, Any, None]]) -> RunResult:
        at, before = self._crash or (0, True)
        self._crash = None
        counting = CrashingStore(self.store, at, before=before)
        executor = self._executor()
        plane = self._plane = ControlPlane(
            store=cast(Store, _Watched(counting, self.world)),
            executor=_Telling(executor, self._cast, self._launched),
            clock=cast(Clock, self.world) if self._skip_time else SystemClock(),
            ids=RandomIds(),
            owner="test engine",
            listen=None,
        )
        await plane.start()
        try:
            await begin(plane)
            posting = [asyncio.ensure_future(self._post(plane, *letter)) for letter in self._letters]
            try:
                return await plane.wait(self.run_id)
            finally:
                for post in posting:
                    post.cancel()
                await asyncio.gather(*posting, return_exceptions=True)
        finally:
            self.writes = counting.writes
            await plane.close()
            if isinstance(executor, SimulatedExecutor):
                self.rebuilt += executor.rebuilt

    async def _post(self, plane: ControlPlane, after: float, signal: SignalReceived) -> None:
        """Send a signal as another process would; this one may die before it looks."""
        if after > 0.0:
            await asyncio.sleep(after)
        self._letters.remove((after, signal))
        now = self.world.clock() if self._skip_time else SystemClock().now()
        await self.store.send(self.run_id, SIGNAL, signal_text(signal), now)
        await plane.look()

    def _executor(self) -> SimulatedExecutor | InlineExecutor:
        if not self._skip_time:
            return InlineExecutor(
                blobs=self.blobs,
                driver=lambda launch, *, send, blobs, load: Driver(
                    launch,
                    send=send,
                    blobs=blobs,
                    load=lambda code: self._find(launch.task.name, code),
                    substitute=self._cast.of,
                ),
                entities=self._found,
                capture=False,
                secrets=self._secrets,
            )
        return SimulatedExecutor(
            world=self.world,
            blobs=self.blobs,
            find=self._find,
            substitute=self._cast.of,
            takes=self._cast.takes,
            latency=self._latency if self.seed is not None else 0.0,
            always_replay=self._always_replay,
            journal=self._journal,
            started=self._note,
            secrets=self._secrets,
        )

    def _find(self, name: str, code: CodeRef) -> Any:
        found = self._cast.named(name)
        if found is not None:
            return found
        if self._entity is not None and self._entity.name == name and self._entity.reference is None:
            return self._cast.of(self._entity)
        return self._cast.of(self._load(code))

    def _launched(self, launch: Launch) -> None:
        if not self._skip_time:
            try:
                self._found[launch.task.name] = self._find(launch.task.name, launch.task.code)
            except Exception:
                # The attempt meets the same error, and says it.
                return
            if launch.task.kind is TaskKind.TASK:
                self._note(launch)

    def _note(self, launch: Launch) -> None:
        self.executed.append(Execution(launch.attempt.path, launch.task.name, launch.attempt.number))

    def _journal(self, attempt: AttemptId) -> tuple[Entry, ...]:
        assert self._plane is not None
        journal = self._plane.run(attempt.run).nodes[attempt.path].journal
        assert journal is not None
        return journal.entries()


class _Watched:
    """A store whose verbs hold the world's time up while they are under way."""

    def __init__(self, inner: CrashingStore, world: World) -> None:
        self._inner = inner
        self._world = world

    def __getattr__(self, verb: str) -> Any:
        method = getattr(self._inner, verb)
        if verb.endswith("_nowait"):
            return method

        async def watched(*args: Any, **options: Any) -> Any:
            with self._world.real_work():
                return await method(*args, **options)

        return watched


class _Telling:
    """An executor whose reports speak of stand-ins: a workflow that an eager body brings along is made one step."""

    def __init__(self, inner: Executor, cast_: Cast, launched: Callable[[Launch], None]) -> None:
        self._inner = inner
        self._cast = cast_
        self._launched = launched
        self.cancel = inner.cancel
        self.deliver = inner.deliver
        self.running = inner.running
        self.close = inner.close

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready to launch."""

        def told(said: Report) -> None:
            report(self._recast(said))

        await self._inner.start(told)

    def launch(self, launch: Launch) -> None:
        """Run an attempt."""
        self._launched(launch)
        self._inner.launch(launch)

    def _recast(self, said: Report) -> Report:
        if isinstance(said, BeginCall) and said.define is not None:
            return replace(said, define=self._cast.program(said.define))
        if isinstance(said, Unfolded):
            return replace(said, define=self._cast.program(said.define))
        return said
