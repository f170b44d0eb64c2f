"""``flytekit.core.node_creation``: a call whose node is wanted rather than its result."""

from flytekit._adapt import missing
from whimbrel.authoring.nodes import create_node as create_node

__all__ = ["create_node"]

__getattr__ = missing(__name__)
