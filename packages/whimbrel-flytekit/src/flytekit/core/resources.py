"""``flytekit.core.resources``: what a task asks of the machine it runs on."""

from __future__ import annotations

from dataclasses import dataclass

from flytekit._adapt import missing

__all__ = ["Resources"]

Quantity = str | int | float | list[str | int | float] | tuple[str | int | float, ...]
"""A Kubernetes quantity (``"500m"``, ``"2Gi"``), a number, or a pair of a request and a limit."""


@dataclass(frozen=True)
class Resources:
    """Requests or limits: ``cpu`` in cores, ``mem`` and ``ephemeral_storage`` in bytes unless they have a unit."""

    cpu: Quantity | None = None
    mem: Quantity | None = None
    gpu: Quantity | None = None
    ephemeral_storage: Quantity | None = None


__getattr__ = missing(__name__)
