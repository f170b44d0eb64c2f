"""``flytekit.experimental``: eager workflows in which every call is awaited."""

from flytekit._adapt import awaited_eager as eager
from whimbrel.errors import EagerException as EagerException

__all__ = ["EagerException", "eager"]
