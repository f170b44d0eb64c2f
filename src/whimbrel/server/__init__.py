"""The server: one process, one port, an engine behind Flyte's services and behind REST.

Knows: the control plane, stores, executors, wire, gRPC, HTTP. Must not know: the command line, Python values of users.
"""
