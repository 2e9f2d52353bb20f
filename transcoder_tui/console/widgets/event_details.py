"""Everything about one event, with the end of FFmpeg's log that some events carry."""

from typing import TYPE_CHECKING

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console.event_line import actor_of, look_of
from transcoder_tui.console.log_line import read_line
from transcoder_tui.console.status import Tone

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from transcoder_tui.models.event import Event

_STYLES: dict[Tone, str] = {
    "good": "$success",
    "busy": "$primary",
    "warn": "bold $warning",
    "bad": "bold $error",
    "muted": "$foreground 70%",
    "plain": "$foreground",
}


def details(event: "Event") -> Content:
    """An event in words: what, when, to whom and by whom; what was said; the end of the log."""
    look = look_of(event)
    at = event.at
    words = [f"{at.day} {at:%B %Y %H:%M:%S} UTC"]
    if event.channel:
        words.append(event.channel + (f" (id {event.channel_id})" if event.channel_id is not None else ""))
    if actor := actor_of(event):
        words.append(f"by {actor}")
    lines = [
        Content.assemble(
            (f"{look.glyph} {event.kind.value}, {event.severity.value}", _STYLES[look.tone]),
            ("  " + "  ".join(words), "$foreground 70%"),
        ),
        Content(event.message),
    ]
    if event.log:
        lines += [Content(""), Content.styled("The end of FFmpeg's log", "bold $primary")]
        lines += [Content.styled(text, _STYLES[read_line(text).tone]) for text in event.log.splitlines()]
    return Content("\n").join(lines)


class EventDetails(VerticalScroll, can_focus=True, inherit_bindings=False):
    """Shows one event, from its beginning."""

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._shown: Event | None = None

    def compose(self) -> "ComposeResult":
        """Its words."""
        yield Static(markup=False, id="event")

    def show(self, event: "Event | None") -> None:
        """Shows an event, or nothing."""
        if event is not None and self._shown is not None and event.id == self._shown.id:
            return
        self._shown = event
        self.query_one(Static).update(details(event) if event is not None else "")
        self.scroll_to(y=0, animate=False, immediate=True)
