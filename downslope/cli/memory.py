"""What a process that trains does with memory that it has no more use for."""

import ctypes
import sys

TRIM, MAP = -1, -3  # the names of these settings in malloc.h
KEPT = 256 << 20  # bytes that are free and may lie at the end of the heap
MAPPED = 32 << 20  # bytes from which on an array is no part of the heap, as large as the C library lets it become by itself


def keep() -> None:
    """Keeps it for the next batches, which have the same size, where the C library can be told so.

    Given back to the system, it would come back as pages that are filled with zeros first, which takes longer than the rows that
    are then written into them.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):  # musl has none
        library.mallopt(TRIM, KEPT)
        library.mallopt(MAP, MAPPED)
