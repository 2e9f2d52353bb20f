"""A window over a channel's log: a bounded run of lines that can be moved both ways, and that can follow the end.

The log itself stays with the worker, which serves it by byte offsets. They count from the log's first line ever, so
they stay true although its oldest part is dropped when it grows over its cap.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from transcoder_tui.models.view import LogChunk

PIECE = 400
"""Lines asked for at a time: some 55 kB of FFmpeg's usual lines, well within one answer."""
MOST = 2000
"""Lines kept: as many screens as somebody scrolls through before he reaches for a search."""
STEP = 48_000
"""Bytes by which a look back goes: about :data:`PIECE` lines of the usual 120 bytes."""


LONGEST = 4000
"""Characters of a line that are kept: FFmpeg's longest commands fit; a line of 90,000 would freeze a terminal."""


class LogSource(Protocol):
    """Who serves the log."""

    async def log(self, channel_id: int, *, lines: int, offset: int | None = None) -> "LogChunk":
        """A part of a channel's log: from an offset, or its last lines."""
        ...


@dataclass(slots=True)
class _Piece:
    offset: int
    next_offset: int
    lines: list[str]


class LogWindow:
    """Lines of one channel's log.

    Args:
        source: Who serves it.
        channel_id: Whose log.
    """

    def __init__(self, source: LogSource, channel_id: int) -> None:
        self._source = source
        self.channel_id = channel_id
        self._pieces: deque[_Piece] = deque()
        self.following = True
        """Whether the window moves along with the log's end."""
        self.unseen = 0
        """Lines behind the window that are known to be there, at most :data:`PIECE`."""
        self.first_offset = 0

    def __len__(self) -> int:
        return sum(len(piece.lines) for piece in self._pieces)

    def __iter__(self) -> Iterator[str]:
        return (text for piece in self._pieces for text in piece.lines)

    @property
    def at_start(self) -> bool:
        """Whether the window begins where the log begins."""
        return not self._pieces or self._pieces[0].offset <= self.first_offset

    async def open(self) -> None:
        """Jumps to the end of the log and follows it."""
        self.following = True
        self.unseen = 0
        chunk = await self._ask(PIECE)
        self._pieces = deque([_Piece(chunk.offset, chunk.next_offset, chunk.lines)])

    async def poll(self) -> int:
        """Looks for new lines: takes them in where the window follows, else counts them.

        A log that grows faster than it can be read is skipped to its end: following never lags behind.

        Returns:
            How far the lines that stay came down: negative where lines were dropped from the front, to keep it bounded.
        """
        if not self._pieces:
            await self.open()
            return 0
        chunk = await self._ask(PIECE, self._pieces[-1].next_offset)
        if not self.following:
            self.unseen = len(chunk.lines)
            return 0
        if len(chunk.lines) >= PIECE or chunk.offset != self._pieces[-1].next_offset:
            gone = len(self)
            await self.open()
            return -gone
        return self._append(chunk)

    async def newer(self) -> int:
        """Takes in what lies behind the window.

        Returns:
            How far the lines that stay came down.
        """
        if not self._pieces:
            return 0
        chunk = await self._ask(PIECE, self._pieces[-1].next_offset)
        self.unseen = 0
        return self._append(chunk)

    async def older(self) -> int:
        """Takes in what lies before the window.

        Returns:
            How far the lines that stay came down.
        """
        if self.at_start:
            return 0
        start = self._pieces[0].offset
        begin = await self._line_start(max(self.first_offset, start - STEP))
        added = 0
        found: list[_Piece] = []
        while begin < start:
            chunk = await self._until(begin, start)
            if not chunk.lines or chunk.next_offset <= begin:
                break
            found.append(_Piece(chunk.offset, chunk.next_offset, chunk.lines))
            added += len(chunk.lines)
            begin = chunk.next_offset
        self._pieces.extendleft(reversed(found))
        while len(self) > MOST and len(self._pieces) > 1:
            self._pieces.pop()
        return added

    async def _line_start(self, offset: int) -> int:
        """The first line's start from an offset on, which may lie within a line."""
        if offset <= self.first_offset:
            return self.first_offset
        return (await self._ask(1, offset)).next_offset

    async def _until(self, begin: int, end: int) -> "LogChunk":
        """The lines from ``begin`` on, none from ``end`` on.

        Only a chunk's own ends are known as offsets (texts may be shorter than the bytes on disk where secrets are
        masked), so the number of lines is found by halving.
        """
        chunk = await self._ask(PIECE, begin)
        if chunk.next_offset <= end:
            return chunk
        fitting = chunk.model_copy(update={"lines": [], "next_offset": begin})
        fits, exceeds = 0, len(chunk.lines)
        while exceeds - fits > 1:
            middle = (fits + exceeds) // 2
            tried = await self._ask(middle, begin)
            if tried.next_offset <= end:
                fits, fitting = middle, tried
            else:
                exceeds = middle
        return fitting

    def _append(self, chunk: "LogChunk") -> int:
        if not chunk.lines:
            return 0
        last = self._pieces[-1]
        if len(last.lines) + len(chunk.lines) <= PIECE and last.next_offset == chunk.offset:
            last.lines.extend(chunk.lines)
            last.next_offset = chunk.next_offset
        else:
            self._pieces.append(_Piece(chunk.offset, chunk.next_offset, chunk.lines))
        down = 0
        while len(self) > MOST and len(self._pieces) > 1:
            down -= len(self._pieces.popleft().lines)
        return down

    async def _ask(self, lines: int, offset: int | None = None) -> "LogChunk":
        chunk = await self._source.log(self.channel_id, lines=lines, offset=offset)
        self.first_offset = chunk.first_offset
        chunk.lines = [text[:LONGEST] for text in chunk.lines]
        return chunk
