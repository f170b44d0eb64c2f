"""What users write with: tasks, workflows, map, conditionals, gates, launch plans, promises.

Knows: `types`, `graph`, `durable`, `model`, `errors`. Holds the one ContextVar, in `calling`.
Must not know: the engine, the control plane, stores, executors.
"""
