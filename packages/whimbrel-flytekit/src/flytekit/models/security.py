"""``flytekit.models.security``: secrets that a task asks for, and on whose behalf it runs."""

from flytekit._adapt import missing
from whimbrel import SecurityContext as SecurityContext
from whimbrel.authoring.registration import Identity as Identity
from whimbrel.authoring.secrets import Secret as Secret

__all__ = ["Identity", "Secret", "SecurityContext"]

__getattr__ = missing(__name__)
