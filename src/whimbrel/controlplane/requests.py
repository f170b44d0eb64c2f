"""What may be asked of the owner of a run through its inbox, as text and as events.

Knows: the events that requests become. Must not know: stores, loops.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec

from whimbrel.controlplane.ports import Request
from whimbrel.model.codec import decoder, encode
from whimbrel.model.events import AbortRequested, Event, SignalReceived

ABORT = "abort"
SIGNAL = "signal"

_signals = decoder(SignalReceived)


def signal_text(signal: SignalReceived) -> str:
    """The ``detail`` of a request that brings ``signal``. Every literal has one, whatever JSON would make of it."""
    return b64encode(encode(signal)).decode("ascii")


def event_of(request: Request, at: float) -> Event | None:
    """What happens to the run by ``request``, at the time ``at``. ``None`` for what this version knows nothing of."""
    if request.request == ABORT:
        return AbortRequested(request.detail, at)
    if request.request != SIGNAL:
        return None
    try:
        signal: SignalReceived = _signals.decode(b64decode(request.detail))
    except (ValueError, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(signal, at=at, id=signal.id or f"request {request.id}")
