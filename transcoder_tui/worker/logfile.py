"""A channel's log: FFmpeg's lines stamped with the time when they were read, and the worker's own."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from transcoder_tui.models.view import LogChunk

KEEP = 3 / 4
"""Share of the cap that is left after the oldest part was dropped."""
MAX_LINE = 4000
"""Characters of one line that are kept; nothing that FFmpeg means to be read is longer."""
LONGEST = 4 * MAX_LINE + 64
"""Bytes of the longest line that is written: four for each character, and the stamp."""
TAIL_BLOCK = 65536
"""Bytes read at a time when looking for the last lines."""


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
    part is dropped. How much was dropped lies in a small file beside the log.

    Args:
        path: The log file.
        max_bytes: Size at which its oldest part is dropped.
    """

    def __init__(self, path: Path, max_bytes: int) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._dropped_file = path.with_suffix(".dropped")
        self._dropped = read_number(self._dropped_file)

    def write(self, lines: Iterable[str]) -> None:
        """Appends stamped lines; a log that was deleted or moved is begun anew. A full disk loses the lines."""
        data = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        if not data:
            return
        try:
            self.path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
            try:
                os.write(descriptor, data)
                size = os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            if size > self._max_bytes:
                self._drop_oldest(size)
        except OSError:
            return

    def move(self, path: Path) -> None:
        """Goes on under another name, as after a renaming of the channel."""
        if path == self.path:
            return
        for old, new in ((self.path, path), (self._dropped_file, path.with_suffix(".dropped"))):
            with suppress(OSError):
                old.replace(new)
        self.path, self._dropped_file = path, path.with_suffix(".dropped")

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
        start = max(offset - self._dropped, 0)
        text = self._bytes(start, min(size, start + lines * LONGEST))
        kept = text.split(b"\n")[:-1][:lines]
        end = start + sum(len(line) + 1 for line in kept)
        return self._chunk(start, end, kept)

    def tail(self, lines: int) -> LogChunk:
        """The last lines.

        Args:
            lines: At most so many.
        """
        size = self._size()
        start, text = size, b""
        while start > 0 and text.count(b"\n") <= lines:
            step = min(TAIL_BLOCK, start)
            start -= step
            text = self._bytes(start, start + step) + text
        whole = text.split(b"\n")
        kept, end = whole[:-1][-lines:], size - len(whole[-1])
        begin = end - sum(len(line) + 1 for line in kept)
        return self._chunk(begin, end, kept)

    def _chunk(self, start: int, end: int, lines: list[bytes]) -> LogChunk:
        return LogChunk(
            offset=self._dropped + start,
            next_offset=self._dropped + end,
            first_offset=self._dropped,
            lines=[line.decode(errors="replace") for line in lines],
        )

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def _bytes(self, start: int, end: int) -> bytes:
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except OSError:
            return b""

    def _drop_oldest(self, size: int) -> None:
        kept = self._bytes(size - int(self._max_bytes * KEEP), size)
        kept = kept[kept.find(b"\n") + 1 :]
        fresh = self.path.with_suffix(".new")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
            with os.fdopen(descriptor, "wb") as file:
                file.write(kept)
            fresh.replace(self.path)
        except OSError:
            fresh.unlink(missing_ok=True)
            return
        self._dropped += size - len(kept)
        with suppress(OSError):
            self._dropped_file.write_text(str(self._dropped))


def read_number(path: Path) -> int:
    """The number that a small file holds; 0 where it holds none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return 0
