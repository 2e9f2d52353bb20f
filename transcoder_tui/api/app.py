"""The routes of ``/api/v1``. Nothing is decided here: each hands its call to the supervisor."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from transcoder_tui import __version__
from transcoder_tui.api import errors
from transcoder_tui.api.body_limit import BodyLimit
from transcoder_tui.api.bulk import read_lineup, written
from transcoder_tui.api.presence import while_present
from transcoder_tui.host.interfaces import list_interfaces
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventKind
from transcoder_tui.models.history import Series, Span
from transcoder_tui.models.ladder import LadderView
from transcoder_tui.models.lineup import Applied
from transcoder_tui.models.machine import Machine
from transcoder_tui.models.probe import DEFAULT_TIME_S, TIME_S, Probe
from transcoder_tui.models.setting import Setting
from transcoder_tui.models.source import Source
from transcoder_tui.models.undo import Undone, UndoView
from transcoder_tui.models.view import (
    Acknowledgement,
    ChannelDocument,
    CommandView,
    Interface,
    JobView,
    LogChunk,
    Metrics,
    Order,
    SourceChoice,
    WorkerView,
)
from transcoder_tui.settings import describe_settings
from transcoder_tui.worker import views
from transcoder_tui.worker.ladders import all_ladders
from transcoder_tui.worker.supervisor import Supervisor

MAX_LINES = 5000
"""Lines of a log, or of the history, in one answer."""


class Verb(StrEnum):
    """What can be ordered."""

    START = "start"
    STOP = "stop"
    RESTART = "restart"


# Coroutines, because FastAPI runs a plain function in a thread of its own.


async def _supervisor(request: Request) -> Supervisor:
    supervisor: Supervisor = request.app.state.supervisor
    return supervisor


async def _actor(request: Request) -> str:
    return request.client.host if request.client else "unknown"


Worker = Annotated[Supervisor, Depends(_supervisor)]
Actor = Annotated[str, Depends(_actor)]
ChannelId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Lines = Annotated[int, Query(ge=1, le=MAX_LINES)]

router = APIRouter(prefix="/api/v1")


@router.get("/worker")
async def worker(worker: Worker) -> WorkerView:
    """The worker itself."""
    return worker.worker_view()


@router.get("/channels", response_model=list[ChannelDocument])
async def channels(worker: Worker) -> Response:
    """Every stored channel."""
    return written(worker.documents())


@router.post("/channels", status_code=201)
async def create(spec: ChannelSpec, worker: Worker, actor: Actor) -> ChannelDocument:
    """Stores a new channel; it starts if its autostart is set."""
    return await worker.editor.create(spec, actor)


@router.get("/channels/{channel_id}")
async def channel(channel_id: ChannelId, worker: Worker) -> ChannelDocument:
    """One stored channel."""
    return worker.document(channel_id)


@router.put("/channels/{channel_id}")
async def change(
    channel_id: ChannelId, spec: ChannelSpec, worker: Worker, actor: Actor, revision: int | None = None
) -> ChannelDocument:
    """Replaces a channel's document; refused where it is no longer at the given revision."""
    return await worker.editor.change(channel_id, spec, revision, actor)


@router.delete("/channels/{channel_id}", status_code=204)
async def delete(channel_id: ChannelId, worker: Worker, actor: Actor) -> None:
    """Forgets a channel and stops it."""
    await worker.editor.delete(channel_id, actor)


@router.post("/channels/{channel_id}/acknowledge")
async def acknowledge(channel_id: ChannelId, worker: Worker, actor: Actor) -> Acknowledgement:
    """Notes that the caller has seen the channel's alarms."""
    return await worker.acknowledge(channel_id, actor)


@router.get("/channels/{channel_id}/log")
async def log(
    channel_id: ChannelId,
    worker: Worker,
    lines: Lines = 200,
    offset: Annotated[int | None, Query(ge=0)] = None,
) -> LogChunk:
    """A part of a channel's log: from ``offset`` on, else the last lines."""
    return worker.log_chunk(channel_id, lines, offset)


@router.get("/channels/{channel_id}/history", response_model=Series)
async def history(channel_id: ChannelId, worker: Worker, span: Span = Span.MINUTES) -> Response:
    """How a channel did over the last minutes or the last day."""
    return written(worker.history(channel_id, span))


@router.get("/channels/{channel_id}/command")
async def command(channel_id: ChannelId, worker: Worker) -> CommandView:
    """The FFmpeg command of a channel, secrets masked."""
    built = worker.command(channel_id)
    return CommandView(argv=list(built.masked()), shell=built.shell())


@router.put("/lineup")
async def apply(
    document: dict[str, Any], worker: Worker, actor: Actor, dry_run: bool = False, prune: bool = False
) -> Applied:
    """Makes the stored channels match a line-up, all or nothing."""
    lineup = await read_lineup(document, worker.settings)
    return await worker.editor.apply(lineup, dry_run=dry_run, prune=prune, actor=actor)


@router.get("/undo", response_model=UndoView | None)
async def undoable(worker: Worker) -> Response | None:
    """The last change of the channels that can be undone; null where there is none."""
    change = await worker.editor.undoable()
    return written(change) if change is not None else None


@router.post("/undo", response_model=Undone)
async def undo(event: Annotated[int, Query(ge=1, le=2**63 - 1)], worker: Worker, actor: Actor) -> Response:
    """Undoes the last change, which the caller names; refused where another one is the last by now."""
    return written(await worker.editor.undo(event, actor))


@router.get("/ladders")
async def ladders(worker: Worker) -> list[LadderView]:
    """The ladders that a line-up and the form can use."""
    return all_ladders(worker.settings)


@router.put("/ladders/{name}")
async def put_ladder(name: str, document: dict[str, Any], worker: Worker, actor: Actor) -> LadderView:
    """Stores a ladder of the operator's own, in the place of one of the same name."""
    return await worker.put_ladder(name, document, actor)


@router.delete("/ladders/{name}", status_code=204)
async def delete_ladder(name: str, worker: Worker, actor: Actor) -> None:
    """Deletes a ladder of the operator's own."""
    await worker.delete_ladder(name, actor)


@router.get("/jobs", response_model=list[JobView])
async def jobs(worker: Worker) -> Response:
    """Every channel's job."""
    return written([views.job_view(run) for run in worker.runs()])


@router.get("/jobs/{channel_id}")
async def job(channel_id: ChannelId, worker: Worker) -> JobView:
    """One channel's job."""
    return views.job_view(worker.run(channel_id))


@router.post("/jobs/{channel_id}/{verb}")
async def order(channel_id: ChannelId, verb: Verb, worker: Worker, actor: Actor) -> Order:
    """Starts, stops or restarts a channel; a stop is answered when FFmpeg has ended."""
    return await worker.order(channel_id, verb.value, actor)


@router.post("/channels/{channel_id}/source")
async def switch(channel_id: ChannelId, choice: SourceChoice, worker: Worker, actor: Actor) -> Order:
    """Changes a channel to another of its sources, where it stays until that source fails."""
    return await worker.switch(channel_id, choice.source, actor)


@router.post("/probe")
async def probe(
    source: Source,
    worker: Worker,
    request: Request,
    time_s: Annotated[float, Query(ge=TIME_S[0], le=TIME_S[1])] = DEFAULT_TIME_S,
) -> Probe:
    """What a source carries, looked into for so many seconds at most; given up where the client leaves."""
    return await while_present(request, worker.inspector.inspect(source, time_s))


@router.post("/cost")
async def cost(
    spec: ChannelSpec, worker: Worker, channel: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Cost:
    """What a channel would cost, in the place of the stored one with this id or as a new one."""
    return worker.editor.cost(spec, channel)


@router.post("/command")
async def preview(
    spec: ChannelSpec, worker: Worker, channel: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> CommandView:
    """The FFmpeg command of a document that is not stored, secrets masked; on the source that the channel reads now."""
    built = worker.preview(spec, channel)
    return CommandView(argv=list(built.masked()), shell=built.shell())


@router.get("/interfaces")
async def interfaces() -> list[Interface]:
    """The network interfaces of this host."""
    return list_interfaces()


@router.get("/machine", response_model=Machine)
async def machine(worker: Worker) -> Response:
    """The machine in depth, as of now."""
    return written(await worker.machine())


@router.get("/settings")
async def settings(worker: Worker) -> list[Setting]:
    """The settings in force, and where each comes from."""
    return describe_settings(worker.settings)


@router.get("/metrics", response_model=Metrics)
async def metrics(worker: Worker) -> Response:
    """Figures of the machine, the worker and every channel."""
    return written(worker.metrics())


@router.get("/events")
async def events(
    worker: Worker,
    kind: Annotated[list[EventKind], Query(default_factory=list)],
    limit: Lines = 100,
    channel: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
) -> list[Event]:
    """The latest events, oldest first; those before an event, those of some kinds."""
    return await worker.store.events(limit, channel, before=before, kinds=kind)


@router.get("/stream")
async def stream(worker: Worker) -> StreamingResponse:
    """The live stream: a snapshot, then a delta a second; JSON, a document a line, what has many rows in several."""
    lines: AsyncIterator[bytes] = worker.feed.subscribe()
    return StreamingResponse(lines, media_type="application/x-ndjson")


def make_app(supervisor: Supervisor) -> FastAPI:
    """The API of one worker."""
    app = FastAPI(title="transcoder-tui", version=__version__, docs_url=None, redoc_url=None)
    app.state.supervisor = supervisor
    app.include_router(router)
    errors.install(app)
    app.add_middleware(BodyLimit)
    return app
