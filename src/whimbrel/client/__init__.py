"""Talking to a server: configuration, bundles of code, registering, launching, following.

Knows: REST as ``wire/rest`` has it, Python values through ``types``. Must not know: how a server does what it is asked
for. Nothing here is imported by ``import whimbrel`` that needs httpx or PyYAML.
"""
