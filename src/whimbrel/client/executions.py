"""Runs and entities of a server as they were when they were last asked for.

Knows: REST's structs, lazy values. Must not know: transports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from whimbrel.client.values import Values
from whimbrel.errors import EagerException, RunNotResumable
from whimbrel.model.failure import Failure
from whimbrel.model.interface import Interface
from whimbrel.model.program import Program
from whimbrel.model.registered import EntityKind
from whimbrel.model.run import Phase
from whimbrel.types.failures import rebuild
from whimbrel.wire.rest.entities import ExactEntity
from whimbrel.wire.rest.runs import Detail, NodeDetail, Row


class RemoteEntity:
    """A task, workflow or launch plan as it is registered. ``remote.execute(entity, inputs)`` runs it."""

    def __init__(self, exact: ExactEntity) -> None:
        id = exact.entity.id
        self.kind: EntityKind = id.kind
        self.project = id.project
        self.domain = id.domain
        self.name = id.name
        self.version = id.version
        self.state = exact.entity.state
        """``ACTIVE`` or ``INACTIVE`` of a launch plan, "" of others."""
        self.interface: Interface = exact.interface
        """What it takes when it is launched, and what it gives."""
        self.program: Program = exact.program
        self.bundle = exact.bundle
        self.exact = exact

    def __repr__(self) -> str:
        return f"<{self.kind.value.replace('_', ' ')} {self.name} {self.version} of {self.project}/{self.domain}>"


class Execution:
    """A run on a server, as it was when it was last asked for: ``remote.sync(execution)`` asks again.

    ``project``, ``domain`` and ``name`` are "" for a run that no client launched. ``nodes`` are there once it was
    synced with them. ``inputs`` and ``outputs`` are lazy: nothing of a file or of a large value is fetched before it is
    looked at.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self.project = ""
        self.domain = ""
        self.name = ""
        self.entity = ""
        self.version = ""
        self.url = ""
        self.phase = Phase.UNDEFINED
        self.message = ""
        self.source = ""
        self.labels: dict[str, str] = {}
        self.tags: tuple[str, ...] = ()
        self.created_at: dt.datetime | None = None
        self.started_at: dt.datetime | None = None
        self.ended_at: dt.datetime | None = None
        self.nodes: dict[str, NodeDetail] = {}
        self.waiting: list[dict[str, Any]] = []
        self.failure: Failure | None = None
        self._inputs: Values | None = None
        self._outputs: Values | None = None
        self.decoders: Mapping[str, Any] = {}
        """How its outputs are read, by name, where the entity is at hand."""
        self.assemble: Callable[[Any], Any] | None = None
        """How they are put together to what the function returns."""

    @property
    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return self.phase.terminal

    @property
    def is_successful(self) -> bool:
        """Whether it has succeeded."""
        return self.phase is Phase.SUCCEEDED

    @property
    def duration(self) -> dt.timedelta | None:
        """How long it took, or ``None`` while it is under way."""
        if self.ended_at is None or self.started_at is None:
            return None
        return self.ended_at - self.started_at

    @property
    def inputs(self) -> Values:
        """What it was given. Raises ``RunNotResumable`` before it was synced."""
        if self._inputs is None:
            raise RunNotResumable(f"the inputs of run {self.run} were not asked for yet: sync(execution) does.")
        return self._inputs

    @property
    def outputs(self) -> Values:
        """What it gave. Raises what its failure was, and ``RunNotResumable`` while it has none."""
        if self._outputs is None:
            self.raise_for_failure()
            raise RunNotResumable(
                f"run {self.run} has no outputs yet ({self.phase.value}): wait(execution), or sync(execution)."
            )
        return self._outputs

    def result(self) -> Any:
        """What the function would have returned: the value, a tuple of several, or ``None``. Raises as ``outputs``."""
        outputs = self.outputs
        if self.assemble is not None:
            return self.assemble(outputs)
        values = [outputs[name] for name in outputs]
        return values[0] if list(outputs) == ["o0"] else tuple(values) if values else None

    def raise_for_failure(self) -> None:
        """Raise what a failed run failed with: an ``EagerException`` that is also what its task raised, where that
        class can be imported here."""
        if self.failure is not None:
            raise rebuild(self.failure)
        if self.phase.terminal and self.phase is not Phase.SUCCEEDED:
            raise EagerException(f"run {self.run} has {self.phase.value}: {self.message or 'no reason given'}")

    # --- what a server says of it ------------------------------------------------------------------------------------

    def tell_row(self, row: Row) -> None:
        """What a list says."""
        self.project, self.domain, self.name, self.version = row.project, row.domain, row.name, row.version
        self.url = row.url or self.url
        self.labels, self.tags = dict(row.labels), row.tags
        self.tell_end(row)

    def tell_end(self, row: Row) -> None:
        """Where it stands; the row may say no more."""
        self.run, self.entity, self.source, self.message = row.run, row.entity, row.source, row.message
        self.phase = Phase(row.phase)
        self.created_at, self.started_at, self.ended_at = (
            None if text is None else dt.datetime.fromisoformat(text)
            for text in (row.created_at, row.started_at, row.ended_at)
        )

    def tell_detail(self, detail: Detail) -> None:
        """All of it."""
        self.tell_row(detail)
        self.nodes = {node.path: node for node in detail.nodes}
        self.waiting = list(detail.waiting)

    def tell_values(self, inputs: Values, outputs: Values | None, failure: Failure | None) -> None:
        """Its values."""
        self._inputs, self._outputs, self.failure = inputs, outputs, failure

    def tell_decoders(self, decoders: Mapping[str, Any], assemble: Callable[[Any], Any] | None) -> None:
        """What is known of the entity here."""
        self.decoders, self.assemble = decoders, assemble

    def __repr__(self) -> str:
        return f"<run {self.run} of {self.entity or 'something'}: {self.phase.value}>"
