"""What applying a line-up changes, or would change, in words. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from transcoder_tui.models.lineup import Applied, Change, ChangeKind

Meaning = Literal["good", "warning", "bad", "quiet", "plain"]
"""What a line means, which a colour may repeat."""

_WORDS: dict[ChangeKind, tuple[str, str, Meaning]] = {
    ChangeKind.CREATE: ("+", "created", "good"),
    ChangeKind.CHANGE: ("~", "changed", "warning"),
    ChangeKind.DELETE: ("-", "deleted", "bad"),
}


@dataclass(frozen=True, slots=True)
class PlanLine:
    """A line of what is done."""

    sign: str
    """``+``, ``~``, ``-`` or ``=``; empty for a line that belongs to the one above, or to all."""
    channel: str
    """Its name; empty where the line is about all of them."""
    words: str
    meaning: Meaning


def plan_lines(applied: Applied) -> list[PlanLine]:
    """What was changed, or would be, a line for each channel and one for those that stay as they are."""
    changes = [change for change in applied.changes if change.kind is not ChangeKind.KEEP]
    kept = len(applied.changes) - len(changes)
    lines = [line for change in changes for line in _lines(change, applied)]
    if kept or not lines:
        lines.append(PlanLine("=", "", f"{kept} unchanged", "quiet"))
    return [*lines, *_budget_lines(applied)]


def change_lines(applied: Applied) -> list[tuple[str, Meaning]]:
    """The same as texts, the channels' names in a column."""
    lines = plan_lines(applied)
    width = max((len(line.channel) for line in lines), default=0)
    return [(_text(line, width), line.meaning) for line in lines]


def _text(line: PlanLine, width: int) -> str:
    if line.channel:
        return f"{line.sign or ' '} {line.channel if line.sign else '':<{width}}  {line.words}"
    return f"{line.sign} {line.words}".lstrip()


def _lines(change: Change, applied: Applied) -> Iterator[PlanLine]:
    dry_run, said = applied.dry_run, applied.cost.notes if applied.cost is not None else []
    sign, done, meaning = _WORDS[change.kind]
    what = f"would be {done}" if dry_run else done
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    restarted = (" (would restart)" if dry_run else " (restarted)") if change.restarts else ""
    taken_off = " (on air)" if change.on_air and change.kind is ChangeKind.DELETE and dry_run else ""
    cost = f"; about {change.cost.cores:.1f} cores" if change.cost and change.cost.cores is not None else ""
    yield PlanLine(sign, change.channel, f"{what}{fields}{restarted}{taken_off}{cost}", meaning)
    for slow in change.cost.slow if change.cost else ():
        yield PlanLine("", change.channel, f"slower than real time: {slow}", "bad")
    for note in change.cost.notes if change.cost else ():
        if note not in said:
            yield PlanLine("", change.channel, note, "quiet")


def _budget_lines(applied: Applied) -> Iterator[PlanLine]:
    """What the changes of a dry run cost together."""
    cost = applied.cost
    if cost is not None and cost.cores is not None:
        yield PlanLine("", "", f"Together {cost.words}.", "warning" if cost.is_too_much else "plain")
    for note in cost.notes if cost is not None else ():
        yield PlanLine("", "", f"{note[0].upper()}{note[1:]}.", "warning")
