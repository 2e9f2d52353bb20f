"""Reads the files that FFmpeg writes to, and keeps them small."""

import os
from contextlib import suppress
from pathlib import Path

from transcoder_tui.worker.logfile import read_number


class StderrReader:
    """Reads what FFmpeg appends to its stderr file, and keeps that file small.

    FFmpeg writes to a file and not to a pipe, so that it never waits for a worker that is not there. How far it was
    read lies in a small file beside the run's lock, so that the next worker goes on from there.

    Args:
        path: FFmpeg's stderr.
        offset_file: Where to keep how far it was read.
        resume: Whether to go on from where the last worker stopped.
    """

    MAX_READ = 1 << 20
    """Bytes taken at a time; a flood beyond it is skipped, and the log says how much."""
    RESET_AT = 1 << 16
    """A file that was read to its end is emptied from this size on."""

    def __init__(self, path: Path, offset_file: Path, *, resume: bool) -> None:
        self._path = path
        self._offset_file = offset_file
        self._offset = read_number(offset_file) if resume else 0
        self._partial = b""

    def read(self, *, final: bool = False) -> list[str]:
        """The lines that came since the last call.

        Args:
            final: Whether FFmpeg has ended, so that an unfinished last line counts too.
        """
        try:
            with self._path.open("r+b") as file:
                data = self._take(file.fileno())
        except OSError:
            return []
        if not data and not final:
            return []
        lines = (self._partial + data).replace(b"\r", b"\n").split(b"\n")
        self._partial = b"" if final else lines.pop()
        if len(self._partial) > self.MAX_READ:
            self._partial = b""
        with suppress(OSError):
            # Where the disk is full, the next worker reads some lines twice.
            self._offset_file.write_text(str(self._offset - len(self._partial)))
        return [line.decode(errors="replace") for line in lines if line.strip()]

    def _take(self, descriptor: int) -> bytes:
        size = os.fstat(descriptor).st_size
        if size < self._offset:
            self._offset = 0
        note = b""
        if size - self._offset > self.MAX_READ:
            skipped = size - self._offset - self.MAX_READ
            self._offset += skipped
            note = b"\n[warning] %d bytes of log skipped: FFmpeg writes faster than they can be kept\n" % skipped
        data = os.pread(descriptor, size - self._offset, self._offset)
        self._offset += len(data)
        whole = data.endswith(b"\n")
        if whole and self._offset >= self.RESET_AT and os.fstat(descriptor).st_size == self._offset:
            os.ftruncate(descriptor, 0)
            self._offset = 0
        return note + data


class ProgressReader:
    """Reads what FFmpeg appends to its progress file, and keeps that file small.

    Args:
        path: FFmpeg's progress file.
    """

    RESET_AT = 1 << 18
    """A file that was read to its end is emptied from this size on: about a quarter of an hour."""
    BACKLOG = 4096
    """Bytes before the end at which reading begins; what is older is of no interest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset: int | None = None

    def read(self) -> bytes | None:
        """The bytes that came since the last call; None where the file cannot be read."""
        try:
            with self._path.open("r+b") as file:
                size = os.fstat(file.fileno()).st_size
                if self._offset is None or size < self._offset:
                    self._offset = max(0, size - self.BACKLOG)
                data = os.pread(file.fileno(), size - self._offset, self._offset)
                self._offset += len(data)
                if self._offset >= self.RESET_AT and os.fstat(file.fileno()).st_size == self._offset:
                    os.ftruncate(file.fileno(), 0)
                    self._offset = 0
                return data
        except OSError:
            return None
