"""Programs as Flyte's messages, for `whimbrel compile`: on the terminal, or as files like those of `pyflyte serialize`.

Loaded only when it is asked for: it needs the extra ``flyte``.
"""

from __future__ import annotations

from importlib.metadata import version as version_of
from pathlib import Path

import msgspec

from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.authoring.entity import Entity
from whimbrel.graph.digest import program_digest
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.program import Message, encode_program

_NUMBERS = {"task": 1, "workflow": 2, "launch_plan": 3}
"""Flyte's resource types, by which the files of `pyflyte serialize` say what they hold."""


def messages(entity: Entity[..., object], project: str, domain: str, version: str, image: str) -> list[Message]:
    """Everything that is registered of ``entity``. Without ``version`` it is the digest of the program. Raises
    ``CompileError`` and ``InputInvalid``."""
    program = whole_program([entity])
    registration = Registration(
        project, domain, version or program_digest(program)[:16], image=image, sdk_version=version_of("whimbrel")
    )
    return encode_program(program, declarations([entity], program), registration)


def as_text(found: list[Message]) -> str:
    """All of them as protobuf's text."""
    return "\n".join(f"# {message.kind} {message.name}\n{message.text()}" for message in found)


def as_json(found: list[Message]) -> str:
    """All of them as a list of protobuf's JSON."""
    plain = [{"kind": message.kind, "name": message.name, "message": message.json()} for message in found]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode()


def write_files(found: list[Message], directory: Path, *, json: bool) -> list[Path]:
    """One file a message, ``0_module.name_1.pb`` and so on, in the order in which they are registered."""
    directory.mkdir(parents=True, exist_ok=True)
    width = len(str(len(found) - 1))
    written = []
    for number, message in enumerate(found):
        name = f"{number:0{width}}_{message.name}_{_NUMBERS[message.kind]}"
        path = directory / (name + (".json" if json else ".pb"))
        data = msgspec.json.format(msgspec.json.encode(message.json()), indent=2) if json else message.data()
        path.write_bytes(data)
        written.append(path)
    return written
