"""Files that are whole or absent: written beside their place, flushed to the disk, then renamed."""

import contextlib
import errno
import os
from pathlib import Path

from downslope.core.errors import BadData

DISK_TROUBLE = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader, or a crash at any moment, never meets half of it.

    A full or failing disk raises `OSError`; a place where nothing may be written is the user's to put right.
    """
    waiting = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            waiting.unlink()  # left by a process of the same number that was killed
        # O_EXCL: a link that somebody put there is not followed.
        with os.fdopen(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(waiting, path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            waiting.unlink()
        if problem.errno in DISK_TROUBLE:
            raise
        raise BadData(
            f"cannot write {path}: {problem.strerror or problem}; choose another place or change its permissions"
        ) from None
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
