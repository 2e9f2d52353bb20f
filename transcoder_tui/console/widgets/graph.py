"""One figure of a channel over time."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console import format as written
from transcoder_tui.console.plot import Values, ceiling, drawn, in_columns
from transcoder_tui.console.status import SLOW
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from transcoder_tui.models.history import Series

AXIS = 7
"""Cells left of the graph: a figure of up to five characters, and the axis."""
TIME_AXIS = 7
"""Lines of a graph from which on one of them is for the time."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What a graph shows."""

    name: str
    read: "Callable[[Series], Values]"
    write: Callable[[float], str]
    worst: Callable[[list[float]], float]
    """Which of several figures is shown where there is no room for each."""
    unit: str = ""
    bad_below: float | None = None
    """Below it, the graph warns."""
    least_top: float = 0.0
    """The least that the axis shows."""


FIGURES = (
    Figure("fps", lambda series: series.fps, written.rate, min),
    Figure("speed", lambda series: series.speed, written.speed, min, bad_below=SLOW, least_top=1.1),
    Figure("bitrate", lambda series: series.bitrate, written.bitrate, max, "b/s"),
    Figure("CPU", lambda series: series.cpu, lambda percent: f"{percent:.0f}%", max, least_top=10.0),
)
"""Those of a channel."""


class Graph(Painted):
    """A figure with its latest, least and greatest value, and how it went.

    Args:
        figure: What it shows.
        braille: Whether the terminal has braille.
    """

    PREFIX = "graph"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"graph--{name}" for name in ("name", "now", "muted", "axis", "area", "warn", "stale")
    }

    stale = reactive(False)
    """Whether it is the last known of a worker that does not answer."""

    def __init__(self, figure: Figure, *, braille: bool, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._figure = figure
        self._braille = braille
        self.values: Values = ()
        """What is shown, oldest first."""
        self._times = ("", "", "")

    def show(self, values: Values, times: tuple[str, str, str]) -> None:
        """Takes over what there is to show.

        Args:
            values: Oldest first.
            times: What stands below its left end, its middle and its right end.
        """
        self.values, self._times = values, times
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Name and figures, then the graph, then the time."""
        width, height = self.size
        plot = height - 2 if height >= TIME_AXIS else height - 1
        if y == 0:
            parts = self._heading(width)
        elif y <= plot:
            parts = self._plot(y - 1, width, plot)
        else:
            parts = self._time(width)
        return line(((text, self._style(name)) for text, name in parts), width, self.base)

    def _style(self, name: str) -> Style:
        return self.tone("stale" if self.stale and name != "name" else name)

    def _heading(self, width: int) -> list[tuple[str, str]]:
        figure = self._figure
        known = [value for value in self.values if value is not None]
        latest = self.values[-1] if self.values else None
        now = written.ABSENT if latest is None else figure.write(latest) + figure.unit
        name = f" {figure.name} "
        if not known:
            return [(name, "name"), (fit(now, width - len(name)), "muted")]
        room = width - len(name) - len(now)
        span = f"min {figure.write(min(known))}  max {figure.write(max(known))} "
        is_bad = latest is not None and figure.bad_below is not None and latest < figure.bad_below
        return [(name, "name"), (now, "warn" if is_bad else "now"), (fit(span, room, "right"), "muted")]

    def _plot(self, row: int, width: int, height: int) -> list[tuple[str, str]]:
        cells = max(1, width - AXIS - 1)
        figure = self._figure
        known = [value for value in self.values if value is not None]
        if not known:
            words = "no figures" if row == height // 2 else ""
            return [(" " * (AXIS - 1), "axis"), ("▏", "axis"), (fit(words.center(cells), cells), "muted")]
        top = ceiling(max(figure.least_top, *known))
        columns = in_columns(self.values, cells * 2 if self._braille else cells, figure.worst)
        text = drawn(columns, height, top, braille=self._braille)[row]
        label = figure.write(top) if row == 0 else figure.write(0.0) if row == height - 1 else ""
        if 0 < row == (height - 1) / 2:
            label = figure.write(top / 2)
        return [(fit(label, AXIS - 1, "right"), "axis"), ("▏", "axis"), *self._toned(text, columns)]

    def _toned(self, text: str, columns: list[float | None]) -> list[tuple[str, str]]:
        """The graph's cells, with those that warn apart."""
        limit = self._figure.bad_below
        if limit is None:
            return [(text, "area")]
        wide = len(columns) // len(text)
        tones = []
        for cell in range(len(text)):
            known = [value for value in columns[cell * wide : (cell + 1) * wide] if value is not None]
            tones.append("warn" if known and min(known) < limit else "area")
        runs = groupby(range(len(text)), key=tones.__getitem__)
        return [("".join(text[cell] for cell in cells), tone) for tone, cells in runs]

    def _time(self, width: int) -> list[tuple[str, str]]:
        left, middle, right = self._times
        cells = max(1, width - AXIS - 1)
        half = max(0, cells // 2 - len(left) - len(middle) // 2)
        begin = f"{left}{' ' * half}{middle}"
        return [(" " * AXIS, "axis"), (begin + right.rjust(max(0, cells - len(begin))), "axis")]
