"""``flytekit.extras.accelerators``: which accelerator a task asks for, as data.

Local runs take the machine as it is; the number of GPUs is asked for by ``Resources(gpu=...)``.
"""

from __future__ import annotations

from flytekit._adapt import missing
from whimbrel.authoring.accelerators import A10G as A10G
from whimbrel.authoring.accelerators import A100 as A100
from whimbrel.authoring.accelerators import A100_80GB as A100_80GB
from whimbrel.authoring.accelerators import H100 as H100
from whimbrel.authoring.accelerators import H200 as H200
from whimbrel.authoring.accelerators import K80 as K80
from whimbrel.authoring.accelerators import L4 as L4
from whimbrel.authoring.accelerators import L4_VWS as L4_VWS
from whimbrel.authoring.accelerators import L40S as L40S
from whimbrel.authoring.accelerators import M60 as M60
from whimbrel.authoring.accelerators import P4 as P4
from whimbrel.authoring.accelerators import P100 as P100
from whimbrel.authoring.accelerators import RTX_PRO_6000 as RTX_PRO_6000
from whimbrel.authoring.accelerators import T4 as T4
from whimbrel.authoring.accelerators import V5E as V5E
from whimbrel.authoring.accelerators import V5P as V5P
from whimbrel.authoring.accelerators import V6E as V6E
from whimbrel.authoring.accelerators import V100 as V100
from whimbrel.authoring.accelerators import BaseAccelerator as BaseAccelerator
from whimbrel.authoring.accelerators import GPUAccelerator as GPUAccelerator
from whimbrel.authoring.accelerators import MultiInstanceGPUAccelerator as MultiInstanceGPUAccelerator

# fmt: off
__all__ = [  # noqa: RUF022 (in the order of supported.toml)
    "A100", "A100_80GB", "A10G", "BaseAccelerator", "GPUAccelerator", "H100", "H200", "K80", "L4", "L40S", "L4_VWS",
    "M60", "MultiInstanceGPUAccelerator", "P100", "P4", "RTX_PRO_6000", "T4", "V100", "V5E", "V5P", "V6E",
]
# fmt: on

__getattr__ = missing(__name__)
