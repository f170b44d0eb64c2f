"""Names as back ends take them. Pure: no protobuf."""

from __future__ import annotations

import hashlib

# The longest label of a host name.
_DNS_LABEL = 63


def dns_name(name: str) -> str:
    """``name`` as the id of a node must be on Kubernetes, which names pods by it: ``Read_Rows`` is ``read-rows``."""
    made = ""
    for letter in name:
        if letter.isupper() and made and not made.endswith("-"):
            made += "-"
        made += letter.lower() if letter.isalnum() else "-"
    made = made.strip("-")
    if len(made) <= _DNS_LABEL:
        return made
    digest = hashlib.sha224(made.encode()).hexdigest()[:10]
    return f"{digest}-{made[len(digest) + 1 - _DNS_LABEL :]}"
