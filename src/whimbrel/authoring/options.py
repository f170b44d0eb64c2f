"""What decorators and ``with_overrides`` may say about how a task is run, turned into ``model.Metadata``.

Knows the authors' spellings, flytekit's among them. Must not know functions or graphs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from whimbrel.errors import CallMismatch
from whimbrel.model.program import CacheSpec, Metadata, Resources

METADATA_OPTIONS = (
    "backoff",
    "backoff_limit",
    "cache",
    "cache_ignore_input_vars",
    "cache_serialize",
    "cache_version",
    "container_image",
    "cpu",
    "environment",
    "gpu",
    "image",
    "interruptible",
    "key",
    "limits",
    "mem",
    "requests",
    "resources",
    "retries",
    "storage",
    "timeout",
)
"""What may be said about a task, and of one call of it."""


DATA_OPTIONS = (
    "accelerator",
    "aliases",
    "annotations",
    "deprecated",
    "labels",
    "pod_template",
    "pod_template_name",
    "shared_memory",
    "task_config",
)
"""What may be said besides: kept for a Flyte back end, without effect on whimbrel's engines."""

OVERRIDES = ("name", "node_name", *METADATA_OPTIONS, *DATA_OPTIONS)
"""What ``with_overrides`` of a node takes."""


def read_metadata(options: Mapping[str, Any], *, auto_version: str = "") -> Metadata:
    """The metadata that ``options`` say. ``auto_version`` is the cache version when none is given.

    Raises ``CallMismatch`` for an unknown option or a value that makes no sense.
    """
    for name in options:
        if name not in METADATA_OPTIONS and name not in DATA_OPTIONS:
            raise unknown_option(name, METADATA_OPTIONS)
    _check_data(options)
    cache = _cache(options, auto_version)
    image = options.get("container_image") or options.get("image") or ""
    return Metadata(
        retries=_whole(options.get("retries"), "retries"),
        # flytekit's word for "no limit" is 0.
        timeout=seconds(options.get("timeout"), "timeout") or None,
        backoff=seconds(options.get("backoff"), "backoff"),
        backoff_limit=seconds(options.get("backoff_limit"), "backoff_limit"),
        cache=cache,
        cache_off=options.get("cache") is False,
        interruptible=options.get("interruptible"),
        environment=dict(options.get("environment") or {}),
        resources=_resources(options),
        key=str(options.get("key") or ""),
        image=image if isinstance(image, str) else str(getattr(image, "name", image)),
    )


def _check_data(options: Mapping[str, Any]) -> None:
    """Raise ``CallMismatch`` for what is kept as data and makes no sense."""
    if options.get("pod_template") is not None and options.get("pod_template_name"):
        raise CallMismatch("pod_template and pod_template_name are given. Give one of them.")
    memory = options.get("shared_memory")
    if memory not in (None, False, True) and not isinstance(memory, str):
        raise CallMismatch(f"shared_memory is {memory!r}. Give True, or a size such as '1Gi'.")
    interruptible = options.get("interruptible")
    if interruptible is not None and not isinstance(interruptible, bool):
        raise CallMismatch(f"interruptible is {interruptible!r}. Give True or False.")
    if options.get("resources") is not None and (options.get("requests") or options.get("limits")):
        raise CallMismatch("resources are given, and requests or limits too. A pair in resources is both.")


def unknown_option(name: str, known: Iterable[str]) -> CallMismatch:
    """The error for an option that does not exist."""
    import difflib  # only a mistake needs it

    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return CallMismatch(f"there is no option {name!r}. {hint}Options are {', '.join(names)}.")


def seconds(value: Any, name: str) -> float | None:
    """A duration in seconds, given as a number or a timedelta. Raises ``CallMismatch``."""
    if value is None:
        return None
    if isinstance(value, dt.timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise CallMismatch(f"{name} must be a number of seconds or a timedelta, not negative; got {value!r}.")
    return float(value)


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CallMismatch(f"{name} must be a whole number, not negative; got {value!r}.")
    return value


def _cache(options: Mapping[str, Any], auto_version: str) -> CacheSpec | None:
    cache = options.get("cache")
    version = options.get("cache_version") or ""
    serialize = bool(options.get("cache_serialize"))
    ignored = tuple(options.get("cache_ignore_input_vars") or ())
    if cache is None or isinstance(cache, bool):
        if cache:
            return CacheSpec(version or auto_version, ignored, serialize)
        if version or serialize or ignored:
            raise CallMismatch("cache_version, cache_serialize and cache_ignore_input_vars need cache=True.")
        return None
    # A Cache, or an object with its attributes: flytekit's has them under the same names.
    version = version or getattr(cache, "version", None) or ""
    said = getattr(cache, "ignored_inputs", None) or ()
    ignored = ignored or ((said,) if isinstance(said, str) else tuple(said))
    return CacheSpec(version or auto_version, ignored, serialize or bool(getattr(cache, "serialize", False)))


def _resources(options: Mapping[str, Any]) -> Resources | None:
    found: dict[str, str] = {}
    # What is said first stays: single quantities, then the request, then the limit.
    for name in ("cpu", "mem", "gpu", "storage"):
        if options.get(name) is not None:
            found[name] = _quantity(options[name])
    for source in (options.get("resources"), options.get("requests"), options.get("limits")):
        if source is None:
            continue
        for name in ("cpu", "mem", "gpu", "storage"):
            value = getattr(source, name, None)
            if value is None and name == "storage":
                value = getattr(source, "ephemeral_storage", None)
            if value not in (None, ""):
                found.setdefault(name, _quantity(value))
    return Resources(**found) if found else None


def _quantity(value: Any) -> str:
    # A pair is a request and a limit.
    return _quantity(value[0]) if isinstance(value, tuple | list) and value else str(value)
