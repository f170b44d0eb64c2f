"""``flytekit.core.promise``: what stands for a value in a workflow's body."""

from flytekit._adapt import missing
from whimbrel.authoring.promise import Promise as Promise
from whimbrel.authoring.promise import Void as VoidPromise

__all__ = ["Promise", "VoidPromise"]

__getattr__ = missing(__name__)
