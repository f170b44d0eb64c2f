"""Flyte's services, and what serves them.

Knows: gRPC, wire, the house. Must not know: HTTP, the port that people see.
"""
