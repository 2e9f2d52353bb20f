"""An FFmpeg command laid out to be read: options with their values, graphs chain by chain, and what differs. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from rich.cells import cell_len, chop_cells

BEGINNERS = ("-i", "-filter_complex", "-map", "-c:", "-f", "-progress", "-metadata")
"""Options that begin a line, by how they begin: each opens another part of the command."""
INDENT = "  "
GRAPH = "-filter_complex"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line."""

    text: str
    new: bool = False
    """Whether the command with which this one is compared does not have it there."""


def laid_out(argv: Sequence[str], width: int, before: Sequence[str] = ()) -> list[list[Piece]]:
    """The lines of a command.

    Args:
        argv: The command.
        width: Cells of a line.
        before: What it is compared with; nothing is marked where this is empty.
    """
    pieces = _compared(_units(argv), _units(before) if before else [])
    lines: list[list[Piece]] = []
    room = 0
    for piece in pieces:
        length = cell_len(piece.text) + 1
        if not lines or length > room or piece.text.startswith((*BEGINNERS, INDENT)):
            head, *more = _chopped(piece.text, width)
            lines.append([Piece(head, piece.new)])
            lines += [[Piece(text, piece.new)] for text in more]
            room = width - cell_len(more[-1] if more else head)
        else:
            lines[-1] += [Piece(" "), piece]
            room -= length
    return lines


def _units(argv: Sequence[str]) -> list[str]:
    """The program, then each option with its values; of a filter graph each chain."""
    return list(_parted(argv))


def _parted(argv: Sequence[str]) -> Iterator[str]:
    unit: list[str] = []
    for argument in argv:
        graph = unit[:1] == [GRAPH] and len(unit) == 1
        if graph:
            yield GRAPH
            unit = []
            *chains, last = argument.split(";")
            yield from (f"{INDENT}{chain};" for chain in chains)
            yield f"{INDENT}{last}"
        elif argument[:1] == "-" and argument[1:2].isalpha():
            if unit:
                yield " ".join(unit)
            unit = [argument]
        else:
            unit.append(shlex.quote(argument))
    if unit:
        yield " ".join(unit)


def _compared(units: Sequence[str], before: Sequence[str]) -> Iterator[Piece]:
    if not before:
        yield from map(Piece, units)
        return
    matcher = SequenceMatcher(None, before, units, autojunk=False)
    for verb, _, _, begin, end in matcher.get_opcodes():
        yield from (Piece(unit, verb != "equal") for unit in units[begin:end])


def _chopped(text: str, width: int) -> list[str]:
    """A text in lines of some cells, the further ones indented."""
    if cell_len(text) <= width:
        return [text]
    first, *more = chop_cells(text, max(8, width))
    rest = chop_cells("".join(more), max(8, width - 2 * len(INDENT)))
    return [first, *(f"{INDENT}{INDENT}{part}" for part in rest)]
