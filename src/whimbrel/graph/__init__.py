"""The compiler's middle: build a graph, check it, rewrite it, digest it.

Knows: `model`, `errors`.
Must not know: Python types or values of users, who runs the graph, the clock, chance, disk, network.
"""
