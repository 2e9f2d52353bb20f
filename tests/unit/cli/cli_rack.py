"""A small rack behind a real HTTP server on a Unix socket: answers the API's routes with seeded documents.

Run as a program it stands in for the keeper: ``python cli_rack.py SOCKET transcoder_tui.worker.keeper``. INT ends it,
HUP gives its worker another pid or, where ``REFUSAL`` is in its environment, is refused for that reason.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from transcoder_tui.errors import InvalidInput, NoSuchChannel, TranscoderError
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventKind, Severity
from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.lineup import Applied
from transcoder_tui.models.probe import Probe
from transcoder_tui.models.view import (
    ChannelDocument,
    ChannelView,
    CommandView,
    Interface,
    JobView,
    LogChunk,
    Metrics,
    Nic,
    Order,
    SourceChoice,
    SystemSample,
    Telemetry,
    WorkerView,
)


class Result(NamedTuple):
    """What a command line came to."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]

STATUS = {InvalidInput: 422, NoSuchChannel: 404}


def spec(name: str, port: int, **fields: Any) -> dict[str, Any]:
    """The document of a channel."""
    document = {
        "name": name,
        "sources": [{"url": "udp://239.1.1.1:5000", "interface": "lo"}],
        "renditions": [{"name": "low", "video": {"size": "640x360", "bitrate": "800k"}}],
        "outputs": [{"url": f"udp://127.0.0.1:{port}"}, {"url": f"rtmp://127.0.0.1/live/key{port}"}],
    }
    return ChannelSpec.model_validate(document | fields).document()


class Rack:
    """What the server answers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self.documents: dict[int, ChannelDocument] = {}
        self.views: dict[int, ChannelView] = {}
        self.logs: dict[int, list[str]] = {}
        self.first: dict[int, int] = {}
        """Oldest line of a log that is still kept, where it is not the first."""
        self.events: list[Event] = []
        self.applied = Applied(dry_run=False, changes=[])
        self.found = Probe(source="udp://239.1.1.1:5000", container="mpegts")
        self.refusals: dict[tuple[str, str], TranscoderError] = {}
        """Error for a method and path."""
        self.busy = 0
        self.busiest = 0
        """Most orders that were under way at a time."""
        self.order_takes_s = 0.0
        self.worker = WorkerView(
            pid=os.getpid(),
            keeper_pid=None,
            socket="",
            version="9.9.9",
            uptime_s=3725.0,
            host="headend",
            ffmpeg="/usr/bin/ffmpeg",
            ffmpeg_version="5.1.9",
            data_dir="/srv/tv",
        )

    def add(self, name: str, status: Status = Status.STOPPED, **fields: Any) -> int:
        """Adds a channel and returns its id."""
        number = len(self.documents) + 1
        given = {key: fields.pop(key) for key in ("group", "sources") if key in fields}
        document = spec(name, 6000 + number, **given)
        self.documents[number] = ChannelDocument(id=number, revision=1, spec=document)
        self.views[number] = ChannelView(
            id=number,
            revision=1,
            name=name,
            group=document.get("group"),
            source="udp://239.1.1.1:5000",
            sources=len(document["sources"]),
            renditions=["low 640x360 25 fps 800k"],
            outputs=[f"udp://127.0.0.1:{6000 + number}", "rtmp://127.0.0.1/live/***"],
            wanted=Wanted.STOPPED if status is Status.STOPPED else Wanted.RUNNING,
            status=status,
            **fields,
        )
        self.logs[number] = []
        return number

    def add_on_air(self, name: str, **fields: Any) -> int:
        """Adds a channel that is on air."""
        telemetry = Telemetry(fps=25.0, speed=1.0, bitrate=950_400.0, drops=3, dups=1)
        since = datetime.now(UTC) - timedelta(hours=2, minutes=5)
        given = {"pid": 4000 + len(self.views), "on_air_since": since, "telemetry": telemetry} | fields
        return self.add(name, Status.RUNNING, **given)

    def job(self, number: int) -> JobView:
        """The job of a channel."""
        view = self.views[number]
        return JobView(id=number, channel=view.name, wanted=view.wanted, status=view.status, pid=view.pid)

    def metrics(self) -> Metrics:
        """Everything at once."""
        system = SystemSample(
            at=datetime.now(UTC), cpu_percent=37.0, cores=8, load=1.25, ram_used=2 << 30, ram_total=8 << 30,
            disk_free=90 << 30, disk_total=100 << 30, nics=[Nic(name="eth0", up=True, rx_bps=8e6, tx_bps=52e6)],
        )  # fmt: skip
        return Metrics(worker=self.worker, system=system, channels=list(self.views.values()))

    def chunk(self, number: int, lines: int, offset: int | None) -> LogChunk:
        """A part of a log in which each line counts as one byte."""
        log = self.logs[number]
        first = self.first.get(number, 0)
        begin = max(first, len(log) - lines if offset is None else offset)
        part = log[begin : begin + lines]
        return LogChunk(offset=begin, next_offset=begin + len(part), first_offset=first, lines=part)


def make_app(rack: Rack) -> FastAPI:
    """The routes."""
    app = FastAPI()

    @app.middleware("http")
    async def record(request: Request, call_next: Any) -> Response:
        path = request.url.path.removeprefix("/api/v1")
        body = await request.json() if await request.body() else dict(request.query_params)
        rack.asked.append((request.method, path, body))
        refusal = rack.refusals.get((request.method, path))
        if refusal is not None:
            return JSONResponse(refusal.document(), STATUS.get(type(refusal), 409))
        answer: Response = await call_next(request)
        return answer

    @app.get("/api/v1/worker")
    def worker() -> WorkerView:
        return rack.worker

    @app.get("/api/v1/channels")
    def channels() -> list[ChannelDocument]:
        return list(rack.documents.values())

    @app.get("/api/v1/channels/{number}")
    def channel(number: int) -> ChannelDocument:
        return rack.documents[number]

    @app.delete("/api/v1/channels/{number}", status_code=204)
    def delete(number: int) -> None:
        del rack.documents[number], rack.views[number]

    @app.get("/api/v1/jobs")
    def jobs() -> list[JobView]:
        return [rack.job(number) for number in rack.views]

    @app.post("/api/v1/jobs/{number}/{verb}")
    async def order(number: int, verb: str) -> Order:
        rack.busy += 1
        rack.busiest = max(rack.busiest, rack.busy)
        await asyncio.sleep(rack.order_takes_s)
        rack.busy -= 1
        status = Status.STOPPED if verb == "stop" else Status.PENDING
        view = rack.views[number]
        changed = verb == "restart" or view.wanted is (Wanted.RUNNING if verb == "stop" else Wanted.STOPPED)
        if changed:
            wanted = Wanted.STOPPED if verb == "stop" else Wanted.RUNNING
            rack.views[number] = view.model_copy(update={"status": status, "wanted": wanted})
        return Order(channel=view.name, job=rack.job(number), changed=changed)

    @app.post("/api/v1/channels/{number}/source")
    def switch(number: int, choice: SourceChoice) -> Order:
        view = rack.views[number]
        changed = choice.source != view.source_index
        if changed:
            rack.views[number] = view.model_copy(update={"status": Status.STOPPING, "source_index": choice.source})
        return Order(channel=view.name, job=rack.job(number), changed=changed)

    @app.put("/api/v1/lineup")
    def apply() -> Applied:
        return rack.applied

    @app.post("/api/v1/probe")
    def probe() -> Probe:
        return rack.found

    @app.get("/api/v1/interfaces")
    def interfaces() -> list[Interface]:
        return [Interface(name="eth0", up=True, addresses=["192.0.2.2"], multicast=True, speed_mbps=10000, mtu=1500)]

    @app.get("/api/v1/metrics")
    def metrics() -> Metrics:
        return rack.metrics()

    @app.get("/api/v1/events")
    def events(limit: int = 100, channel: int | None = None) -> list[Event]:
        return [event for event in rack.events if channel in (None, event.channel_id)][-limit:]

    @app.get("/api/v1/channels/{number}/log")
    def log(number: int, lines: int = 200, offset: int | None = None) -> LogChunk:
        return rack.chunk(number, lines, offset)

    @app.get("/api/v1/channels/{number}/command")
    def command(number: int) -> CommandView:
        argv = ["ffmpeg", "-i", "udp://239.1.1.1:5000", "rtmp://127.0.0.1/live/***"]
        return CommandView(argv=argv, shell=" ".join(argv))

    return app


def alarm(health: Health, message: str, remedy: str = "") -> Alarm:
    """One that was raised a minute ago."""
    return Alarm(health=health, since=datetime.now(UTC) - timedelta(seconds=60), message=message, remedy=remedy)


def event(number: int, message: str, channel_id: int, severity: Severity = Severity.INFO, log: str = "") -> Event:
    """One line of the history."""
    at = datetime(2025, 1, 1, 12, 0, number, tzinfo=UTC)
    return Event(
        id=number, at=at, kind=EventKind.ORDER, severity=severity, channel_id=channel_id, channel="News HD",
        message=message, actor="night", log=log,
    )  # fmt: skip


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers, and with a word when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Says when the socket listens."""
        await super().startup(sockets)
        self.ready.set()


def _server(rack: Rack) -> _Server:
    options: dict[str, Any] = {"lifespan": "off", "timeout_graceful_shutdown": 1}
    return _Server(uvicorn.Config(make_app(rack), log_config=None, **options))


@contextmanager
def served(rack: Rack, path: Path) -> Iterator[None]:
    """Serves the rack on a socket, in a thread."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rack.worker = rack.worker.model_copy(update={"socket": str(path)})
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    server = _server(rack)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    assert server.ready.wait(30)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
        path.unlink()


async def _keep(path: Path) -> None:
    rack = Rack()
    rack.add_on_air("News HD")
    rack.worker = rack.worker.model_copy(update={"pid": 100, "keeper_pid": os.getpid(), "socket": str(path)})
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    server = _server(rack)

    def replace() -> None:
        if "REFUSAL" in os.environ:
            (path.parent / "reload.refused").write_text(os.environ["REFUSAL"])
            return
        rack.worker = rack.worker.model_copy(update={"pid": rack.worker.pid + 1})

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: setattr(server, "should_exit", True))
    loop.add_signal_handler(signal.SIGHUP, replace)
    await server.serve([listener])
    path.unlink()


if __name__ == "__main__":
    asyncio.run(_keep(Path(sys.argv[1])))
