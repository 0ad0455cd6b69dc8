"""How the C library's allocator treats large blocks that are freed.

The state of a profile with 10,000 events is written as one block of half a megabyte, and freed with the next
event. By itself glibc gives such a block back to the system now and then, and gets new pages for the next:
up to a hundred page faults for an event, which take longer than the event (`python -m bench hot`).
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them
MAPPED_BYTES = 32 << 20
"""Larger blocks go back to the system as soon as they are freed; glibc takes no higher bound."""
KEPT_BYTES = 64 << 20
"""So much free memory is kept at the end of the heap."""


def keep_freed_memory() -> bool:
    """Once, at the start of a process. False where the C library has no such setting."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, MAPPED_BYTES)) and bool(mallopt(_TRIM_THRESHOLD, KEPT_BYTES))
