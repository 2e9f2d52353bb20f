"""Shortens a file at its beginning while somebody appends to it, and keeps account of what is gone."""

import ctypes
import os
from pathlib import Path

_COLLAPSE_RANGE = 0x08
"""FALLOC_FL_COLLAPSE_RANGE of linux/falloc.h."""
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def cuttable(descriptor: int, length: int, *, upwards: bool = False) -> int:
    """How much of the beginning of a file :func:`collapse` can remove: whole blocks, and not all of the file.

    Args:
        descriptor: The file.
        length: Bytes that should go.
        upwards: Whether rather more than ``length`` than less.
    """
    block = os.fstatvfs(descriptor).f_bsize
    wanted = -(-length // block) if upwards else length // block
    return max(0, min(wanted, (os.fstat(descriptor).st_size - 1) // block)) * block


def collapse(descriptor: int, length: int) -> bool:
    """Removes the beginning of a file in place: whoever appends to it or reads it goes on with the same file.

    In one step and under the file's lock, so that nothing that is appended meanwhile is lost: fallocate(2). ext4 and
    XFS can do it. It waits until what stays is on the disk. Measured on ext4: 1 to 10 ms for 10 MB, 0.1 s for 36 GB and
    0.06 to 0.25 s more for each GB of them in the page cache.

    Args:
        descriptor: The file, open for writing.
        length: Bytes, as :func:`cuttable` allows them.

    Returns:
        Whether the file system could do it.
    """
    return length > 0 and _libc.fallocate(descriptor, _COLLAPSE_RANGE, 0, length) == 0


class Numbers:
    """A few numbers in a small file.

    They are overwritten in place by a single write within one block: a kill leaves the old ones or the new ones, and a
    full disk does not matter once the file is there.

    Args:
        path: The file.
        count: How many numbers.
    """

    def __init__(self, path: Path, count: int) -> None:
        self.path = path
        self._count = count

    def read(self) -> list[int]:
        """The numbers; zeros in place of those that are not there."""
        try:
            found = [int(word) for word in self.path.read_text().split()]
        except (OSError, ValueError):
            found = []
        return (found + [0] * self._count)[: self._count]

    def write(self, *numbers: int) -> None:
        """Keeps these numbers; those that are not given are zero.

        Raises:
            OSError: Where the file cannot be written.
        """
        padded = [*numbers] + [0] * (self._count - len(numbers))
        line = " ".join(f"{number:020d}" for number in padded)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o640)
        try:
            os.pwrite(descriptor, f"{line}\n".encode(), 0)
        finally:
            os.close(descriptor)
