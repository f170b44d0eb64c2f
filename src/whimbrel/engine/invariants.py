"""What is always true of a run between two events. Checked after every event by the laws, and never in production.

Knows: the whole state. Changes nothing of it.
"""

from __future__ import annotations

from whimbrel.engine.gates import unheard, waiting_gates
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import ArrayState, BracketState, Frame, Kind, NodeState, Stage
from whimbrel.engine.retry import Blame, blame
from whimbrel.model.literals import ListLiteral, Literal
from whimbrel.model.program import START, ArrayTarget
from whimbrel.model.run import Done, EntryKind, Failed, Phase


def check_run(machine: Machine) -> None:
    """Raise ``AssertionError`` when something is not as it must be."""
    nodes = list(machine.nodes.values())
    assert not machine.ended, "somebody still has to hear of an end"
    assert not machine.ready, "a node that may begin has not begun"
    assert not machine.drivers, "an eager node that may be launched is not"
    live = [node for node in nodes if node.stage is Stage.ATTEMPT and node.kind is not Kind.EAGER]
    assert machine.running == len(live), f"{machine.running} attempts counted, {len(live)} live"
    limit = machine.options.max_parallelism
    assert not limit or machine.running <= limit, f"{machine.running} attempts live, {limit} allowed"
    queued = [node.path for node in machine.queue if node.stage is Stage.SLOT]
    assert queued == list(dict.fromkeys(queued)), "a node stands in the queue twice"
    assert set(queued) == {node.path for node in nodes if node.stage is Stage.SLOT}, "a node waits in no queue"
    assert not queued or machine.running == limit, "a node waits though there is room"
    assert machine.paused == sum(node.phase is Phase.PAUSED for node in nodes), f"{machine.paused} counted as paused"
    assert machine.done == sum(node.phase.terminal for node in nodes), f"{machine.done} counted as ended"
    for gate in waiting_gates(machine):
        assert not any(unheard(machine, gate)), f"{gate.path} waits, though its answer is there"
    if machine.root is not None:
        _check_frame(machine.root)
    # By identity, for all at once: to look each node up among its siblings would cost the square of a wide body.
    inside = {id(child): node for node in nodes for child in node.children}
    for path, node in machine.nodes.items():
        assert node.path == path
        _check_node(machine, node, inside.get(id(node)))
    if machine.phase.terminal:
        unfinished = [node.path for node in nodes if not node.phase.terminal]
        assert not unfinished, f"the run is over, but not {unfinished}"
    elif machine.phase is not Phase.UNDEFINED:
        waiting = [node for node in nodes if node.stage not in (Stage.NOTHING, Stage.SLOT)]
        assert waiting, "the run goes on, but nothing that could happen is asked for"


def _check_node(machine: Machine, node: NodeState, inside: NodeState | None) -> None:
    where = f"{node.path} ({node.phase.value})"
    over = node.phase.terminal
    parent = machine.nodes.get(node.parent)
    assert (node.parent == "") is (parent is None), f"{where} has no parent {node.parent}"
    assert inside is parent, f"{where} is no child of {node.parent}"
    if parent is not None:
        assert over or not parent.phase.terminal, f"{where} goes on in {node.parent}, which is over"
    assert (node.ended_at > 0.0) is over, f"{where} ended at {node.ended_at}"
    assert not over or node.stage is Stage.NOTHING, f"{where} waits for {node.stage}"
    if node.phase in (Phase.FAILED, Phase.TIMED_OUT, Phase.ABORTED):
        assert node.failure is not None, f"{where} does not say why"
    elif node.phase is not Phase.FAILING:
        assert node.failure is None, f"{where} has failed"
    assert not node.outputs or node.phase.has_outputs, f"{where} has outputs"
    assert (node.phase is Phase.RECOVERED) is bool(node.recovered_from), f"{where} comes from {node.recovered_from}"
    assert not node.recovered_from or not node.attempts, f"{where} was recovered, and launched"
    _check_attempts(machine, node, where)
    _check_verdict(node, where)
    if node.frame is not None:
        _check_frame(node.frame)
    if node.array is not None:
        _check_array(node, node.array, where)
    assert (node.phase is Phase.DYNAMIC_RUNNING) <= (node.frame is not None), f"{where} has unfolded into nothing"
    if node.journal is not None:
        _check_journal(machine, node, where)


def _check_verdict(node: NodeState, where: str) -> None:
    assert (node.phase is Phase.ABORTING) <= (node.verdict is not None), f"{where} does not know how it ends"
    if node.verdict is None:
        return
    assert not node.phase.terminal, f"{where} is over, and has a verdict"
    inside = sum(not child.phase.terminal for child in node.children)
    assert node.inside == inside, f"{where}: {node.inside} counted inside, {inside} go on"
    assert inside or node.stage is Stage.ATTEMPT, f"{where} waits for nothing"


def _check_attempts(machine: Machine, node: NodeState, where: str) -> None:
    assert [attempt.number for attempt in node.attempts] == list(range(1, len(node.attempts) + 1)), where
    assert not any(attempt.live for attempt in node.attempts[:-1]), f"{where} has two live attempts"
    last_live = bool(node.attempts) and node.attempts[-1].live
    assert last_live is (node.stage is Stage.ATTEMPT), f"{where} waits for {node.stage or 'nothing'}"
    succeeded = [attempt for attempt in node.attempts if attempt.phase is Phase.SUCCEEDED]
    # A body may have returned and yet be aborted, while something that it left cleans up; that of a dynamic node is
    # over when what it unfolded into begins.
    returned = node.phase is Phase.SUCCEEDED or (node.kind in (Kind.EAGER, Kind.DYNAMIC) and bool(succeeded))
    assert len(succeeded) == (1 if node.attempts and returned else 0), (
        f"{where} has {len(succeeded)} attempts that succeeded"
    )
    if node.spec is None or node.inline:
        assert not node.attempts, f"{where} has attempts of its own"
        assert node.phase is not Phase.QUEUED, f"{where} waits for nothing"
    else:
        settling = node.verdict is not None
        assert node.phase is not Phase.QUEUED or node.stage is not Stage.NOTHING, f"{where} waits for nothing"
        paused = node.stage in (Stage.PARKED, Stage.GATE)
        assert paused is (node.phase is Phase.PAUSED), f"{where} waits for {node.stage}"
        assert (node.stage is Stage.GATE) <= (node.kind is Kind.GATE), f"{where} is no gate"
        assert node.stage is not Stage.PARKED or _wakes(node), f"{where} is parked for ever"
        assert node.kind is not Kind.GATE or not node.attempts, f"{where} has attempts"
        assert node.phase is not Phase.RUNNING or settling or node.attempts[-1].phase is Phase.RUNNING, where
    assert node.system_retries <= machine.options.system_retries, f"{where} spent {node.system_retries} system retries"
    assert node.user_retries <= (node.metadata.retries or 0), f"{where} spent {node.user_retries} user retries"
    failed = [attempt.failure for attempt in node.attempts if attempt.failure is not None]
    by_user = sum(blame(failure) is Blame.USER for failure in failed)
    assert node.user_retries <= by_user, f"{where} spent {node.user_retries} retries on {by_user} failures"


def _wakes(node: NodeState) -> bool:
    """Whether anything can wake a parked body: a timer, a call that goes on, the end of its time."""
    assert node.journal is not None
    assert node.attempts[-1].phase is Phase.PAUSED
    calls = (entry for entry in node.journal if entry.outcome is None and entry.kind is EntryKind.CALL)
    return bool(node.due) or node.metadata.timeout is not None or any(calls)


def _check_array(node: NodeState, array: ArrayState, where: str) -> None:
    target, items = node.target, node.children
    assert isinstance(target, ArrayTarget)
    assert [item.path for item in items] == [f"{node.path}/{at}" for at in range(array.begun)], f"{where}: other items"
    active = sum(not item.phase.terminal for item in items)
    assert array.active == active, f"{where}: {array.active} counted, {active} go on"
    assert not array.limit or active <= array.limit, f"{where}: {active} items go on, {array.limit} may"
    going_on = not node.phase.terminal and node.verdict is None
    assert not going_on or (node.phase is Phase.FAILING) is (array.failure is not None), f"{where}: {array.failure}"
    assert not going_on or active, f"{where} waits for nothing"
    if going_on and array.failure is None:
        assert array.begun == array.length or active == array.limit, f"{where}: an item may begin, and does not"
    if array.failure is None and node.verdict is None and node.phase is not Phase.ABORTED:
        done = sum(item.phase.has_outputs for item in items)
        assert array.succeeded == done, f"{where}: {array.succeeded} counted, {done} have succeeded"
        assert array.failed == array.begun - active - done, f"{where}: {array.failed} failures counted"
        assert array.length - array.failed >= array.needed or node.phase is Phase.FAILED, f"{where} cannot succeed"
    if node.phase is Phase.SUCCEEDED:
        assert array.succeeded >= array.needed, f"{where} has too few successes"
        assert array.begun == array.length, f"{where} has left items out"
        assert all(len(_items(output)) == array.length for output in node.outputs.values()), where


def _items(literal: Literal) -> tuple[Literal, ...]:
    assert isinstance(literal, ListLiteral)
    return literal.items


def _check_frame(frame: Frame) -> None:
    nodes = list(frame.nodes.values())
    where = f"{frame.graph.name} in {frame.owner.path if frame.owner is not None else 'the run'}"
    remaining = sum(not node.phase.terminal for node in nodes)
    assert frame.remaining == remaining, f"{where}: {frame.remaining} counted, {remaining} remain"
    for state in nodes:
        assert state.node is not None
        above = [frame.nodes[id] for id in dict.fromkeys(state.node.upstream) if id != START]
        waits = sum(not node.phase.has_outputs for node in above)
        if state.closes is not None:
            _check_teardown(state, state.closes)
        elif state.phase is Phase.UNDEFINED:
            assert waits, f"{state.path} may begin, and does not"
            assert state.waiting == waits, f"{state.path} waits for {state.waiting}, not {waits}"
        elif state.phase not in (Phase.SKIPPED, Phase.ABORTED):
            assert not waits, f"{state.path} began too early"
    if frame.owner is not None:
        assert (frame.failure is not None) >= (frame.owner.phase is Phase.FAILING), f"{where} fails without a reason"


def _check_teardown(state: NodeState, bracket: BracketState) -> None:
    left = sum(not node.phase.terminal for node in bracket.watched)
    assert bracket.left == left, f"{state.path}: {bracket.left} counted, {left} go on"
    if state.phase is Phase.UNDEFINED:
        assert left, f"{state.path} may begin, and does not"
    elif state.phase not in (Phase.SKIPPED, Phase.ABORTED):
        assert not left, f"{state.path} began before its bracket had ended"
        assert bracket.setup is None or bracket.setup.begun, f"{state.path} runs, though its setup never began"
    if bracket.setup is None:
        return
    if state.phase is Phase.SKIPPED and bracket.setup.phase.has_outputs:
        raise AssertionError(f"{state.path} was skipped, though its setup had run")


def _check_journal(machine: Machine, driver: NodeState, where: str) -> None:
    assert driver.journal is not None
    entries = driver.journal.entries()
    done = [entry for entry in entries if entry.outcome is not None]
    assert list(entries[: len(done)]) == done, f"{where}: pending entries come last"
    assert [entry.seq for entry in done] == sorted(entry.seq for entry in done), f"{where}: entries out of order"
    assert all(entry.seq == 0 for entry in entries[len(done) :]), f"{where}: a pending entry has a place"
    keys = [(entry.parent, entry.key) for entry in entries]
    assert len(keys) == len(set(keys)), f"{where}: two entries at one key"
    if driver.phase.terminal:
        return
    for entry in entries:
        if entry.kind is not EntryKind.CALL:
            continue
        node = machine.nodes[entry.path]
        assert not node.replaced, f"{node.path} was replaced, but is recorded"
        if entry.outcome is None:
            told = driver.verdict is not None and driver.stage is Stage.NOTHING  # the body is over
            assert not node.phase.terminal or told, f"{node.path} has ended, but its driver was not told"
        elif isinstance(entry.outcome, Done):
            assert node.phase.has_outputs
            assert entry.outcome.outputs == node.outputs, f"{node.path}: other outputs were recorded"
        else:
            assert isinstance(entry.outcome, Failed)
            assert not node.phase.has_outputs, f"{node.path}: a failure was recorded"
