"""The OpenAPI document, from the table of endpoints and their structs.

Knows: OpenAPI 3.1, msgspec's schemas. Must not know: handlers.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.wire.rest.problems import MEDIA_TYPE, Problem
from whimbrel.wire.rest.registering import JSON, MSGPACK


class Endpoint(Struct, frozen=True):
    """A row of the table. ``gives`` is ``None`` for a stream; ``streams`` says that it can be followed."""

    method: str
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    summary: str
    gives: type[Any] | Any = None
    query: type[Struct] | None = None
    takes: type[Struct] | None = None
    streams: bool = False
    status: int = 200
    sends: str = JSON
    """The type of the body; ``takes`` says its shape where it is JSON, or can be."""
    packed: bool = False
    """Whether the body may be msgpack too, with exact literals."""
    packs: bool = False
    """Whether the answer is msgpack for who accepts that."""
    answers: tuple[str, ...] = (JSON,)
    """The types of the answer. ``gives`` is the shape of the JSON."""


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document."""
    shapes: list[Any] = [Problem]
    for endpoint in endpoints:
        shapes += [shape for shape in (endpoint.gives, endpoint.takes, endpoint.query) if shape is not None]
    schemas, components = msgspec.json.schema_components(shapes, ref_template="#/components/schemas/{name}")
    by_shape = dict(zip(map(repr, shapes), schemas, strict=True))
    for shape in components.values():
        if "description" in shape:
            # Docstrings are indented as they are written, up to Python 3.12.
            shape["description"] = inspect.cleandoc(shape["description"])
    asked = _reached([by_shape[repr(row.takes)] for row in endpoints if row.takes is not None], components)
    given = _reached([by_shape[repr(row.gives)] for row in endpoints if row.gives is not None], components)
    for name in given - asked:
        # What is answered has every field, also those whose value could have been left out of a request.
        shape = components[name]
        if "properties" in shape:
            shape["required"] = list(shape["properties"])
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        content: dict[str, Any] = {}
        for media in (*endpoint.answers, *((MSGPACK,) if endpoint.packs else ())):
            if media != JSON:
                content[media] = {"schema": {"type": "string", "format": "binary"}}
            elif endpoint.gives is not None:
                content[JSON] = {"schema": by_shape[repr(endpoint.gives)]}
        if endpoint.streams:
            content["text/event-stream"] = {"schema": {"type": "string"}}
        operation: dict[str, Any] = {
            "summary": endpoint.summary,
            "operationId": endpoint.handler.__name__,
            "parameters": [
                *(
                    {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                    for name in re.findall(r"{(\w+)(?::\w+)?}", endpoint.path)
                ),
                *(_parameters(components[endpoint.query.__name__]) if endpoint.query is not None else ()),
            ],
            "responses": {
                str(endpoint.status): {"description": endpoint.summary, "content": content},
                "default": {
                    "description": "What went wrong, and what to do.",
                    "content": {MEDIA_TYPE: {"schema": by_shape[repr(Problem)]}},
                },
            },
        }
        sent: dict[str, Any] = {}
        if endpoint.takes is not None:
            sent[JSON] = {"schema": by_shape[repr(endpoint.takes)]}
        if endpoint.sends != JSON or endpoint.packed:
            media = MSGPACK if endpoint.packed else endpoint.sends
            sent[media] = {"schema": {"type": "string", "format": "binary"}}
        if sent:
            operation["requestBody"] = {"required": True, "content": sent}
        paths.setdefault(re.sub(r":\w+}", "}", endpoint.path), {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "whimbrel", "version": version("whimbrel")},
        "paths": paths,
        "components": {"schemas": components},
    }


def _reached(schemas: Sequence[Any], components: Mapping[str, Any]) -> set[str]:
    """The names of the components that schemas mention, and that those do."""
    found: set[str] = set()
    waiting: list[Any] = list(schemas)
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
            name = str(value.get("$ref", "")).rpartition("/")[2]
            if name and name not in found:
                found.add(name)
                waiting.append(components[name])
    return found


def _parameters(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": of}
        for name, of in schema["properties"].items()
    ]
