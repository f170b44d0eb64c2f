"""Which place a URI is of, for files that are not in whimbrel's own store.

Knows: the places. Must not know: how any of them works.
"""

from __future__ import annotations

from typing import Final

from whimbrel.types.remote import BUCKETS, Bucket, Place, scheme_of
from whimbrel.types.web import SCHEMES, Web

_PLACES: Final[dict[str, Place]] = {**dict.fromkeys(sorted(BUCKETS), Bucket()), **dict.fromkeys(sorted(SCHEMES), Web())}

READABLE: Final = "a local path, http(s)://, s3://, gs://, az:// or memory://"


def place_of(uri: str) -> Place | None:
    """The place of ``uri``; ``None`` where none knows its scheme."""
    return _PLACES.get(scheme_of(uri))


def secret_in(uri: str) -> bool:
    """Whether ``uri`` has a user's password in it, which must not get into a journal."""
    scheme, _, rest = uri.partition("://")
    user, at, _ = rest.partition("/")[0].rpartition("@")
    # abfs://container@account is an address.
    return bool(at) and ":" in user and scheme.lower() not in ("abfs", "abfss")
