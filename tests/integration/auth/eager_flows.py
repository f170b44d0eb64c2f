"""A project of a user of flytekit: an eager task, which calls others by its own client."""

import os
from pathlib import Path

from flytekit import eager, task
from flytekit.configuration import Config, ImageConfig, SerializationSettings
from flytekit.exceptions.base import FlyteException
from flytekit.remote import FlyteRemote


@task
def add_one(x: int) -> int:
    return x + 1


def _write(path: str, text: str) -> None:
    Path(path).write_text(text)


@eager
async def curious(x: int, door: str) -> int:
    """Calls a task; writes its token down, and prints it; tries what it should not do."""
    token = os.environ["WHIMBREL_ATTEMPT_TOKEN"]
    _write(door, token)
    print("my token is", token)
    remote = FlyteRemote(Config.auto(), default_project="flytesnacks", default_domain="development")
    refused = []
    for name, ask in {
        "elsewhere": lambda: remote.recent_executions("flytesnacks", "production"),
        "terminate": lambda: remote.client.terminate_execution(
            remote.fetch_execution(name=os.environ["FLYTE_INTERNAL_EXECUTION_ID"]).id, "no"
        ),
        "attributes": lambda: remote.client.list_matchable_attributes(0),
        "another version": lambda: remote.register_task(
            add_one, SerializationSettings(ImageConfig.auto(img_name="none:latest")), "another"
        ),
    }.items():
        try:
            ask()
        except FlyteException as error:
            refused.append(f"{name} {'PERMISSION_DENIED' in str(error)}")
    print("refused:", *refused)
    return add_one(x=x)
