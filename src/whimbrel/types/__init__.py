"""Python types to literal types and back, Python values to literals and back: a registry of hook factories.

Knows: `model`, `errors`, and each optional library in the one leaf module that adapts it.
Must not know: graphs, the engine, where a value is stored (it is handed a blob port).
"""
