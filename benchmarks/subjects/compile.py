"""Compile and serialise a workflow: ``compile.py whimbrel|flytekit chain|fan_out|long_chain|half_chain``. No figures
means that it failed."""

import collections
import importlib
import json
import sys
import time

NAME, SHAPE = sys.argv[1:3]
api = importlib.import_module(NAME)


@api.task
def step(x: int) -> int:
    return x + 1


def chain_of(n: int):
    def body(x: int) -> int:
        for _ in range(n):
            x = step(x=x)
        return x

    return body


def fan_of(n: int):
    def body(x: int) -> int:
        last = x
        for _ in range(n):
            last = step(x=x)
        return last

    return body


BODIES = {
    "chain": (chain_of, 1_000),
    "half_chain": (chain_of, 5_000),
    "fan_out": (fan_of, 5_000),
    "long_chain": (chain_of, 10_000),
}


def fresh():
    make, n = BODIES[SHAPE]
    body = make(n)
    body.__qualname__ = body.__name__ = SHAPE
    return body


if NAME == "whimbrel":
    from whimbrel.wire.json import encode

    def compile_and_serialise() -> bytes:
        return encode(api.workflow(fresh()).program())

else:
    from flytekit.configuration import Image, ImageConfig, SerializationSettings
    from flytekit.tools.translator import get_serializable

    settings = SerializationSettings(
        project="p", domain="d", version="v", image_config=ImageConfig(Image("default", "image", "tag"))
    )

    def compile_and_serialise() -> bytes:
        return (
            get_serializable(collections.OrderedDict(), settings, api.workflow(fresh()))
            .to_flyte_idl()
            .SerializeToString()
        )


times = []
try:
    for repetition in range(6):
        begin = time.perf_counter()
        data = compile_and_serialise()
        took = time.perf_counter() - begin
        assert len(data) > 1_000
        if repetition:
            times.append(took)
except RecursionError:
    times = []
print(json.dumps({"seconds": times}))
