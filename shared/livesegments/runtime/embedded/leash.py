"""Becomes the command given, tied to its parent: `python leash.py PARENT_PID COMMAND…`.

The kernel kills the command (SIGKILL) at the moment its parent ends, however that ends; the setting is kept
by `exec`. It follows the parent's *thread* that started us, so children are started from the main thread.
Standard library only, and no import of ours: this runs with `-I -S`, in a few milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it ended before the kernel knew
        sys.exit("the parent is gone")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
