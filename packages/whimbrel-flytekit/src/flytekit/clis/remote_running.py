"""``pyflyte run --remote`` and ``pyflyte run remote-task|remote-workflow|remote-launchplan``.

Knows: options made from interfaces, ``FlyteRemote``. Must not know: how anything is registered or launched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from flytekit._remote.archives import copy_of
from flytekit._remote.entities import RegisteredEntity
from flytekit._remote.executions import FlyteWorkflowExecution
from flytekit._remote.identifiers import WorkflowExecutionIdentifier
from flytekit.clis.inputs import inputs_as_json
from flytekit.clis.places import pairs, remote_at, version_of
from flytekit.remote import FlyteRemote
from whimbrel import Annotations, Labels, Options, WorkflowExecutionPhase
from whimbrel.cli.entities import find_entity, load_file
from whimbrel.cli.inputs import PREFIX, gather, options_for, unknown_input
from whimbrel.cli.settings import err, out
from whimbrel.errors import CallMismatch, InputInvalid
from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literals
from whimbrel.wire.literal_json import by_name, plain

REGISTERED = {"remote-task": "task", "remote-workflow": "workflow", "remote-launchplan": "launch_plan"}
"""What stands in the place of FILE, and the kind that is meant."""

FAILED = 1


def run_file(program: str, file: str, entity: Sequence[str], options: Mapping[str, Any]) -> int:
    """Register what ``file`` has under the name ``entity[0]``, with its code, and launch it; the exit code."""
    module = load_file(file)
    name, *rest = entity
    found = find_entity(module, name, file)
    with inputs_as_json([name, *rest]) as words:
        literals = _read(f"{program} run {file} {name}", found.interface, words[1:], found.read.doc, found.read.fixed)
    # Through the author's own types: what does not fit is told before anything is sent.
    inputs = found.signature.decode_inputs(found.signature.checked_literals(literals))
    remote = remote_at(options["server_project"], options["server_domain"])
    click.echo("Running Execution on Remote.", err=True)
    execution = remote.execute(
        found,
        inputs,
        **_said(options),
        copy=copy_of("all" if options["server_copy_all"] else options["server_copy"], "auto"),
    )
    return _followed(remote, execution, options)


def run_registered(program: str, kind: str, entity: Sequence[str], options: Mapping[str, Any]) -> int:
    """Launch what is registered; without a name, list what there is. The exit code."""
    remote = remote_at(options["server_project"], options["server_domain"])
    if not entity or entity[0] in ("-h", "--help"):
        rows = remote.entity_rows(REGISTERED[kind], limit=int(options["server_limit"] or 50))
        click.echo(f"Usage: {program} run {kind} NAME[:VERSION] [INPUTS]\n")
        for row in rows:
            click.echo(f"  {row.name}")
        if not rows:
            click.echo(f"  nothing is registered in {remote.project}/{remote.domain}")
        return 0
    name, version = version_of(entity[0])
    found = remote.fetch_entity(REGISTERED[kind], name=name, version=version or None)
    with inputs_as_json([name, *entity[1:]]) as words:
        interface = found.remote_entity.interface
        literals = _read(f"{program} run {kind} {entity[0]}", interface, words[1:], "", ())
    execution = remote.execute(found, by_name(literals), **_said(options))
    return _followed(remote, execution, options)


# --- inputs and options -----------------------------------------------------------------------------------------------


def _read(label: str, interface: Interface, rest: Sequence[str], doc: str | None, fixed: Sequence[str]) -> Literals:
    """What ``rest`` says of the inputs. Raises ``InputInvalid``; ends for ``--help``."""
    file = click.Option(["--inputs-file"], metavar="FILE", help="A file with inputs by name: YAML or JSON.")
    command = click.Command(label, params=[*options_for(interface), file], help=doc or None)
    try:
        context = command.make_context(label, list(rest))
    except click.NoSuchOption as error:
        name = error.option_name.lstrip("-").removeprefix("no-").replace("-", "_")
        raise InputInvalid(f"{label}: {unknown_input(name, interface, fixed)}") from None
    said = {key: value for key, value in context.params.items() if key.startswith(PREFIX)}
    return gather(interface, said, context.params["inputs_file"], fixed=fixed)


def _said(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of ``FlyteRemote.execute``."""
    return {
        "execution_name": options["run_id"],
        "options": Options(
            labels=Labels(pairs(options["server_labels"], "--labels")),
            annotations=Annotations(pairs(options["server_annotations"], "--annotations")),
            max_parallelism=options["max_parallelism"],
        ),
        "overwrite_cache": options["overwrite_cache"] or None,
        "interruptible": options["server_interruptible"],
        "envs": pairs(options["env"], "--env") or None,
        "tags": list(options["server_tags"]) or None,
    }


# --- following --------------------------------------------------------------------------------------------------------


def _followed(remote: FlyteRemote, execution: FlyteWorkflowExecution, options: Mapping[str, Any]) -> int:
    wait = bool(options["server_wait_execution"])
    line = f"[✔] Go to {execution.execution_url} to see execution in the console."
    # What comes out of a run that is waited for has stdout for itself.
    (err if wait else out)(line)
    if options["server_dump_snippet"]:
        _snippet(remote, execution.id)
    if not wait:
        return 0
    remote.wait(execution, sync_nodes=False)
    if not execution.is_successful:
        phase = WorkflowExecutionPhase.enum_to_string(execution.closure.phase)
        err(f"Execution {execution.id.name} did not complete successfully, phase {phase}")
        err(execution.closure.error.message if execution.closure.error else "")
        return FAILED
    text = plain(execution.remote_execution.outputs.literals)
    if text:
        out(text)
    return 0


def _snippet(remote: FlyteRemote, id: WorkflowExecutionIdentifier) -> None:
    out(
        f"""
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote

remote = FlyteRemote(
    Config.for_endpoint({remote.config.platform.endpoint!r}, insecure={remote.config.platform.insecure}),
    default_project={id.project!r},
    default_domain={id.domain!r},
)
execution = remote.fetch_execution(name={id.name!r})
print(execution.outputs)
"""
    )
