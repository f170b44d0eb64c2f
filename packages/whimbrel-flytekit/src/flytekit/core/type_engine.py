"""``flytekit.core.type_engine``: the extension point for types of one's own."""

from flytekit._adapt import missing
from flytekit._remote.resolving import LiteralsResolver as LiteralsResolver
from flytekit._types.engine import TypeEngine as TypeEngine
from flytekit._types.transformers import AsyncTypeTransformer as AsyncTypeTransformer
from flytekit._types.transformers import RestrictedTypeError as RestrictedTypeError
from flytekit._types.transformers import SimpleTransformer as SimpleTransformer
from flytekit._types.transformers import TypeTransformer as TypeTransformer
from flytekit._types.transformers import TypeTransformerFailedError as TypeTransformerFailedError
from flytekit._types.transformers import get_underlying_type as get_underlying_type
from flytekit._types.transformers import is_annotated as is_annotated
from whimbrel.types.directories import BatchSize as BatchSize

__all__ = [
    "AsyncTypeTransformer",
    "BatchSize",
    "LiteralsResolver",
    "RestrictedTypeError",
    "SimpleTransformer",
    "TypeEngine",
    "TypeTransformer",
    "TypeTransformerFailedError",
    "get_underlying_type",
    "is_annotated",
]

__getattr__ = missing(__name__)
