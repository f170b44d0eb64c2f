"""``flytekit.models.security``: secrets that a task asks for, and on whose behalf it runs."""

from flytekit._adapt import missing
from flytekit._secret import Secret as Secret
from whimbrel import SecurityContext as SecurityContext
from whimbrel.authoring.registration import Identity as Identity

__all__ = ["Identity", "Secret", "SecurityContext"]

__getattr__ = missing(__name__)
