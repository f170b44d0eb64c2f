"""flytekit's exceptions, for code that raises and catches them by name.

What whimbrel itself raises are its own errors, ``whimbrel.errors``.
"""
