"""A worker that is not there: its client answers from a script, its clock stands still until a test moves it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from transcoder_tui.client.client import Verb, WorkerClient
from transcoder_tui.errors import NoWorker, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.models.capacity import Cost
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventKind
from transcoder_tui.models.faults import parse
from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.models.history import Series, Span
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.models.ladder import Ladder, LadderView
from transcoder_tui.models.machine import Machine
from transcoder_tui.models.probe import DEFAULT_TIME_S, Probe
from transcoder_tui.models.setting import Setting
from transcoder_tui.models.view import (
    Acknowledgement,
    ChannelDocument,
    ChannelView,
    CommandView,
    Delta,
    Interface,
    JobView,
    LogChunk,
    Nic,
    Order,
    Snapshot,
    SystemSample,
    Telemetry,
    WorkerView,
)
from transcoder_tui.settings import Settings
from transcoder_tui.worker import ladders

NOW = datetime(2026, 11, 22, 14, 15, 16, tzinfo=UTC)

FFMPEG = Binary(
    path=Path("/usr/bin/ffmpeg"),
    version="5.1.9-0+deb12u1",
    avutil=(57, 28),
    origin="PATH",
    encoders=frozenset({"libx264", "libx265", "aac", "mp2", "ac3", "mpeg2video"}),
    filters=frozenset({"drawtext"}),
)
HOST = HostFacts(
    interfaces={"eth1": ["10.0.1.7"], "eth2": ["10.0.2.7"], "lo": ["127.0.0.1"]},
    media_roots=[Path("/var/lib/transcoder-tui/media")],
    hls_root=Path("/var/lib/transcoder-tui/hls"),
)
"""What the command of a form is built with."""

TOLD = 100
"""Events that the worker tells a console which connects."""


def worker_view() -> WorkerView:
    return WorkerView(
        pid=812,
        keeper_pid=811,
        socket="/run/transcoder-tui/worker.sock",
        version="0.1.0",
        uptime_s=273_600,
        host="rack-7",
        ffmpeg="/usr/bin/ffmpeg",
        ffmpeg_version="5.1.9",
        data_dir="/var/lib/transcoder-tui",
    )


def sample(second: int = 0) -> SystemSample:
    wave = (0, 3, 7, 12, 18, 23, 19, 14, 9, 4)[second % 10]
    return SystemSample(
        at=NOW + timedelta(seconds=second),
        cpu_percent=31.0 + wave,
        cores=8,
        load=2.4,
        ram_used=6_657_199_309,
        ram_total=16_642_998_272,
        disk_free=227_633_266_688,
        disk_total=502_392_610_816,
        nics=[
            Nic(name="lo", up=True, rx_bps=1_200_000, tx_bps=1_200_000),
            Nic(name="eth1", up=True, rx_bps=43_100_000 + wave * 400_000, tx_bps=92_000, speed_mbps=1000),
            Nic(name="eth2", up=True, rx_bps=31_000, tx_bps=65_200_000 - wave * 900_000, speed_mbps=1000),
        ],
    )


def spec(name: str, number: int, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": name,
        "group": "News",
        "priority": 50,
        "autostart": True,
        "sources": [{"url": f"udp://239.1.1.{number}:5000", "interface": "eth1"}],
        "renditions": [
            {
                "name": "1080p",
                "video": {"size": "1920x1080", "fps": 25, "bitrate": "5000k"},
                "audio": {"bitrate": "128k"},
            }
        ],
        "outputs": [
            {"url": f"udp://239.2.1.{number}:5000", "interface": "eth2", "rendition": "1080p", "muxrate": "6500k"}
        ],
    }
    return parse(ChannelSpec, {**document, **changes}).document()


def view(channel_id: int, name: str, status: Status = Status.RUNNING, **changes: Any) -> ChannelView:
    live = status is Status.RUNNING
    values: dict[str, Any] = {
        "id": channel_id,
        "revision": 1,
        "name": name,
        "group": "News",
        "source": f"udp://239.1.1.{channel_id % 250}:5000",
        "interface": "eth1",
        "renditions": ["1080p 1920x1080 25 fps 5000k"],
        "outputs": [f"udp://239.2.1.{channel_id % 250}:5000"],
        "wanted": Wanted.STOPPED if status is Status.STOPPED else Wanted.RUNNING,
        "status": status,
        "since": NOW - timedelta(hours=4, minutes=12),
        "on_air_since": NOW - timedelta(hours=4, minutes=12) if live else None,
        "pid": 4000 + channel_id if live else None,
        "telemetry": Telemetry(
            fps=25.0, speed=1.0, bitrate=6_500_000, drops=0, dups=2, cpu_percent=142, rss_bytes=188_743_680
        )
        if live
        else Telemetry(),
    }
    return ChannelView(**{**values, **changes})


def alarm(health: Health, message: str = "", remedy: str = "") -> Alarm:
    """One that was raised five seconds ago."""
    return Alarm(
        health=health,
        since=NOW - timedelta(seconds=5),
        message=message or f"{health}: why",
        remedy=remedy or f"what helps against {health}",
    )


def unwell(channel_id: int, name: str, *healths: Health, **changes: Any) -> ChannelView:
    """A channel on air with alarms, the gravest first."""
    alarms = [alarm(health) for health in healths]
    said = {"message": alarms[0].message, "remedy": alarms[0].remedy, "health": healths[0], "alarms": alarms}
    return view(channel_id, name, **{**said, **changes})


def line_up() -> list[ChannelView]:
    return [
        view(1, "News HD"),
        view(
            2,
            "Sport ABR",
            group="Sport",
            renditions=["1080p 1920x1080 50 fps 8000k", "720p 1280x720 50 fps 4000k", "360p 640x360 25 fps 800k"],
            outputs=["hls://sport", "udp://239.2.1.2:5000"],
            telemetry=Telemetry(fps=50.0, speed=0.94, bitrate=12_800_000, drops=318, dups=0, cpu_percent=391),
            on_air_since=NOW - timedelta(days=3, hours=4),
        ),
        view(
            3,
            "Kids",
            Status.RETRYING,
            group="Family",
            source="srt://198.51.100.20:9000?mode=caller",
            attempt=3,
            restarts=3,
            next_retry_at=NOW + timedelta(seconds=12),
            message="no data from srt://198.51.100.20:9000 for 15 s",
            remedy="check that the encoder at 198.51.100.20 sends, and the firewall between",
        ),
        view(
            4,
            "Parliament",
            Status.ERROR,
            group="Public",
            source="file://loops/parliament.ts",
            attempt=5,
            restarts=5,
            message="file loops/parliament.ts is not there",
            remedy="put it below /var/lib/transcoder-tui/media, then start the channel",
        ),
        view(5, "Weather", Status.STOPPED, source="test://bars?size=1280x720&fps=25"),
    ]


def log_lines(count: int = 40) -> list[str]:
    lines = [
        "2026-11-22T10:03:11.004Z WORKER  start: ffmpeg -hide_banner -nostats -i udp://239.1.1.1:5000 "
        + "-map 0:v " * 30
    ]
    for number in range(count - 2):
        at = (NOW - timedelta(seconds=count - number)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if number % 7 == 3:
            lines.append(f"{at} WARNING [mpegts @ 0x55d] Packet corrupt (stream = 0, dts = {number * 3600}).")
        elif number % 11 == 5:
            lines.append(f"{at} ERROR   [h264 @ 0x55e] error while decoding MB 53 {number}, bytestream -5")
        else:
            lines.append(f"{at} INFO    [hls @ 0x55f] Opening 'seg{number:05d}.ts' for writing")
    return lines


def past(span: Span, *, known: int = 288, fps: float = 25.0, bitrate: float = 6_500_000, cpu: float = 142) -> Series:
    """How a channel did that is well but for a dip; of the time before its last ``known`` figures nothing is known."""
    count, step_s = (120, 5.0) if span is Span.MINUTES else (288, 300.0)
    sway = [(0, 2, 5, 7, 8, 6, 3, 1)[place * 7 // 5 % 8] / 8 for place in range(count)]
    dip = [0.7 if 0.55 < place / count < 0.6 else 1.0 for place in range(count)]

    def over(figure: float, share: float, *, dips: bool = False) -> list[float | None]:
        return [
            round(figure * (1 - share * sway[place]) * (dip[place] if dips else 1), 3)
            if place >= count - known
            else None
            for place in range(count)
        ]

    return Series(
        step_s=step_s,
        end=NOW,
        fps=over(fps, 0.01, dips=True),
        speed=over(1.0, 0.01, dips=True),
        bitrate=over(bitrate, 0.2),
        cpu=over(cpu, 0.35),
    )


class FakeClient(WorkerClient):
    """Answers like a worker, from what a test gives it."""

    def __init__(self, channels: list[ChannelView] | None = None) -> None:
        self.views = {row.id: row for row in (line_up() if channels is None else channels)}
        self.documents: dict[int, ChannelDocument] = {
            row.id: ChannelDocument(id=row.id, revision=row.revision, spec=spec(_valid(row), row.id % 250))
            for row in self.views.values()
        }
        self.worker = worker_view()
        self.system = [sample(second - 60) for second in range(61)]
        self.at = NOW
        self.logs: dict[int, list[str]] = {row: log_lines() for row in self.views}
        self.first_line = 0
        self.asked: list[tuple[str, object]] = []
        self.refusals: deque[TranscoderError] = deque()
        self.price: Cost | None = None
        """What every channel costs; without it the worker does not tell."""
        self.pasts: dict[tuple[int, Span], Series] = {}
        """How channels did over a time."""
        self.priced: list[tuple[int | None, dict[str, Any]]] = []
        """What was asked for its cost."""
        self.previewed: list[tuple[int | None, dict[str, Any]]] = []
        """What was asked for its command."""
        self.found: Probe | None = None
        """What is found in every source; without it, looking never ends."""
        self.down: TranscoderError | None = None
        self.happened: list[Event] = []
        """All events ever, oldest first; the worker tells the last :data:`TOLD` of them by itself."""
        self.computer: Machine | None = None
        """The machine in depth; without it the worker does not tell."""
        self.data_dir = Path("/nonexistent")
        """Where the operator's own ladders are."""
        self._messages: asyncio.Queue[Delta | TranscoderError] = asyncio.Queue()

    async def close(self) -> None:
        self.asked.append(("close", None))

    def say(
        self, *changed: ChannelView, removed: tuple[int, ...] = (), events: tuple[Event, ...] = (), seconds: int = 1
    ) -> None:
        """Sends the delta of the next second, with the worker as it is by then."""
        self.at += timedelta(seconds=seconds)
        self.happened += events
        self.views.update((row.id, row) for row in changed)
        for channel_id in removed:
            self.views.pop(channel_id, None)
        second = int((self.at - NOW).total_seconds())
        self._messages.put_nowait(
            Delta(
                at=self.at,
                worker=self.worker.model_copy(),
                changed=list(changed),
                removed=list(removed),
                system=sample(second),
                events=list(events),
            )
        )

    def vanish(self) -> None:
        """Stops answering."""
        self.down = NoWorker("no worker answers on /run/w.sock", "start one with 'transcoder-tui worker start'")
        self._messages.put_nowait(self.down)

    def return_(self) -> None:
        """Answers again."""
        self.down = None

    async def stream(self) -> AsyncIterator[Snapshot | Delta]:
        if self.down:
            raise self.down
        yield Snapshot(
            at=self.at,
            worker=self.worker.model_copy(),
            channels=[row.model_copy(deep=True) for row in self.views.values()],
            history=list(self.system),
            events=[event.model_copy() for event in self.happened[-TOLD:]],
        )
        while True:
            message = await self._messages.get()
            if isinstance(message, TranscoderError):
                raise message
            yield message

    def _refuse(self) -> None:
        if self.down:
            raise self.down
        if self.refusals:
            raise self.refusals.popleft()

    async def order(self, channel_id: int, verb: Verb) -> Order:
        self.asked.append((verb, channel_id))
        self._refuse()
        row = self.views[channel_id]
        job = JobView(id=channel_id, channel=row.name, **JobFields().model_dump())
        return Order(channel=row.name, job=job, changed=True)

    async def switch(self, channel_id: int, source: int) -> Order:
        self.asked.append(("switch", (channel_id, source)))
        self._refuse()
        row = self.views[channel_id]
        job = JobView(id=channel_id, channel=row.name, **JobFields().model_dump())
        return Order(channel=row.name, job=job, changed=source != row.source_index)

    async def acknowledge(self, channel_id: int) -> Acknowledgement:
        """Takes it in; the row tells it with the next delta, as the worker's does."""
        self.asked.append(("acknowledge", channel_id))
        self._refuse()
        row = self.views[channel_id] = self.views[channel_id].model_copy(deep=True)
        for alarm in row.alarms:
            alarm.acknowledged_by = alarm.acknowledged_by or "marc"
            alarm.acknowledged_at = alarm.acknowledged_at or self.at
        self.say(row)
        return Acknowledgement(channel=row.name, alarms=row.alarms, changed=True)

    async def events(
        self,
        limit: int = 100,
        channel_id: int | None = None,
        *,
        before: int | None = None,
        kinds: Collection[EventKind] = (),
    ) -> list[Event]:
        self.asked.append(("events", before))
        self._refuse()
        found = [
            event.model_copy()
            for event in self.happened
            if (before is None or event.id < before)
            and (not kinds or event.kind in kinds)
            and channel_id in (None, event.channel_id)
        ]
        return found[-limit:]

    async def history(self, channel_id: int, span: Span | str = Span.MINUTES) -> Series:
        """What :attr:`pasts` tells of the channel; of others nothing is known."""
        self.asked.append(("history", (channel_id, Span(span))))
        if self.down:
            raise self.down
        return self.pasts.get((channel_id, Span(span)), past(Span(span), known=0))

    async def machine(self) -> Machine:
        self.asked.append(("machine", None))
        self._refuse()
        if self.computer is None:
            raise NoWorker("no worker answers on /run/w.sock", "start one with 'transcoder-tui worker start'")
        return self.computer.model_copy(deep=True)

    async def channels(self) -> list[ChannelDocument]:
        self._refuse()
        return [document.model_copy(deep=True) for document in self.documents.values()]

    async def channel(self, channel_id: int) -> ChannelDocument:
        self._refuse()
        return self.documents[channel_id].model_copy(deep=True)

    async def create(self, spec: dict[str, Any]) -> ChannelDocument:
        self.asked.append(("create", spec))
        self._refuse()
        return ChannelDocument(id=99, revision=1, spec=spec)

    async def change(self, channel_id: int, spec: dict[str, Any], revision: int | None = None) -> ChannelDocument:
        self.asked.append(("change", (channel_id, spec, revision)))
        self._refuse()
        return ChannelDocument(id=channel_id, revision=2, spec=spec)

    async def delete(self, channel_id: int) -> None:
        self.asked.append(("delete", channel_id))
        self._refuse()

    async def cost(self, spec: dict[str, Any], channel_id: int | None = None) -> Cost:
        self.priced.append((channel_id, spec))
        if self.price is None:
            raise NoWorker("no worker answers on /run/w.sock", "start one with 'transcoder-tui worker start'")
        return self.price

    async def preview(self, spec: dict[str, Any], channel_id: int | None = None) -> CommandView:
        """What the worker's own builder makes of it, on a host with two interfaces."""
        self.previewed.append((channel_id, spec))
        if self.down:
            raise self.down
        built = build_command(parse(ChannelSpec, spec), FFMPEG, HOST)
        return CommandView(argv=list(built.masked()), shell=built.shell())

    async def ladders(self) -> list[LadderView]:
        self._refuse()
        return ladders.all_ladders(Settings(data_dir=self.data_dir))

    async def put_ladder(self, name: str, ladder: dict[str, Any]) -> LadderView:
        """Stores it as the worker does, below :attr:`data_dir`."""
        self.asked.append(("put_ladder", (name, ladder)))
        self._refuse()
        return ladders.put(Settings(data_dir=self.data_dir), name, parse(Ladder, {"name": name, **ladder}))

    async def delete_ladder(self, name: str) -> None:
        self.asked.append(("delete_ladder", name))
        self._refuse()
        ladders.delete(Settings(data_dir=self.data_dir), name)

    async def settings(self) -> list[Setting]:
        self._refuse()
        file = "file /etc/transcoder-tui/settings.toml"
        return [
            Setting(
                name="data_dir",
                value="/var/lib/transcoder-tui",
                default="/root/.local",
                origin=file,
                help="Database, logs.",
            ),
            Setting(name="log_level", value="info", default="info", origin="default", help="What the worker writes."),
            Setting(name="media_roots", value=None, default=None, origin="default", help="Where ``file://`` may read."),
            Setting(
                name="retry.attempts",
                value=9,
                default=5,
                origin="environment TRANSCODER_RETRY__ATTEMPTS",
                help="Failures in a row after which a channel is given up.",
            ),
            Setting(name="watchdog.quiet_s", value=3.0, default=3.0, origin="default", help="Time without progress."),
        ]

    async def probe(self, source: dict[str, Any], time_s: float = DEFAULT_TIME_S) -> Probe:
        self.asked.append(("probe", source))
        self._refuse()
        if self.found is None:
            await asyncio.Event().wait()
        assert self.found is not None
        return self.found.model_copy(deep=True)

    async def interfaces(self) -> list[Interface]:
        return [
            Interface(name="eth1", up=True, addresses=["10.0.1.7"], multicast=True, speed_mbps=1000),
            Interface(name="eth2", up=True, addresses=["10.0.2.7"], multicast=True, speed_mbps=1000),
            Interface(name="lo", up=True, addresses=["127.0.0.1"], multicast=False),
        ]

    async def command(self, channel_id: int) -> CommandView:
        self._refuse()
        argv = ["/usr/bin/ffmpeg", "-hide_banner", "-nostats", "-i", "udp://239.1.1.1:5000?fifo_size=50000"]
        argv += ["-map", "0:v:0", "-c:v", "libx264", "-preset", "veryfast", "-f", "mpegts", "udp://239.2.1.1:5000"]
        return CommandView(argv=argv, shell=" ".join(argv))

    async def log(self, channel_id: int, *, lines: int = 200, offset: int | None = None) -> LogChunk:
        """Serves byte offsets as the worker does; only whole lines, and the rest of one where an offset lies in it."""
        if self.down:
            raise self.down
        text = self.logs[channel_id]
        first = len(_octets(text[: self.first_line]))
        octets = _octets(text)
        tail = len(_octets(text[: max(0, len(text) - lines)]))
        begin = max(first, tail if offset is None else offset)
        kept = list(_split(octets[begin:]))[:lines]
        return LogChunk(
            offset=begin,
            next_offset=begin + sum(map(len, kept)),
            first_offset=first,
            lines=[line.decode(errors="replace").rstrip("\n") for line in kept],
        )


def _valid(row: ChannelView) -> str:
    return row.name if row.name.isprintable() and len(row.name) <= 64 else f"Channel {row.id}"


def _octets(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode(errors="surrogatepass")


def _split(octets: bytes) -> Iterator[bytes]:
    return (
        iter(octets.splitlines(keepends=True))
        if b"\r" not in octets
        else (part + b"\n" for part in octets.split(b"\n")[:-1])
    )


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


SOCKET = Path("/nonexistent/worker.sock")
