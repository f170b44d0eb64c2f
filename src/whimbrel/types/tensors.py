"""torch's tensors and modules, and checkpoints of both a module and its optimizer, kept as files that torch writes.

What arrives is on the CPU. A module is a pickle inside: reading one runs code, so it is read only where one is
declared; tensors and checkpoints are read as plain weights.

Knows: torch's save and load. Must not know: other kinds.
"""

from __future__ import annotations

import typing
from typing import IO, Any, Final

from whimbrel.types.by_reference import FileTransformer
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch, type_name
from whimbrel.types.transformer import Transformer, hooks_of


class PyTorchCheckpoint:
    """The state of a module and of its optimizer, with hyperparameters (a dict, or a dataclass by its fields).

    A task that is given one finds ``module_state`` and ``optimizer_state`` as torch's state dicts: load them into
    objects of its own. Raises ``ValueError`` where all three are missing.
    """

    def __init__(self, module: Any = None, hyperparameters: Any = None, optimizer: Any = None) -> None:
        if module is None and hyperparameters is None and optimizer is None:
            raise ValueError("a PyTorchCheckpoint needs a module, hyperparameters or an optimizer")
        self.module_state = None if module is None else _state(module)
        self.optimizer_state = None if optimizer is None else _state(optimizer)
        self.hyperparameters = _plain(hyperparameters)


class TensorTransformer(FileTransformer[Any]):
    """``torch.Tensor``, ``torch.nn.Module`` and ``PyTorchCheckpoint``."""

    python_type = object
    format = "pt"

    def check(self, value: Any, python_type: Any) -> None:
        """It must be of the class that is declared."""
        wanted = _declared(python_type)
        if not isinstance(value, wanted):
            raise mismatch(type_name(wanted), value)

    def write(self, value: Any, stream: IO[bytes], python_type: Any) -> None:
        """By torch."""
        import torch

        torch.save(dict(vars(value)) if isinstance(value, PyTorchCheckpoint) else value, stream)

    def read(self, stream: IO[bytes], python_type: Any) -> Any:
        """By torch, on the CPU."""
        import torch

        wanted = _declared(python_type)
        value = torch.load(stream, map_location="cpu", weights_only=not _is(wanted, "Module"))
        if wanted is PyTorchCheckpoint and isinstance(value, dict):
            made = object.__new__(PyTorchCheckpoint)
            vars(made).update(value)
            return made
        self.check(value, python_type)
        return value


def _state(owner: Any) -> Any:
    return owner.state_dict()


def _plain(hyperparameters: Any) -> dict[str, Any]:
    if hyperparameters is None:
        return {}
    if isinstance(hyperparameters, dict):
        return dict(hyperparameters)
    if hasattr(hyperparameters, "_asdict"):
        return dict(hyperparameters._asdict())
    if hasattr(hyperparameters, "__dataclass_fields__"):
        import dataclasses

        return dataclasses.asdict(hyperparameters)
    raise TypeError(f"hyperparameters must be a dict, a dataclass or a named tuple, not {type(hyperparameters)}")


def _declared(python_type: Any) -> Any:
    return python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type


def _is(python_type: type, name: str) -> bool:
    return any(base.__name__ == name and base.__module__.split(".")[0] == "torch" for base in python_type.__mro__)


def _matches(python_type: Any) -> bool:
    declared = _declared(python_type)
    if not isinstance(declared, type):
        return False
    return declared is PyTorchCheckpoint or _is(declared, "Tensor") or _is(declared, "Module")


_TRANSFORMER: Final = TensorTransformer()


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return hooks_of(_TRANSFORMER, python_type)


HOOK: Final = Hook(_matches, _build)
