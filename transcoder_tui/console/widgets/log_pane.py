"""The log of the channel under the cursor: a window on it, drawn by the line API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

from rich.cells import cell_len
from textual import work
from textual.cache import LRUCache
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from transcoder_tui.console.log_line import LogLine, read_line
from transcoder_tui.console.log_window import LogSource, LogWindow
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted
from transcoder_tui.errors import TranscoderError

Answer = TypeVar("Answer")

SETTLE_S = 0.12
"""Time for which the cursor has to stay on a channel before its log is asked for: running down a table with a held
key asks for nothing on the way."""
SIDEWAYS = 20
"""Cells by which long lines move sideways."""


class LogPane(Painted, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows one channel's log, at its end and following it until somebody scrolls up."""

    PREFIX = "log-pane"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-pane--time",
        *(f"log-pane--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    following = reactive(True)
    """Whether the pane moves along with the log's end."""

    class Moved(Message):
        """What the pane's heading says has changed."""

        def can_replace(self, message: Message) -> bool:
            """One of them is enough."""
            return isinstance(message, LogPane.Moved)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._window: LogWindow | None = None
        self._lines: list[str] = []
        self._parsed: LRUCache[str, LogLine] = LRUCache(1024)
        self._placing = False
        self._sideways = 0
        self._note = ""
        self._turn = asyncio.Lock()
        self._opening = False

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
        """Whether it follows the log's end, for its heading."""
        if self.following:
            return "● following"
        more = f"{self.unseen} new lines, " if self.unseen else ""
        return f"○ stays: {more}f follows"

    def watch_following(self) -> None:
        """Tells the heading."""
        self.post_message(self.Moved())

    def open(self, source: LogSource | None, channel_id: int | None) -> None:
        """Shows another channel's log, at its end; none where there is no channel."""
        self._lines = []
        self._sideways = 0
        self.following = True
        self._window = LogWindow(source, channel_id) if source is not None and channel_id is not None else None
        self._note = "" if self._window else "no channel chosen"
        self._draw()
        if self._window is not None:
            self._opening = True
            self._load(self._window, SETTLE_S)

    def poll(self) -> None:
        """Looks for new lines."""
        if self._window is not None and not self._opening and not self._turn.locked():
            self._move(self._window, self._window.poll)

    def follow(self) -> None:
        """Jumps to the end and follows it."""
        self.following = True
        self._sideways = 0
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
        """Moves along long lines."""
        longest = max((cell_len(read_line(text).text) for text in self._visible()), default=0)
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

    def on_resize(self) -> None:
        """Keeps the end in view while following."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of the log."""
        width = self.scrollable_content_region.width
        place = self.scroll_offset.y + y
        if place >= len(self._lines):
            note = f"  {self._note}" if y == 0 and not self._lines else ""
            return line([(fit(note, width), self.tone("muted"))], width, self.base)
        text = self._lines[place]
        parsed = self._parsed.get(text)
        if parsed is None:
            parsed = self._parsed[text] = read_line(text)
        tone = self.tone(parsed.tone)
        head = f" {parsed.time:8} " if parsed.time else " "
        level = f"{parsed.level:8}" if parsed.level else ""
        room = width - len(head) - len(level)
        shown = parsed.text[self._sideways :] if self._sideways else parsed.text
        if self._sideways and shown:
            shown = "…" + shown[1:]
        return line([(head, self.tone("time")), (level, tone), (fit(shown, room), tone)], width, self.base)

    def _visible(self) -> list[str]:
        top = self.scroll_offset.y
        return self._lines[top : top + self.size.height]

    @work(exclusive=True, group="log")
    async def _load(self, window: LogWindow, settle: float = 0.0) -> None:
        await asyncio.sleep(settle)
        async with self._turn:
            await self._attempt(window.open())
        self._opening = False
        window.following = self.following  # somebody may have scrolled up meanwhile
        self._take(window)

    @work(group="log")
    async def _move(self, window: LogWindow, how: Callable[[], Awaitable[int]]) -> None:
        """Runs one of the window's movements; ``how`` says how far the lines came down."""
        async with self._turn:
            down = await self._attempt(how())
        if down is not None:
            self._take(window, down)

    async def _attempt(self, asked: Awaitable[Answer]) -> Answer | None:
        try:
            answer = await asked
        except TranscoderError as error:
            self._note = error.faults[0].fault if error.faults else error.title
            return None
        self._note = "nothing has been logged yet"
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
        self._draw(down)
        self.post_message(self.Moved())

    def _draw(self, down: int = 0) -> None:
        self._placing = True
        try:
            top = self.scroll_offset.y
            self.virtual_size = Size(self.scrollable_content_region.width, len(self._lines))
            target = self.max_scroll_y if self.following else max(0, top + down)
            self.scroll_to(y=target, animate=False, immediate=True)
        finally:
            self._placing = False
        self.refresh()
