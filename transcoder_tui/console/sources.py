"""Changing a channel to another of its sources: what is asked, and what is told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from transcoder_tui.console.edge import Edge
from transcoder_tui.console.orders import Question
from transcoder_tui.console.status import is_live

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


def refusal(row: "ChannelView") -> str:
    """Why the channel cannot change to another source and what helps; empty where it can."""
    if row.sources < 2:
        return f"{row.name} has one source only: e adds another."
    if row.wanted == "stopped":
        return f"{row.name} is stopped: s starts it."
    return ""


async def fetched(edge: Edge, channel_id: int) -> list[str]:
    """The sources of a channel in words, secrets masked.

    Raises:
        TranscoderError: Where the worker does not give them.
    """
    from transcoder_tui.models.channel import ChannelSpec
    from transcoder_tui.models.faults import parse

    spec = parse(ChannelSpec, (await edge.channel(channel_id)).spec)
    return [source.words for source in spec.sources]


def effect(row: "ChannelView") -> str:
    """What a change does to the channel."""
    if is_live(row):
        return "It is interrupted until the other source has started."
    return "It is off air and is started on that source at once."


def question(row: "ChannelView", sources: Sequence[str], target: int) -> Question:
    """What to ask before the change.

    Args:
        row: The channel.
        sources: Its sources in words.
        target: Position of the one to change to.
    """
    active = row.source_index
    body = f"{effect(row)}\nfrom source {active + 1}: {sources[active]}\nto source {target + 1}:   {sources[target]}"
    return Question(f"Change the source of {row.name}?", body, "Change")


def done(row: "ChannelView", target: int, *, changed: bool) -> str:
    """What a toast says afterwards."""
    number = f"source {target + 1} of {row.sources}"
    return f"{row.name} changes to {number}" if changed else f"{row.name} is on {number} already"
