"""Events, one line each, drawn by the line API: at their end and following it until somebody goes up."""

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import events as input_events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console.event_line import actor_of, clock_time, day, look_of
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import PaintedScroll

if TYPE_CHECKING:
    from transcoder_tui.models.event import Event

BROAD = 110
"""Cells from which on there is room for a column of severities and one of actors."""
NAME_SHARE = 0.2
"""Part of a narrow line that the channel's name takes."""
NAME_WIDTH = 26
"""Cells of the name on a broad one: as in the table of channels."""
ACTOR_WIDTH = 12


class EventList(PaintedScroll, can_focus=True, inherit_bindings=False):
    """Shows events that its screen gives it; holds a cursor, by the event's id."""

    PREFIX = "event-list"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "event-list--time",
        "event-list--name",
        "event-list--actor",
        "event-list--cursor",
        "event-list--cursor-blurred",
        "event-list--stale",
        *(f"event-list--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    stale = reactive(False)
    """Whether they are the last known ones of a worker that does not answer."""

    class Moved(Message):
        """The cursor stands on another event, or an end of the list was reached."""

        def can_replace(self, message: Message) -> bool:
            """One of them is enough."""
            return isinstance(message, EventList.Moved)

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._events: list[Event] = []
        self._ids: list[int] = []
        self._cursor: int | None = None
        self._latest = 0
        """The latest event when the list began to stay."""
        self._placing = False
        self.following = True
        """Whether the cursor goes along with the latest event."""

    @property
    def events(self) -> "list[Event]":
        """What is shown, oldest first."""
        return self._events

    @property
    def position(self) -> int | None:
        """Line of the cursor: where its event is gone, of the next one; None where there is none."""
        if not self._ids:
            return None
        if self.following or self._cursor is None:
            return len(self._ids) - 1
        return min(bisect_left(self._ids, self._cursor), len(self._ids) - 1)

    @property
    def current(self) -> "Event | None":
        """The event under the cursor."""
        place = self.position
        return self._events[place] if place is not None else None

    @property
    def unseen(self) -> int:
        """Events that happened since the list stays."""
        return 0 if self.following else len(self._ids) - bisect_right(self._ids, self._latest)

    @property
    def at_top(self) -> bool:
        """Whether the first line can be seen, or would be if there were lines."""
        height = self.scrollable_content_region.height
        if self.following:
            return len(self._events) <= height and bool(height or not self._events)
        return self.scroll_offset.y <= 0

    def show(self, shown: "list[Event]") -> None:
        """Shows these events. What stood on top stays on top, unless the list follows."""
        top = self.scroll_offset.y
        anchor = self._ids[min(top, len(self._ids) - 1)] if self._ids else None
        self._events = shown
        self._ids = [event.id for event in shown]
        self.virtual_size = Size(self.scrollable_content_region.width, len(shown))
        if not self.following and anchor is not None:
            self._scroll(bisect_left(self._ids, anchor))
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def move(self, where: str) -> None:
        """Moves the cursor; away from the last line it stops following."""
        place = self.position
        if place is None:
            return
        last = len(self._ids) - 1
        page = max(1, self.scrollable_content_region.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page, "first": -len(self._ids), "last": last}
        self._go(max(0, min(place + steps.get(where, 0), last)))
        if where == "last":
            self.follow()
        elif place == last and steps.get(where, 0) < 0:
            self.stay()

    def follow(self) -> None:
        """Goes to the latest event and on with each new one."""
        self.following = True
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def stay(self) -> None:
        """Stays on the event under the cursor."""
        if (place := self.position) is not None:
            self._go(place)

    def watch_stale(self) -> None:
        """Greys the lines, or gives them their colours back."""
        self.refresh()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Where the wheel scrolled, brings the cursor along, which stops following; tells that other lines are seen."""
        super().watch_scroll_y(old_value, new_value)
        place, height = self.position, self.scrollable_content_region.height
        if place is not None and height > 0 and not self._placing:
            top = round(new_value)
            reached = max(top, min(place, top + height - 1, len(self._ids) - 1))
            if reached != place:
                self._point(reached)
        self.post_message(self.Moved())

    def on_resize(self) -> None:
        """Keeps the cursor in view."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._events))
        self._keep_in_view()
        self.post_message(self.Moved())

    def on_click(self, event: input_events.Click) -> None:
        """Puts the cursor on the line that was clicked."""
        place = event.y + self.scroll_offset.y
        if place < len(self._ids):
            self._go(place)

    def _go(self, place: int) -> None:
        self._point(place)
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Moved())

    def _keep_in_view(self) -> None:
        place, height = self.position, self.scrollable_content_region.height
        if place is None or height <= 0:
            return
        top = self.scroll_offset.y
        if not top <= place < top + height:
            self._scroll(place if place < top else place - height + 1)

    def _point(self, place: int) -> None:
        if self.following:
            self._latest = self._ids[-1]
        self._cursor = self._ids[place]
        self.following = False

    def _scroll(self, top: int) -> None:
        self._placing = True
        self.scroll_to(y=top, animate=False, immediate=True)
        self._placing = False

    def render_line(self, y: int) -> Strip:
        """One event."""
        width = self.scrollable_content_region.width
        place = self.scroll_offset.y + y
        if place >= len(self._events):
            return Strip.blank(width, self.base)
        event = self._events[place]
        before = self._events[place - 1] if place and y else None
        chosen = place == self.position
        return line(self._parts(event, before, width, chosen=chosen), width, self._style("plain", chosen=chosen))

    def _parts(self, event: "Event", before: "Event | None", width: int, *, chosen: bool) -> list[tuple[str, Style]]:
        look = look_of(event)
        date = day(event.at) if before is None or day(before.at) != day(event.at) else ""
        actor = actor_of(event)
        broad = width >= BROAD
        severity = f"{event.severity.value:8}" if broad else ""
        name = NAME_WIDTH if broad else max(8, int(width * NAME_SHARE))
        message = event.message if broad or not actor else f"{actor}: {event.message}"
        taken = 1 + 7 + 9 + 10 + len(severity) + name + 1 + (ACTOR_WIDTH + 1) * broad
        parts = [
            ("▌" if chosen else " ", "busy"),
            (f"{date:6} ", "time"),
            (f"{clock_time(event.at)} ", "time"),
            (f"{look.glyph} {look.word:7} ", look.tone),
            (severity, look.tone if event.severity.value != "info" else "muted"),
            (fit(event.channel, name) + " ", "name"),
            (fit(message, max(0, width - taken)), "plain" if look.tone in ("busy", "good") else look.tone),
        ]
        if broad:
            parts.append((" " + fit(actor, ACTOR_WIDTH), "actor"))
        return [(text, self._style(tone, chosen=chosen)) for text, tone in parts]

    def _style(self, name: str, *, chosen: bool) -> Style:
        # Grey on the cursor's colour could not be read.
        name = ("plain" if chosen else "stale") if self.stale else name
        cursor = "cursor" if self.has_focus else "cursor-blurred"
        return self.over(self.over(self.base, cursor) if chosen else self.base, name)
