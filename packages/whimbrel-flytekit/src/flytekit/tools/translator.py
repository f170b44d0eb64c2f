"""``flytekit.tools.translator``: entities as Flyte's messages. Needs whimbrel's extra ``flyte``."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flytekit._adapt import missing
from flytekit.configuration import SerializationSettings
from whimbrel.authoring.entity import Entity
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.workflow import Workflow
from whimbrel.cli.flyte_output import messages

__all__ = ["get_serializable"]


class _Serializable:
    """A message. Its fields are attributes; ``to_flyte_idl()`` is the message itself."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def to_flyte_idl(self) -> Any:
        """The ``TaskSpec``, ``WorkflowSpec`` or ``LaunchPlan``."""
        return self._message

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


def get_serializable(
    entity_mapping: MutableMapping[Any, Any], settings: SerializationSettings, entity: Entity[..., Any], *_: Any
) -> _Serializable:
    """``entity`` as it is registered; ``entity_mapping`` gets it, and by kind and name all that it needs.

    Raises ``whimbrel.errors.CompileError``.
    """
    default = settings.image_config.default_image if settings.image_config else None
    image = default.full if default else ""
    found = messages(entity, settings.project or "", settings.domain or "", settings.version or "", image)
    for message in found:
        entity_mapping[message.kind, message.name] = _Serializable(message.body)
    plan = isinstance(entity, LaunchPlan)
    kind = "launch_plan" if plan else "workflow" if isinstance(entity, Workflow) else "task"
    entity_mapping[entity] = entity_mapping[kind, entity.name]
    found_entity: _Serializable = entity_mapping[entity]
    return found_entity


__getattr__ = missing(__name__)
