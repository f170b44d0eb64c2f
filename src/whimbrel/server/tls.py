"""TLS for the one port.

Clients of gRPC ask for h2 and nothing else; browsers and scripts can speak both. So whoever can speak HTTP/1.1 is asked
to: HTTP/2 is for gRPC here. Docs: docs/decisions/0245.

Knows: OpenSSL through ssl. Must not know: who connects.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from whimbrel.errors import InputInvalid


def tls_context(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """TLS 1.2 and later with the chain in ``certificate`` (PEM); its key is there too, or in ``key``. Raises
    ``InputInvalid``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1", "h2"])

    def no_password() -> str:
        raise InputInvalid(f"the key of {certificate} is locked with a password: the server cannot ask for it")

    try:
        context.load_cert_chain(certificate, key, password=no_password)
    except InputInvalid:
        raise
    except OSError as error:
        where = certificate if key is None else f"{certificate} and {key}"
        raise InputInvalid(
            f"{where} cannot be used for TLS ({error.strerror or error}): "
            "--tls-cert wants a chain of certificates in PEM, --tls-key the key of the first"
        ) from error
    return context
