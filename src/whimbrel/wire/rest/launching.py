"""Launching: what to run, with what, how; and the values of a run.

Knows: literals. Must not know: how they are checked, how a run is driven.
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals


class LaunchOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """How a run is carried out. ``max_parallelism`` 0 is what the launch plan says, else no limit; ``interruptible``
    ``None`` is what the author says. ``tags`` and ``labels`` are what lists are filtered by."""

    max_parallelism: int = 0
    overwrite_cache: bool | None = None
    interruptible: bool | None = None
    environment: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    tags: tuple[str, ...] = ()


class LaunchTarget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is launched. ``kind`` is task, workflow or launch_plan; ``version`` "" is the latest one, and of a launch
    plan the active one, if there is one. ``run_name`` makes the request safe to repeat: lower-case letters, digits and
    dashes."""

    project: str
    domain: str
    kind: str
    name: str
    version: str = ""
    run_name: str = ""
    options: LaunchOptions = LaunchOptions()


class Launch(LaunchTarget, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With ``inputs`` as JSON, by the types of the interface. Files and tables are given by URI: ``blob:…`` of what was
    uploaded, or one that tasks can open."""

    inputs: dict[str, Any] = {}


class ExactLaunch(LaunchTarget, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With exact ``literals``: msgpack."""

    literals: Literals = {}


class Launched(Struct, frozen=True):
    """The run that was begun, or that there was by this name. ``url`` is where it is shown."""

    run: str
    project: str = ""
    domain: str = ""
    name: str = ""
    url: str = ""


class Relaunch(Struct, frozen=True, forbid_unknown_fields=True):
    """A run again. ``inputs`` are laid over those that it had; ``options`` take the place of its own."""

    inputs: dict[str, Any] = {}
    options: LaunchOptions | UnsetType = UNSET
    run_name: str = ""


class ExactRelaunch(Struct, frozen=True, forbid_unknown_fields=True):
    """The same with exact ``literals``: msgpack."""

    literals: Literals = {}
    options: LaunchOptions | UnsetType = UNSET
    run_name: str = ""


class Recover(Struct, frozen=True, forbid_unknown_fields=True):
    """A new run that takes over what had succeeded."""

    run_name: str = ""


class ForkTarget(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A new run that takes over what ``version`` and its inputs leave as it was. ``version`` "" is the newest one, and
    of a launch plan the active one, if there is one; ``options`` take the place of the run's own."""

    version: str = ""
    options: LaunchOptions | UnsetType = UNSET
    run_name: str = ""


class Fork(ForkTarget, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """With ``inputs`` laid over those that the run had, as far as the version takes them: JSON."""

    inputs: dict[str, Any] = {}


class ExactFork(ForkTarget, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same with exact ``literals``: msgpack."""

    literals: Literals = {}


class Foresee(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a fork or recovery of a run would do, for at most ``limit`` nodes. ``how`` is fork or recover; of a recovery
    there is nothing else to say."""

    how: str = "fork"
    version: str = ""
    inputs: dict[str, Any] = {}
    limit: int = 1000


class ExactForesee(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The same with exact ``literals``: msgpack."""

    how: str = "fork"
    version: str = ""
    literals: Literals = {}
    limit: int = 1000


class ForecastLine(Struct, frozen=True):
    """What becomes of the node at ``path``: ``verdict`` is reuse (its outcome is taken over), run, or depends (taken
    over if an eager body makes the call again with the same inputs). ``why`` has one reason a line."""

    path: str
    entity: str
    verdict: str
    why: tuple[str, ...] = ()


class Forecasts(Struct, frozen=True):
    """What a run would do, in the order of the graph: the first ``lines``, and how many nodes there are of each verdict
    in all. ``version`` is the one that would run."""

    version: str
    reuse: int
    run: int
    depends: int
    lines: tuple[ForecastLine, ...]


class DataQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose values: of the node at the path ``node``, or of the run itself."""

    node: str = ""


class Data(Struct, frozen=True):
    """The values of a run or node to the bit: msgpack. ``outputs`` is ``None`` while there are none."""

    inputs: Literals
    outputs: Literals | None
    failure: Failure | None


class PlainData(Struct, frozen=True):
    """The values of a run or node as JSON."""

    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    failure: dict[str, Any] | None


class BlobQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What an uploaded file is called, by its users."""

    name: str = "file"


class BlobPlace(Struct, frozen=True):
    """Where an uploaded file is: ``uri`` is what inputs say, ``digest`` its SHA-256 in hex, ``size`` in bytes."""

    uri: str
    digest: str
    size: int
