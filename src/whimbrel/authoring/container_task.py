"""``ContainerTask``: a task that is a command line in an image.

Without a container runtime, which is the default, the command line runs as a process on the machine of the worker, in
its environment or in one that is mapped to the image; the data directories are then real ones. With ``docker`` or
``podman`` it runs in the image. Must not know how an engine gets a task to a worker.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar

from whimbrel.authoring.file_values import json_of, text_of, value_at
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.processes import run_process
from whimbrel.authoring.shell_task import scratch_directory
from whimbrel.errors import CallMismatch, UserError
from whimbrel.model.declared import ContainerSpec

RUNTIME = "WHIMBREL_CONTAINERS"
"""The environment variable that says how command lines of images are run: ``host`` (the default), ``docker`` or
``podman``."""

IMAGES = "WHIMBREL_IMAGES"
"""The environment variable that maps images to environments of the machine: ``image=directory of programs,…``."""

_TEMPLATE = re.compile(r"\{\{\s*\.inputs\.([A-Za-z_]\w*)\s*\}\}")


class MetadataFormat(StrEnum):
    """How all inputs stand in one file beside the single ones: ``inputs.json``, ``inputs.yaml``, ``inputs.pb``."""

    JSON = "JSON"
    YAML = "YAML"
    PROTO = "PROTO"


class ContainerTask(InstanceTask):
    """A command line in ``image``.

    In ``command`` and ``arguments`` ``{{.inputs.x}}`` is the text of an input, for a file or directory its path. Each
    input also lies in ``input_data_dir``, under its name. Each output is taken from the file of its name in
    ``output_data_dir``: files and directories as they are, text as text, everything else as JSON. No shell reads the
    command line, unless it names one. The task has failed when the command ends with another code than 0
    (``ProcessFailed``). ``options`` are those of ``InstanceTask``.
    """

    MetadataFormat: ClassVar = MetadataFormat

    def __init__(
        self,
        name: str,
        image: Any,
        command: Sequence[str] = (),
        inputs: Mapping[str, Any] | None = None,
        metadata: Any = None,
        arguments: Sequence[str] | None = None,
        outputs: Mapping[str, Any] | None = None,
        input_data_dir: str | None = None,
        output_data_dir: str | None = None,
        metadata_format: Any = MetadataFormat.JSON,
        io_strategy: Any = None,
        local_logs: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(name, inputs=inputs, outputs=outputs, metadata=metadata, **options)
        if self._outputs and not output_data_dir:
            raise CallMismatch(f"{name}: it has outputs, but no output_data_dir that they are taken from. Name one.")
        if isinstance(command, str) or isinstance(arguments, str):
            raise CallMismatch(f"{name}: a command line is a list of texts. Write one item for each argument.")
        self.image = image if isinstance(image, str) else str(getattr(image, "name", image))
        self.command = [str(part) for part in command or ()]
        self.arguments = [str(part) for part in arguments or ()]
        self.input_data_dir = input_data_dir or ""
        self.output_data_dir = output_data_dir or ""
        self.metadata_format = str(getattr(metadata_format, "name", metadata_format))
        self.io_strategy = None if io_strategy is None else str(getattr(io_strategy, "name", io_strategy))
        self.local_logs = local_logs
        for part in (*self.command, *self.arguments):
            for match in _TEMPLATE.finditer(part):
                if match[1] not in self._inputs:
                    raise CallMismatch(f"{name}: {match[0]} is no input of it. Declare it in `inputs`.")

    @property
    def container(self) -> ContainerSpec:
        """It, for a Flyte back end."""
        return ContainerSpec(
            self.image, tuple(self.command), tuple(self.arguments), self.input_data_dir, self.output_data_dir
        )

    def execute(self, **inputs: Any) -> Any:
        """Run the command line, and take what it leaves."""
        runtime = os.environ.get(RUNTIME, "host")
        if runtime not in ("host", "docker", "podman"):
            raise UserError(f"{RUNTIME} is {runtime!r}. Set it to host, docker or podman.")
        directory = scratch_directory()
        incoming, outgoing = os.path.join(directory, "inputs"), os.path.join(directory, "outputs")
        os.mkdir(incoming)
        os.mkdir(outgoing)
        self._lay_in(incoming, inputs, linked=runtime == "host")
        on_host = runtime == "host"
        arguments = [
            self._filled(part, inputs, (incoming, outgoing) if on_host else None)
            for part in (*self.command, *self.arguments)
        ]
        environment = dict(self.metadata.environment)
        if on_host:
            if not arguments:
                raise UserError(f"{self.name} has no command: only a container runtime knows what its image runs.")
            environment |= self._mapped()
        else:
            arguments = self._contained(runtime, arguments, incoming, outgoing)
        run_process(
            arguments,
            f"the command of {self.name}",
            environment=environment,
            directory=directory,
        )
        given = [
            value_at(os.path.join(outgoing, name), kind, f"output {name!r} of {self.name}")
            for name, kind in self._outputs.items()
        ]
        return given[0] if len(given) == 1 else tuple(given) if given else None

    def _lay_in(self, directory: str, inputs: Mapping[str, Any], *, linked: bool) -> None:
        import json

        for name, value in inputs.items():
            path = os.path.join(directory, name)
            if isinstance(value, os.PathLike):
                source = os.path.abspath(os.fspath(value))
                if linked:
                    os.symlink(source, path)
                elif os.path.isdir(source):
                    shutil.copytree(source, path)
                else:
                    shutil.copyfile(source, path)
            else:
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(text_of(value))
        if self.metadata_format != MetadataFormat.PROTO:
            # JSON is YAML too.
            with open(os.path.join(directory, f"inputs.{self.metadata_format.lower()}"), "w", encoding="utf-8") as file:
                json.dump({name: json_of(value) for name, value in inputs.items()}, file)

    def _filled(self, part: str, inputs: Mapping[str, Any], real: tuple[str, str] | None) -> str:
        """An argument with its inputs; where nobody mounts the data directories, the ``real`` ones in their place."""
        pieces: list[str] = []
        at = 0
        for match in _TEMPLATE.finditer(part):
            # What stands in a value is not looked at again.
            pieces += [self._moved(part[at : match.start()], real), self._text(match[1], inputs[match[1]], real)]
            at = match.end()
        return "".join((*pieces, self._moved(part[at:], real)))

    def _text(self, name: str, value: Any, real: tuple[str, str] | None) -> str:
        if not isinstance(value, os.PathLike):
            return text_of(value)
        if real is not None:
            return os.path.join(real[0], name)
        if not self.input_data_dir:
            raise UserError(f"{self.name} is given the file {name!r} in a container. Set its input_data_dir.")
        return f"{self.input_data_dir.rstrip('/')}/{name}"

    def _moved(self, text: str, real: tuple[str, str] | None) -> str:
        for declared, place in zip((self.input_data_dir, self.output_data_dir), real or (), strict=False):
            if declared:
                text = place.join(re.split(re.escape(declared.rstrip("/")) + r"(?![\w.-])", text))
        return text

    def _mapped(self) -> dict[str, str]:
        """The environment that stands for the image on this machine: its programs are found first."""
        for entry in os.environ.get(IMAGES, "").split(","):
            image, _, directory = entry.strip().rpartition("=")
            if image and image in (self.image, self.image.partition("@")[0].rpartition(":")[0]):
                return {"PATH": f"{directory}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
        return {}

    def _contained(self, runtime: str, arguments: list[str], incoming: str, outgoing: str) -> list[str]:
        mounts = []
        for real, declared, mode in (
            (incoming, self.input_data_dir, ":ro"),
            (outgoing, self.output_data_dir, ""),
        ):
            if declared:
                mounts += ["--volume", f"{real}:{declared}{mode}"]
        variables = [part for key in self.metadata.environment for part in ("--env", key)]
        entry = ["--entrypoint", arguments[0]] if self.command else []
        rest = arguments[1:] if self.command else arguments
        return [runtime, "run", "--rm", *mounts, *variables, *entry, self.image, *rest]
