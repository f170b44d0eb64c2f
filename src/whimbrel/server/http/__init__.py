"""REST, event streams, health and metrics.

Knows: HTTP, the house. Must not know: gRPC, the port that people see.
"""
