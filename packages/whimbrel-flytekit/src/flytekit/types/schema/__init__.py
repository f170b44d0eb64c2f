"""``flytekit.types.schema``: dataframes, in the older manner."""

from flytekit._adapt import missing
from whimbrel.types.schemas import FlyteSchema as FlyteSchema

__all__ = ["FlyteSchema"]

__getattr__ = missing(__name__)
