"""Run by real flytekit's interpreter: every program of a directory, compiled, as one JSON document on standard output.

    python compile_with_flytekit.py DIRECTORY OUTPUT

For each program ``{"messages": {"workflow wf.name": {...}}}``, or ``{"error": "..."}``.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from flytekit import LaunchPlan
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.workflow import WorkflowBase
from flytekit.tools.translator import get_serializable

KINDS = {"TaskSpec": "task", "WorkflowSpec": "workflow", "LaunchPlan": "launch_plan"}


def settings() -> SerializationSettings:
    """What is registered for: the same as in ``corpus.REGISTRATION``."""
    default = Image(name="default", fqn="registry.example/image", tag="tag")
    return SerializationSettings(
        image_config=ImageConfig(default_image=default, images=[default]),
        project="project",
        domain="development",
        version="v1",
        env={},
    )


def compiled(module: Any) -> dict[str, Any]:
    """The messages of a program: its roots', those of all that they call, and the default launch plans."""
    found: OrderedDict[Any, Any] = OrderedDict()
    roots = [getattr(module, name) for name in getattr(module, "ROOTS", ("wf",))]
    for root in roots:
        get_serializable(found, settings(), root)
    context = FlyteContextManager.current_context()
    for entity in list(found):
        if isinstance(entity, WorkflowBase):
            get_serializable(found, settings(), LaunchPlan.get_default_launch_plan(context, entity))
    messages = {}
    for message in found.values():
        message = message.to_flyte_idl() if hasattr(message, "to_flyte_idl") else message
        kind = KINDS.get(type(message).__name__)
        if kind is None:
            continue
        said = MessageToDict(message, preserving_proto_field_name=True)
        name = said["id"]["name"] if kind == "launch_plan" else said["template"]["id"]["name"]
        messages[f"{kind} {name}"] = said
    return messages


def main(directory: str, output: str) -> None:
    """Compile all of them."""
    logging.disable(logging.CRITICAL)
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
