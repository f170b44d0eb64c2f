"""Where attempts run: in this process, in warm worker processes, on a cluster.

Knows: the ports of `controlplane`, `runtime`'s entry point and frames, `model`, `errors`.
Must not know: each other, SQL, what a run means.
"""
