"""Orders to channels: what is asked before, and what each of them is called."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from transcoder_tui.console import format as written
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.status import is_live
from transcoder_tui.errors import Fault

if TYPE_CHECKING:
    from transcoder_tui.console.batch import Batch
    from transcoder_tui.models.view import ChannelView

Order = Literal["start", "stop", "restart", "delete"]

NAMED = 5
"""Channels that a question names; more are counted."""
FEW = 3
"""Channels for which an order is answered by a few words; for more there is a dialog with the progress of the whole."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to be done to each of some channels."""

    name: str
    """``stop``, as a button and a title say it."""
    doing: str
    """``Stopping``."""
    done: str
    """``Stopped``."""
    call: "Callable[[Edge, ChannelView], Awaitable[object]]"
    """Does it to one channel; raises a :class:`~transcoder_tui.errors.TranscoderError` where that fails."""


TASKS: dict[Order, Task] = {
    "start": Task("start", "Starting", "Started", lambda edge, row: edge.order(row.id, "start")),
    "stop": Task("stop", "Stopping", "Stopped", lambda edge, row: edge.order(row.id, "stop")),
    "restart": Task("restart", "Restarting", "Restarted", lambda edge, row: edge.order(row.id, "restart")),
    "delete": Task("delete", "Deleting", "Deleted", lambda edge, row: edge.delete(row.id)),
}


def regrouping(group: str | None) -> Task:
    """Puts channels into a group, or takes them out of theirs; on air they stay as they are.

    Args:
        group: Its name; None takes them out.
    """

    async def regroup(edge: Edge, row: "ChannelView") -> None:
        document = await edge.channel(row.id)
        if document.spec.get("group") != group:
            await edge.change(row.id, {**document.spec, "group": group}, document.revision)

    if group is None:
        return Task("take out of their groups", "Ungrouping", "Taken out of their groups", regroup)
    return Task(f"move to {group}", f"Moving to {group}", f"Moved to {group}", regroup)


def group_fault(group: str) -> Fault | None:
    """Why no group can be called so; said once, instead of by the worker for each channel."""
    from pydantic_core import PydanticCustomError

    from transcoder_tui.models.names import check_name

    try:
        check_name(group)
    except PydanticCustomError as error:
        said = error.context or {}
        return Fault(said["fault"], said["remedy"], "group")
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something goes off air."""

    title: str
    body: str
    answer: str
    """What the button says that does it."""


def question(order: Order, channels: "Sequence[ChannelView]", hidden: int = 0) -> Question | None:
    """What to ask before an order; None where nobody would miss anything.

    Args:
        order: What was ordered.
        channels: For whom; not empty.
        hidden: How many of them the operator does not see at present.
    """
    live = [row.name for row in channels if is_live(row)]
    if order != "delete" and len(channels) <= FEW and (order == "start" or not live):
        return None
    verb = order.capitalize()
    if len(channels) == 1:
        title = f"{verb} {channels[0].name}?"
        body = "It is on air." if live else "It is not on air."
    else:
        title = f"{verb} {written.plural(len(channels), 'channel')}?"
        body = _on_air(live)
        if order in ("delete", "start"):
            to_be = "started" if order == "start" else "deleted"
            body += f"\nTo be {to_be}: {named([row.name for row in channels])}."
    if order == "delete":
        body += "\nIts document is gone then; what it recorded stays." if len(channels) == 1 else ""
    return Question(title, body + unseen(hidden), verb)


def group_question(group: str | None, channels: "Sequence[ChannelView]", hidden: int = 0) -> Question | None:
    """What to ask before channels change their group; None for a few, which are moved back as fast.

    Args:
        group: The group; None takes them out of theirs.
        channels: Which.
        hidden: How many of them the operator does not see at present.
    """
    if len(channels) <= FEW:
        return None
    count = written.plural(len(channels), "channel")
    title = f"Move {count} to {group}?" if group else f"Take {count} out of their groups?"
    body = f"{named([row.name for row in channels])}.\nThose on air stay on air."
    return Question(title, body + unseen(hidden), "Move" if group else "Take out")


def leaving_question(batches: "Sequence[Batch]") -> Question:
    """What to ask before the console is left while orders for many channels are under way."""
    words = [
        f"{batch.task.doing} is at {batch.total - batch.left} of {batch.total} channels; "
        f"{batch.waiting} would be left as they are."
        for batch in batches
    ]
    return Question("Leave before everything is done?", "\n".join(words), "Leave")


def _on_air(live: Sequence[str]) -> str:
    if not live:
        return "None is on air."
    return f"{len(live)} {'is' if len(live) == 1 else 'are'} on air: {named(live)}."


def unseen(hidden: int) -> str:
    """Says of how many channels the operator sees nothing; empty where he sees all."""
    if not hidden:
        return ""
    return f"\n{'1 of them is' if hidden == 1 else f'{hidden} of them are'} hidden by the filter."


def named(names: Sequence[str]) -> str:
    """Names in a sentence, at most :data:`NAMED` of them."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown
