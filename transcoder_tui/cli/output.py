"""Everything that the command line prints goes through here, and through the sanitiser.

On a terminal there may be colour, and the last column of a table is cut to fit. A pipe gets neither.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, Literal, NamedTuple, TextIO

from rich.cells import cell_len, set_cell_size

from transcoder_tui.client.sanitise import sanitise

Style = Literal["good", "warning", "bad", "quiet", "plain"]

_SGR: dict[Style, str] = {"good": "32", "warning": "33", "bad": "1;31", "quiet": "2"}
"""Select Graphic Rendition codes (ECMA-48) of the 16 colours that every terminal has."""

GAP = "  "
"""Between two columns."""
INDENT = "    "
"""Before lines that belong to a row of a table."""
ENOUGH = 40
"""Cells of the last column for which others go where a terminal is narrow: ``next retry in 12 s (3 of 5)`` and what
the cause is about."""


class Cell(NamedTuple):
    """One cell of a table."""

    text: str
    style: Style = "plain"


class Column(NamedTuple):
    """How a column of a table looks."""

    title: str
    right: bool = False
    """Whether figures in it are aligned on their last digit."""
    spare: int = 0
    """When columns have to go to make room for the last one, the highest goes first; 0 stays."""


def say(text: str, style: Style = "plain") -> None:
    """Prints one line."""
    _write(_coloured(sanitise(text), style, sys.stdout), sys.stdout)


def complain(text: str) -> None:
    """Prints one line to stderr."""
    _write(sanitise(text), sys.stderr)


def write_json(value: Any, *, to_stderr: bool = False, compact: bool = False) -> None:
    """Prints a JSON document, in ASCII, so that no text in it can reach the terminal raw.

    Args:
        value: What ``json`` can write.
        to_stderr: Whether it is an error document.
        compact: Whether to keep it on one line, for documents in a row.
    """
    _write(json.dumps(value, indent=None if compact else 2), sys.stderr if to_stderr else sys.stdout)


def write_text(text: str) -> None:
    """Prints a text of several lines that was made safe by whoever wrote it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def say_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell]],
    *,
    cut: bool = False,
    below: Sequence[Sequence[str]] = (),
) -> None:
    """Prints a table.

    Args:
        columns: The columns.
        rows: A cell for each column.
        cut: Whether to leave columns out and to cut the last one where a terminal is too narrow for them.
        below: Lines to print below each row.
    """
    width = shutil.get_terminal_size().columns if cut and sys.stdout.isatty() else None
    for line, belonging in zip_longest(table_lines(columns, rows, width), [(), *below], fillvalue=()):
        _write(
            GAP.join(_coloured(cell.text, cell.style, sys.stdout) for cell in line).rstrip(),
            sys.stdout,
        )
        for text in belonging:
            say(INDENT + text, "quiet")


def say_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Prints names and values below each other."""
    longest = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        say(f"  {name:<{longest}}  {value}".rstrip())


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], width: int | None) -> list[list[Cell]]:
    """The padded cells of a table's lines, its heading first.

    Args:
        columns: The columns.
        rows: A cell for each column.
        width: Columns of the terminal; None does not cut.
    """
    clean = [[Cell(column.title, "quiet") for column in columns]]
    clean += [[Cell(sanitise(cell.text).expandtabs(1), cell.style) for cell in row] for row in rows]
    widths = [max(cell_len(row[index].text) for row in clean) for index in range(len(columns))]
    shown = list(range(len(columns)))
    if width is not None:
        shown = _affordable(columns, widths, width)
        widths[-1] = max(min(widths[-1], width - _taken(shown[:-1], widths)), len(columns[-1].title))
    return [
        [row[index]._replace(text=_fit(row[index].text, widths[index], columns[index].right)) for index in shown]
        for row in clean
    ]


def _affordable(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """The columns for which there is room beside the last one."""
    shown = list(range(len(columns)))
    while width - _taken(shown[:-1], widths) < min(widths[-1], ENOUGH):
        last = max(shown, key=lambda index: columns[index].spare)
        if not columns[last].spare:
            break
        shown.remove(last)
    return shown


def _taken(shown: Sequence[int], widths: Sequence[int]) -> int:
    """Cells that columns take, each with the gap behind it."""
    return sum(widths[index] + len(GAP) for index in shown)


def can_show(text: str) -> bool:
    """Whether stdout's encoding has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _fit(text: str, width: int, right: bool) -> str:
    missing = width - cell_len(text)
    if missing < 0:
        return set_cell_size(text, width - 1) + ("…" if can_show("…") else "~")
    return " " * missing + text if right else text + " " * missing


def _coloured(text: str, style: Style, stream: TextIO) -> str:
    """The text in its colour, where the stream is a terminal and nobody forbids it (no-color.org)."""
    code = _SGR.get(style)
    if code is None or not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m"


def _write(line: str, stream: TextIO) -> None:
    """Flushes each line, so that a reader of ``logs -f`` gets it at once; bytes that the locale lacks are escaped."""
    encoding = stream.encoding or "ascii"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
