"""A container's command line as a process on this machine: templates filled, variables set, image to environment.

By the contract that Flyte's containers keep. Knows: templates, variables, names of directories. Must not know:
processes, messages, who runs what.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from msgspec import Struct

from whimbrel.authoring.secrets import secret_variable
from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.attempt import Launch
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Command
from whimbrel.model.run import AttemptId
from whimbrel.model.secrets import SecretMount

MARK = "WHIMBREL_COMMAND"
"""The variable that says which attempt a process, and whatever it starts, belongs to: the directory of it."""
_TEMPLATE = re.compile(r"\{\{\s*\.?(?P<name>[a-z]+)(?:\.(?P<input>\w+))?\s*\}\}", re.IGNORECASE)
_NO_CHECKPOINT = '""'
"""What a first attempt has in place of the checkpoint before it: flytekit knows it by these two characters."""
_INDEX = "WHIMBREL_MAP_INDEX"
_DESTINATION = "--dest-dir"
_LONGEST = 80
"""Characters of a node's path in the name of a directory; names of files end at 255 bytes."""


class Places(Struct, frozen=True):
    """Where the files of one attempt are, as plain paths: what a task makes of ``file://`` differs from type to type.

    ``attempt`` goes with it; ``raw`` and ``checkpoint`` stay. ``previous`` is the checkpoint of the attempt before it.
    ``raw`` is an address instead where the run has said so (``s3://bucket/…``).
    """

    attempt: Path
    raw: Path | str
    checkpoint: Path
    previous: Path | None = None

    @property
    def inputs(self) -> Path:
        """The file with the inputs."""
        return self.attempt / "inputs.pb"

    @property
    def outputs(self) -> Path:
        """The directory that it writes its results into."""
        return self.attempt / "outputs"

    @property
    def work(self) -> Path:
        """Its working directory, which is also where code that comes with it is put."""
        return self.attempt / "work"

    @property
    def secrets(self) -> Path:
        """Secrets that are wanted as files."""
        return self.attempt / "secrets"


def places_of(root: Path, attempt: AttemptId, raw: str = "") -> Places:
    """The places of an attempt below ``root``; of its files below ``raw``, a directory or an address, if it is said.
    Checkpoints of earlier attempts are looked for."""
    digest = hashlib.sha256(attempt.path.encode()).hexdigest()[:8]
    node = f"{re.sub(r'[^A-Za-z0-9_.-]', '_', attempt.path)[:_LONGEST]}-{digest}"
    run = re.sub(r"[^A-Za-z0-9_.-]", "_", attempt.run) if attempt.run.strip(".") else "_"
    checkpoints = root / "checkpoints" / run / node
    before = [checkpoints / str(number) for number in range(attempt.number - 1, 0, -1)]
    number = str(attempt.number)
    return Places(
        root / "attempts" / run / node / number,
        _below(raw, f"{run}/{node}/{number}") if raw else root / "raw" / run / node / number,
        checkpoints / number,
        next((each for each in before if each.is_dir() and any(each.iterdir())), None),
    )


def _below(place: str, tail: str) -> Path | str:
    if place.startswith(("/", "file:///")):
        return Path(place.removeprefix("file://")) / tail
    return f"{place.rstrip('/')}/{tail}"


def arguments(launch: Launch, command: Command, inputs: Literals, places: Places) -> list[str]:
    """The command line with its templates filled. Raises ``InputInvalid`` for an input that it asks for in vain."""
    values = {
        "input": str(places.inputs),
        "inputprefix": str(places.attempt),
        "outputprefix": str(places.outputs),
        "rawoutputdataprefix": str(places.raw),
        "checkpointoutputprefix": str(places.checkpoint),
        "prevcheckpointprefix": _NO_CHECKPOINT if places.previous is None else str(places.previous),
        "perretryuniquekey": unique_key(launch.attempt),
        "namespace": f"{command.project}-{command.domain}",
    }

    def fill(match: re.Match[str]) -> str:
        name, wanted = match["name"].lower(), match["input"]
        if wanted is None:
            return values.get(name, match[0])
        if name != "inputs":
            return match[0]
        if wanted not in inputs:
            raise InputInvalid(f"the command line asks for the input {wanted!r}, which {launch.task.name} has not.")
        return in_words(inputs[wanted])

    filled = [_TEMPLATE.sub(fill, each) for each in command.args]
    for at, each in enumerate(filled[:-1]):
        if each == _DESTINATION and filled[at + 1].startswith("/"):
            # A directory of the container: here every attempt has its own. What is relative stays as it was registered:
            # eager tasks register with it what they call.
            filled[at + 1] = str(places.work)
    return filled


def unique_key(attempt: AttemptId) -> str:
    """A name of letters and digits for this try, and no other."""
    whole = f"{attempt.run}/{attempt.path}/{attempt.number}"
    return "a" + hashlib.sha256(whole.encode()).hexdigest()[:19]


def in_words(literal: Literal) -> str:
    """A value as it stands in a command line. Raises ``InputInvalid`` for one that has no such form."""
    match literal:
        case lit.NoneLiteral():
            return ""
        case lit.BoolLiteral(value=value):
            return "true" if value else "false"
        case lit.DatetimeLiteral(value=value):
            return value.isoformat()
        case lit.BlobLiteral(uri=uri) | lit.DatasetLiteral(uri=uri):
            return uri
        case lit.UnionLiteral(value=value):
            return in_words(value)
        case lit.ListLiteral(items=items):
            return f"[{','.join(in_words(each) for each in items)}]"
        case lit.IntLiteral() | lit.FloatLiteral() | lit.StrLiteral() | lit.BigIntLiteral():
            return str(literal.value)
        case _:
            raise InputInvalid(
                "a command line can hold numbers, texts, times, paths and lists of them; pass others in inputs.pb."
            )


def prefix_of(image: str, images: Mapping[str, str], default: str) -> str:
    """The environment (the directory with ``bin``) that stands for ``image``: that of the first pattern that fits."""
    return next((prefix for pattern, prefix in images.items() if fnmatchcase(image, pattern)), default)


def variables(launch: Launch, command: Command, places: Places, prefix: str) -> dict[str, str]:
    """What a container finds in its environment beside what is said of the task, under both names that flytekit has."""
    project, domain = command.project, command.domain
    task = command.project, command.domain, launch.task.name, command.version
    said = {
        MARK: str(places.attempt),
        "PATH": os.pathsep.join([str(Path(prefix) / "bin"), os.environ.get("PATH", os.defpath)]),
        "VIRTUAL_ENV": prefix,
        "HOSTNAME": unique_key(launch.attempt),
        "FLYTE_ATTEMPT_NUMBER": str(launch.attempt.number - 1),
        **_both("EXECUTION_PROJECT", "PRJ", project),
        **_both("EXECUTION_DOMAIN", "DM", domain),
        **_both("EXECUTION_ID", "NM", launch.attempt.run),
        **_both("EXECUTION_WORKFLOW", "WF", launch.workflow),
        **_both("EXECUTION_LAUNCHPLAN", "LP", launch.workflow),
        **_both("TASK_PROJECT", "TK_PRJ", task[0]),
        **_both("TASK_DOMAIN", "TK_DM", task[1]),
        **_both("TASK_NAME", "TK_NM", task[2]),
        **_both("TASK_VERSION", "TK_V", task[3]),
    }
    if command.mapped:
        # It is given lists of one item; its place among all is what it reads under the name.
        index = launch.attempt.path.rpartition("/")[2]
        said |= {
            "BATCH_JOB_ARRAY_INDEX_VAR_NAME": _INDEX,
            _INDEX: index,
            "BATCH_JOB_ARRAY_INDEX_OFFSET": f"-{index}",
        }
    return said


def _both(long: str, short: str, value: str) -> dict[str, str]:
    return {f"FLYTE_INTERNAL_{long}": value, f"_F_{short}": value}


def mount_secrets(launch: Launch, places: Places) -> dict[str, str]:
    """The variables that hold the secrets of an attempt; those that are wanted as files are written.

    Raises ``InputInvalid`` for one whose name is no name of a file.
    """
    said: dict[str, str] = {}
    for request in launch.task.secrets:
        for value in launch.secrets:
            if not request.covers(value.group, value.key):
                continue
            text = value.value.decode("utf-8", "surrogateescape")
            if request.mount is SecretMount.FILE:
                parts = [part.lower() for part in (value.group, value.version, value.key) if part]
                if any("/" in part or "\0" in part or part in (".", "..") for part in parts):
                    raise InputInvalid(f"the secret {request.title!r} cannot be a file: give it another name.")
                path = places.secrets.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(value.value)
                said["FLYTE_SECRETS_DEFAULT_DIR"] = str(places.secrets)
                text = str(path)
            elif "\0" in text:
                continue  # no variable can hold it
            else:
                said[secret_variable(value.group, value.key, value.version)] = text
            if request.env_var:
                said[request.env_var] = text
    return said
