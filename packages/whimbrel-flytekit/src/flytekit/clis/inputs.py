"""Inputs of ``pyflyte run`` that are no options: a file of YAML or JSON, or what comes on stdin.

Knows: YAML. whimbrel's own reader takes JSON from a file, so that is what is handed on.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from whimbrel.errors import InputInvalid

STDIN = "-"
_OPTION = "--inputs-file"


@contextmanager
def inputs_as_json(entity: Sequence[str]) -> Iterator[list[str]]:
    """What stands behind FILE, with inputs from YAML or stdin put into a file of JSON.

    ``NAME -`` and ``--inputs-file -`` read stdin. Raises ``InputInvalid``.
    """
    words, source = _parted(list(entity))
    if source is None:
        yield words
        return
    with tempfile.TemporaryDirectory(prefix="pyflyte-") as directory:
        file = Path(directory) / "inputs.json"
        file.write_text(json.dumps(_read(source), default=str), encoding="utf-8")
        yield [*words, _OPTION, str(file)]


def _parted(words: list[str]) -> tuple[list[str], str | None]:
    """The words without the source of the inputs, and that."""
    for index, word in enumerate(words):
        if word == _OPTION and index + 1 < len(words):
            return [*words[:index], *words[index + 2 :]], words[index + 1]
        if word.startswith(f"{_OPTION}="):
            return [*words[:index], *words[index + 1 :]], word.partition("=")[2]
    if len(words) > 1 and words[1] == STDIN:
        return [words[0], *words[2:]], STDIN
    return words, None


def _read(source: str) -> dict[str, Any]:
    import yaml  # only for those who have such a file

    name = "stdin" if source == STDIN else source
    try:
        text = sys.stdin.read() if source == STDIN else Path(source).expanduser().read_text(encoding="utf-8")
        said = yaml.safe_load(text)
    except OSError as error:
        raise InputInvalid(f"{_OPTION}: {source!r} cannot be read: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{_OPTION}: {name} is neither YAML nor JSON: {' '.join(str(error).split())}") from None
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise InputInvalid(f"{_OPTION}: {name} must hold the inputs by name, as in `x: 1`")
    return {str(key): value for key, value in said.items()}
