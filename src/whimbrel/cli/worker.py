"""The worker process: ``python -m whimbrel.cli.worker --fd N --blobs WHERE``. Started by executors, not by people.

Knows: which blob store and which driver a worker has. Must not know: how either works.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import os
import socket
import sys

from whimbrel.runtime.attempt import load_once
from whimbrel.runtime.driver import Driver
from whimbrel.runtime.frames import WorkerChannel
from whimbrel.runtime.lifeline import hang_on
from whimbrel.runtime.worker import Worker
from whimbrel.stores.blobs import ObjectBlobs

_LINE_BUFFERED = 1


def main(arguments: list[str] | None = None) -> None:
    """Serve one executor over the connected socket at descriptor ``--fd`` until it says stop, or is gone."""
    parser = argparse.ArgumentParser(prog="whimbrel.cli.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="descriptor of the connected socket")
    parser.add_argument("--blobs", required=True, help="directory or URL of the blob store")
    parser.add_argument("--lifeline", type=int, help="descriptor of a pipe whose end is this process's end")
    options = parser.parse_args(arguments)
    if options.lifeline is not None:
        hang_on(options.lifeline)
    _print_live()
    # Child processes of tasks must not hold the connection open when this process dies.
    os.set_inheritable(options.fd, False)
    channel = WorkerChannel(socket.socket(fileno=options.fd))
    blobs = ObjectBlobs(options.blobs)
    Worker(channel, blobs=blobs, driver=Driver, load=load_once()).run()
    # Threads of user code may be left; waiting for them is not part of leaving.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _print_live() -> None:
    """Lines leave as they are printed, although the streams are pipes; the C library's too."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    if sys.platform.startswith("linux"):
        library = ctypes.CDLL(None)
        stdout = ctypes.c_void_p.in_dll(library, "stdout")
        library.setvbuf(stdout, None, _LINE_BUFFERED, 0)


if __name__ == "__main__":
    main()
