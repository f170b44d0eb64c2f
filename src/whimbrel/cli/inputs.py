"""Options of a command line made from an interface, and literals made from the options.

Knows: click, interfaces, how values are written. Must not know: entities, runs.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from whimbrel.errors import InputInvalid, ValueMismatch
from whimbrel.model.interface import Interface, Parameter
from whimbrel.model.literal_types import BOOLEAN, EnumType, LiteralType, describe
from whimbrel.model.literals import Literals
from whimbrel.runtime.literal_text import choices, example, from_json, from_text
from whimbrel.wire.literal_json import plain_value

PREFIX = "input__"
"""Of the parameters' names, so that no input can be taken for an option of ours."""


class InputOption(click.Option):
    """An option for one input: its text is kept as it is, and read by ``gather``, which knows all inputs."""

    def __init__(self, name: str, parameter: Parameter, spellings: list[str], **settings: Any) -> None:
        self.input_name = name
        self.parameter = parameter
        super().__init__([PREFIX + name, *spellings], metavar=_metavar(parameter.type), **settings)


def options_for(interface: Interface, taken: Iterable[str] = ()) -> list[click.Option]:
    """An option for each input: ``--learning_rate`` and ``--learning-rate``; for a bool also ``--no-…``.

    Spellings in ``taken`` belong to inputs of these names alone: an input's own name always wins.
    """
    names = {spelling for name in interface.inputs for spelling in (f"--{name}", f"--{name.replace('_', '-')}")}
    options: list[click.Option] = []
    for name, parameter in interface.inputs.items():
        spellings = [f"--{name}", f"--{name.replace('_', '-')}"]
        settings: dict[str, Any] = {"help": _help(parameter), "type": click.UNPROCESSED}
        if parameter.type == BOOLEAN:
            # With or without a value: ``--flag``, ``--flag false``.
            settings |= {"is_flag": False, "flag_value": "true"}
        options.append(InputOption(name, parameter, list(dict.fromkeys(spellings)), **settings))
        if parameter.type == BOOLEAN:
            negations = [f"--no-{name}", f"--no-{name.replace('_', '-')}"]
            free = [
                spelling for spelling in dict.fromkeys(negations) if spelling not in names and spelling not in taken
            ]
            if free:
                options.append(click.Option([f"{PREFIX}no__{name}", *free], is_flag=True, hidden=True))
    return options


def _metavar(kind: LiteralType) -> str:
    if isinstance(kind, EnumType):
        return f"[{'|'.join(choices(kind))}]"
    if kind == BOOLEAN:
        return "[true|false]"
    return describe(kind).upper() if len(describe(kind)) < 8 else describe(kind)


def _help(parameter: Parameter) -> str:
    parts = [parameter.description.strip()] if parameter.description.strip() else []
    if parameter.default is None:
        parts.append("[required]")
    else:
        default = plain_value(parameter.default)
        parts.append(f"[default: {default if len(default) <= 60 else default[:59] + '…'}]")
    return "  ".join(parts)


def gather(
    interface: Interface, values: Mapping[str, Any], inputs_file: str | None = None, *, fixed: Sequence[str] = ()
) -> Literals:
    """The literals of what was written, defaults not filled in. Options win over the file; ``fixed`` are inputs that a
    launch plan has fixed.

    Raises ``InputInvalid``: one line for each input that is missing, unknown or does not parse.
    """
    literals, faults = _from_file(interface, inputs_file, fixed) if inputs_file is not None else ({}, [])
    for name, parameter in interface.inputs.items():
        text = values.get(PREFIX + name)
        if values.get(f"{PREFIX}no__{name}"):
            if text is not None:
                faults.append(f"--{name} and --no-{name} are both given: give one")
            text = "false"
        if text is None:
            if parameter.default is None and name not in literals:
                faults.append(f"--{name} is missing: {_wanted(parameter.type)}.{_how(name, parameter.type)}")
            continue
        try:
            literals[name] = from_text(text, parameter.type)
        except ValueMismatch as error:
            faults.append(f"--{name}: {_said(error)}.{_how(name, parameter.type)}")
    if faults:
        raise InputInvalid("\n".join(faults))
    return literals


def _from_file(interface: Interface, inputs_file: str, fixed: Sequence[str]) -> tuple[Literals, list[str]]:
    try:
        data = json.loads(Path(inputs_file).expanduser().read_bytes())
    except OSError as error:
        raise InputInvalid(f"--inputs-file: {inputs_file!r} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InputInvalid(f"--inputs-file: {inputs_file!r} is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise InputInvalid(f"--inputs-file: {inputs_file!r} must hold a JSON object with the inputs by name")
    literals: Literals = {}
    faults: list[str] = []
    for name, value in data.items():
        parameter = interface.inputs.get(name)
        if parameter is None:
            faults.append(f"{inputs_file}: {unknown_input(name, interface, fixed)}")
            continue
        try:
            literals[name] = from_json(value, parameter.type)
        except ValueMismatch as error:
            faults.append(f"{inputs_file}, input {name!r}: {_said(error)}")
    return literals, faults


def unknown_input(name: str, interface: Interface, fixed: Sequence[str] = ()) -> str:
    """The sentence for an input that does not exist, or that a launch plan has ``fixed``."""
    known = list(interface.inputs)
    if name in fixed:
        left = f"it takes {', '.join(known)}" if known else "it takes no other"
        return (
            f"the launch plan fixes {name!r}; {left}. To give {name!r} yourself, run the workflow, or a plan that has "
            "it in default_inputs"
        )
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" did you mean {close[0]!r}?" if close else ""
    return f"there is no input {name!r};{hint} " + (f"it takes {', '.join(known)}" if known else "it takes none")


def _said(error: ValueMismatch) -> str:
    where = "" if error.path == "$" else f" at {error.path}"
    return f"expected {error.expected}, got {error.got}{where}"


def _wanted(kind: LiteralType) -> str:
    return f"it takes {describe(kind)}"


def _how(name: str, kind: LiteralType) -> str:
    written = example(kind)
    if not written:
        return " It cannot be written on a command line: run it from Python, or give the input a default."
    quoted = f"'{written}'" if " " in written and not written.startswith("'") else written
    return f" Write it like: --{name} {quoted}"


def parse_environment(pairs: Iterable[str]) -> dict[str, str]:
    """``K=V`` pairs as a mapping. Raises ``InputInvalid``."""
    variables: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InputInvalid(f"--env {pair!r}: write it like --env NAME=value")
        variables[name] = value
    return variables
