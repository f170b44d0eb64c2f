"""DataProxyService: where clients put files, and what flyte:// addresses stand for.

Knows: uploads, executions. Must not know: gRPC, how a file arrives.
"""

from __future__ import annotations

import re
from typing import Any

from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.server.downloads import Downloads
from whimbrel.server.grpc.binding import Handler
from whimbrel.server.grpc.executions import ExecutionCalls
from whimbrel.server.uploads import Uploads
from whimbrel.wire.flyte.entities import stamp
from whimbrel.wire.flyte.executions import DECK, read_execution_id, read_seconds, write_execution_id
from whimbrel.wire.flyte.services import ADMIN, methods

_ADDRESS = re.compile(
    r"flyte://v1/(?P<project>[^/]+)/(?P<domain>[^/]+)/(?P<execution>[^/]+)/(?P<node>[^/]+)"
    r"(?:/(?P<attempt>\d{1,9}))?/(?P<kind>[iod])(?:/(?P<name>[^/]+))?"
)
_MESSAGES = {method.name: method for method in methods(ADMIN)}


class DataCalls:
    """See the module."""

    def __init__(self, uploads: Uploads, downloads: Downloads, executions: ExecutionCalls) -> None:
        self._uploads = uploads
        self._downloads = downloads
        self._executions = executions

    def handlers(self) -> dict[str, Handler]:
        """The methods of DataProxyService."""
        return {
            "CreateUploadLocation": self._upload,
            "CreateDownloadLocation": self._download,
            "CreateDownloadLink": self._link,
            "GetData": self._get_data,
        }

    async def _upload(self, request: Any, response: Any) -> None:
        place = self._uploads.place(
            request.project, request.domain, request.filename, request.filename_root, request.content_md5
        )
        response.signed_url, response.native_url = place.url, place.path

    async def _download(self, request: Any, response: Any) -> None:
        response.signed_url, until = self._downloads.file(request.native_url, read_seconds(request.expires_in))
        response.expires_at.CopyFrom(stamp(until))

    async def _link(self, request: Any, response: Any) -> None:
        if request.artifact_type != DECK:
            raise InputInvalid("artifact_type is not DECK; links are made for decks.")
        id, seconds = request.node_execution_id, read_seconds(request.expires_in)
        url, until = await self._deck(read_execution_id(id.execution_id), id.node_id, seconds)
        for signed in (response, response.pre_signed_urls):
            signed.signed_url.append(url)
            signed.expires_at.CopyFrom(stamp(until))

    async def _deck(self, execution: EntityId, node: str, seconds: float) -> tuple[str, float]:
        if not await self._executions.has_deck(execution, node):
            raise EntityNotFound(f"the node {node} of {execution} shows nothing, or not yet.")
        return self._downloads.deck(execution, node, seconds)

    async def _get_data(self, request: Any, response: Any) -> None:
        match = _ADDRESS.fullmatch(request.flyte_url)
        if match is None:
            raise InputInvalid(
                f"{request.flyte_url!r} cannot be read; write flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE/i, …/o or …/d."
            )
        id = EntityId(EntityKind.EXECUTION, match["project"], match["domain"], match["execution"])
        if match["kind"] == "d":
            url, until = await self._deck(id, match["node"], 0.0)
            response.pre_signed_urls.signed_url.append(url)
            response.pre_signed_urls.expires_at.CopyFrom(stamp(until))
            return
        data = await self._data_of(id, match["node"], match["attempt"])
        literals = data.full_inputs if match["kind"] == "i" else data.full_outputs
        if match["name"] is None:
            response.literal_map.CopyFrom(literals)
        elif match["name"] in literals.literals:
            response.literal.CopyFrom(literals.literals[match["name"]])
        else:
            raise EntityNotFound(f"there is no {match['name']!r} at {request.flyte_url}.")

    async def _data_of(self, id: EntityId, node: str, attempt: str | None) -> Any:
        method = _MESSAGES["GetNodeExecutionData" if attempt is None else "GetTaskExecutionData"]
        request, response = method.request(), method.response()
        whose = request.id if attempt is None else request.id.node_execution_id
        whose.node_id = node
        write_execution_id(whose.execution_id, id)
        if attempt is None:
            await self._executions.node_data(request, response)
        else:
            request.id.retry_attempt = int(attempt)
            await self._executions.try_data(request, response)
        return response
