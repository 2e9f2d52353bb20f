"""Speaks to the worker over its Unix socket."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter

from transcoder_tui.errors import NoWorker, TranscoderError, error_from
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.event import Event, EventKind
from transcoder_tui.models.history import Series, Span
from transcoder_tui.models.ladder import LadderView
from transcoder_tui.models.lineup import Applied
from transcoder_tui.models.machine import Machine
from transcoder_tui.models.probe import DEFAULT_TIME_S, Probe
from transcoder_tui.models.setting import Setting
from transcoder_tui.models.undo import Undone, UndoView
from transcoder_tui.models.view import (
    Acknowledgement,
    ChannelDocument,
    CommandView,
    Delta,
    Interface,
    JobView,
    LogChunk,
    Metrics,
    Order,
    Part,
    Snapshot,
    StreamMessage,
    WorkerView,
)

TIMEOUT_S = 30.0
"""Longest wait for an answer: a stop waits for FFmpeg to finish its outputs, at most about ten seconds."""
STREAM_SILENCE_S = 10.0
"""The live stream speaks once a second; a worker that is silent for so long is gone."""

Verb = Literal["start", "stop", "restart"]
View = TypeVar("View", bound=BaseModel)

_MESSAGES: TypeAdapter[Snapshot | Delta | Part] = TypeAdapter(StreamMessage)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Cuts at line feeds only: a text may hold other characters that Unicode counts as line ends."""
    rest = b""
    async for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line


@contextmanager
def _understood() -> Iterator[None]:
    """Turns an answer of another shape than ours into an error that tells what to do."""
    try:
        yield
    except ValueError:
        raise TranscoderError(
            "the worker answers in a way that this program does not understand",
            "they are of different versions: replace the worker with 'transcoder-tui worker reload'",
        ) from None


def _error_of(response: httpx.Response) -> TranscoderError:
    try:
        return error_from(response.json())
    except ValueError:
        return TranscoderError("the worker ended while it worked on this", "see what has been done, and ask again")


class WorkerClient:
    """A connection to one worker. Every method raises the error that the worker answered with.

    Args:
        socket: The worker's Unix socket.

    Raises:
        NoWorker: From any method, where nothing answers on the socket.
    """

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self._http = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)), base_url="http://worker/api/v1", timeout=TIMEOUT_S
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends the connection."""
        await self._http.aclose()

    async def worker(self) -> WorkerView:
        """The worker itself."""
        return await self._view(WorkerView, "/worker")

    async def channels(self) -> list[ChannelDocument]:
        """All stored channels."""
        return await self._views(ChannelDocument, "/channels")

    async def channel(self, channel_id: int) -> ChannelDocument:
        """One stored channel."""
        return await self._view(ChannelDocument, f"/channels/{channel_id}")

    async def create(self, spec: dict[str, Any]) -> ChannelDocument:
        """Stores a new channel, which starts if its autostart is set."""
        return await self._view(ChannelDocument, "/channels", "POST", json=spec)

    async def change(self, channel_id: int, spec: dict[str, Any], revision: int | None = None) -> ChannelDocument:
        """Replaces a channel's document.

        Args:
            channel_id: Which channel.
            spec: The whole new document.
            revision: The revision that the caller read; None overwrites whatever is there.

        Raises:
            Conflict: Where the channel has another revision by now.
        """
        params = {} if revision is None else {"revision": revision}
        return await self._view(ChannelDocument, f"/channels/{channel_id}", "PUT", json=spec, params=params)

    async def delete(self, channel_id: int) -> None:
        """Stops a channel and forgets it."""
        await self._call("DELETE", f"/channels/{channel_id}")

    async def jobs(self) -> list[JobView]:
        """Every channel's job."""
        return await self._views(JobView, "/jobs")

    async def job(self, channel_id: int) -> JobView:
        """One channel's job."""
        return await self._view(JobView, f"/jobs/{channel_id}")

    async def order(self, channel_id: int, verb: Verb) -> Order:
        """Orders a start, stop or restart; a stop answers when FFmpeg has ended."""
        return await self._view(Order, f"/jobs/{channel_id}/{verb}", "POST")

    async def switch(self, channel_id: int, source: int) -> Order:
        """Orders another source, by its position from 0; the channel stays there until that source fails."""
        return await self._view(Order, f"/channels/{channel_id}/source", "POST", json={"source": source})

    async def apply(self, lineup: dict[str, Any], *, dry_run: bool = False, prune: bool = False) -> Applied:
        """Makes the stored channels match a line-up, all or nothing.

        Args:
            lineup: The line-up's document.
            dry_run: Only say what would change.
            prune: Delete the channels that the line-up does not name.
        """
        params = {"dry_run": dry_run, "prune": prune}
        return await self._view(Applied, "/lineup", "PUT", json=lineup, params=params)

    async def probe(self, source: dict[str, Any], time_s: float = DEFAULT_TIME_S) -> Probe:
        """What a source carries.

        Args:
            source: The source's document.
            time_s: Seconds that the worker may look into it.
        """
        patience = httpx.Timeout(TIMEOUT_S, read=time_s + TIMEOUT_S)
        return await self._view(Probe, "/probe", "POST", json=source, params={"time_s": time_s}, timeout=patience)

    async def cost(self, spec: dict[str, Any], channel_id: int | None = None) -> Cost:
        """What a channel would cost.

        Args:
            spec: Its document.
            channel_id: The stored channel whose place it takes; None for a new one.
        """
        params = {} if channel_id is None else {"channel": channel_id}
        return await self._view(Cost, "/cost", "POST", json=spec, params=params)

    async def preview(self, spec: dict[str, Any], channel_id: int | None = None) -> CommandView:
        """The FFmpeg command that a document would give, secrets masked.

        Args:
            spec: The document.
            channel_id: The stored channel whose place it takes; None for a new one.
        """
        params = {} if channel_id is None else {"channel": channel_id}
        return await self._view(CommandView, "/command", "POST", json=spec, params=params)

    async def interfaces(self) -> list[Interface]:
        """The network interfaces of the worker's host."""
        return await self._views(Interface, "/interfaces")

    async def ladders(self) -> list[LadderView]:
        """The ladders that a line-up and the form can use."""
        return await self._views(LadderView, "/ladders")

    async def put_ladder(self, name: str, ladder: dict[str, Any]) -> LadderView:
        """Stores a ladder of the operator's own, in the place of one of the same name.

        Args:
            name: Whose place it takes.
            ladder: Its document; with another name in it, the one that was there is renamed.

        Raises:
            InvalidInput: With a fault for each field that is wrong.
        """
        return await self._view(LadderView, f"/ladders/{quote(name, safe='')}", "PUT", json=ladder)

    async def delete_ladder(self, name: str) -> None:
        """Deletes a ladder of the operator's own; one that comes along under this name is back then.

        Raises:
            InvalidInput: Where the operator has none of this name.
        """
        await self._call("DELETE", f"/ladders/{quote(name, safe='')}")

    async def settings(self) -> list[Setting]:
        """The settings in force, and where each comes from, in the order of their declaration."""
        return await self._views(Setting, "/settings")

    async def machine(self) -> Machine:
        """The machine in depth, as of now."""
        return await self._view(Machine, "/machine")

    async def history(self, channel_id: int, span: Span | str = Span.MINUTES) -> Series:
        """How a channel did over the last minutes or the last day.

        Args:
            channel_id: Which channel.
            span: How far back.
        """
        return await self._view(Series, f"/channels/{channel_id}/history", params={"span": str(span)})

    async def acknowledge(self, channel_id: int) -> Acknowledgement:
        """Says that the present alarms of a channel have been seen."""
        return await self._view(Acknowledgement, f"/channels/{channel_id}/acknowledge", "POST")

    async def undoable(self) -> UndoView | None:
        """The last change of the configuration; None where there is none that could be undone."""
        answer = await self._call("GET", "/undo")
        with _understood():
            return None if answer is None else UndoView.model_validate(answer)

    async def undo(self, event: int) -> Undone:
        """Undoes the last change of the configuration.

        Args:
            event: The change, as :meth:`undoable` named it.

        Raises:
            Conflict: Where another change is the last one by now.
            InvalidInput: Where what was before can no longer be: an interface that is gone, a destination taken.
        """
        return await self._view(Undone, "/undo", "POST", params={"event": event})

    async def metrics(self) -> Metrics:
        """Figures of the machine, the worker and every channel."""
        return await self._view(Metrics, "/metrics")

    async def events(
        self,
        limit: int = 100,
        channel_id: int | None = None,
        *,
        before: int | None = None,
        kinds: Collection[EventKind] = (),
    ) -> list[Event]:
        """The latest events, oldest first.

        Args:
            limit: At most so many.
            channel_id: Of one channel, which may be deleted; None is all.
            before: Only those before the event with this id: the first one of an earlier answer leads to the page
                before it.
            kinds: Only those of these kinds; none is all.
        """
        params: dict[str, Any] = {"limit": limit, "kind": [kind.value for kind in kinds]}
        if channel_id is not None:
            params["channel"] = channel_id
        if before is not None:
            params["before"] = before
        return await self._views(Event, "/events", params=params)

    async def log(self, channel_id: int, *, lines: int = 200, offset: int | None = None) -> LogChunk:
        """A part of a channel's log.

        Args:
            channel_id: Which channel.
            lines: At most so many lines.
            offset: Where to begin, as an earlier part's ``next_offset`` said; None gives the last lines.
        """
        params = {"lines": lines} if offset is None else {"lines": lines, "offset": offset}
        return await self._view(LogChunk, f"/channels/{channel_id}/log", params=params)

    async def command(self, channel_id: int) -> CommandView:
        """The FFmpeg command of a channel, secrets masked."""
        return await self._view(CommandView, f"/channels/{channel_id}/command")

    async def stream(self) -> AsyncIterator[Snapshot | Delta]:
        """Everything at once, then what changes, once a second, until the worker goes away."""
        timeout = httpx.Timeout(TIMEOUT_S, read=STREAM_SILENCE_S)
        try:
            async with self._http.stream("GET", "/stream", timeout=timeout) as response:
                if response.is_error:
                    await response.aread()
                    raise _error_of(response)
                parts: list[Part] = []
                async for line in _lines(response.aiter_bytes()):
                    with _understood():
                        message = _MESSAGES.validate_json(line)
                    if isinstance(message, Part):
                        parts.append(message)
                        await asyncio.sleep(0)
                    else:
                        yield message.joined(parts)
                        parts = []
        except httpx.TransportError as error:
            raise self._no_worker(error) from None

    async def _view(self, view: type[View], path: str, method: str = "GET", **options: Any) -> View:
        answer = await self._call(method, path, **options)
        with _understood():
            return view.model_validate(answer)

    async def _views(self, view: type[View], path: str, **options: Any) -> list[View]:
        answer = await self._call("GET", path, **options)
        with _understood():
            return [view.model_validate(entry) for entry in answer]

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = await self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._no_worker(error) from None
        if response.is_error:
            raise _error_of(response)
        return response.json() if response.content else None

    def _no_worker(self, error: httpx.TransportError) -> NoWorker:
        if isinstance(error, httpx.TimeoutException):
            return NoWorker(
                f"the worker on {self.socket} accepts calls but does not answer them",
                "look at its log; 'transcoder-tui worker stop' ends it, channels stay on air",
            )
        reason = str(error) or type(error).__name__
        return NoWorker(
            f"no worker answers on {self.socket} ({reason})", "start one with 'transcoder-tui worker start'"
        )
