"""``flytekit.models.common``: what is said of a launch, as data."""

from flytekit._adapt import missing
from whimbrel import Annotations as Annotations
from whimbrel import AuthRole as AuthRole
from whimbrel import Labels as Labels
from whimbrel.authoring.registration import RawOutputDataConfig as RawOutputDataConfig

__all__ = ["Annotations", "AuthRole", "Labels", "RawOutputDataConfig"]

__getattr__ = missing(__name__)
