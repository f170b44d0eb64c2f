"""Run by our interpreter: every program of a directory, compiled, as one JSON document.

    python compile_with_whimbrel.py DIRECTORY OUTPUT

The programs import ``flytekit``, which is whimbrel-flytekit here. See ``compile_with_flytekit.py`` for the form.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.program import encode_program

REGISTRATION = Registration("project", "development", "v1", image="registry.example/image:tag", sdk_version="0.1.0")


def compiled(module: Any) -> dict[str, Any]:
    """The messages of a program."""
    roots = [getattr(module, name) for name in getattr(module, "ROOTS", ("wf",))]
    program = whole_program(roots)
    messages = encode_program(program, declarations(roots, program), REGISTRATION)
    return {f"{message.kind} {message.name}": message.json() for message in messages}


def main(directory: str, output: str) -> None:
    """Compile all of them."""
    sys.path.insert(0, directory)
    result: dict[str, Any] = {}
    for path in sorted(Path(directory).glob("*.py")):
        try:
            result[path.stem] = {"messages": compiled(importlib.import_module(path.stem))}
        except Exception:
            result[path.stem] = {"error": traceback.format_exc()}
    Path(output).write_text(json.dumps(result, indent=1, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
