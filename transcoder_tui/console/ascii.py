"""Draws with ASCII only, for terminals and fonts that have nothing else.

Everything is rendered with its usual glyphs; this filter replaces the ones that draw (arrows, blocks, boxes, bullets)
cell by cell on their way to the terminal. Letters of any script pass: they are data, not drawing.
"""

import sys
from collections.abc import Mapping

from rich.cells import cell_len
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


_PLAIN = ("linux", "vt", "ansi", "cons", "console", "sun")
"""What the names of terminals begin with whose fonts have little beyond ASCII: the Linux console has 256 glyphs."""


def needs_ascii(environment: Mapping[str, str]) -> bool:
    """Whether the terminal probably cannot show the usual glyphs: by its kind, or because its locale is not UTF-8.

    Args:
        environment: The process's environment.
    """
    if environment.get("TERM", "").startswith(_PLAIN):
        return True
    general = environment.get("LANG", "")
    letters = environment.get("LC_CTYPE", "")
    if letters == "C.UTF-8" and general in ("C", "POSIX"):
        letters = ""  # Python has set it by itself (PEP 538)
    named = environment.get("LC_ALL") or letters or general
    return bool(named) and "utf" not in named.lower()


class AsciiFilter(LineFilter):
    """Replaces drawing characters by ASCII ones of the same width, and letters that the locale lacks by question marks.

    Args:
        encoding: The locale's; None asks the stream to which Textual draws.
    """

    def __init__(self, encoding: str | None = None) -> None:
        super().__init__()
        self._encoding: str = encoding or getattr(sys.__stderr__, "encoding", None) or "utf-8"

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with ASCII for every drawing character."""
        return [
            segment if segment.text.isascii() else Segment(self._ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]

    def _ascii(self, text: str) -> str:
        drawn = "".join(_GLYPHS.get(glyph) or (_line(glyph) if ord(glyph) in _DRAWING else glyph) for glyph in text)
        try:
            drawn.encode(self._encoding)
        except UnicodeEncodeError:
            return "".join(map(self._letter, drawn))
        return drawn

    def _letter(self, letter: str) -> str:
        try:
            letter.encode(self._encoding)
        except UnicodeEncodeError:
            return "?" * cell_len(letter)
        return letter


def _line(glyph: str) -> str:
    if glyph in "─━╌┄═▔▀":
        return "-"
    return "|" if glyph in "│┃║▏▕▐" else "+" if 0x2500 <= ord(glyph) < 0x2580 else "#"
