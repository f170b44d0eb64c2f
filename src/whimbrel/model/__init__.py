"""Frozen nouns: ids, literal types, literals, interfaces, the graph, runs, attempts, events, commands.

Knows: the standard library and msgspec.
Must not know: Python values of users, any other room but `errors`, the clock, chance, disk, network.
"""
