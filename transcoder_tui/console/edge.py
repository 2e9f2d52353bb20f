"""The one place where documents of the worker enter the console: every text in them is sanitised here."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

from transcoder_tui.console.sanitise import clean_model, sanitised, sanitised_error
from transcoder_tui.errors import TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.client.client import Verb, WorkerClient
    from transcoder_tui.models.capacity import Cost
    from transcoder_tui.models.event import Event, EventKind
    from transcoder_tui.models.history import Series, Span
    from transcoder_tui.models.ladder import LadderView
    from transcoder_tui.models.lineup import Applied
    from transcoder_tui.models.machine import Machine
    from transcoder_tui.models.probe import Probe
    from transcoder_tui.models.setting import Setting
    from transcoder_tui.models.undo import Undone, UndoView
    from transcoder_tui.models.view import (
        Acknowledgement,
        ChannelDocument,
        CommandView,
        Delta,
        Interface,
        LogChunk,
        Order,
        Snapshot,
    )

Answer = TypeVar("Answer")

BATCH = 40
"""Rows that are made harmless in one go, before keys have a turn."""
_CLEANED = frozenset({"channels", "changed", "figures"})
"""Of a message: the rows are cleaned one by one before it, and figures hold no text."""


class Edge:
    """What the console needs of a worker's client, with harmless texts only.

    Args:
        client: The connection behind it.
    """

    def __init__(self, client: "WorkerClient") -> None:
        self._client = client

    async def stream(self) -> "AsyncIterator[Snapshot | Delta]":
        """Everything at once, then what changes, once a second, until the worker goes away."""
        try:
            async for message in self._client.stream():
                rows = message.channels if message.type == "snapshot" else message.changed
                for first in range(0, len(rows), BATCH):
                    sanitised(rows[first : first + BATCH])
                    await asyncio.sleep(0)
                clean_model(message, but=_CLEANED)
                yield message
        except TranscoderError as error:
            raise sanitised_error(error) from None

    async def order(self, channel_id: int, verb: "Verb") -> "Order":
        """Orders a start, stop or restart."""
        return await _answer(self._client.order(channel_id, verb))

    async def switch(self, channel_id: int, source: int) -> "Order":
        """Orders another source, by its position from 0."""
        return await _answer(self._client.switch(channel_id, source))

    async def acknowledge(self, channel_id: int) -> "Acknowledgement":
        """Says that the present alarms of a channel have been seen."""
        return await _answer(self._client.acknowledge(channel_id))

    async def history(self, channel_id: int, span: "Span | str") -> "Series":
        """How a channel did over the last minutes (``10m``) or the last day (``24h``)."""
        return await _answer(self._client.history(channel_id, span))

    async def channels(self) -> "list[ChannelDocument]":
        """All stored channels."""
        return await _answer(self._client.channels())

    async def channel(self, channel_id: int) -> "ChannelDocument":
        """One stored channel."""
        return await _answer(self._client.channel(channel_id))

    async def create(self, spec: dict[str, Any]) -> "ChannelDocument":
        """Stores a new channel."""
        return await _answer(self._client.create(spec))

    async def change(self, channel_id: int, spec: dict[str, Any], revision: int) -> "ChannelDocument":
        """Replaces a channel's document, unless somebody else changed it since ``revision``."""
        return await _answer(self._client.change(channel_id, spec, revision))

    async def delete(self, channel_id: int) -> None:
        """Stops a channel and forgets it."""
        await _answer(self._client.delete(channel_id))

    async def apply(self, lineup: dict[str, Any], *, dry_run: bool = False, prune: bool = False) -> "Applied":
        """Makes the stored channels match a line-up; see ``WorkerClient.apply``."""
        return await _answer(self._client.apply(lineup, dry_run=dry_run, prune=prune))

    async def undoable(self) -> "UndoView | None":
        """The last change of the configuration; None where there is none that could be undone."""
        return await _answer(self._client.undoable())

    async def undo(self, event: int) -> "Undone":
        """Undoes the last change, as :meth:`undoable` named it, unless another one is the last by now."""
        return await _answer(self._client.undo(event))

    async def events(
        self,
        limit: int = 100,
        channel_id: int | None = None,
        *,
        before: int | None = None,
        kinds: "Collection[EventKind]" = (),
    ) -> "list[Event]":
        """The latest events before an event, oldest first; see ``WorkerClient.events``."""
        return await _answer(self._client.events(limit, channel_id, before=before, kinds=kinds))

    async def log(self, channel_id: int, *, lines: int, offset: int | None = None) -> "LogChunk":
        """A part of a channel's log; see ``WorkerClient.log``."""
        return await _answer(self._client.log(channel_id, lines=lines, offset=offset))

    async def command(self, channel_id: int) -> "CommandView":
        """The FFmpeg command of a channel, secrets masked."""
        return await _answer(self._client.command(channel_id))

    async def cost(self, spec: dict[str, Any], channel_id: int | None) -> "Cost":
        """What a channel would cost, in the place of a stored one or as a new one."""
        return await _answer(self._client.cost(spec, channel_id))

    async def preview(self, spec: dict[str, Any], channel_id: int | None) -> "CommandView":
        """The FFmpeg command that a document would give, secrets masked; see ``WorkerClient.preview``."""
        return await _answer(self._client.preview(spec, channel_id))

    async def ladders(self) -> "list[LadderView]":
        """The ladders that the form can use."""
        return await _answer(self._client.ladders())

    async def put_ladder(self, name: str, ladder: dict[str, Any]) -> "LadderView":
        """Stores a ladder of the operator's own; see ``WorkerClient.put_ladder``."""
        return await _answer(self._client.put_ladder(name, ladder))

    async def delete_ladder(self, name: str) -> None:
        """Deletes a ladder of the operator's own; one that comes along under this name is back then."""
        await _answer(self._client.delete_ladder(name))

    async def probe(self, source: dict[str, Any], time_s: float) -> "Probe":
        """What a source carries."""
        return await _answer(self._client.probe(source, time_s))

    async def interfaces(self) -> "list[Interface]":
        """The network interfaces of the worker's host."""
        return await _answer(self._client.interfaces())

    async def machine(self) -> "Machine":
        """The machine in depth, as of now."""
        return await _answer(self._client.machine())

    async def settings(self) -> "list[Setting]":
        """The settings in force, and where each comes from."""
        return await _answer(self._client.settings())

    async def close(self) -> None:
        """Ends the connection."""
        await self._client.close()


async def _answer(asked: Awaitable[Answer]) -> Answer:
    try:
        return sanitised(await asked)
    except TranscoderError as error:
        raise sanitised_error(error) from None
