"""Ordinary asyncio code that remembers: call paths, the session, the journal's protocol.

Knows: `model`, `types`, `errors`.
Must not know: transports, SQL, the engine, the control plane.
"""
