"""What is registered on a server, its projects and its secrets.

Knows: REST's paths and structs. Must not know: runs.
"""

from __future__ import annotations

import base64
from urllib.parse import quote

from whimbrel.client.connection import Connection
from whimbrel.client.executions import RemoteEntity
from whimbrel.client.transport import V1
from whimbrel.errors import EntityNotFound
from whimbrel.model.registered import EntityKind
from whimbrel.wire.rest.entities import (
    EntityDetail,
    EntityPage,
    EntityRow,
    ExactEntity,
    NewProject,
    NewSecret,
    PlanState,
    ProjectRow,
    SecretShape,
)
from whimbrel.wire.rest.registering import MSGPACK

LATEST = "latest"
_PATHS = {EntityKind.TASK: "tasks", EntityKind.WORKFLOW: "workflows", EntityKind.LAUNCH_PLAN: "launch-plans"}
_ORDER = (EntityKind.WORKFLOW, EntityKind.TASK, EntityKind.LAUNCH_PLAN)
"""In which order a mere name is looked for."""
_PAGE = 100


class Catalogue(Connection):
    """See the module."""

    async def fetch_task(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> RemoteEntity:
        """A task: the latest version, or the one that is named. Raises ``EntityNotFound``."""
        return await self._fetch(EntityKind.TASK, name, version, project=project, domain=domain)

    async def fetch_workflow(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> RemoteEntity:
        """The same for a workflow."""
        return await self._fetch(EntityKind.WORKFLOW, name, version, project=project, domain=domain)

    async def fetch_launch_plan(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> RemoteEntity:
        """The same for a launch plan; ``version`` may be ``"active"`` too."""
        return await self._fetch(EntityKind.LAUNCH_PLAN, name, version, project=project, domain=domain)

    async def fetch(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> RemoteEntity:
        """The workflow, task or launch plan of that name, the first that there is."""
        for kind in _ORDER:
            try:
                return await self._fetch(kind, name, version, project=project, domain=domain)
            except EntityNotFound:
                continue
        said = f", version {version}" if version else ""
        raise EntityNotFound(
            f"there is no workflow, task or launch plan {name}{said} in "
            f"{self._named_place(project, domain)}. Register it, or name another project or domain."
        )

    async def _fetch(
        self, kind: EntityKind, name: str, version: str | None, project: str | None = None, domain: str | None = None
    ) -> RemoteEntity:
        path = (
            f"{self._place(project, domain)}/{_PATHS[kind]}/{quote(name, safe='')}/{quote(version or LATEST, safe='')}"
        )
        answer = await self.transport.send("GET", path, accept=MSGPACK)
        return RemoteEntity(answer.read(ExactEntity))

    async def describe(
        self,
        kind: EntityKind,
        name: str,
        version: str | None = None,
        *,
        project: str | None = None,
        domain: str | None = None,
    ) -> EntityDetail:
        """All of an entity, for people: interface, graph, source."""
        path = (
            f"{self._place(project, domain)}/{_PATHS[kind]}/{quote(name, safe='')}/{quote(version or LATEST, safe='')}"
        )
        found: EntityDetail = (await self.transport.send("GET", path)).read(EntityDetail)
        return found

    async def list_entities(
        self,
        kind: EntityKind,
        *,
        name: str = "",
        text: str = "",
        limit: int = _PAGE,
        project: str | None = None,
        domain: str | None = None,
    ) -> list[EntityRow]:
        """Entities with their latest version, or the versions of one that is named, the newest first."""
        path = f"{self._place(project, domain)}/{_PATHS[kind]}" + (f"/{quote(name, safe='')}" if name else "")
        found: list[EntityRow] = []
        cursor = ""
        while len(found) < limit:
            asked = {"limit": min(_PAGE, limit - len(found)), "cursor": cursor, "text": "" if name else text}
            page: EntityPage = (await self.transport.send("GET", path, params=asked)).read(EntityPage)
            found += page.entities
            if not page.next:
                break
            cursor = page.next
        return found

    async def activate_launch_plan(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> PlanState:
        """Have a launch plan's schedule fire, in this version and no other."""
        return await self._set_plan(name, version, "activate", project, domain)

    async def deactivate_launch_plan(
        self, name: str, version: str | None = None, *, project: str | None = None, domain: str | None = None
    ) -> PlanState:
        """Have it fire no more."""
        return await self._set_plan(name, version or "active", "deactivate", project, domain)

    async def _set_plan(
        self, name: str, version: str | None, verb: str, project: str | None, domain: str | None
    ) -> PlanState:
        where = (
            f"{self._place(project, domain)}/launch-plans/{quote(name, safe='')}/{quote(version or LATEST, safe='')}"
        )
        found: PlanState = (await self.transport.send("POST", f"{where}/{verb}", repeat=True)).read(PlanState)
        return found

    async def projects(self) -> list[ProjectRow]:
        """All projects."""
        found: list[ProjectRow] = (await self.transport.send("GET", f"{V1}/projects")).read(list[ProjectRow])
        return found

    async def create_project(self, id: str, *, name: str = "", description: str = "") -> ProjectRow:
        """Make a project. Raises ``AlreadyExists``."""
        said = NewProject(id, name, description)
        found: ProjectRow = (await self.transport.send("POST", f"{V1}/projects", json=said)).read(ProjectRow)
        return found

    async def secrets(self) -> list[SecretShape]:
        """The names of the secrets that the server keeps. Values never come back."""
        found: list[SecretShape] = (await self.transport.send("GET", f"{V1}/secrets")).read(list[SecretShape])
        return found

    async def set_secret(self, key: str, value: str | bytes, *, group: str = "") -> None:
        """Keep a secret."""
        said = (
            NewSecret(base64=base64.b64encode(value).decode("ascii")) if isinstance(value, bytes) else NewSecret(value)
        )
        await self.transport.send("PUT", _secret(group, key), json=said)

    async def delete_secret(self, key: str, *, group: str = "") -> None:
        """Forget a secret. Raises ``EntityNotFound``."""
        await self.transport.send("DELETE", _secret(group, key))


def _secret(group: str, key: str) -> str:
    return f"{V1}/secrets/{quote(group or '-', safe='')}/{quote(key, safe='')}"
