"""How a task begins: from the cache, from another run, or by an attempt.

Knows: task specs and caches. Must not know: what comes of the attempt.
"""

from __future__ import annotations

from whimbrel.engine.binding import Unbound, complete
from whimbrel.engine.cachekey import cache_key, uncacheable
from whimbrel.engine.journal import Journal
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import recovered, said_of
from whimbrel.engine.nodes import Kind, NodeState, Stage
from whimbrel.model.commands import LookUpCache


def begin_task(machine: Machine, state: NodeState) -> None:
    """Look the outputs up if they may be cached, else launch. The inputs are bound."""
    spec = state.spec
    if spec is None:
        raise Unbound(machine.lacks("task", state.entity))
    state.inputs = complete(state.inputs, spec.interface, spec.name)
    state.metadata = machine.metadata(spec, said_of(state))
    if state.kind is Kind.EAGER:
        state.driver = state
        state.journal = Journal()
    if machine.reuse and recovered(machine, state):
        return
    cache = state.metadata.cache
    if cache is not None and (reason := uncacheable(cache, state.inputs)):
        state.cache_reason = reason
        machine.note(state.path, "not cached", reason)
    elif cache is not None:
        state.cache_key = cache_key(spec, cache, state.inputs)
        if machine.options.overwrite_cache:
            state.cache_reason = "not looked up: this run overwrites the cache"
        else:
            state.stage = Stage.CACHE
            machine.commands.append(LookUpCache(state.path, state.cache_key, cache.serialize))
            return
    machine.enqueue(state)
