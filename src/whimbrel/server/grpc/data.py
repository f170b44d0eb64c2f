"""DataProxyService: where clients put files, and what flyte:// addresses stand for.

Knows: uploads, executions. Must not know: gRPC, how a file arrives.
"""

from __future__ import annotations

import re
from typing import Any

from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.server.grpc.binding import Handler
from whimbrel.server.grpc.executions import ExecutionCalls
from whimbrel.server.uploads import Uploads
from whimbrel.wire.flyte.services import ADMIN, methods

_ADDRESS = re.compile(
    r"flyte://v1/(?P<project>[^/]+)/(?P<domain>[^/]+)/(?P<execution>[^/]+)/(?P<node>[^/]+)"
    r"(?:/(?P<attempt>\d+))?/(?P<kind>[io])(?:/(?P<name>[^/]+))?"
)
_MESSAGES = {method.name: method for method in methods(ADMIN)}


class DataCalls:
    """See the module."""

    def __init__(self, uploads: Uploads, executions: ExecutionCalls) -> None:
        self._uploads = uploads
        self._executions = executions

    def handlers(self) -> dict[str, Handler]:
        """The methods of DataProxyService."""
        return {"CreateUploadLocation": self._upload, "GetData": self._get_data}

    async def _upload(self, request: Any, response: Any) -> None:
        place = self._uploads.place(
            request.project, request.domain, request.filename, request.filename_root, request.content_md5
        )
        response.signed_url, response.native_url = place.url, place.path

    async def _get_data(self, request: Any, response: Any) -> None:
        match = _ADDRESS.fullmatch(request.flyte_url)
        if match is None:
            raise InputInvalid(
                f"{request.flyte_url!r} cannot be read; write flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/i or …/o."
            )
        data = await self._data_of(match)
        literals = data.full_inputs if match["kind"] == "i" else data.full_outputs
        if match["name"] is None:
            response.literal_map.CopyFrom(literals)
        elif match["name"] in literals.literals:
            response.literal.CopyFrom(literals.literals[match["name"]])
        else:
            raise EntityNotFound(f"there is no {match['name']!r} at {request.flyte_url}.")

    async def _data_of(self, match: re.Match[str]) -> Any:
        method = _MESSAGES["GetNodeExecutionData"]
        request, response = method.request(), method.response()
        request.id.node_id = match["node"]
        id = request.id.execution_id
        id.project, id.domain, id.name = match["project"], match["domain"], match["execution"]
        await self._executions.node_data(request, response)
        return response
