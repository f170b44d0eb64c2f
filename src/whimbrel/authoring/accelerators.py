"""The devices that a task may ask for, by Flyte's names."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from whimbrel.errors import CallMismatch


class BaseAccelerator(Struct, frozen=True):
    """A device. ``partition_size`` is the part of it that is asked for, ``None`` for any."""

    device: str
    partition_size: str | None = None


class GPUAccelerator(BaseAccelerator, frozen=True):
    """A whole device: ``GPUAccelerator("nvidia-tesla-v100")``."""

    def __post_init__(self) -> None:
        if self.partition_size is not None:
            raise CallMismatch(f"{self.device} has no partitions that are known. Ask for the whole device.")


class MultiInstanceGPUAccelerator(BaseAccelerator, frozen=True):
    """A device that comes in parts: ``A100.partition_1g_5gb``, or ``A100.unpartitioned``."""

    @property
    def unpartitioned(self) -> BaseAccelerator:
        """The whole device, and no part of it."""
        return BaseAccelerator(self.device, "")

    def partitioned(self, partition_size: str) -> BaseAccelerator:
        """A part of it, by its name (``"1g.5gb"``)."""
        return BaseAccelerator(self.device, partition_size)

    PARTS: ClassVar[tuple[str, ...]] = ()

    def __getattr__(self, name: str) -> BaseAccelerator:
        part = name.removeprefix("partition_").replace("_", ".")
        if name.startswith("partition_") and part in PARTITIONS.get(self.device, ()):
            return BaseAccelerator(self.device, part)
        raise AttributeError(name)


PARTITIONS: dict[str, tuple[str, ...]] = {
    "nvidia-tesla-a100": ("1g.5gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb"),
    "nvidia-a100-80gb": ("1g.10gb", "2g.20gb", "3g.40gb", "4g.40gb", "7g.80gb"),
}

A10G = GPUAccelerator("nvidia-a10g")
L4 = GPUAccelerator("nvidia-l4")
L4_VWS = GPUAccelerator("nvidia-l4-vws")
L40S = GPUAccelerator("nvidia-l40s")
K80 = GPUAccelerator("nvidia-tesla-k80")
M60 = GPUAccelerator("nvidia-tesla-m60")
P4 = GPUAccelerator("nvidia-tesla-p4")
P100 = GPUAccelerator("nvidia-tesla-p100")
T4 = GPUAccelerator("nvidia-tesla-t4")
V100 = GPUAccelerator("nvidia-tesla-v100")
H100 = GPUAccelerator("nvidia-h100")
H200 = GPUAccelerator("nvidia-h200")
RTX_PRO_6000 = GPUAccelerator("nvidia-rtx-pro-6000")
A100 = MultiInstanceGPUAccelerator("nvidia-tesla-a100")
A100_80GB = MultiInstanceGPUAccelerator("nvidia-a100-80gb")
V5E = GPUAccelerator("tpu-v5-lite-podslice")
V5P = GPUAccelerator("tpu-v5p-slice")
V6E = GPUAccelerator("tpu-v6e-slice")
