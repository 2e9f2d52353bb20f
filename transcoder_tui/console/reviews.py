"""What is asked before a change of the configuration is made or taken back. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from transcoder_tui.client.lineup_plan import plan_lines
from transcoder_tui.console import format as written
from transcoder_tui.console.differences import Difference, differences, field_words
from transcoder_tui.console.orders import named
from transcoder_tui.console.screens.review import CANCEL, Answer, Review
from transcoder_tui.console.widgets.listing import Line

if TYPE_CHECKING:
    from transcoder_tui.client.lineup_plan import Meaning
    from transcoder_tui.errors import Fault
    from transcoder_tui.models.lineup import Applied
    from transcoder_tui.models.undo import PastChange, UndoView

MOST = 200
"""Lines of a list at most; the rest is counted."""

_TONES = {"+": "bold $success", "-": "bold $error", "~": "bold $warning"}
_MEANINGS: "dict[Meaning, str]" = {
    "plain": "$foreground",
    "good": "$success",
    "warning": "$warning",
    "bad": "$error",
    "quiet": "$foreground 70%",
}
_QUIET = "$foreground 70%"

RESTARTS = Content.assemble(
    ("● on air", "bold $warning"), ": this reaches FFmpeg, which is restarted; nothing comes out meanwhile."
)
STAYS = Content.assemble(("● on air", "bold $success"), ", and stays: this does not reach FFmpeg.")
OFF_AIR = Content.assemble(("○ not on air", _QUIET), ": nothing is interrupted.")


def saving(name: str, found: Sequence[Difference], *, restarts: bool) -> Review:
    """What is asked before a channel is stored that is on air.

    Args:
        name: Of the channel.
        found: What changes.
        restarts: Whether its FFmpeg is restarted by it.
    """
    title = f"Save and restart {name}?" if restarts else f"Save {name}?"
    answers = (Answer("y", "Save and restart" if restarts else "Save", "save"), CANCEL)
    return Review(title, [RESTARTS if restarts else STAYS], list(lines_of(found)), answers, careful=restarts)


def conflict(name: str, who: str, theirs: Sequence[Difference], both: Sequence[str]) -> Review:
    """What is asked where somebody else changed a channel while it was edited.

    Args:
        name: Of the channel.
        who: Who changed it; empty where that is not known.
        theirs: What they changed.
        both: Paths of the fields that the operator changed as well, to something else.
    """
    lead = [Content(f"{who or 'Somebody else'} changed {name} while you edited it:")]
    if not theirs:
        lead = [Content(f"{who or 'Somebody else'} stored {name} again while you edited it; nothing differs.")]
    marked = {field_words(field) for field in both}
    lines = list(lines_of(theirs))
    if marked:
        lines.append(
            Line(
                "▲", "bold $warning", "Both changed", Content(f"{', '.join(sorted(marked))}; yours stays in the form.")
            )
        )
    lead.append(Content.styled("Taken in, they stand in the form with your changes on top; save again then.", _QUIET))
    answers = (
        Answer("t", "Take theirs in", "take"),
        Answer("o", "Overwrite theirs", "overwrite"),
        Answer("n", "Back", ""),
    )
    return Review("Changed by somebody else", lead, lines, answers)


def undoing(view: "UndoView", now: datetime | None) -> Review:
    """What is asked before the last change of the configuration is taken back."""
    changes = view.changes
    count = f"{written.plural(len(changes), 'channel')}" if len(changes) > 1 else changes[0].channel if changes else ""
    ago = f"{written.since(view.at, now)} ago" if now is not None else ""
    at = view.at.strftime("%H:%M:%S UTC")
    lead = [
        Content.assemble(
            ("Last change: ", _QUIET), (view.actor or "somebody", "bold"), f", {ago}, at {at}: {_done(changes)} {count}"
        )
    ]
    restarted = [change.channel for change in changes if change.restarts]
    if restarted:
        words = f"{written.plural(len(restarted), 'channel')} on air {'is' if len(restarted) == 1 else 'are'}"
        lead.append(Content.assemble((f"● {words} interrupted", "bold $warning"), f": {named(restarted)}."))
    elif any(change.on_air for change in changes):
        lead.append(Content.assemble(("● on air", "bold $success"), ", and stays: this does not reach FFmpeg."))
    else:
        lead.append(OFF_AIR)
    lines = list(_cut([line for change in changes for line in _taken_back(change, apart=len(changes) > 1)]))
    return Review("Undo the last change?", lead, lines, (Answer("y", "Undo", "undo"), CANCEL))


def _done(changes: "Sequence[PastChange]") -> str:
    words = {"create": "created", "change": "changed", "delete": "deleted"}
    kinds = {change.kind.value for change in changes}
    return words[kinds.pop()] if len(kinds) == 1 else "changed"


def _taken_back(change: "PastChange", *, apart: bool) -> Iterator[Line]:
    """What becomes of one channel."""
    if change.before is None:
        effect = "is deleted again" + (", and goes off air" if change.on_air else "")
        yield Line("-", _TONES["-"], change.channel, Content(effect))
        return
    if change.after is None:
        yield Line("+", _TONES["+"], change.channel, Content("comes back as it was"))
        return
    if apart:
        effect = "restarts" if change.restarts else "stays on air" if change.on_air else "not on air"
        yield Line("~", _TONES["~"], change.channel, Content.styled(effect, _QUIET))
    yield from lines_of(differences(change.after, change.before), indent="  " if apart else "")


def importing(title: str, applied: "Applied", warnings: "Sequence[Fault]") -> Review:
    """What is asked before a line-up is applied.

    Args:
        title: What is asked.
        applied: The answer to a dry run.
        warnings: What may keep channels off the air.
    """
    restarted = [change.channel for change in applied.changes if change.restarts]
    lead = []
    if restarted:
        words = f"{written.plural(len(restarted), 'channel')} on air {'is' if len(restarted) == 1 else 'are'}"
        lead.append(Content.assemble((f"● {words} restarted", "bold $warning"), f": {named(restarted)}."))
    lines = [
        Line(line.sign or " ", _MEANINGS[line.meaning], line.channel if line.sign else "", Content(line.words))
        for line in plan_lines(applied)
    ]
    lines += warning_lines(warnings)
    careful = bool(restarted) or (applied.cost is not None and applied.cost.is_too_much)
    answers = (Answer("y", "Import", "import"), CANCEL)
    return Review(title, lead, list(_cut(lines)), answers, careful=careful)


def warning_lines(warnings: "Sequence[Fault]") -> list[Line]:
    """What may keep channels off the air, with field and remedy."""
    return [
        Line(
            "▲",
            "bold $warning",
            field_words(warning.field),
            Content.assemble(warning.fault, *([("; ", ""), (warning.remedy, "$success")] if warning.remedy else [])),
        )
        for warning in warnings
    ]


def warned(done: str, warnings: "Sequence[Fault]") -> Review:
    """What is said after something was done that may keep channels off the air.

    Args:
        done: What was done, such as ``News HD is stored``.
        warnings: What may keep them off the air.
    """
    lead = [Content.assemble((f"{done}.", "bold"), " What may keep it off the air, and can heal:")]
    return Review("Done, with warnings", lead, warning_lines(warnings), (Answer("c", "Close", ""),))


def lines_of(found: Sequence[Difference], indent: str = "") -> Iterator[Line]:
    """Differences as lines of a list."""
    for one in found:
        name = f"{indent}{one.where}"
        if one.what:
            words = Content.assemble(f"{one.what}  ", (one.old, _QUIET), (" → ", "$accent"), (one.new, "bold"))
        else:
            words = Content(one.old or one.new)
        yield Line(one.sign, _TONES[one.sign], name, words)


def _cut(lines: Sequence[Line]) -> Iterator[Line]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield Line(" ", _QUIET, "", Content(f"and {len(lines) - MOST} more"))
