"""A ladder in the place of the renditions that channels have. Pure but for the calls of the task."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transcoder_tui.console import format as written
from transcoder_tui.console.orders import Question, Task, named, unseen
from transcoder_tui.console.status import is_live
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse

if TYPE_CHECKING:
    from transcoder_tui.console.edge import Edge
    from transcoder_tui.models.ladder import Ladder
    from transcoder_tui.models.view import ChannelDocument, ChannelView


def with_ladder(stored: "ChannelDocument", ladder: "Ladder") -> ChannelSpec:
    """A channel with the renditions of a ladder in the place of its own.

    Raises:
        InvalidInput: Where that does not fit, such as an output that names a rendition which the ladder lacks.
    """
    return parse(ChannelSpec, {**stored.spec, "renditions": ladder.document()})


def putting(ladder: "Ladder") -> Task:
    """Puts a ladder into channels; one that has its renditions already is left alone."""

    async def put(edge: "Edge", row: "ChannelView") -> None:
        stored = await edge.channel(row.id)
        spec = with_ladder(stored, ladder)
        if spec != stored.parsed():
            await edge.change(row.id, spec.document(), stored.revision)

    return Task(f"put {ladder.name} in", f"Putting {ladder.name} in", f"Put {ladder.name} in", put)


def question(
    ladder: "Ladder", channels: "Sequence[ChannelView]", stored: "Mapping[int, ChannelDocument]", hidden: int = 0
) -> Question:
    """What is asked before a ladder is put into channels.

    Args:
        ladder: Which.
        channels: Into which; not empty.
        stored: Their documents.
        hidden: How many of them the operator does not see at present.
    """
    restarting, alike, refused = [], [], []
    for row in channels:
        document = stored.get(row.id)
        if document is None:
            continue
        try:
            spec = with_ladder(document, ladder)
        except InvalidInput:
            refused.append(row.name)
            continue
        if spec == document.parsed():
            alike.append(row.name)
        elif is_live(row):
            restarting.append(row.name)
    lines = [f"Its renditions take the place of those of {named([row.name for row in channels])}."]
    lines.append(f"On air, to be restarted: {_counted(restarting)}." if restarting else "Nothing on air is restarted.")
    if alike:
        lines.append(f"With these renditions already: {_counted(alike)}.")
    if refused:
        lines.append(f"Where it does not fit, so that nothing changes: {_counted(refused)}.")
    into = channels[0].name if len(channels) == 1 else written.plural(len(channels), "channel")
    return Question(f"Put {ladder.name} into {into}?", "\n".join(lines) + unseen(hidden), "Put in")


def _counted(names: Sequence[str]) -> str:
    return f"{len(names)} ({named(names)})"
