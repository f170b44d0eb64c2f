"""The commands, and the composition of embedded runs and of workers.

Knows: every room; one of the two places where collaborators are chosen.
Must not know: how any of them works; a command is arguments in, a use case called, a picture out.
"""
