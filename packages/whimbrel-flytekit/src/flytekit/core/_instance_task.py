"""Tasks that are objects, with the constructor of flytekit's."""

from __future__ import annotations

from typing import Any

from flytekit.core.interface import Interface
from whimbrel.authoring.instance_task import InstanceTask


class PythonInstanceTask(InstanceTask):
    """Subclass it, and write ``execute(self, **inputs)``. Keep instances at the top level of a module.

    ``task_type`` is kept as data: what runs is ``execute``.
    """

    def __init__(
        self,
        name: str,
        task_config: Any = None,
        task_type: str = "python-task",
        interface: Interface | None = None,
        **options: Any,
    ) -> None:
        said = interface or Interface()
        super().__init__(name, inputs=said.inputs, outputs=said.outputs, task_config=task_config, **options)
        self.task_type = task_type
