"""A worker must not outlive who started it: what it computes would belong to nobody, and a resumed run starts it again.

The starter holds the writing end of a pipe and never writes. When it dies, however it dies, the kernel closes the pipe
and kills the worker's whole process group, child processes included, even if the interpreter is stuck in C.
Knows: Linux. Must not know: the attempt protocol.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys


def hang_on(pipe: int) -> None:
    """Die, with all of this process's group, when the other end of ``pipe`` is closed.

    Elsewhere than on Linux nothing is arranged: there the end of the worker's connection has to do.
    """
    if not sys.platform.startswith("linux"):
        return
    os.set_inheritable(pipe, False)
    fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
    # A negative number is a process group.
    fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    if poll.poll(0):
        # It was closed before we asked.
        os.killpg(os.getpgrp(), signal.SIGKILL)
