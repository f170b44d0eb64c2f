"""scikit-learn's estimators, kept as files that joblib writes.

Such a file is a pickle inside: reading one runs code, so it is read only where an estimator is declared, and it ties
its reader to the version of scikit-learn that wrote it (which warns where they differ).

Knows: joblib. Must not know: other kinds.
"""

from __future__ import annotations

import typing
from typing import IO, Any, Final

from whimbrel.types.by_reference import FileTransformer
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch, shown, type_name
from whimbrel.types.transformer import Transformer, hooks_of


class EstimatorTransformer(FileTransformer[Any]):
    """``sklearn.base.BaseEstimator`` and its subclasses: models, pipelines, searches."""

    python_type = object
    format = "joblib"

    def check(self, value: Any, python_type: Any) -> None:
        """It must be of the class that is declared."""
        wanted = _declared(python_type)
        if not isinstance(value, wanted):
            raise mismatch(type_name(wanted), value)

    def write(self, value: Any, stream: IO[bytes], python_type: Any) -> None:
        """By joblib, which writes arrays without copying them."""
        import joblib

        joblib.dump(value, stream)

    def read(self, stream: IO[bytes], python_type: Any) -> Any:
        """By joblib."""
        import joblib

        value = joblib.load(stream)
        if not isinstance(value, _declared(python_type)):
            raise mismatch(type_name(python_type), shown(value), "so says the file")
        return value


def _declared(python_type: Any) -> Any:
    return python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type


def _matches(python_type: Any) -> bool:
    declared = _declared(python_type)
    return isinstance(declared, type) and any(
        base.__name__ == "BaseEstimator" and base.__module__ == "sklearn.base" for base in declared.__mro__
    )


_TRANSFORMER: Final = EstimatorTransformer()


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return hooks_of(_TRANSFORMER, python_type)


HOOK: Final = Hook(_matches, _build)
