"""The first line: which machine, how its worker is, how many channels are in which state."""

from itertools import chain
from typing import ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from transcoder_tui.console import format as written
from transcoder_tui.console.state import Rack
from transcoder_tui.console.status import tone_of
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted


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
        *(f"title-bar--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    def __init__(self, rack: Rack, *, read_only: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rack = rack
        self._read_only = read_only
        self._lost = ""

    def show(self, lost: str = "") -> None:
        """Draws the line.

        Args:
            lost: What to say instead of the worker's state where it does not answer.
        """
        self._lost = lost
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line: brand and worker at the left, counts at the right."""
        width = self.size.width
        left: list[tuple[str, str]] = [(" transcoder-tui ", "brand")]
        if self._read_only:
            left.append((" read-only ", "badge"))
        if self._lost:
            room = width - _cells(left)
            return self._drawn([*left, (fit(f" ✖ {self._lost}", room), "lost")], width)
        counts, worker = self._counts(), self._worker()
        while worker and _cells([*left, *worker, *chain(*counts)]) >= width:
            worker.pop()
        left += worker
        while counts and _cells([*left, *chain(*counts)]) >= width:
            counts.pop()
        right = list(chain(*counts))
        gap = width - _cells(left) - _cells(right) - 1
        return self._drawn([*left, (" " * max(1, gap), "plain"), *right], width)

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
            if status == "running" and (unwell := self._rack.unwell()):
                group.append((f" ({unwell} unwell)", "warn"))
            groups.append(group)
        return groups

    def _drawn(self, parts: list[tuple[str, str]], width: int) -> Strip:
        return line(((text, self.tone(name)) for text, name in parts), width, self.base)


def _cells(parts: list[tuple[str, str]]) -> int:
    return sum(cell_len(text) for text, _ in parts)
