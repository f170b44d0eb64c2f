"""``ShellTask``: a task that is a shell script.

What a template names never becomes part of the script: the shell reads it from a variable, so nothing in a value is
taken for a command. Knows how POSIX shells quote. Must not know how processes are run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from whimbrel.authoring.calling import current_context
from whimbrel.authoring.file_values import text_of, value_at
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.processes import run_process
from whimbrel.authoring.shell_quoting import fill
from whimbrel.errors import CallMismatch, UserError

SHELLS = ("ash", "bash", "dash", "ksh", "sh", "zsh")

_TEMPLATE = re.compile(r"\{\s*(inputs|outputs|ctx)\.([A-Za-z_][\w.]*?)\s*(:raw)?\s*\}")


class OutputLocation(NamedTuple):
    """Where a script leaves the output ``var``: at ``location``, which may have templates in it.

    A relative one lies in the directory that the script runs in. Files and directories are taken as they are, other
    types are read from the file: text, numbers, JSON.
    """

    var: str
    var_type: Any
    location: str | os.PathLike[str]


class ShellTask(InstanceTask):
    """A script for ``/bin/sh`` (or another POSIX shell).

    ``{inputs.x}`` stands for an input (files and directories are local paths), ``{outputs.y}`` for the location of an
    output, ``{ctx.execution_id}`` for what the context knows. They are quoted as their place in the script wants it,
    inside double quotes too; ``{inputs.x:raw}`` puts the text itself into the script, to be read by the shell.

    The script runs in a scratch directory. Its stdout and stderr are those of the task. It has failed when it ends with
    another code than 0 (``ProcessFailed``). ``script_file`` is read when the task is made, and found beside the module
    if it is relative. ``debug`` prints the script before it runs. ``options`` are those of ``InstanceTask``.
    """

    def __init__(
        self,
        name: str,
        debug: bool = False,
        script: str | None = None,
        script_file: str | os.PathLike[str] | None = None,
        task_config: Any = None,
        inputs: Mapping[str, Any] | None = None,
        output_locs: Sequence[OutputLocation] | None = None,
        shell: str = "/bin/sh",
        **options: Any,
    ) -> None:
        if (script is None) == (script_file is None):
            raise CallMismatch(f"{name}: a shell task has either a script or a script_file. Give one of them.")
        if os.path.basename(shell) not in SHELLS:
            raise CallMismatch(f"{name}: {shell!r} is no shell that is known here. Use one of {', '.join(SHELLS)}.")
        self.output_locs = tuple(OutputLocation(*location) for location in output_locs or ())
        super().__init__(
            name,
            inputs=inputs,
            outputs={location.var: location.var_type for location in self.output_locs},
            task_config=task_config,
            **options,
        )
        self.shell = shell
        self.debug = debug
        self.script = script if script is not None else self._read(os.fspath(script_file or ""))
        self.locations = {location.var: os.fspath(location.location) for location in self.output_locs}
        unknown = [match for match in _TEMPLATE.finditer(self.script) if not self._knows(match[1], match[2])]
        if unknown:
            raise CallMismatch(
                f"{name}: the script names {', '.join(match[0] for match in unknown)}, which the task does not have. "
                "Declare it in `inputs` or `output_locs`."
            )

    def _read(self, path: str) -> str:
        beside = os.path.join(os.path.dirname(self.line.file or ""), path)
        try:
            with open(beside, encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            raise CallMismatch(f"{self.name}: {beside!r} cannot be read: {error.strerror}. Name a file.") from None

    def _knows(self, kind: str, name: str) -> bool:
        head = name.partition(".")[0]
        return kind == "ctx" or head in (self._inputs if kind == "inputs" else self.locations)

    def execute(self, **inputs: Any) -> Any:
        """Run the script, and take what it leaves."""
        directory = scratch_directory()
        places = {var: self._place(where, inputs, directory) for var, where in self.locations.items()}
        script, variables = fill(self.script, _TEMPLATE, lambda match: self._value(match, inputs, places))
        if self.debug:
            import sys

            sys.stdout.write(f"{script}\n")
        environment = {**self.metadata.environment, **variables}
        run_process(
            [self.shell, "-c", script], f"the script of {self.name}", environment=environment, directory=directory
        )
        given = [
            value_at(places[location.var], location.var_type, f"output {location.var!r} of {self.name}")
            for location in self.output_locs
        ]
        return given[0] if len(given) == 1 else tuple(given) if given else None

    def _place(self, where: str, inputs: Mapping[str, Any], directory: str) -> str:
        return os.path.join(directory, _TEMPLATE.sub(lambda match: self._value(match, inputs, {}), where))

    def _value(self, match: re.Match[str], inputs: Mapping[str, Any], places: Mapping[str, str]) -> str:
        kind, name = match[1], match[2]
        found: Any = {"inputs": inputs, "outputs": places, "ctx": current_context()}[kind]
        for step in name.split("."):
            try:
                found = found[step] if isinstance(found, Mapping) else getattr(found, step)
            except (KeyError, AttributeError):
                raise UserError(f"{self.name}: there is nothing at {match[0]}. Look at its type.") from None
        return text_of(found)


def scratch_directory() -> str:
    """A directory for one call: it goes with the attempt, or, in a plain call, with the process."""
    import atexit
    import shutil
    import tempfile

    context = current_context()
    if context.files is not None:
        return tempfile.mkdtemp(dir=context.working_directory)
    # What a plain call gives are files in here, which nobody has kept.
    made = tempfile.mkdtemp(prefix="whimbrel-")
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
