"""Run by real flytekit's interpreter: everything in ``flytekit_programs``, registered for this directory.

    python serialize.py OUTPUT

As one JSON document: ``{"tasks": [base64, ...], "workflows": [...], "plans": [...]}``.
"""

from __future__ import annotations

import base64
import json
import logging
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import flytekit_programs

from flytekit import LaunchPlan
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.base_task import PythonTask
from flytekit.core.context_manager import FlyteContextManager
from flytekit.core.workflow import WorkflowBase
from flytekit.tools.translator import get_serializable

KINDS = {"TaskSpec": "tasks", "WorkflowSpec": "workflows", "LaunchPlan": "plans"}


def main(output: str) -> None:
    """Write them."""
    logging.disable(logging.CRITICAL)
    image = Image(name="default", fqn="registry.example/flytekit", tag="v1")
    settings = SerializationSettings(
        image_config=ImageConfig(default_image=image, images=[image]),
        project="project",
        domain="development",
        version="v1",
        env={"PYTHONPATH": str(Path(__file__).parent)},
    )
    found: OrderedDict[Any, Any] = OrderedDict()
    context = FlyteContextManager.current_context()
    for entity in vars(flytekit_programs).values():
        if isinstance(entity, PythonTask | WorkflowBase):
            get_serializable(found, settings, entity)
        if isinstance(entity, WorkflowBase):
            get_serializable(found, settings, LaunchPlan.get_default_launch_plan(context, entity))
    messages: dict[str, list[str]] = {kind: [] for kind in KINDS.values()}
    for message in found.values():
        message = message.to_flyte_idl() if hasattr(message, "to_flyte_idl") else message
        kind = KINDS.get(type(message).__name__)
        if kind is not None:
            messages[kind].append(base64.b64encode(message.SerializeToString()).decode())
    Path(output).write_text(json.dumps(messages))


if __name__ == "__main__":
    main(sys.argv[1])
