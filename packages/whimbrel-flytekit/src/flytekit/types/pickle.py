"""``flytekit.types.pickle``: values that travel as pickles, for authors who say so."""

from flytekit._adapt import missing
from whimbrel.types.directories import BatchSize as BatchSize
from whimbrel.types.pickle import FlytePickle as FlytePickle

__all__ = ["BatchSize", "FlytePickle"]

__getattr__ = missing(__name__)
