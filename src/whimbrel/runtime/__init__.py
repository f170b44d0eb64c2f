"""The worker's half of an attempt: load the code, read inputs, call, write outputs, report.

Knows: `authoring`, `durable`, `types`, `model`, `errors`.
Must not know: the engine, the control plane, who started it.
"""
