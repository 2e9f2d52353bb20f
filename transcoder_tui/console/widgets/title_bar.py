"""The first line: which machine, how its worker is, which alarms there are, how many channels are in which state."""

from itertools import chain
from typing import ClassVar

from rich.cells import cell_len
from textual.strip import Strip
from textual.timer import Timer

from transcoder_tui.console import format as written
from transcoder_tui.console.alarms import alarmed, unseen
from transcoder_tui.console.state import Rack
from transcoder_tui.console.status import is_silent, tone_of
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

FLASHES = 3
"""Times that the line lights up at a new alarm."""
FLASH_S = 0.3
"""Seconds of light, and of dark between: below three flashes a second, which is safe for photosensitive people (WCAG
2.2, 2.3.1)."""


class TitleBar(Painted):
    """Says where the operator is.

    Args:
        rack: Whose worker and channels are counted.
        read_only: Whether the console may only look; then it says so.
    """

    PREFIX = "title-bar"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "title-bar--brand",
        "title-bar--badge",
        "title-bar--lost",
        "title-bar--alarm",
        "title-bar--alarm-grave",
        "title-bar--flash",
        *(f"title-bar--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    def __init__(self, rack: Rack, *, read_only: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rack = rack
        self._read_only = read_only
        self._lost = ""
        self._parts: list[tuple[str, str]] = []
        """What is drawn: each text with the name of its style."""
        self._flashing: Timer | None = None
        self._phases = 0

    def show(self, lost: str = "") -> None:
        """Draws the line.

        Args:
            lost: What to say instead of the worker's state where it does not answer.
        """
        self._lost = lost
        if self._parts_in(self.size.width) != self._parts:
            self.refresh()

    def flash(self) -> None:
        """Lights the whole line up, :data:`FLASHES` times."""
        if self._flashing is not None:
            self._flashing.stop()
        self._phases = 2 * FLASHES - 1
        self._flashing = self.set_interval(FLASH_S, self._fade, repeat=self._phases)
        self.refresh()

    def _fade(self) -> None:
        self._phases -= 1
        self.refresh()

    @property
    def is_lit(self) -> bool:
        """Whether the line is lit up at this moment."""
        return self._phases % 2 == 1

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        self._parts = self._parts_in(width)
        if self.is_lit:
            flash = self.tone("flash")
            return line(((text, flash) for text, _ in self._parts), width, flash)
        return line(((text, self.tone(name)) for text, name in self._parts), width, self.base)

    def _parts_in(self, width: int) -> list[tuple[str, str]]:
        """Brand, alarms and worker at the left, counts at the right."""
        left: list[tuple[str, str]] = [(" transcoder-tui ", "brand")]
        if self._read_only:
            left.append((" read-only ", "badge"))
        if self._lost:
            room = width - _cells(left)
            return [*left, (fit(f" ✖ {self._lost}", room), "lost")]
        left += self._alarms()
        counts, worker = self._counts(), self._worker()
        while worker and _cells([*left, *worker, *chain(*counts)]) >= width:
            worker.pop()
        left += worker
        while counts and _cells([*left, *chain(*counts)]) >= width:
            counts.pop()
        right = list(chain(*counts))
        gap = width - _cells(left) - _cells(right) - 1
        return [*left, (" " * max(1, gap), "plain"), *right]

    def _alarms(self) -> list[tuple[str, str]]:
        """How many alarms nobody has acknowledged, and the gravest of them."""
        rows = alarmed(self._rack.tally.troubled)
        if not rows:
            return []
        number = sum(len(unseen(row)) for row in rows)
        gravest = unseen(rows[0])[0].health.value
        words = f" ▲ {written.plural(number, 'alarm')}: {gravest} "
        return [(words, "alarm-grave" if is_silent(gravest) else "alarm")]

    def _worker(self) -> list[tuple[str, str]]:
        worker = self._rack.worker
        if worker is None:
            return [(" connecting to the worker", "muted")]
        return [
            (f" {worker.host} ", "plain"),
            (f" worker {worker.version}, FFmpeg {worker.ffmpeg_version}", "muted"),
        ]

    def _counts(self) -> list[list[tuple[str, str]]]:
        """How many channels there are and how they are, in groups that stay together."""
        if self._rack.worker is None:
            return []
        groups = [[(written.plural(len(self._rack.channels), "channel"), "plain")]]
        for status, word, number in self._rack.counts():
            group: list[tuple[str, str]] = [("  ", "plain"), (f"{number} {word}", tone_of(status))]
            if status == "running" and (unwell := self._rack.tally.unwell):
                group.append((f" ({unwell} unwell)", "warn"))
            groups.append(group)
        return groups


def _cells(parts: list[tuple[str, str]]) -> int:
    return sum(cell_len(text) for text, _ in parts)
