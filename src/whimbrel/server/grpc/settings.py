"""What AdminService says of names and places: descriptions, archived names, attributes.

Knows: the registry, messages through `wire`. Must not know: gRPC, runs.
"""

from __future__ import annotations

from typing import Any

from whimbrel.controlplane.registry import Registry
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.server.grpc.binding import Handler
from whimbrel.wire.flyte import settings as wire
from whimbrel.wire.flyte.entities import body_bytes, kind_of, read_id, write_id
from whimbrel.wire.flyte.listing import (
    archival,
    holds,
    next_token,
    read_filters,
    read_limit,
    read_query,
    read_token,
)

_PLACES = ("ProjectDomain", "Project", "Workflow")
_MOST = 10_000
"""Names of one kind in one place that a filtered or sorted list is made from."""


class SettingCalls:
    """See the module."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def handlers(self) -> dict[str, Handler]:
        """The methods of AdminService that are about names and places."""
        found: dict[str, Handler] = {
            "GetNamedEntity": self._get_name,
            "UpdateNamedEntity": self._update_name,
            "ListNamedEntities": self._list_names,
            "GetDescriptionEntity": self._description,
            "ListDescriptionEntities": self._descriptions,
            "ListMatchableAttributes": self._list_attributes,
        }
        for place in _PLACES:
            found[f"Update{place}Attributes"] = self._update_attributes
            found[f"Get{place}Attributes"] = self._get_attributes
            found[f"Delete{place}Attributes"] = self._delete_attributes
        return found

    # --- names

    async def _get_name(self, request: Any, response: Any) -> None:
        kind, id = wire.name_id(request.resource_type, request.id)
        await self._must_be_there(kind, id)
        wire.fill_named(response, kind, id, await self._registry.said(id))

    async def _update_name(self, request: Any, response: Any) -> None:
        kind, id = wire.name_id(request.resource_type, request.id)
        await self._must_be_there(kind, id)
        await self._registry.say(id, body_bytes(request.metadata), wire.metadata_state(request.metadata))

    async def _must_be_there(self, kind: EntityKind, id: EntityId) -> None:
        if not await self._registry.find(EntityQuery(kind, id.project, id.domain, id.name, limit=1)):
            raise EntityNotFound(f"there is no {kind.value.replace('_', ' ')} {id.name} in {id.project}/{id.domain}.")

    async def _list_names(self, request: Any, response: Any) -> None:
        kind = kind_of(request.resource_type)
        own, others = read_filters(request.filters, EntityKind.NAME)
        if any(each.field != "state" for each in others) or any(each.field != "name" for each in own):
            raise InputInvalid("named entities are filtered by name and by state; leave other filters out.")
        states = [archival(each) for each in others]
        if request.sort_by.key not in ("", "name"):
            raise InputInvalid(f"named entities cannot be sorted by {request.sort_by.key!r}; sort them by name.")
        limit, offset = read_limit(request.limit), read_token(request.token)
        project, domain = request.project, request.domain
        names = await self._registry.names(kind, project, domain, limit=_MOST, offset=0)
        if request.sort_by.key and request.sort_by.direction == 0:
            names.reverse()
        said = {
            row.id.name: row
            for row in await self._registry.find(
                EntityQuery(
                    *(EntityKind.NAME, project, domain, ""),
                    (Filter("version", Operator.EQ, (kind.value,)),),
                    limit=_MOST,
                )
            )
        }
        names = [
            name
            for name in names
            if all(holds(name, each) for each in own)
            and all(holds(said[name].state if name in said else "", each) for each in states)
        ]
        page = names[offset : offset + limit]
        for name in page:
            id = EntityId(EntityKind.NAME, project, domain, name, kind.value)
            wire.fill_named(response.entities.add(), kind, id, said.get(name))
        response.token = next_token(offset, limit, len(names) - offset) if len(names) > offset + limit else ""

    # --- descriptions

    async def _description(self, request: Any, response: Any) -> None:
        id = read_id(request.id)
        if not _fill_description(response, await self._registry.get(id)):
            raise EntityNotFound(f"{id} was registered without a description.")

    async def _descriptions(self, request: Any, response: Any) -> None:
        kind = kind_of(request.resource_type)
        filters, others = read_filters(request.filters, kind)
        if others:
            raise InputInvalid(f"descriptions cannot be filtered by {others[0].field!r}.")
        query = read_query(request, kind, filters=filters)
        found = await self._registry.find(query)
        for entity in found:
            row = response.descriptionEntities.add()
            if not _fill_description(row, entity):
                del response.descriptionEntities[-1]
        response.token = next_token(query.offset, query.limit, len(found))

    # --- attributes

    async def _update_attributes(self, request: Any, response: Any) -> None:
        matching = request.attributes.matching_attributes
        id = wire.attributes_id(request.attributes, wire.kind_of_matching(matching))
        await self._registry.must_be_a_project(id.project)
        await self._registry.say(id, body_bytes(matching))

    async def _get_attributes(self, request: Any, response: Any) -> None:
        id = wire.attributes_id(request, wire.kind_of_attributes(request.resource_type))
        found = await self._registry.said(id)
        if found is None:
            raise EntityNotFound(
                f"no {id.version} is set for {'/'.join(filter(None, (id.project, id.domain, id.name)))}."
            )
        for field in ("project", "domain", "workflow"):
            if hasattr(request, field):
                setattr(response.attributes, field, getattr(request, field))
        response.attributes.matching_attributes.ParseFromString(found.message)

    async def _delete_attributes(self, request: Any, response: Any) -> None:
        await self._registry.unsay(wire.attributes_id(request, wire.kind_of_attributes(request.resource_type)))

    async def _list_attributes(self, request: Any, response: Any) -> None:
        kind = wire.kind_of_attributes(request.resource_type)
        query = EntityQuery(EntityKind.ATTRIBUTES, filters=(Filter("version", Operator.EQ, (kind,)),), limit=_MOST)
        for entity in await self._registry.find(query):
            wire.fill_configuration(response.configurations.add(), entity)


def _fill_description(into: Any, entity: Entity) -> bool:
    found = wire.description_of(entity)
    if found is None:
        return False
    into.CopyFrom(found)
    write_id(into.id, entity.id)
    return True
