"""``union.remote``: the client under union's names."""

from flytekit.remote import FlyteRemote as FlyteRemote

__all__ = ["FlyteRemote", "UnionRemote"]

UnionRemote = FlyteRemote
