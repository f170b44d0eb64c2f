"""The use cases around the engine, the loop that drives it, and the ports that it needs.

Knows: `engine`, `graph`, `wire`, `model`, `errors`, and its own protocols in `ports`.
Must not know: user code or Python values; it moves literals.
"""
