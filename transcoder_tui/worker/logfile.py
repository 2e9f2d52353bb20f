"""A channel's log: FFmpeg's lines stamped with the time when they were read, and the worker's own."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from transcoder_tui.failpoints import failpoint
from transcoder_tui.models.view import LogChunk
from transcoder_tui.worker.trimming import Numbers, collapse, cuttable

TRIM_AT = 15 / 16
"""Share of the cap at which the oldest part is dropped: what comes at a time, some 100 kB in a flood, fits above it."""
KEEP = 3 / 4
"""Share of the cap that is left then."""
MAX_LINE = 4000
"""Characters of one line that are kept; nothing that FFmpeg means to be read is longer."""
LONGEST = 4 * MAX_LINE + 64
"""Bytes of the longest line that is written: four for each character, and the stamp."""
BLOCK = 65536
"""Bytes read at a time."""


def stamp(at: datetime, level: str, text: str) -> str:
    """One line of the log: UTC time to the millisecond, the level in capitals, the text.

    Args:
        at: When the line was read.
        level: FFmpeg's level, or ``worker`` for a line of our own.
        text: The line without its end.
    """
    time = at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{time}Z {level.upper():<7} {text[:MAX_LINE]}"


class ChannelLog:
    """The log file of one channel.

    Offsets are counted in bytes from the first line that was ever written, so that they stay valid when the oldest
    part is dropped. How much was dropped lies in a small file beside the log, together with what a cut leaves of the
    line that it goes through. Before each cut it is written down there what the cut will change and how long the file
    is, so that a worker that comes after a crash knows by the file's length whether the cut was made.

    Args:
        path: The log file.
        max_bytes: Its cap: the oldest part is dropped shortly before.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._account = Numbers(_account_of(path), 5)
        size = self._size()
        self._dropped, self._torn, cut, torn, uncut = self._account.read()
        if cut and size == uncut - cut:
            self._dropped, self._torn = self._dropped + cut, torn
        if cut:
            with suppress(OSError):
                self._settle()
        self._end = self._dropped + size
        self._lost, self._fault = 0, ""

    @property
    def end(self) -> int:
        """The offset at which the next line will be written."""
        return self._end

    def write(self, lines: Iterable[str]) -> None:
        """Appends stamped lines; a log that was deleted or moved is begun anew.

        Lines that cannot be written, as to a full disk, are lost. How many is said once there is room again.
        """
        batch = [f"{line}\n" for line in lines]
        if not batch:
            return
        note = []
        if self._lost:
            text = f"{self._lost} lines are missing here, which could not be written: {self._fault}"
            note = [stamp(datetime.now(UTC), "worker", text) + "\n"]
        whole = self._append("".join(note + batch).encode(errors="replace"))
        self._lost = len(note) + len(batch) - whole if whole else self._lost + len(batch)

    def move(self, path: Path) -> None:
        """Goes on under another name, as after a renaming of the channel."""
        if path == self.path:
            return
        for old, new in ((self.path, path), (self._account.path, _account_of(path))):
            with suppress(OSError):
                old.replace(new)
        self.path, self._account.path = path, _account_of(path)

    def read(self, offset: int, lines: int) -> LogChunk:
        """Whole lines from an offset on.

        Args:
            offset: Where to begin; one before the oldest kept byte begins there, one behind the end, as after a log
                was deleted, gives the last lines.
            lines: At most so many.
        """
        size = self._size()
        if offset > self._dropped + size:
            return self.tail(lines)
        start = position = max(offset - self._dropped, self._torn)
        blocks: list[bytes] = []
        missing = lines
        with self._opened() as file:
            while position < size and missing > 0:
                blocks.append(os.pread(file, min(BLOCK, size - position), position))
                missing -= blocks[-1].count(b"\n")
                position += BLOCK
        kept = b"".join(blocks).split(b"\n")[:-1][:lines]
        return self._chunk(start, start + sum(len(line) + 1 for line in kept), kept)

    def tail(self, lines: int) -> LogChunk:
        """The last lines: read from the end, so that it costs the same whatever the size of the log.

        Args:
            lines: At most so many.
        """
        size = self._size()
        start = size
        blocks: list[bytes] = []
        missing = lines
        with self._opened() as file:
            # One line end more than lines, for the first of them to be whole.
            while start > self._torn and missing >= 0:
                step = min(BLOCK, start - self._torn)
                start -= step
                blocks.append(os.pread(file, step, start))
                missing -= blocks[-1].count(b"\n")
        whole = b"".join(reversed(blocks)).split(b"\n")
        kept, end = whole[max(0, len(whole) - 1 - lines) : -1], size - len(whole[-1])
        return self._chunk(end - sum(len(line) + 1 for line in kept), end, kept)

    def _chunk(self, start: int, end: int, lines: list[bytes]) -> LogChunk:
        return LogChunk(
            offset=self._dropped + start,
            next_offset=self._dropped + end,
            first_offset=self._dropped + self._torn,
            lines=[line.decode(errors="replace") for line in lines],
        )

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The file for reading; an empty one where it cannot be read."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            descriptor = os.open(os.devnull, os.O_RDONLY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _append(self, data: bytes) -> int:
        """Writes lines, and keeps the log below its cap.

        Returns:
            How many of them are whole in the file.
        """
        try:
            descriptor = self._open()
        except OSError as error:
            self._fault = error.strerror or "unknown error"
            return 0
        try:
            size = os.fstat(descriptor).st_size
            if self._dropped + size < self._end:
                self._begin_anew()
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # A full disk or a kill cut the last line short.
                size += os.write(descriptor, b"\n")
            written = os.write(descriptor, data)
        except OSError as error:
            self._fault = error.strerror or "unknown error"
            return 0
        else:
            self._fault = os.strerror(errno.ENOSPC)
            self._end = self._dropped + size + written
            if size + written > self._max_bytes * TRIM_AT:
                with suppress(OSError):
                    self._drop_oldest(descriptor, size + written)
            return data[:written].count(b"\n")
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        try:
            return os.open(self.path, flags, 0o640)
        except FileNotFoundError:
            self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            return os.open(self.path, flags, 0o640)

    def _begin_anew(self) -> None:
        """Lets offsets go on from where they were when the log was deleted, moved away or emptied."""
        self._dropped, self._torn = self._end, 0
        with suppress(OSError):
            self._settle()

    def _settle(self) -> None:
        self._account.write(self._dropped, self._torn)

    def _drop_oldest(self, descriptor: int, size: int) -> None:
        surplus = size - int(self._max_bytes * KEEP)
        cut = cuttable(descriptor, surplus, upwards=True) or surplus
        torn = max(0, os.pread(descriptor, LONGEST, cut - 1).find(b"\n"))
        self._announce(cut, torn, size)
        if not collapse(descriptor, cut):
            cut, torn = cut + torn, 0
            self._announce(cut, torn, size)
            self._rewrite(os.pread(descriptor, size - cut, cut))
        self._dropped, self._torn = self._dropped + cut, torn
        failpoint("log.trim")
        self._settle()

    def _announce(self, cut: int, torn: int, uncut: int) -> None:
        # A cap that holds is worth more than offsets that stay valid over a crash.
        with suppress(OSError):
            self._account.write(self._dropped, self._torn, cut, torn, uncut)

    def _rewrite(self, kept: bytes) -> None:
        fresh = self.path.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
            with os.fdopen(descriptor, "wb") as file:
                file.write(kept)
            fresh.replace(self.path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise


def _account_of(path: Path) -> Path:
    return path.with_suffix(".dropped")
