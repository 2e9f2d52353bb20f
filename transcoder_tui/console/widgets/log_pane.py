"""The log of one channel: a window on it, drawn by the line API."""

import asyncio
import time
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from typing import ClassVar, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual import work
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.log_line import LogLine, needle, read_line, wanted
from transcoder_tui.console.log_rows import Rows, wrapped
from transcoder_tui.console.log_window import PIECE, LogSource, LogWindow
from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.widgets.cells import CUT, fit, line
from transcoder_tui.console.widgets.painted import PaintedScroll
from transcoder_tui.errors import TranscoderError

Answer = TypeVar("Answer")

SETTLE_S = 0.12
"""Time for which the cursor has to stay on a channel before its log is asked for, where it came from another one just
before: running down a table with a held key asks for nothing on the way."""
SIDEWAYS = 20
"""Cells by which long lines move sideways."""


class LogPane(PaintedScroll, can_focus=True, inherit_bindings=False):
    """Shows one channel's log, at its end and following it until somebody scrolls up.

    Args:
        preferences: Whether long lines are wrapped and times shown; changed where the operator toggles it.
    """

    PREFIX = "log-pane"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("log")]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-pane--time",
        "log-pane--hit",
        "log-pane--hit-chosen",
        "log-pane--badge",
        *(f"log-pane--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    following = reactive(True)
    """Whether the pane moves along with the log's end."""

    class Moved(Message):
        """What the pane's heading says has changed."""

        def can_replace(self, message: Message) -> bool:
            """One of them is enough."""
            return isinstance(message, LogPane.Moved)

    def __init__(self, *, preferences: Preferences | None = None, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._preferences = preferences or Preferences()
        self._window: LogWindow | None = None
        self._source: LogSource | None = None
        self._lines: list[str] = []
        self._rows = Rows([], None, times=True)
        self._parsed: LRUCache[str, LogLine] = LRUCache(1024)
        self._placing = False
        self._sideways = 0
        self._note = ""
        self._turn = asyncio.Lock()
        self._opening = False
        self._opened_at = 0.0
        self._sought = ""
        self._needle = needle("")
        self._hits: list[int] = []
        self._hit: int | None = None
        self._found = ""
        self._only = ""

    @property
    def channel_id(self) -> int | None:
        """Whose log is shown."""
        return self._window.channel_id if self._window else None

    @property
    def lines(self) -> list[str]:
        """What the pane holds, oldest first; more of it than can be seen."""
        return self._lines

    @property
    def unseen(self) -> int:
        """New lines below, while the pane does not follow."""
        return self._window.unseen if self._window else 0

    @property
    def state(self) -> str:
        """What is shown of the log and whether it follows its end, for its heading."""
        parts = [f"&{self._only}"] if self._only else []
        if self._sought:
            place = f" {self._hits.index(self._hit) + 1} of {len(self._hits)}" if self._hit in self._hits else ""
            parts.append(f"/{self._sought}{self._found or place}")
        new = f"{self._counted} new lines, " if self.unseen else ""
        parts.append("● following" if self.following else f"○ stays: {new}f follows")
        return "   ".join(parts)

    @property
    def _counted(self) -> str:
        return f"{self.unseen}" if self.unseen < PIECE else f"{PIECE} and more"

    def watch_following(self) -> None:
        """Tells the heading."""
        self.post_message(self.Moved())

    def open(self, source: LogSource | None, channel_id: int | None) -> None:
        """Shows another channel's log, at its end; none where there is no channel."""
        self._lines = []
        self._sideways = 0
        self._only = ""
        self.following = True
        self._source = source
        self._window = LogWindow(source, channel_id) if source is not None and channel_id is not None else None
        self._note = "" if self._window else "no channel chosen"
        self._seek("")
        self._draw()
        if self._window is not None:
            now = time.monotonic()
            settle, self._opened_at = (SETTLE_S if now - self._opened_at < SETTLE_S else 0.0), now
            self._opening = True
            self._load(self._window, settle)

    def poll(self) -> None:
        """Looks for new lines."""
        if self._window is not None and not self._opening and not self._turn.locked():
            self._move(self._window, self._window.poll)

    # Moving

    def follow(self) -> None:
        """Jumps to the end and follows it."""
        self.following = True
        self._sideways = 0
        self._hit = None
        if self._window is not None:
            self._opening = True
            self._load(self._window)

    def stay(self) -> None:
        """Stops following."""
        self.following = False
        if self._window is not None:
            self._window.following = False

    def toggle_follow(self) -> None:
        """Follows the end, or stays."""
        if self.following:
            self.stay()
        else:
            self.follow()

    def move(self, where: str) -> None:
        """Moves as the arrow keys and those for pages and ends say."""
        page = max(1, self.size.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if where == "first":
            self.to_start()
        elif where == "last":
            self.follow()
        elif where in ("left", "right"):
            self.sideways(-1 if where == "left" else 1)
        else:
            self.scroll_lines(steps[where])

    def scroll_lines(self, lines: int) -> None:
        """Scrolls down, or up where negative, which stops following."""
        if lines < 0:
            self.stay()
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, immediate=True)

    def sideways(self, steps: int) -> None:
        """Moves along long lines; wrapped ones are seen as a whole."""
        longest = max((cell_len(self._read(text).text) for text in self._shown()), default=0)
        self._sideways = max(0, min(self._sideways + steps * SIDEWAYS, longest - SIDEWAYS))
        self.refresh()

    def to_start(self) -> None:
        """To the first line that the window holds; going on from there fetches what is older."""
        self.stay()
        self.scroll_to(y=0, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stops following when somebody scrolls up, and fetches more at either end of the window."""
        super().watch_scroll_y(old_value, new_value)
        if self._placing or self._window is None or not self._lines:
            return
        if new_value < old_value and new_value < self.max_scroll_y:
            self.stay()
        if new_value <= 0 and not self._window.at_start:
            self._move(self._window, self._window.older)
        elif new_value >= self.max_scroll_y and not self.following and self._window.unseen:
            self._move(self._window, self._window.newer)

    # What is shown, and how

    def action_wrap(self) -> None:
        """Wraps long lines, or cuts them."""
        self._sideways = 0
        self._preferences.keep(wrap=not self._preferences.wrap)
        self._draw()

    def action_times(self) -> None:
        """Shows the times, or hides them."""
        self._preferences.keep(timestamps=not self._preferences.timestamps)
        self._draw()

    async def action_narrow(self) -> None:
        """Asks for what the lines are to hold that are shown."""
        await self._ask("&", self._only, self.narrow)

    def narrow(self, text: str) -> None:
        """Shows only lines with a text; with ``!`` in front those without it; all where it is empty."""
        if self._window is not None and text != self._only:
            self._only = text
            self._note = ""
            self._hit = None
            self._opening = True
            self._reopen(self._window)

    @work(exclusive=True, group="log")
    async def _reopen(self, window: LogWindow) -> None:
        if self.following:
            self._window = LogWindow(self._source, window.channel_id, wanted(self._only)) if self._source else None
            self._opening = self._window is not None
            if self._window is not None:
                self._load(self._window)
            return
        top = self._rows.at(self.scroll_offset.y)[0]
        async with self._turn:
            place = await self._attempt(window.open_at(top, wanted(self._only)))
        self._opening = False
        if place is not None:
            self._take(window, place - top)
            await self._fill(window)

    # Searching

    async def action_search(self) -> None:
        """Asks for what to search for."""
        await self._ask("/", self._sought, self.search, self._seek)

    def search(self, text: str) -> None:
        """Searches for a text: to the hit that is the lowest in view or the next above it; none where it is empty."""
        self._seek(text)
        if self._needle is not None:
            self._to_hit(back=True)

    def action_next_hit(self) -> None:
        """To the next hit, further down."""
        self._to_hit(back=False)

    def action_previous_hit(self) -> None:
        """To the hit before, further up."""
        self._to_hit(back=True)

    def action_clear(self) -> None:
        """Forgets the search, else shows all lines again."""
        if self._sought:
            self._seek("")
        elif self._only:
            self.narrow("")
        else:
            raise SkipAction

    def _seek(self, text: str) -> None:
        """Lights up every hit."""
        self._sought = text
        self._needle = needle(text)
        self._hit = None
        self._found = ""
        self._count_hits()
        self.refresh()
        self.post_message(self.Moved())

    def _is_hit(self, text: str) -> bool:
        shown = read_line(text).shown(times=self._preferences.timestamps)
        return self._needle is not None and self._needle.search(shown) is not None

    def _count_hits(self) -> None:
        self._hits = [at for at, text in enumerate(self._lines) if self._is_hit(text)] if self._needle else []

    def _to_hit(self, *, back: bool) -> None:
        """To the nearest hit above, or below."""
        if self._needle is None or self._window is None:
            self.notify("Nothing is searched for: / searches.", markup=False)
            return
        top, bottom = self._seen()
        if back:
            at = bisect_left(self._hits, self._hit) if self._hit is not None else bisect_right(self._hits, bottom)
            hit = self._hits[at - 1] if at else None
        else:
            at = bisect_right(self._hits, self._hit) if self._hit is not None else bisect_left(self._hits, top)
            hit = self._hits[at] if at < len(self._hits) else None
        if hit is not None:
            self._choose(hit)
        else:
            self._look_beyond(self._window, back=back)

    def _choose(self, hit: int) -> None:
        """Brings a hit into view."""
        self.stay()
        self._hit = hit
        self._found = ""
        row, height = self._rows.of(hit), self.size.height
        if not self.scroll_offset.y <= row < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, row - height // 2), animate=False, immediate=True)
        self._bring_sideways(self._lines[hit])
        self.refresh()
        self.post_message(self.Moved())

    def _bring_sideways(self, text: str) -> None:
        parsed = self._read(text)
        shown = parsed.shown(times=self._preferences.timestamps)
        match = self._needle.search(shown) if self._needle else None
        if match is None or self._wrap_width is not None:
            return
        head = len(shown) - len(parsed.text)
        room = max(SIDEWAYS, self.scrollable_content_region.width - head - 2)
        at = match.start() - head
        if not self._sideways <= at < self._sideways + room - len(match[0]):
            self._sideways = max(0, (at - room // 2) // SIDEWAYS * SIDEWAYS) if at >= room - len(match[0]) else 0

    @work(exclusive=True, group="look")
    async def _look_beyond(self, window: LogWindow, *, back: bool) -> None:
        """Looks for a hit in what the window does not hold; where there is none, everything stays as it is."""
        where = "up" if back else "down"
        self._found = f": looking further {where} …"
        self.post_message(self.Moved())
        pattern = self._needle
        found = await self._attempt(window.find(self._is_hit, back=back))
        if window is not self._window or pattern is not self._needle:
            return
        self._found = f": none further {where}"
        if found is not None:
            self.stay()
            self._window = found
            self._hit = None
            self._take(found)
            self._choose(self._hits[-1 if back else 0])
            await self._fill(found)
            await self._shift(found, found.newer)
        self.post_message(self.Moved())

    # Copying

    def action_copy_line(self) -> None:
        """Copies the line of the hit, else the lowest one that is shown."""
        at = self._hit if self._hit is not None else self._seen()[1]
        self._copy(self._lines[at : at + 1])

    def action_copy_shown(self) -> None:
        """Copies the lines that are shown."""
        self._copy(self._shown())

    def _copy(self, lines: list[str]) -> None:
        """Gives lines to the terminal's clipboard, by its control sequence OSC 52."""
        if lines:
            self.app.copy_to_clipboard("\n".join(lines))
            self.notify(f"Copied: {written.plural(len(lines), 'line')} of the log", markup=False)

    async def _ask(
        self, sign: str, text: str, take: Callable[[str], None], preview: Callable[[str], None] | None = None
    ) -> None:
        """Asks for a text on the screen's last line; what follows in a burst of keys is part of it."""
        from transcoder_tui.console.screens.log_prompt import LogPrompt

        if self._window is None:
            return

        def answer(given: str | None) -> None:
            if given is not None:
                take(given)
            elif preview is not None:
                preview(text)

        prompt = LogPrompt(sign, text, preview)
        await self.app.push_screen(prompt, answer)
        prompt.take_keys()

    # Drawing

    def on_resize(self) -> None:
        """Keeps the end in view while following."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One row of the log."""
        width = self.scrollable_content_region.width
        row = self.scroll_offset.y + y
        if row >= len(self._rows):
            note = f"  {self._note}" if y == 0 and not self._lines else ""
            return line([(fit(note, width), self.tone("muted"))], width, self.base)
        at, part = self._rows.at(row)
        parts = self._styled(self._lines[at], part, chosen=at == self._hit)
        strip = line(_clipped([(" ", self.base), *parts], width), width, self.base)
        if self.unseen and not self.following and y == self.size.height - 1:
            return self._badged(strip, width)
        return strip

    def _badged(self, strip: Strip, width: int) -> Strip:
        badge = f" +{self._counted} new "
        room = max(0, width - len(badge))
        return Strip.join([strip.crop(0, room), line([(badge, self.tone("badge"))], min(len(badge), width), self.base)])

    def _styled(self, text: str, part: int, *, chosen: bool) -> Iterator[tuple[str, Style]]:
        """A line, or its part in a row where it is wrapped, with hits lit up."""
        parsed = self._read(text)
        shown = parsed.shown(times=self._preferences.timestamps)
        level = len(shown) - len(parsed.text) - (8 if parsed.level else 0)
        tones = [(0, self.tone("time")), (level, self.tone(parsed.tone)), (len(shown), self.base)]
        if self._needle is not None:
            lit = self.tone("hit-chosen" if chosen else "hit")
            for match in self._needle.finditer(shown):
                tones = _overlaid(tones, match.start(), match.end(), lit)
        for begin, end in self._ranges(shown, len(shown) - len(parsed.text), part):
            if begin and begin > end:
                yield CUT, self.tone(parsed.tone)
                continue
            for (start, style), (stop, _) in pairwise(tones):
                if cut := shown[max(start, begin) : min(stop, end)]:
                    yield cut, style

    def _ranges(self, shown: str, head: int, part: int) -> Iterator[tuple[int, int]]:
        """Which characters of a line are drawn on a row; a range that ends before it begins stands for a mark."""
        if self._wrap_width is not None:
            rows = wrapped(shown, self._wrap_width)
            begin = sum(map(len, rows[:part]))
            yield begin, begin + len(rows[part] if part < len(rows) else "")
        elif not self._sideways:
            yield 0, len(shown)
        else:
            yield 0, head
            if head + self._sideways < len(shown):
                yield 1, 0
                yield head + self._sideways + 1, len(shown)

    def _read(self, text: str) -> LogLine:
        parsed = self._parsed.get(text)
        if parsed is None:
            parsed = self._parsed[text] = read_line(text)
        return parsed

    @property
    def _wrap_width(self) -> int | None:
        return max(1, self.scrollable_content_region.width - 1) if self._preferences.wrap else None

    def _seen(self) -> tuple[int, int]:
        """The first and the last line that can be seen."""
        top = self.scroll_offset.y
        bottom = min(top + self.size.height, len(self._rows)) - 1
        return self._rows.at(top)[0], self._rows.at(max(0, bottom))[0]

    def _shown(self) -> list[str]:
        top, bottom = self._seen()
        return self._lines[top : bottom + 1]

    # Loading

    @work(exclusive=True, group="log")
    async def _load(self, window: LogWindow, settle: float = 0.0) -> None:
        if settle:
            await asyncio.sleep(settle)
        async with self._turn:
            await self._attempt(window.open())
        self._opening = False
        window.following = self.following  # somebody may have scrolled up meanwhile
        self._take(window)
        await self._fill(window)

    @work(group="log")
    async def _move(self, window: LogWindow, how: Callable[[], Awaitable[int]]) -> None:
        await self._shift(window, how)
        await self._fill(window)

    async def _shift(self, window: LogWindow, how: Callable[[], Awaitable[int]]) -> bool:
        """Runs one of the window's movements; ``how`` says how far the lines came down. Whether that went well."""
        async with self._turn:
            before = (window.begin, window.end, window.unseen, self._note)
            down = await self._attempt(how())
        if down is not None and (window.begin, window.end, window.unseen, self._note) != before:
            self._take(window, down)
        return down is not None

    async def _fill(self, window: LogWindow) -> None:
        """Fetches what is older where few lines are shown, as by a filter."""
        while window is self._window and len(self._rows) < self.size.height and not window.at_start:
            begin = window.begin
            if not await self._shift(window, window.older) or window.begin == begin:
                return

    async def _attempt(self, asked: Awaitable[Answer]) -> Answer | None:
        try:
            answer = await asked
        except TranscoderError as error:
            self._note = error.faults[0].fault if error.faults else error.title
            return None
        self._note = f"no line {self._only!r}" if self._only else "nothing has been logged yet"
        return answer

    def _take(self, window: LogWindow, down: int = 0) -> None:
        """Draws what the window holds now, with the line that was on top still on top unless the pane follows.

        Args:
            window: Dropped where another channel was opened meanwhile.
            down: How many lines came in front; negative where lines were dropped there.
        """
        if window is not self._window:
            return
        self._lines = list(window)
        if self._hit is not None:
            self._hit = self._hit + down if 0 <= self._hit + down < len(self._lines) else None
        self._count_hits()
        self._draw(down)
        self.post_message(self.Moved())

    def _draw(self, down: int = 0) -> None:
        self._placing = True
        try:
            top, part = self._rows.at(self.scroll_offset.y)
            self._rows = Rows(self._lines, self._wrap_width, times=self._preferences.timestamps)
            self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
            target = self.max_scroll_y if self.following else self._rows.of(max(0, top + down)) + part
            self.scroll_to(y=target, animate=False, immediate=True)
        finally:
            self._placing = False
        self.refresh()


def _overlaid(tones: list[tuple[int, Style]], begin: int, end: int, style: Style) -> list[tuple[int, Style]]:
    """Styles by the place from which they hold, with another one from ``begin`` to ``end``."""
    before = [(at, tone) for at, tone in tones if at < begin]
    after = [(at, tone) for at, tone in tones if at >= end]
    resumed = [tone for at, tone in tones if at <= end][-1]
    return [*before, (begin, style), *([] if after and after[0][0] == end else [(end, resumed)]), *after]


def _clipped(parts: list[tuple[str, Style]], width: int) -> list[tuple[str, Style]]:
    """Parts that fit a width, with a mark where they were cut."""
    if sum(cell_len(text) for text, _ in parts) <= width:
        return parts
    room = width - 1
    kept: list[tuple[str, Style]] = []
    for text, style in parts:
        cells = cell_len(text)
        if cells > room:
            return [*kept, (set_cell_size(text, max(0, room)) + CUT, style)]
        kept.append((text, style))
        room -= cells
    return kept
