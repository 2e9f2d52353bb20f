"""Draws with ASCII only, for terminals and fonts that have nothing else.

Everything is rendered with its usual glyphs; this filter replaces the ones that draw (arrows, blocks, boxes, bullets)
cell by cell on their way to the terminal. Letters of any script pass: they are data, not drawing.
"""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_GLYPHS = {
    "●": "*", "○": "-", "◔": "o", "◌": "o", "◍": "o", "▲": "!", "△": "i", "✖": "X", "↻": "~", "✓": "+", "▌": ">",
    "▎": ">", "↑": "^", "↓": "v", "←": "<", "→": ">", "‹": "<", "›": ">", "–": "-", "…": ">", "·": ".", "—": "-",  # noqa: RUF001
    "▁": "_", "▂": ".", "▃": ":", "▄": "-", "▅": "=", "▆": "+", "▇": "*", "█": "#", "░": ".", "▒": "x", "◆": "*",
}  # fmt: skip

_DRAWING = range(0x2190, 0x2BFF)
"""Arrows, mathematical operators, technical signs, box drawing, blocks, shapes and dingbats of the Unicode standard."""


class AsciiFilter(LineFilter):
    """Replaces drawing characters by ASCII ones of the same width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with ASCII for every drawing character."""
        return [
            segment if segment.text.isascii() else Segment(_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def _ascii(text: str) -> str:
    return "".join(_GLYPHS.get(glyph) or (_line(glyph) if ord(glyph) in _DRAWING else glyph) for glyph in text)


def _line(glyph: str) -> str:
    if glyph in "─━╌┄═▔▀":
        return "-"
    return "|" if glyph in "│┃║▏▕▐" else "+" if 0x2500 <= ord(glyph) < 0x2580 else "#"
