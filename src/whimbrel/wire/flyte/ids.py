"""What a program is registered as: the identifiers of its entities, and the image that its tasks run in."""

from __future__ import annotations

import re
from typing import Any

from flyteidl.core import identifier_pb2
from msgspec import Struct

from whimbrel.errors import InputInvalid
from whimbrel.model.program import Reference, ReferenceKind

TASK, WORKFLOW, LAUNCH_PLAN = identifier_pb2.TASK, identifier_pb2.WORKFLOW, identifier_pb2.LAUNCH_PLAN
_KINDS = {
    ReferenceKind.TASK: TASK,
    ReferenceKind.WORKFLOW: WORKFLOW,
    ReferenceKind.LAUNCH_PLAN: LAUNCH_PLAN,
}
RESOLVER = "flytekit.core.python_auto_container.default_task_resolver"
"""What Flyte's command line names: both flytekit's entry point and whimbrel-flytekit's find a task by it."""

_TEMPLATE = re.compile(r"\{\{\s*\.images?\.([\w-]+)(?:\.(fqn|version|tag))?\s*\}\}")


class Registration(Struct, frozen=True):
    """Where to, and with what. ``images`` are further ones, by the name that ``{{.image.NAME.fqn}}`` has for them."""

    project: str
    domain: str
    version: str
    image: str = "whimbrel:latest"
    images: dict[str, str] = {}
    resolver: str = RESOLVER
    sdk_version: str = ""

    def identifier(self, kind: int, name: str) -> Any:
        """The full id of an entity."""
        return identifier_pb2.Identifier(
            resource_type=kind, project=self.project, domain=self.domain, name=name, version=self.version
        )

    def image_of(self, asked: str) -> str:
        """The image that a task which asks for ``asked`` gets: the default one for "", else with its templates filled.

        Raises ``InputInvalid`` for the name of an image that is not there.
        """
        if not asked:
            return self.image

        def fill(match: re.Match[str]) -> str:
            name, part = match[1], match[2]
            known = {"default": self.image, **self.images}
            if name not in known:
                raise InputInvalid(f"there is no image {name!r}: it is one of {', '.join(known)}.")
            if part is None:
                return known[name]
            fqn, _, tag = known[name].rpartition(":")
            return fqn if part == "fqn" else tag

        return _TEMPLATE.sub(fill, asked)


def reference_id(reference: Reference) -> Any:
    """The full id of somebody else's entity."""
    return identifier_pb2.Identifier(
        resource_type=_KINDS[reference.kind],
        project=reference.project,
        domain=reference.domain,
        name=reference.name,
        version=reference.version,
    )
