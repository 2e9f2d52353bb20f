"""Orders to channels: what is asked before, and what is told when some of them fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from transcoder_tui.console import format as written
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.status import is_live
from transcoder_tui.errors import Fault, TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

Order = Literal["start", "stop", "restart", "delete"]

NAMED = 5
"""Channels that a question names; more are counted."""

DONE: dict[Order, str] = {"start": "Started", "stop": "Stopped", "restart": "Restarted", "delete": "Deleted"}
"""What a toast says afterwards."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something goes off air."""

    title: str
    body: str
    answer: str
    """What the button says that does it."""


def question(order: Order, channels: "Sequence[ChannelView]") -> Question | None:
    """What to ask before an order; None where nobody would miss anything.

    Args:
        order: What was ordered.
        channels: For whom; not empty.
    """
    live = [row.name for row in channels if is_live(row)]
    if order == "start" or (order != "delete" and not live):
        return None
    verb = order.capitalize()
    if len(channels) == 1:
        title = f"{verb} {channels[0].name}?"
        body = "It is on air." if live else "It is not on air."
    else:
        title = f"{verb} {written.plural(len(channels), 'channel')}?"
        count = "none is" if not live else "1 is" if len(live) == 1 else f"{len(live)} are"
        body = f"{count.capitalize()} on air: {named(live)}." if live else "None is on air."
        if order == "delete":
            body += f"\nTo be deleted: {named([row.name for row in channels])}."
    if order == "delete":
        body += "\nIts document is gone then; what it recorded stays." if len(channels) == 1 else ""
    return Question(title, body, verb)


def named(names: Sequence[str]) -> str:
    """Names in a sentence, at most :data:`NAMED` of them."""
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {len(names) - NAMED} more" if len(names) > NAMED else shown


async def carry_out(edge: Edge, order: Order, channels: "Sequence[ChannelView]") -> list[Fault]:
    """Gives an order for each channel, one after the other.

    Returns:
        What failed, each with its channel in front; empty where everything went well.
    """
    failed: list[Fault] = []
    for row in channels:
        try:
            if order == "delete":
                await edge.delete(row.id)
            else:
                await edge.order(row.id, order)
        except TranscoderError as error:
            faults = error.faults or (Fault(error.title),)
            failed += [Fault(fault.fault, fault.remedy, _where(row.name, fault.field)) for fault in faults]
    return failed


def _where(name: str, field: str) -> str:
    return f"{name}, {field}" if field else name
