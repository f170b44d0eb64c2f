"""Executions, their gates and their data, by the names of ``FlyteRemote``.

Knows: flytekit's signatures, which of their arguments mean something here. Must not know: how anything is launched.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flytekit._remote.archives import FastPackageOptions, fast_package
from flytekit._remote.catalogue import no_filters
from flytekit._remote.connected import Connected
from flytekit._remote.executions import FlyteNodeExecution, FlyteTaskExecution, FlyteWorkflowExecution
from flytekit._remote.identifiers import (
    ResourceType,
    Signal,
    SignalIdentifier,
    WorkflowExecutionIdentifier,
)
from flytekit._remote.metrics import FlyteExecutionSpan, spans_of
from flytekit._remote.refusals import NotThere, Refused, in_flytekits_words
from flytekit._remote.resolving import LiteralsResolver
from flytekit._types.literals import Literal, LiteralMap
from flytekit._types.translating import model_literal
from flytekit.exceptions.user import FlyteTimeout
from whimbrel.client.executions import Execution
from whimbrel.client.values import Values, decode
from whimbrel.errors import EntityNotFound
from whimbrel.model.literal_types import ANY
from whimbrel.model.literals import BlobLiteral
from whimbrel.types.registry import default_registry

Span = dt.timedelta | float | None
_EVERY = 10_000
"""Executions of a list that has no limit of its own."""
_WHOLE = {"", "start-node", "end-node"}
"""How data URIs call the execution itself."""


class Runs(Connected):
    """See the module."""

    # --- executions --------------------------------------------------------------------------------------------------

    def execution_id(
        self, name: str, project: str | None = None, domain: str | None = None
    ) -> WorkflowExecutionIdentifier:
        """The full id of an execution."""
        return WorkflowExecutionIdentifier(*self.place(project, domain), name)

    def _found(self, name: str | None, project: str | None, domain: str | None) -> Execution:
        """The run that an execution is. In the usual place it has its name, elsewhere it is looked for."""
        place = self.place(project, domain)
        if not name:
            raise Refused("the name of the execution is missing; give name=")
        with in_flytekits_words():
            try:
                direct: Execution = self.whimbrel_remote.run(name)
                if (direct.project, direct.domain, direct.name) == (*place, name):
                    return direct
            except EntityNotFound:
                pass
            recent = self.whimbrel_remote.recent(text=name, project=place[0], domain=place[1], limit=_EVERY)
        named = [each for each in recent if each.name == name]
        if not named:
            raise NotThere(f"there is no execution {name} in {'/'.join(place)}; name another, or another place.")
        return named[0]

    def fetch_execution(
        self, project: str | None = None, domain: str | None = None, name: str | None = None
    ) -> FlyteWorkflowExecution:
        """An execution, with its values. Raises ``FlyteEntityNotExistException``."""
        found = self._found(name, project, domain)
        with in_flytekits_words():
            self.whimbrel_remote.sync(found, nodes=False)
        return FlyteWorkflowExecution(self, found, self._kind(found))

    def recent_executions(
        self,
        project: str | None = None,
        domain: str | None = None,
        limit: int | None = 100,
        filters: Sequence[Any] | None = None,
    ) -> list[FlyteWorkflowExecution]:
        """Executions, the newest first. ``sync`` one of them to see its values."""
        no_filters(filters)
        with in_flytekits_words():
            found = self.whimbrel_remote.recent(project=project, domain=domain, limit=limit or _EVERY)
        return [FlyteWorkflowExecution(self, each, self._kind(each)) for each in found]

    def wait(
        self,
        execution: FlyteWorkflowExecution,
        timeout: Span = None,
        poll_interval: Span = None,
        sync_nodes: bool = True,
    ) -> FlyteWorkflowExecution:
        """Wait for the end of an execution: the server tells, nothing is polled. Raises ``FlyteTimeout``."""
        found = execution.remote_execution
        try:
            with in_flytekits_words():
                self.whimbrel_remote.wait(found, timeout=_seconds(timeout))
        except TimeoutError as error:
            raise FlyteTimeout(str(error)) from None
        return self.sync_execution(execution, sync_nodes=sync_nodes)

    def sync(
        self, execution: FlyteWorkflowExecution, entity_definition: Any = None, sync_nodes: bool = False
    ) -> FlyteWorkflowExecution:
        """Ask for the state of an execution anew, with ``sync_nodes`` for everything in it."""
        return self.sync_execution(execution, entity_definition, sync_nodes)

    def sync_execution(
        self,
        execution: FlyteWorkflowExecution,
        entity_definition: Any = None,
        sync_nodes: bool = False,
        rpc_timeout: Span = None,
    ) -> FlyteWorkflowExecution:
        """The same as ``sync``."""
        found = execution.remote_execution
        with in_flytekits_words():
            self.whimbrel_remote.sync(found, nodes=sync_nodes)
        execution.tell(found, nodes=sync_nodes)
        return execution

    def sync_node_execution(self, execution: FlyteNodeExecution, node_mapping: Any = None) -> FlyteNodeExecution:
        """A node as it was when its execution was synced: sync that."""
        return execution

    def sync_task_execution(
        self, execution: FlyteTaskExecution, entity_interface: Any = None, get_task_exec_data: bool = True
    ) -> FlyteTaskExecution:
        """An attempt as it was when its execution was synced: sync that."""
        return execution

    def url_of(self, execution: Execution) -> str:
        """Where an execution is looked at that says nothing of it."""
        return f"{self.whimbrel_remote.config.url}/api/v1/runs/{execution.run}"

    def node_values(self, execution: Execution, path: str) -> tuple[Values, Values | None]:
        """Inputs and outputs of a node."""
        with in_flytekits_words():
            return self.whimbrel_remote.node_values(execution, path)

    def terminate(self, execution: FlyteWorkflowExecution, cause: str) -> None:
        """End an execution for good; what has to clean up does so first."""
        with in_flytekits_words():
            self.whimbrel_remote.terminate(execution.remote_execution, cause)

    def relaunch(
        self,
        execution: FlyteWorkflowExecution | str,
        inputs: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> FlyteWorkflowExecution:
        """Run again what an execution ran, with ``inputs`` laid over those that it had."""
        found = self._named(execution)
        with in_flytekits_words():
            made = self.whimbrel_remote.relaunch(found, inputs, name=name or "")
            self.whimbrel_remote.sync(made, nodes=False)
        return FlyteWorkflowExecution(self, made, self._kind(made))

    def recover(self, execution: FlyteWorkflowExecution | str, name: str | None = None) -> FlyteWorkflowExecution:
        """Run again what an execution ran, taking over what had succeeded."""
        found = self._named(execution)
        with in_flytekits_words():
            made = self.whimbrel_remote.recover(found, name=name or "")
            self.whimbrel_remote.sync(made, nodes=False)
        return FlyteWorkflowExecution(self, made, self._kind(made))

    def _named(self, execution: FlyteWorkflowExecution | str) -> Execution:
        return self._found(execution, None, None) if isinstance(execution, str) else execution.remote_execution

    def _kind(self, execution: Execution) -> ResourceType:
        """What was launched, as the run says where it comes from."""
        said = execution.source.removeprefix("the ")
        kinds = {"task": ResourceType.TASK, "workflow": ResourceType.WORKFLOW}
        return kinds.get(said.partition(" ")[0], ResourceType.LAUNCH_PLAN)

    def get_execution_metrics(self, id: WorkflowExecutionIdentifier, depth: int = 10) -> FlyteExecutionSpan:
        """Where the time of an execution went."""
        found = self._found(id.name, id.project, id.domain)
        with in_flytekits_words():
            self.whimbrel_remote.sync(found, nodes=True)
        return spans_of(found, depth)

    # --- gates -------------------------------------------------------------------------------------------------------

    def list_signals(
        self,
        execution_name: str,
        project: str | None = None,
        domain: str | None = None,
        limit: int = 100,
        filters: Sequence[Any] | None = None,
    ) -> list[Signal]:
        """The gates of an execution that wait."""
        no_filters(filters)
        found = self._found(execution_name, project, domain)
        with in_flytekits_words():
            self.whimbrel_remote.sync(found, nodes=False)
        id = WorkflowExecutionIdentifier(found.project, found.domain, found.name)
        return [
            Signal(SignalIdentifier(str(gate["gate"] or gate["path"]), id), str(gate.get("type", "")))
            for gate in found.waiting[:limit]
        ]

    def set_signal(
        self,
        signal_id: str,
        execution_name: str,
        value: Any,
        project: str | None = None,
        domain: str | None = None,
        python_type: Any = None,
        literal_type: Any = None,
    ) -> None:
        """Give a gate the value that it waits for."""
        found = self._found(execution_name, project, domain)
        if isinstance(value, Literal):
            value = decode(model_literal(value, ANY))
        elif python_type is not None:
            value = decode(default_registry().transformer(python_type).encode(value))
        with in_flytekits_words():
            self.whimbrel_remote.signal(found, signal_id, value)

    set_input = set_signal

    def approve(
        self, signal_id: str, execution_name: str, project: str | None = None, domain: str | None = None
    ) -> None:
        """Say yes at a gate."""
        found = self._found(execution_name, project, domain)
        with in_flytekits_words():
            self.whimbrel_remote.approve(found, signal_id)

    def reject(
        self, signal_id: str, execution_name: str, project: str | None = None, domain: str | None = None
    ) -> None:
        """Say no at a gate."""
        found = self._found(execution_name, project, domain)
        with in_flytekits_words():
            self.whimbrel_remote.reject(found, signal_id)

    # --- data --------------------------------------------------------------------------------------------------------

    def upload_file(
        self,
        to_upload: str | os.PathLike[str],
        project: str | None = None,
        domain: str | None = None,
        filename_root: str | None = None,
    ) -> tuple[bytes, str]:
        """Send a file; its MD5, and the URI under which executions are given it."""
        path = Path(to_upload)
        with in_flytekits_words():
            uri = self.whimbrel_remote.upload(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).digest(), uri

    def fast_package(
        self,
        root: str | os.PathLike[str],
        deref_symlinks: bool = True,
        output: str | None = None,
        options: FastPackageOptions | None = None,
    ) -> tuple[bytes, str]:
        """Send everything below ``root`` as an archive; its MD5, and where it is."""
        path = fast_package(root, output or os.path.join(os.curdir, ".whimbrel-packages"), deref_symlinks, options)
        try:
            return self.upload_file(path)
        finally:
            if output is None:
                path.unlink()
                path.parent.rmdir()

    def download(
        self, data: LiteralsResolver | Literal | LiteralMap | Any, download_to: str, recursive: bool = True
    ) -> None:
        """Fetch the files of values into the directory ``download_to``; one file or directory to that path."""
        with in_flytekits_words():
            if isinstance(data, LiteralsResolver):
                data = data.values_there
            elif isinstance(data, LiteralMap):
                made = {name: model_literal(each, ANY) for name, each in data.literals.items()}
                data = Values(made, self.whimbrel_remote.blobs)
            elif isinstance(data, Literal):
                blob = model_literal(data, ANY)
                if not isinstance(blob, BlobLiteral):
                    raise Refused("there is nothing to download in a plain value; print it.")
                data = decode(blob)
            self.whimbrel_remote.download(data, download_to)

    def get(self, flyte_uri: str | None = None) -> LiteralsResolver | Literal | str | None:
        """What is at ``flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/o``: outputs (``o``), inputs (``i``) or the deck
        (``d``) of a node or, without NODE, of the execution; ``…/o/NAME`` is one value.
        ``None`` when there is nothing."""
        parts = (flyte_uri or "").removeprefix("flyte://v1/").split("/")
        kinds = [at for at, part in enumerate(parts) if at >= 3 and part in ("i", "o", "d")]
        if not (flyte_uri or "").startswith("flyte://v1/") or not kinds:
            raise Refused(f"{flyte_uri!r} is no flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/o")
        project, domain, name, *path = parts[: kinds[-1]]
        node = "/".join(path[:-1] if path and path[-1].isdigit() and len(path) > 1 else path)
        found = self._found(name, project, domain)
        wanted, rest = parts[kinds[-1]], parts[kinds[-1] + 1 :]
        place = "" if node in _WHOLE else node
        with in_flytekits_words():
            if wanted == "d":
                decks = self.whimbrel_remote.decks(found, node=place)
                return "\n".join(deck.html for deck in decks) or None
            inputs, outputs = self.whimbrel_remote.node_values(found, place)
        values = inputs if wanted == "i" else outputs
        if values is None:
            return None
        resolver = LiteralsResolver(values)
        return resolver.get_literal(rest[0]) if rest and rest[0] else resolver


def _seconds(span: Span) -> float | None:
    return span.total_seconds() if isinstance(span, dt.timedelta) else span
