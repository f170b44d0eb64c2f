"""Every method of gRPC over the port, given messages of its type that are filled by chance, and such messages with
bytes changed: it answers, never UNKNOWN or INTERNAL, and the server is well."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.integration.server.hostile import NAMES, Served, served
from whimbrel.wire.flyte.services import SERVICES, methods

FILLED, MUTATED = 6, 6
DEEP = 5


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("hostile")) as found:
        yield found


def a_text(chance: random.Random) -> str:
    # Where something is, more often than where nothing is.
    return chance.choice(NAMES) if chance.random() < 0.5 else chance.choice(NAMES[-6:])


def a_value(field: Any, chance: random.Random, depth: int) -> Any:
    match field.cpp_type:
        case field.CPPTYPE_STRING:
            return chance.randbytes(8) if field.type == field.TYPE_BYTES else a_text(chance)
        case field.CPPTYPE_BOOL:
            return chance.random() < 0.5
        case field.CPPTYPE_DOUBLE | field.CPPTYPE_FLOAT:
            return chance.choice([0.0, -1.5, float("inf"), float("nan")])
        case field.CPPTYPE_ENUM:
            return chance.choice([value.number for value in field.enum_type.values] + [77])
        case field.CPPTYPE_UINT32 | field.CPPTYPE_UINT64:
            return chance.choice([0, 1, 2, 2**32 - 1])
        case _:
            return chance.choice([0, 1, -1, 2, 2**31 - 1, -(2**31)])


def filled(message: Any, chance: random.Random, depth: int = DEEP) -> Any:
    """``message``, with about half of its fields set."""
    for field in message.DESCRIPTOR.fields:
        if chance.random() < 0.4:
            continue
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            if depth:
                entry = field.message_type.fields_by_name["value"]
                of = getattr(message, field.name)
                for _ in range(chance.randrange(3)):
                    if entry.message_type is not None:
                        filled(of[a_text(chance)], chance, depth - 1)
                    else:
                        of[a_text(chance)] = a_value(entry, chance, depth)
        elif field.is_repeated:
            of = getattr(message, field.name)
            for _ in range(chance.randrange(3) if depth else 0):
                if field.message_type is not None:
                    filled(of.add(), chance, depth - 1)
                else:
                    of.append(a_value(field, chance, depth))
        elif field.message_type is not None:
            if depth:
                filled(getattr(message, field.name), chance, depth - 1).SetInParent()
        else:
            setattr(message, field.name, a_value(field, chance, depth))
    return message


def changed(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(1 + chance.randrange(4)):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(3):
            case 0:
                found[at : at + 1] = chance.randbytes(1)
            case 1:
                del found[at:]
            case _:
                found[at:at] = chance.randbytes(3)
    return bytes(found)


@pytest.mark.parametrize("service", SERVICES)
def test_no_message_is_a_fault_of_the_server(server: Served, service: str) -> None:
    chance = random.Random(service)
    with grpc.insecure_channel(f"127.0.0.1:{server.server.port}") as channel:
        for method in methods(service):
            call = channel.unary_unary(f"/{service}/{method.name}")
            bodies = [filled(method.request(), chance).SerializeToString() for _ in range(FILLED)]
            bodies += [changed(chance.choice(bodies), chance) for _ in range(MUTATED)]
            for body in bodies:
                code, said = answer(call, body)
                assert code not in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL), (method.name, said, body)
                assert code is None or said, (method.name, code)
    server.must_be_well()


def answer(call: Any, body: bytes) -> tuple[Any, str]:
    try:
        call(body, timeout=60)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return None, ""


def test_a_message_that_is_too_large_is_refused_and_others_are_not(server: Served) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{server.server.port}") as channel:
        create = channel.unary_unary("/flyteidl.service.AdminService/CreateWorkflow")
        for _ in range(3):
            code, said = answer(create, b"\x0a" + b"\xff" * (21 * 1024**2))
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED, said
            code, said = answer(create, bytes(19 * 1024**2))
            assert code is grpc.StatusCode.INVALID_ARGUMENT, said
        # What is not there, and what is not said in this protocol.
        code, _ = answer(channel.unary_unary("/flyteidl.service.AdminService/Nothing"), b"")
        assert code is grpc.StatusCode.UNIMPLEMENTED
    server.must_be_well()
