"""``flytekit.extras.accelerators``: which accelerator a task asks for, as data.

Local runs take the machine as it is; the number of GPUs is asked for by ``Resources(gpu=...)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flytekit._adapt import missing

# fmt: off
__all__ = [  # noqa: RUF022 (in the order of supported.toml)
    "A100", "A100_80GB", "A10G", "BaseAccelerator", "GPUAccelerator", "H100", "H200", "K80", "L4", "L40S", "L4_VWS",
    "M60", "MultiInstanceGPUAccelerator", "P100", "P4", "RTX_PRO_6000", "T4", "V100", "V5E", "V5P", "V6E",
]
# fmt: on


@dataclass(frozen=True)
class BaseAccelerator:
    """An accelerator by the name that clusters label their nodes with."""

    device: str


class GPUAccelerator(BaseAccelerator):
    """A whole GPU."""


@dataclass(frozen=True)
class MultiInstanceGPUAccelerator(BaseAccelerator):
    """A GPU that can be parted: ``partitioned("1g.5gb")``, ``unpartitioned``."""

    partition: str | None = None

    @property
    def unpartitioned(self) -> MultiInstanceGPUAccelerator:
        """The whole of it, and no part."""
        return replace(self, partition="")

    def partitioned(self, partition_size: str) -> MultiInstanceGPUAccelerator:
        """A part of that size."""
        return replace(self, partition=partition_size)


A10G, L4, L4_VWS, L40S, H100, H200, RTX_PRO_6000 = (
    GPUAccelerator(f"nvidia-{name}") for name in ("a10g", "l4", "l4-vws", "l40s", "h100", "h200", "rtx-pro-6000")
)
K80, M60, P4, P100, T4, V100 = (
    GPUAccelerator(f"nvidia-tesla-{name}") for name in ("k80", "m60", "p4", "p100", "t4", "v100")
)
A100, A100_80GB = MultiInstanceGPUAccelerator("nvidia-tesla-a100"), MultiInstanceGPUAccelerator("nvidia-a100-80gb")
V5E, V5P, V6E = (
    MultiInstanceGPUAccelerator(name) for name in ("tpu-v5-lite-podslice", "tpu-v5p-slice", "tpu-v6e-slice")
)

__getattr__ = missing(__name__)
