"""A window over a channel's log: a bounded run of lines that can be moved both ways, and that can follow the end.

The log itself stays with the worker, which serves it by byte offsets. They count from the log's first line ever, so
they stay true although its oldest part is dropped when it grows over its cap.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from transcoder_tui.models.view import LogChunk

PIECE = 400
"""Lines asked for at a time: some 55 kB of FFmpeg's usual lines, well within one answer."""
MOST = 2000
"""Lines kept: as many screens as somebody scrolls through before he reaches for a search."""
STEP = 48_000
"""Bytes by which a look back goes: about :data:`PIECE` lines of the usual 120 bytes."""
STRIDE = 130_000
"""Bytes by which a search goes: a log of 10 MB is through in 0.6 s of the console's time (measured), and no step holds
it up for more than some 10 ms."""
STRIDE_LINES = 1200
"""Lines asked for at a time by a search; the worker gives 5,000 at the most."""
CATCH_UP = 24
"""Strides that new lines may be behind before a window with a filter skips them: some 28,000 lines a second."""

LONGEST = 4000
"""Characters of a line that are kept: FFmpeg's longest commands fit; a line of 90,000 would freeze a terminal."""


Matches = Callable[[str], bool]
"""Whether a line is wanted."""


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
        wanted: Which lines are shown; None shows all.
    """

    def __init__(self, source: LogSource, channel_id: int, wanted: Matches | None = None) -> None:
        self._source = source
        self.channel_id = channel_id
        self._wanted = wanted
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
    def begin(self) -> int:
        """The offset at which the window begins."""
        return self._pieces[0].offset if self._pieces else 0

    @property
    def end(self) -> int:
        """The offset at which it ends."""
        return self._pieces[-1].next_offset if self._pieces else 0

    @property
    def at_start(self) -> bool:
        """Whether the window begins where the log begins."""
        return not self._pieces or self._pieces[0].offset <= self.first_offset

    async def open(self) -> None:
        """Jumps to the end of the log and follows it."""
        self.following = True
        self.unseen = 0
        chunk = await self._ask(PIECE)
        self._pieces = deque([self._piece(chunk)])

    async def open_at(self, line: int, wanted: Matches | None) -> int:
        """Shows other lines, from about where a line stands that is shown at present.

        Args:
            line: Its position.
            wanted: Which lines are shown from now on; None shows all.

        Returns:
            Its position now, or that of the first one behind it that is shown.
        """
        self._wanted = wanted
        before = line
        for piece in self._pieces:
            if before < len(piece.lines):
                return await self._open_in(piece, piece.lines[before])
            before -= len(piece.lines)
        await self.open()
        return len(self)

    async def _open_in(self, piece: _Piece, text: str) -> int:
        self.unseen = 0
        begin = piece.offset
        while True:
            chunk = await self._ask(STRIDE_LINES, begin)
            lines = _cut(chunk.lines)
            self._pieces = deque(self._split(chunk))
            if text in lines:
                return self._only_around(len(self._kept(lines[: lines.index(text)])))
            if not begin < chunk.next_offset < piece.next_offset:
                return 0
            begin = chunk.next_offset

    async def poll(self) -> int:
        """Looks for new lines: takes them in where the window follows, else counts them.

        A log that grows faster than it can be read is skipped to its end: following never lags behind.

        Returns:
            How far the lines that stay came down: negative where lines were dropped from the front, to keep it bounded.
        """
        if not self._pieces:
            await self.open()
            return 0
        if self._wanted is not None and self.following:
            return await self._catch_up()
        chunk = await self._ask(PIECE, self.end)
        if not self.following:
            self.unseen = len(self._kept(chunk.lines))
            return 0
        if len(chunk.lines) >= PIECE or chunk.offset != self.end:
            return await self._skip()
        return self._append(chunk)

    async def newer(self) -> int:
        """Takes in what lies behind the window.

        Returns:
            How far the lines that stay came down.
        """
        if not self._pieces:
            return 0
        down = 0
        for _ in range(CATCH_UP):
            held, end = len(self), self.end
            down += self._append(await self._ask(self._lines_at_once, end))
            if self.end == end or len(self) > held:
                break
        self.unseen = 0
        return down

    async def older(self) -> int:
        """Takes in what lies before the window.

        Returns:
            How far the lines that stay came down.
        """
        if self.at_start:
            return 0
        added = 0
        step = STEP if self._wanted is None else STRIDE
        async for pieces in self._back(step):
            for piece in reversed(pieces):
                added += len(piece.lines)
                self._prepend(piece)
            if added:
                break
        while len(self) > MOST and len(self._pieces) > 1:
            self._pieces.pop()
        return added

    async def find(self, matches: Matches, *, back: bool) -> "LogWindow | None":
        """Looks for a line beyond the window, without moving it.

        Args:
            matches: What is looked for, of the lines that this window shows.
            back: Towards the start of the log, else towards its end.

        Returns:
            A window on where the nearest such line stands; None where there is none.
        """
        found = LogWindow(self._source, self.channel_id, self._wanted)
        found.following = False
        pieces = self._back(STRIDE) if back else self._onwards()
        async for some in pieces:
            found._pieces = deque(some)
            hits = [place for place, text in enumerate(found) if matches(text)]
            if hits:
                found.first_offset = self.first_offset
                found._only_around(hits[-1 if back else 0])
                return found
        return None

    @property
    def _lines_at_once(self) -> int:
        return PIECE if self._wanted is None else STRIDE_LINES

    def _kept(self, lines: list[str]) -> list[str]:
        cut = _cut(lines)
        return cut if self._wanted is None else list(filter(self._wanted, cut))

    def _piece(self, chunk: "LogChunk") -> _Piece:
        return _Piece(chunk.offset, chunk.next_offset, self._kept(chunk.lines))

    def _split(self, chunk: "LogChunk") -> list[_Piece]:
        """A chunk in pieces of :data:`PIECE` lines, of which each can be dropped by itself."""
        places = _places(chunk)
        if places is None:
            return [self._piece(chunk)]
        return [
            _Piece(
                places[at],
                places[min(at + PIECE, len(chunk.lines))],
                self._kept(chunk.lines[at : at + PIECE]),
            )
            for at in range(0, len(chunk.lines), PIECE)
        ]

    def _only_around(self, line: int) -> int:
        """Drops what is far from a line; where that line is then."""
        kept: deque[_Piece] = deque()
        before = 0
        for piece in self._pieces:
            if before + len(piece.lines) < line - PIECE:
                line -= len(piece.lines)
            elif before < line + PIECE:
                kept.append(piece)
                before += len(piece.lines)
        self._pieces = kept
        return line

    async def _back(self, step: int) -> AsyncIterator[list[_Piece]]:
        """The log before the window, ``step`` bytes or less at a time, the nearest first."""
        end = self._pieces[0].offset if self._pieces else 0
        while end > self.first_offset:
            begin = await self._line_start(max(self.first_offset, end - step))
            if begin >= end:
                return
            yield await self._between(begin, end)
            await asyncio.sleep(0)  # lets the console draw, however fast the log is served
            end = begin

    async def _onwards(self) -> AsyncIterator[list[_Piece]]:
        """The log behind the window, some at a time."""
        end = self.end
        while True:
            chunk = await self._ask(STRIDE_LINES, end)
            if chunk.next_offset <= end:
                return
            yield self._split(chunk)
            await asyncio.sleep(0)
            end = chunk.next_offset

    async def _between(self, begin: int, end: int) -> list[_Piece]:
        found: list[_Piece] = []
        while begin < end:
            chunk = await self._until(begin, end)
            if chunk.next_offset <= begin:
                break
            found += self._split(chunk)
            begin = chunk.next_offset
        return found

    async def _line_start(self, offset: int) -> int:
        """The first line's start from an offset on, which may lie within a line."""
        if offset <= self.first_offset:
            return self.first_offset
        return (await self._ask(1, offset)).next_offset

    async def _until(self, begin: int, end: int) -> "LogChunk":
        """The lines from ``begin`` on, none from ``end`` on."""
        chunk = await self._ask(STRIDE_LINES, begin)
        if chunk.next_offset <= end:
            return chunk
        places = _places(chunk)
        if places is not None and end in places:
            return chunk.model_copy(update={"lines": chunk.lines[: places.index(end)], "next_offset": end})
        return await self._halved(chunk, begin, end)

    async def _halved(self, chunk: "LogChunk", begin: int, end: int) -> "LogChunk":
        """The same where only a chunk's own ends are known as offsets: the number of lines is found by halving."""
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

    async def _catch_up(self) -> int:
        """Takes in all new lines that are wanted, however many others lie between them."""
        down = 0
        for _ in range(CATCH_UP):
            chunk = await self._ask(STRIDE_LINES, self.end)
            if chunk.offset != self.end:
                break
            down += self._append(chunk)
            if len(chunk.lines) < STRIDE_LINES:
                return down
            await asyncio.sleep(0)
        return await self._skip()

    async def _skip(self) -> int:
        gone = len(self)
        await self.open()
        return -gone

    def _append(self, chunk: "LogChunk") -> int:
        if chunk.next_offset <= self.end:
            return 0
        for piece in self._split(chunk):
            last = self._pieces[-1]
            if len(last.lines) + len(piece.lines) <= PIECE and last.next_offset == piece.offset:
                last.lines.extend(piece.lines)
                last.next_offset = piece.next_offset
            else:
                self._pieces.append(piece)
        down = 0
        while len(self) > MOST and len(self._pieces) > 1:
            down -= len(self._pieces.popleft().lines)
        return down

    def _prepend(self, piece: _Piece) -> None:
        first = self._pieces[0]
        if len(first.lines) + len(piece.lines) <= PIECE and piece.next_offset == first.offset:
            first.lines[:0] = piece.lines
            first.offset = piece.offset
        else:
            self._pieces.appendleft(piece)

    async def _ask(self, lines: int, offset: int | None = None) -> "LogChunk":
        chunk = await self._source.log(self.channel_id, lines=lines, offset=offset)
        self.first_offset = chunk.first_offset
        return chunk


def _cut(lines: list[str]) -> list[str]:
    """Lines of which none is too long, with a mark where one was."""
    return [text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…" for text in lines]


def _places(chunk: "LogChunk") -> list[int] | None:
    """Where each line begins, and where the last one ends.

    None where that cannot be told: a text has another length than its bytes on disk where these were no characters.
    """
    places = list(accumulate((len(text.encode(errors="replace")) + 1 for text in chunk.lines), initial=chunk.offset))
    return places if places[-1] == chunk.next_offset else None
