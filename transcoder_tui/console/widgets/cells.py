"""Texts cut and padded to terminal cells, and lines built of them. Wide and combining characters are counted right."""

from collections.abc import Iterable

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.content import Content
from textual.strip import Strip

CUT = "…"
"""Stands where a text was cut."""


def fit(text: str, width: int, align: str = "left") -> str:
    """The text in exactly ``width`` cells, cut with a mark where it is longer."""
    if text.isascii() and len(text) <= width:
        return text.rjust(width) if align == "right" else text.ljust(width)
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + CUT if width > 0 else ""
    pad = " " * (width - length)
    return pad + text if align == "right" else text + pad


def line(parts: Iterable[tuple[str, Style]], width: int, base: Style) -> Strip:
    """A line of styled texts, neighbours of one style merged, padded or cut to ``width`` cells.

    Merging matters: each segment costs about forty bytes of escape sequence on the line (measured).
    """
    segments: list[Segment] = []
    for text, style in parts:
        if not text:
            continue
        if segments and segments[-1].style is style:
            segments[-1] = Segment(segments[-1].text + text, style)
        else:
            segments.append(Segment(text, style))
    return Strip(segments).adjust_cell_length(width, base)


def wrap(text: str, width: int) -> list[str]:
    """The text on as many lines of ``width`` cells as it needs; at least one."""
    return [part.plain for part in Content(text).wrap(max(1, width))] or [""]
