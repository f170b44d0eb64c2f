"""Flyte's services by name: their methods, and the messages that each takes and gives.

Whoever serves them needs no generated code: requests come as messages, and an empty answer is there to be filled.

Knows: the descriptors. Must not know: gRPC, what any method does.
"""

from __future__ import annotations

from typing import Any

from flyteidl.service import admin_pb2, auth_pb2, dataproxy_pb2, identity_pb2, signal_pb2
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from msgspec import Struct

from whimbrel.errors import InputInvalid

ADMIN = "flyteidl.service.AdminService"
DATA_PROXY = "flyteidl.service.DataProxyService"
SIGNAL = "flyteidl.service.SignalService"
AUTH_METADATA = "flyteidl.service.AuthMetadataService"
IDENTITY = "flyteidl.service.IdentityService"

_FILES = {
    ADMIN: admin_pb2,
    DATA_PROXY: dataproxy_pb2,
    SIGNAL: signal_pb2,
    AUTH_METADATA: auth_pb2,
    IDENTITY: identity_pb2,
}
SERVICES = tuple(_FILES)
"""Those that Flyte's clients call."""


class Method(Struct, frozen=True):
    """A method that takes one message and gives one: their classes."""

    name: str
    request: Any
    response: Any

    def read(self, data: bytes) -> Any:
        """The request in ``data``. Raises ``InputInvalid``."""
        try:
            return self.request.FromString(data)
        except DecodeError:
            raise InputInvalid(f"what was sent is no {self.request.DESCRIPTOR.full_name}; send one.") from None


def methods(service: str) -> list[Method]:
    """Every method of a service, in the order of its file."""
    descriptor = _FILES[service].DESCRIPTOR.services_by_name[service.rpartition(".")[2]]
    return [
        Method(each.name, GetMessageClass(each.input_type), GetMessageClass(each.output_type))
        for each in descriptor.methods
    ]
