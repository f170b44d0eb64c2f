"""A file that is taken instead of copied: whether nobody else can write to it, asked of the system.

Knows: leases of files, as Linux has them (fcntl(2), F_SETLEASE). Must not know: stores, digests.
"""

from __future__ import annotations

import fcntl
import os
import signal
import stat
from pathlib import Path

_F_SETLEASE = getattr(fcntl, "F_SETLEASE", None)


class Lent:
    """A regular file of one name that nobody has open for writing, in this process or another, nor mapped so, under a
    lease: who opens it for writing now, or cuts it, waits until ``close``.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    def is_whole(self, second: Path) -> bool:
        """Whether it is the file that stands under its second name, has no third, and nobody came to write to it."""
        here, there = os.fstat(self.descriptor), os.lstat(second)
        return (
            (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
            and here.st_nlink == 2
            and here.st_size == self._size
            # A lease that is being broken is said to be what it must become.
            and fcntl.fcntl(self.descriptor, fcntl.F_GETLEASE) == fcntl.F_RDLCK
        )

    def close(self) -> None:
        """Give the file back, and the lease."""
        os.close(self.descriptor)


def lend(path: str) -> Lent | None:
    """The file at ``path``; ``None`` where it is of another kind or owner, has other names or writers, or where the
    system cannot tell. Raises ``OSError`` where it cannot be opened.
    """
    if _F_SETLEASE is None or stat.S_ISLNK(os.lstat(path).st_mode):
        return None
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
            # Whoever makes the lease break has us told by a signal: not by SIGIO, of which a process dies.
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(descriptor, _F_SETLEASE, fcntl.F_RDLCK)
            return Lent(descriptor)
    except OSError:
        # Somebody writes to it, or it is on a disk without leases: a copy does no harm.
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
