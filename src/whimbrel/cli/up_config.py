"""The configuration of `whimbrel up`: a file below the environment and the command line, and what came of the three.

Every option of the command is a key of the file, by its long name; an option that is said several times as NAME=VALUE
is a table. So a new option needs nothing here.

Knows: click's parameters, TOML, YAML. Must not know: what any option means.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from whimbrel.errors import InputInvalid

VARIABLE = "WHIMBREL_CONFIG"
NAMES = ("server.toml", "server.yaml", "server.yml")
"""What it is called in the home, when nobody says where it is."""
_NOT_IN_FILES = ("config", "print_config", "home", "verbose", "help")
_SECRETS = ("secret", "password", "token")
_SOURCES = {
    ParameterSource.COMMANDLINE: "command line",
    ParameterSource.ENVIRONMENT: "environment",
    ParameterSource.DEFAULT_MAP: "file",
}


class ConfiguredCommand(click.Command):
    """A command whose options may stand in a file too: the command line first, then the environment, then the file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click. The file is read before anything is made of what was said."""
        if not ctx.resilient_parsing:
            said, _, _ = self.make_parser(ctx).parse_args(list(args))
            path = _path(said)
            if path is not None:
                ctx.default_map = self.read(path)
        return super().parse_args(ctx, args)

    def keys(self) -> dict[str, click.Option]:
        """What a file may say, by name."""
        options = [each for each in self.params if isinstance(each, click.Option) and each.name not in _NOT_IN_FILES]
        return {(each.name or "").replace("_", "-"): each for each in options}

    def read(self, path: Path) -> dict[str, Any]:
        """The values in a file, by the names of parameters. Raises ``InputInvalid``."""
        known = self.keys()
        found: dict[str, Any] = {}
        for key, value in _loaded(path).items():
            name = str(key).replace("_", "-")
            option = known.get(name)
            if option is None:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
                raise InputInvalid(f"{path}: {str(key)!r} is no setting of the server; {hint}")
            if isinstance(value, Mapping):
                if not option.multiple:
                    raise InputInvalid(f"{path}: {key} is one value, not a table.")
                value = [f"{one}={_text(of)}" for one, of in value.items()]
            elif option.multiple:
                value = [_text(one) for one in (value if isinstance(value, list) else [value])]
            elif isinstance(value, list) or value is None:
                raise InputInvalid(f"{path}: {key} is one value; write it as {key} = …")
            found[option.name or ""] = value
        return found

    def printed(self, ctx: click.Context) -> str:
        """What holds, as the file that says so; where each value came from as a comment. Secrets are not shown."""
        lines = []
        tables = []
        for name, option in self.keys().items():
            value = ctx.params.get(option.name or "")
            source = ctx.get_parameter_source(option.name or "")
            comment = _SOURCES.get(source, "default") if source is not None else "default"
            if value is None or value == ():
                lines.append(f"# {name} is not set")
            elif any(part in name for part in _SECRETS):
                lines.append(f"# {name} is set, and not shown ({comment})")
            elif isinstance(value, tuple) and all("=" in str(one) for one in value):
                pairs = (str(one).rpartition("=") for one in value)
                rows = [f"{json.dumps(key)} = {_toml(_number(of))}" for key, _, of in pairs]
                tables += ["", f"[{name}]  # {comment}", *rows]
            else:
                lines.append(f"{name} = {_toml(value)}  # {comment}")
        return "\n".join([f"# home: {ctx.params['home']}", *lines, *tables])


def _path(said: Mapping[str, Any]) -> Path | None:
    named = said.get("config") or os.environ.get(VARIABLE)
    if named:
        path = Path(named)
        if not path.is_file():
            raise InputInvalid(
                f"there is no configuration {path}; name a TOML or YAML file with --config or {VARIABLE}."
            )
        return path
    home = Path(said.get("home") or os.environ.get("WHIMBREL_HOME") or ".whimbrel")
    there = [home / name for name in NAMES if (home / name).is_file()]
    if len(there) > 1:
        raise InputInvalid(f"there are {there[0]} and {there[1]}; keep one of them, or name it with --config.")
    return there[0] if there else None


def _loaded(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{path} cannot be read: {error}.") from None
    if path.suffix in (".yaml", ".yml"):
        return _from_yaml(path, text)
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputInvalid(f"{path} is no TOML: {error}.") from None


def _from_yaml(path: Path, text: str) -> dict[str, Any]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise InputInvalid(f"{path} needs PyYAML: pip install pyyaml, or write it as TOML.") from None
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise InputInvalid(f"{path} is no YAML: {error}.") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InputInvalid(f"{path} is no table of settings; write name: value, a line each.")
    return found


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _toml(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(str(value))
