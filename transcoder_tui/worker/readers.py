"""Reads the files that FFmpeg writes to, and keeps them small."""

import os
from contextlib import suppress
from pathlib import Path

from transcoder_tui.worker.trimming import Numbers, collapse, cuttable

STDERR_FD = 2
"""The descriptor to which FFmpeg writes its log."""
PROGRESS_FD = 3
"""The descriptor on which FFmpeg is told to write its progress."""
_MARK = b"\0cut\0"
"""Written over the beginning of what is cut off next: gone with it, so that a crash leaves no doubt about it."""


class StderrReader:
    """Reads what FFmpeg appends to its stderr file, and keeps that file small.

    FFmpeg writes to a file and not to a pipe, so that it never waits for a worker that is not there. How far it was
    read lies in a small file beside the run's lock, so that the next worker goes on from there. This is written down
    before the lines are in the channel's log. Where the caller tells how long that log is, the next worker sees whether
    they came there: no line is lost or comes twice, at whatever moment the last worker died. Of a flood, the lines of
    one call may be lost.

    A flood is cut down to what is handled in some 20 ms: the first and the last of what came, since the first lines
    tell the cause and the last ones the present. On file systems that cannot cut a file in place (tmpfs, btrfs, NFS), a
    file that was read to its end is emptied; what FFmpeg writes in the microseconds between is lost there.

    Args:
        path: FFmpeg's stderr.
        offset_file: Where to keep how far it was read.
        resume: Whether to go on from where the last worker stopped.
        pid: FFmpeg, through which its stderr can still be read after it was deleted or moved away.
        log_end: Where the channel's log ends, as in :meth:`read`.
    """

    MAX_READ = 1 << 16
    """Bytes taken at a time."""
    MAX_LINES = 500
    """Lines taken at a time: to compare one with all that is known of FFmpeg's lines takes some 20 us."""
    MAX_LINE = 1 << 14
    """Bytes after which a line is taken although its end has not come."""
    TRIM_AT = 1 << 16
    """Bytes already read from which on they are cut off."""
    FLOODED = 1 << 22
    """Bytes from which on a file that cannot be cut is emptied although its end is out of reach."""

    def __init__(
        self, path: Path, offset_file: Path, *, resume: bool, pid: int | None = None, log_end: int | None = None
    ) -> None:
        self._path = path
        self._pid = pid
        self._descriptor = -1
        self._account = Numbers(offset_file, 5)
        self._offset = self._inode = self._unsure_cut = self._skipped = 0
        if resume:
            after, before, log_end_before, self._inode, self._unsure_cut = self._account.read()
            self._offset = after if log_end is None or log_end > log_end_before else before

    def read(self, *, final: bool = False, log_end: int | None = None) -> list[str]:
        """The lines that came since the last call.

        Args:
            final: Whether FFmpeg has ended, so that an unfinished last line counts too.
            log_end: Where the channel's log ends, to which these lines will go before any other.
        """
        try:
            descriptor = self._opened()
            if os.lseek(descriptor, 0, os.SEEK_END) == self._offset and not self._unsure_cut:
                return []
            found = self._offset
            is_flood = self._waiting(descriptor) > self.MAX_READ
            # A cut waits until what stays is on the disk: in a flood it comes last, when that is little.
            is_small = is_flood or self._cut(descriptor)
            before = self._offset
            lines = self._take(descriptor, final=final)
            if is_flood:
                is_small = self._cut(descriptor)
                before = self._offset
            if not is_small:
                before = self._empty(descriptor, before)
            if not found == before == self._offset:
                self._keep(before, -1 if log_end is None else log_end)
        except OSError:
            return []
        return [line.decode(errors="replace") for line in lines]

    def close(self) -> None:
        """Closes the file; nothing can be read afterwards but by another reader."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _opened(self) -> int:
        """The file that FFmpeg has open, whether or not it still has its name."""
        if self._descriptor < 0:
            self._descriptor = _open(self._path, self._pid, STDERR_FD)
            inode = os.fstat(self._descriptor).st_ino
            if inode != self._inode:
                self._inode, self._offset, self._unsure_cut = inode, self._offset if not self._inode else 0, 0
        return self._descriptor

    def _waiting(self, descriptor: int) -> int:
        """How many bytes there are to read."""
        if self._unsure_cut and os.pread(descriptor, len(_MARK), 0) != _MARK:
            self._offset = max(0, self._offset - self._unsure_cut)
        self._unsure_cut = 0
        size = os.fstat(descriptor).st_size
        if size < self._offset:
            self._offset = 0
        return size - self._offset

    def _cut(self, descriptor: int) -> bool:
        """Cuts off what was read.

        Returns:
            Whether little of that is left in the file.
        """
        if self._offset < self.TRIM_AT:
            return True
        length = cuttable(descriptor, self._offset)
        with suppress(OSError):
            os.pwrite(descriptor, _MARK, 0)
        self._keep(self._offset, -1, length)
        if not collapse(descriptor, length):
            return False
        self._offset -= length
        return True

    def _empty(self, descriptor: int, before: int) -> int:
        """Empties a file that cannot be cut, once it was read to its end.

        Returns:
            Where the lines that were read last begin; nowhere any more where they are gone.
        """
        size = os.fstat(descriptor).st_size
        if size != self._offset and size < self.FLOODED:
            return before
        self._skipped = size - self._offset
        os.ftruncate(descriptor, 0)
        self._offset = 0
        return 0

    def _keep(self, before: int, log_end: int, cut: int = 0) -> None:
        # Where there is no room for it, the next worker reads some lines twice.
        with suppress(OSError):
            self._account.write(self._offset, before, log_end, self._inode, cut)

    def _take(self, descriptor: int, *, final: bool) -> list[bytes]:
        size = os.fstat(descriptor).st_size
        came, half = size - self._offset, self.MAX_READ // 2
        if came <= self.MAX_READ:
            first, last = self._whole(_read(descriptor, came, self._offset), final=final), b""
            self._offset += len(first)
        else:
            first = self._whole(_read(descriptor, half, self._offset), final=False)
            rest = _read(descriptor, half, size - half).partition(b"\n")[2]
            last = self._whole(rest, final=final)
            end = size - len(rest) + len(last)
            self._skipped += end - self._offset - len(first) - len(last)
            self._offset = end
        return self._bounded(_lines(first), _lines(last))

    def _whole(self, data: bytes, *, final: bool) -> bytes:
        end = data.rfind(b"\n") + 1
        return data if final or (end == 0 and len(data) > self.MAX_LINE) else data[:end]

    def _bounded(self, first: list[bytes], last: list[bytes]) -> list[bytes]:
        half = self.MAX_LINES // 2
        if not last and len(first) > self.MAX_LINES:
            first, last = first[:half], first[half:]
        if last:
            self._skipped += sum(len(line) + 1 for line in first[half:] + last[:-half])
            first, last = first[:half], last[-half:]
        taken = first + last
        if not self._skipped or not taken:
            return taken
        average = sum(len(line) + 1 for line in taken) / len(taken)
        amount = f"about {self._skipped / average:.0f} lines ({self._skipped} bytes)"
        note = f"[warning] {amount} of the log are skipped here: FFmpeg writes faster than they can be kept".encode()
        self._skipped = 0
        return [*first, note, *last]


def _read(descriptor: int, length: int, offset: int) -> bytes:
    return os.pread(descriptor, length, offset).replace(b"\r", b"\n")


def _lines(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n") if line.strip()]


def _open(path: Path, pid: int | None, number: int) -> int:
    """Opens a file of FFmpeg's, if need be through FFmpeg: it may have been deleted or moved away.

    Raises:
        OSError: Where there is neither the file nor the process.
    """
    if pid is not None:
        with suppress(OSError):
            return os.open(f"/proc/{pid}/fd/{number}", os.O_RDWR | os.O_CLOEXEC)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


class ProgressReader:
    """Reads what FFmpeg appends to its progress file, and keeps that file small.

    Args:
        path: FFmpeg's progress file.
        pid: FFmpeg, through which the file can still be read after it was deleted.
    """

    RESET_AT = 1 << 18
    """A file that was read to its end, or whose end is out of reach, is emptied from this size on: about a quarter of
    an hour."""
    MAX_READ = 1 << 16
    """Bytes taken at a time: some 100 blocks; older ones are skipped."""
    BACKLOG = 4096
    """Bytes before the end at which reading begins; what is older is of no interest."""

    def __init__(self, path: Path, pid: int | None = None) -> None:
        self._path = path
        self._pid = pid
        self._descriptor = -1
        self._offset = -1

    def read(self) -> bytes | None:
        """The bytes that came since the last call; None where the file cannot be read."""
        try:
            if self._descriptor < 0:
                self._descriptor = _open(self._path, self._pid, PROGRESS_FD)
            size = os.lseek(self._descriptor, 0, os.SEEK_END)
            if size == self._offset:
                return b""
            if self._offset < 0 or not 0 <= size - self._offset <= self.MAX_READ:
                self._offset = max(0, size - self.BACKLOG)
            data = os.pread(self._descriptor, size - self._offset, self._offset)
            self._offset += len(data)
            if self._offset >= self.RESET_AT:
                self._empty()
            return data
        except OSError:
            return None

    def _empty(self) -> None:
        left = os.lseek(self._descriptor, 0, os.SEEK_END) - self._offset
        if left == 0 or left > self.BACKLOG:
            os.ftruncate(self._descriptor, 0)
            self._offset = 0

    def close(self) -> None:
        """Closes the file; nothing can be read afterwards but by another reader."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
