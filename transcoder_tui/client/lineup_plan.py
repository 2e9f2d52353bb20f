"""What applying a line-up changes, or would change, in words. Pure."""

from collections.abc import Iterator
from typing import Literal

from transcoder_tui.models.lineup import Applied, Change, ChangeKind

Meaning = Literal["good", "warning", "bad", "quiet", "plain"]
"""What a line means, which a colour may repeat."""

_WORDS: dict[ChangeKind, tuple[str, str, Meaning]] = {
    ChangeKind.CREATE: ("+", "created", "good"),
    ChangeKind.CHANGE: ("~", "changed", "warning"),
    ChangeKind.DELETE: ("-", "deleted", "bad"),
}


def change_lines(applied: Applied) -> list[tuple[str, Meaning]]:
    """What was changed, or would be, a line for each channel and one for those that stay as they are."""
    changes = [change for change in applied.changes if change.kind is not ChangeKind.KEEP]
    kept = len(applied.changes) - len(changes)
    width = max((len(change.channel) for change in changes), default=0)
    lines = [line for change in changes for line in _lines(change, width, applied)]
    if kept or not lines:
        lines.append((f"= {kept} unchanged", "quiet"))
    return [*lines, *_budget_lines(applied)]


def _lines(change: Change, width: int, applied: Applied) -> Iterator[tuple[str, Meaning]]:
    dry_run, said = applied.dry_run, applied.cost.notes if applied.cost is not None else []
    sign, done, style = _WORDS[change.kind]
    what = f"would be {done}" if dry_run else done
    fields = f": {', '.join(change.fields)}" if change.fields else ""
    restarted = (" (would restart)" if dry_run else " (restarted)") if change.restarts else ""
    taken_off = " (on air)" if change.on_air and change.kind is ChangeKind.DELETE and dry_run else ""
    cost = f"; about {change.cost.cores:.1f} cores" if change.cost and change.cost.cores is not None else ""
    yield f"{sign} {change.channel:<{width}}  {what}{fields}{restarted}{taken_off}{cost}", style
    for slow in change.cost.slow if change.cost else ():
        yield f"  {'':<{width}}  slower than real time: {slow}", "bad"
    for note in change.cost.notes if change.cost else ():
        if note not in said:
            yield f"  {'':<{width}}  {note}", "quiet"


def _budget_lines(applied: Applied) -> Iterator[tuple[str, Meaning]]:
    """What the changes of a dry run cost together."""
    cost = applied.cost
    if cost is not None and cost.cores is not None:
        yield f"Together {cost.words}.", "warning" if cost.is_too_much else "plain"
    for note in cost.notes if cost is not None else ():
        yield f"{note[0].upper()}{note[1:]}.", "warning"
